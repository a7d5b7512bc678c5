//! The strict reader of ssh_config against the only judge of it: `ssh -G` on the same files. It may refuse a file
//! that ssh takes; it may never say something else.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use stakeout::collect::cancel::Cancel;
use stakeout::collect::options::{Options, Place};
use stakeout::collect::ssh_config::{self, HostConfig, Question};
use stakeout::disk;

use crate::machine::{lacks, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial(
            "sshd",
            "ssh_config::written_files",
            lacks(&["ssh"]),
            written_files,
        ),
        trial(
            "sshd",
            "ssh_config::made_files",
            lacks(&["ssh"]),
            made_files,
        ),
    ]
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("stakeout-config-{name}-{}", std::process::id()));
        disk::make_folder(&path.join("d")).expect("a temporary folder");
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        disk::write(&path, |out| out.write_all(text.as_bytes())).expect("writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ask(ssh: &Path, file: &Path, name: &str) -> Result<HostConfig, String> {
    let (user, home) = login();
    let place = Place {
        ssh: ssh.to_owned(),
        ssh_config: Some(file.to_owned()),
        home: home.clone(),
        login: user.clone(),
        ..Options::default().place
    };
    let question = Question {
        name,
        user: None,
        port: None,
    };
    let cancel = Cancel::new().map_err(|error| error.to_string())?;
    let mut config = ssh_config::ask(question, &place, &cancel)?;
    // What ssh fills in by itself is left out: its defaults change from version to version.
    config.port.get_or_insert(22);
    config.user.get_or_insert(user);
    let folder = home.join(".ssh");
    config
        .identities
        .retain(|file| file.parent() != Some(&folder));
    Ok(config)
}

/// Name and home folder of the user that this test runs as, which `ssh -G` fills in.
fn login() -> (String, PathBuf) {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = disk::read_text(Path::new("/etc/passwd"), 1 << 20).unwrap_or_default();
    let own = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let own = own.into_iter().find(|fields| fields.get(2) == Some(&&*uid));
    let fields = own.expect("this user is in passwd");
    (fields[0].to_owned(), fields[5].into())
}

/// Whether the strict reader answered; its answer was that of ssh.
fn agree(file: &Path, name: &str, text: &str) -> Result<bool, Failed> {
    let Ok(own) = ask(Path::new("/nonexistent/ssh"), file, name) else {
        return Ok(false);
    };
    let ssh = ask(Path::new("ssh"), file, name)
        .map_err(|error| format!("{name}: ssh refuses what was read here: {error}\n{text}"))?;
    if own == ssh {
        return Ok(true);
    }
    Err(format!("{name}\n{text}\nhere {own:#?}\nssh {ssh:#?}").into())
}

const NAMES: [&str; 6] = ["n1", "N1", "n12", "db.prod", "a.b.prod", "10.0.0.7"];

/// Files as people write them; all of them are to be read.
const WRITTEN: &[&str] = &[
    "",
    "# nothing\n\n",
    "Host n1\n  HostName 10.0.0.1\n  User audit\n  Port 2222\nHost *\n  User other\n",
    "Host *.prod !db.prod\n User prod\nHost db.*\n User db\n",
    "Host n? 10.*\nPort=2200\nIdentityFile=/k/%r@%h:%p\nIdentityFile /k/%n-%d-%u-%%\n",
    "Host=n1\nHostName = %h.example.com\nHostKeyAlias \"alias\"\n",
    "User first\nUser second\nIdentityFile /a\nIdentityFile /b\nIdentityFile /a\n",
    "IdentityFile none\n",
    "IdentityFile \"/with blank/id\"\nCertificateFile '/with blank/id-cert.pub'\n",
    "IdentitiesOnly yes\nIdentityAgent /run/agent.sock\n",
    "identitiesonly TRUE\nidentityagent none\n",
    "IdentityAgent SSH_AUTH_SOCK\n",
    "UserKnownHostsFile /a /b\nGlobalKnownHostsFile /c\nUserKnownHostsFile /d\n",
    "UserKnownHostsFile none\n",
    "ProxyJump a,b:2222\n",
    "ProxyJump none\nProxyJump a\n",
    "ProxyCommand none\nProxyJump a\n",
    "Host other\n ProxyCommand nc %h %p\nHost n1\n ProxyJump user@bastion\n",
    "GSSAPIAuthentication yes\nForwardAgent yes\nServerAliveInterval 5\nSendEnv LANG LC_*\n",
    "Include D/*.conf\nUser after\n",
    "Host n1\nInclude D/*.conf\nHost *\nUser after\n",
    "Host n1\n\tUser\ttabs\t# and a comment\r\n",
    "IgnoreUnknown Use*\nUseKeychain yes\nUser x\n",
    "Host \"n1\" 'db.prod'\n User quoted\n",
    "Host n1 #n12\n User comment\n",
    "CanonicalizeHostname no\nUser x\n",
];

