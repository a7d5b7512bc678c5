use std::path::PathBuf;

use super::*;

/// A home folder with files in `.ssh`.
struct Home(PathBuf);

impl Home {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let home =
            std::env::temp_dir().join(format!("stakeout-strict-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = home.join(".ssh").join(file);
            disk::make_folder(path.parent().expect("below .ssh")).expect("a temporary folder");
            disk::write(&path, |out| out.write_all(text.as_bytes())).expect("writable");
        }
        Self(home)
    }

    fn ask(&self, name: &str) -> Result<String, String> {
        let place = Place {
            home: self.0.clone(),
            login: "me".to_owned(),
            ssh_config: Some(self.0.join(".ssh/config")),
            ..crate::collect::options::Options::default().place
        };
        let question = Question {
            name,
            user: None,
            port: None,
        };
        answer(question, &place)
    }

    /// One value of the answer.
    fn value(&self, name: &str, keyword: &str) -> String {
        let text = self.ask(name).expect("a configuration that can be read");
        let line = text.lines().find_map(|line| line.strip_prefix(keyword));
        line.unwrap_or(" -").trim().to_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_first_value_of_a_block_that_fits_counts() {
    let home = Home::new(
        "first",
        &[(
            "config",
            "Host n1 !n1\n User never\nHost *.prod !db.prod\n User prod\n HostName %h.example\n\
             Host n? *\n User any\n Port 2222\n",
        )],
    );
    assert_eq!(home.value("n1", "user"), "any");
    assert_eq!(home.value("a.prod", "user"), "prod");
    assert_eq!(home.value("a.prod", "hostname"), "a.prod.example");
    assert_eq!(home.value("db.prod", "user"), "any");
    assert_eq!(home.value("db.prod", "port"), "2222");
}

#[test]
fn includes_keep_the_block_that_they_stand_in() {
    let home = Home::new(
        "include",
        &[
            (
                "config",
                "Host n1\n Include conf.d/*.conf\nHost *\n User last\n",
            ),
            ("conf.d/10.conf", "User ten\nHost n2\n Port 1\n"),
            ("conf.d/20.conf", "Port 20\n"),
            ("conf.d/.hidden.conf", "Port 1\n"),
        ],
    );
    assert_eq!(home.value("n1", "user"), "ten");
    assert_eq!(home.value("n1", "port"), "20");
    assert_eq!(home.value("n2", "user"), "last");
    assert_eq!(home.value("n2", "port"), "-");
}

#[test]
fn what_is_not_certain_is_refused_with_its_line() {
    for (text, why) in [
        (
            "Match host n1\n User x\n",
            "line 1: Match is read by ssh alone",
        ),
        (
            "Host n1\n ProxyCommand nc %h %p\n",
            "ProxyCommand is run by ssh alone",
        ),
        ("CanonicalizeHostname yes\n", "line 1: CanonicalizeHostname"),
        ("RevokedHostKeys /x\n", "line 1: RevokedHostKeys"),
        ("Include [ab]*\n", "only ssh reads that pattern"),
        ("Include ${HOME}/x\n", "only ssh expands that"),
        ("IdentityFile ${KEY}\n", "only ssh knows which file that is"),
        ("IdentityFile id_rsa\n", "only ssh knows which file that is"),
        ("IdentityFile ~/%C\n", "only ssh expands that"),
        (
            "IdentityFile ~other/id\n",
            "only ssh knows which file that is",
        ),
        ("User %u\n", "only ssh expands that"),
        ("Port many\n", "that is no port"),
        ("IdentitiesOnly maybe\n", "neither yes nor no"),
        ("Userr x\n", "line 1: userr is not known here"),
        ("User \"x\n", "a quote is not closed"),
        ("User\n", "user has no value"),
        ("Include loop\n", "too many files are included"),
    ] {
        let home = Home::new("refused", &[("config", text), ("loop", "Include loop\n")]);
        let error = home.ask("n1").expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn what_is_about_others_or_about_nothing_here_is_no_reason_to_refuse() {
    let home = Home::new(
        "others",
        &[(
            "config",
            "IgnoreUnknown UseKeychain,Foo*\nUseKeychain yes\nFooBar 1\nForwardAgent yes\nHost other\n \
             ProxyCommand nc %h %p\n IdentityFile ${KEY}\n RevokedHostKeys /x\nHost n1\n ProxyCommand none\n \
             ProxyJump bastion\n CanonicalizeHostname no\n",
        )],
    );
    // The first of the two that is set is `none`.
    assert_eq!(home.value("n1", "proxyjump"), "-");
    assert_eq!(home.value("n1", "proxycommand"), "none");
    assert!(home.ask("other").is_err());
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new(
        "rights",
        &[("config", "Include more\n"), ("more", "User x\n")],
    );
    assert_eq!(home.value("n1", "user"), "x");
    let open = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(home.0.join(".ssh/more"), open).expect("our own file");
    let error = home.ask("n1").expect_err("anybody may write");
    assert!(error.ends_with("others may write to it"), "{error}");
}