fn written_files() -> Result<(), Failed> {
    let folder = Folder::new("written");
    let inner = folder.0.join("d");
    folder.file("d/1.conf", "Host n12\n User inner\nHost *\n Port 2022\n");
    folder.file("d/2.conf", "HostName from-include\n");
    for text in WRITTEN {
        let text = text.replace("D/", &format!("{}/", inner.display()));
        let file = folder.file("config", &text);
        for name in NAMES {
            if !agree(&file, name, &text)? {
                let error = ask(Path::new("/nonexistent/ssh"), &file, name).err();
                return Err(format!("{name}: not read: {error:?}\n{text}").into());
            }
        }
    }
    Ok(())
}

/// Lines to make files of, good and bad.
const LINES: &[&str] = &[
    "Host n1",
    "Host n*",
    "Host *",
    "Host !n1 *",
    "Host *.prod",
    "Host db.prod 10.0.0.?",
    "Host N1",
    "Host n1 !n1 *",
    "User a",
    "User \"b c\"",
    "User d\\ e",
    "Port 22",
    "Port 0",
    "Port 65536",
    "Port 2222 ",
    "HostName h",
    "HostName %h.x",
    "HostName %%",
    "HostName %p",
    "HostKeyAlias k",
    "IdentityFile /i/%h",
    "IdentityFile ~/i",
    "IdentityFile /i/%n",
    "IdentityFile none",
    "CertificateFile /c",
    "IdentitiesOnly yes",
    "IdentitiesOnly no",
    "IdentityAgent none",
    "IdentityAgent ~/s",
    "UserKnownHostsFile /u /v",
    "UserKnownHostsFile /w",
    "GlobalKnownHostsFile /g",
    "ProxyJump j",
    "ProxyJump none",
    "ProxyCommand none",
    "ProxyCommand nc %h",
    "Compression yes",
    "Include INNER",
    "Include /nonexistent/*",
    "# comment",
    "",
    "GSSAPIAuthentication yes",
    "GSSAPIAuthentication no",
    "User=f",
    "Port = 99",
    "Nonsense 1",
    "User g # h",
    "IdentityFile \"/q r\"",
    "PKCS11Provider /p.so",
    "StrictHostKeyChecking no",
    "Match all",
    "User",
    "\"User\" z",
];

fn made_files() -> Result<(), Failed> {
    let folder = Folder::new("made");
    let mut state: u64 = 0x5eed;
    let mut next = |below: usize| {
        // Knuth's linear generator: the same files in every run.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    let mut read = 0;
    for _ in 0..250 {
        let mut make = |most: usize| -> String {
            let count = 1 + next(most);
            let lines = (0..count).map(|_| LINES[next(LINES.len())]);
            lines.map(|line| format!("{line}\n")).collect()
        };
        let inner = folder.file("inner", &make(4).replace("INNER", "/nonexistent/inner"));
        let text = make(10).replace("INNER", &inner.display().to_string());
        let file = folder.file("config", &text);
        let shown = format!("{text}-- inner\n{}", disk::read_text(&inner, 1 << 20)?);
        for name in [NAMES[next(NAMES.len())], "n1"] {
            read += usize::from(agree(&file, name, &shown)?);
        }
    }
    if read < 150 {
        return Err(format!("only {read} of 500 were read").into());
    }
    Ok(())
}
