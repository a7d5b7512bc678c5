//! Parts of the collector's script as a shell runs them, on files and processes of the test's own.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use stakeout::probes::collector;

use crate::scratch::Scratch;

/// Runs shell commands where the script would run its sections; the records that they print, decoded.
fn records(calls: &str) -> Vec<String> {
    run(Command::new("/bin/sh"), calls)
}

/// As somebody who is not root.
fn records_of_a_user(calls: &str) -> Vec<String> {
    let mut shell = Command::new("/bin/sh");
    if rustix::process::geteuid().is_root() {
        shell.uid(65_534);
    }
    run(shell, calls)
}

fn run(mut shell: Command, calls: &str) -> Vec<String> {
    let script = collector::script();
    let (head, _) = script
        .split_once("uid=$(id -u)\n")
        .expect("the script begins its answer");
    let text = format!(
        "{head}mn=0 gn=0 kn=0 sn=0 cn=0 vn=0 parts= tools=\nuid=$(id -u)\n{calls}\n}}\nstk\n"
    );
    let out = shell
        .args(["-c", &text])
        .env("STK_NONCE", "0".repeat(32))
        .output()
        .expect("a shell");
    assert!(out.stderr.is_empty(), "{:?}", out.stderr);
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .map(decoded)
        .collect()
}

fn decoded(line: &str) -> String {
    let field = |field: &str| match field.strip_prefix('%') {
        Some(text) => {
            let raw = openssl::base64::decode_block(text).unwrap_or_default();
            String::from_utf8_lossy(&raw).into_owned()
        }
        None => field.to_owned(),
    };
    let fields: Vec<String> = line.split('\t').map(field).collect();
    fields.join(" ")
}

fn write(folder: &Scratch, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file of the test");
    path.display().to_string()
}

fn folder() -> Scratch {
    Scratch::new("shell")
}

/// A process of that name, of nobody where the test is root.
struct Named(Child);

impl Named {
    fn start(folder: &Scratch, name: &str, words: &[&str]) -> Self {
        let program = folder.join(name);
        std::fs::copy("/bin/sh", &program).expect("a copy of the shell");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&**folder, open.clone()).expect("the test's own");
        std::fs::set_permissions(&program, open).expect("the test's own");
        let mut command = Command::new(&program);
        command.args(["-c", "read x; exit", name]).args(words);
        command.stdin(std::process::Stdio::piped());
        if rustix::process::geteuid().is_root() {
            command.uid(65_534);
        }
        let child = command.spawn().expect("it starts");
        let comm = format!("/proc/{}/comm", child.id());
        let until = Instant::now() + Duration::from_secs(10);
        while std::fs::read_to_string(&comm).unwrap_or_default().trim() != name {
            assert!(Instant::now() < until, "{name} has no name");
            std::thread::yield_now();
        }
        Self(child)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_name_makes_nobody_a_component_or_a_watcher() {
    let folder = folder();
    let etcd = Named::start(&folder, "etcd", &["--data-dir=/tmp/e"]);
    let falco = Named::start(&folder, "falco-mine", &[]);
    let told = records("s_kubelet >/dev/null; put \"$parts\"; put \"$tools\"");
    let own = format!("/proc/{}/cmdline", etcd.0.id());
    assert!(!told.iter().any(|line| line.contains(&own)), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("falco-mine")));
    // Another reader judges whose they are: the collector says where each is.
    let told = records("s_processes");
    assert!(
        told.iter().any(|line| line.starts_with("F places ")),
        "{told:?}"
    );
    drop(falco);
}

#[test]
fn a_flood_of_records_ends_the_answer() {
    let told = records("size=3899990; while :; do rec EE; done");
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("@STK1 FAIL budget"));
}

#[test]
fn of_an_encryption_configuration_every_line_is_told() {
    let folder = folder();
    let text = "# a comment\napiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n  - resources: # which\n      - secrets # all\n      - v2things.example.com\n    providers:\n      - identity: {}   # later\n      - {identity: {}}\n      - aescbc:\n          keys:\n            - name: key1\n              secret: c2VjcmV0IGlzIHNlY3VyZQ==\n";
    let path = write(&folder, "e.yaml", text);
    let told = records(&format!(
        "s_api_server_files >/dev/null; structure '{path}'"
    ))
    .join("\n");
    assert_eq!(
        told,
        format!(
            "F {path} resources:\n  - resources:\n      - secrets\n      - v2things.example.com\n    providers:\n      - identity: {{}}\n?\n      - aescbc:\n          keys:\nx0\n"
        )
    );
    for hidden in [
        "- secrets: x",
        "secret: |",
        "c2VjcmV0",
        "resources: [secrets]",
    ] {
        let path = write(&folder, "e.yaml", &format!("{hidden}\n"));
        let told = records(&format!(
            "s_api_server_files >/dev/null; structure '{path}'"
        ));
        assert_eq!(told.join("\n"), format!("F {path} ?\nx0\n"), "{hidden}");
    }
}

#[test]
fn certificates_that_are_not_whole_are_not_told_as_whole() {
    const MARK: &str = "-----END CERTIFICATE-----";
    let folder = folder();
    let one = format!("-----BEGIN CERTIFICATE-----  \nAAAA\n{MARK} \t\r\n");
    let path = write(&folder, "a.crt", &one);
    let told = records(&format!("certs '{path}'"));
    assert_eq!(told, [format!("C {path} AAAA"), format!("N {path} 1")]);
    let path = write(
        &folder,
        "b.crt",
        &format!("{one}-----BEGIN CERTIFICATE-----\nä\n{MARK}\n"),
    );
    assert_eq!(
        records(&format!("certs '{path}'")).last(),
        Some(&format!("N {path} 2"))
    );
    let path = write(&folder, "c.crt", &one.repeat(1200));
    assert_eq!(
        records(&format!("certs '{path}'")),
        [format!("Y {path} cut")]
    );
    let late = records(&format!("top() {{ return 124; }}; certs '{path}'"));
    assert_eq!(late, [format!("Y {path} timeout")]);
    let failed = records(&format!("top() {{ return 1; }}; certs '{path}'"));
    assert_eq!(failed, [format!("Y {path} error")]);
}

#[test]
fn a_file_that_was_cut_is_not_told_as_whole() {
    let folder = folder();
    for length in 90..100 {
        let path = write(&folder, "f", &"a".repeat(length));
        let told = records(&format!("file '{path}' 90")).join("\n");
        let whole = told == format!("F {path} {}x0\n", "a".repeat(length));
        // In base64 two bytes more or less may look the same.
        assert!(
            whole == (length <= 90) || (91..93).contains(&length),
            "{length} {told}"
        );
        assert!(whole || told == format!("Y {path} cut"), "{told}");
    }
}

#[test]
fn what_a_closed_folder_hides_is_said() {
    let folder = folder();
    let path = folder.join("home/.kube/config");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the test's own");
    let call = format!("usual user_kubeconfig '{}'", path.display());
    assert!(records(&call).is_empty());
    let home = folder.join("home");
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o000))
        .expect("the test's own");
    let told = records_of_a_user(&call);
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).expect("its own");
    assert_eq!(told, [format!("D {} denied", home.display())]);
}

#[test]
fn a_mount_that_does_not_answer_is_left_alone() {
    let folder = folder();
    let dead = folder.join("dead");
    std::fs::create_dir(&dead).expect("the test's own");
    let (dead, below) = (
        dead.display().to_string(),
        dead.join("x").display().to_string(),
    );
    let gone =
        format!("nets='{dead}'; run() {{ case \"$*\" in *{dead}*) return 124;; esac; \"$@\"; }}; ");
    let told = records(&format!("{gone} at host_path '{below}'; looks"));
    assert!(told.contains(&format!("W host_path {below}")), "{told:?}");
    assert!(told.contains(&format!("X {dead} timeout")), "{told:?}");
    assert!(
        !told
            .iter()
            .any(|line| line.contains(&below) && !line.starts_with("W "))
    );
    let told = records(&format!(
        "{gone} usual user_kubeconfig '{below}'; ! dir '{dead}' || put there"
    ));
    assert_eq!(
        told,
        [format!("D {below} timeout"), format!("D {dead} timeout")]
    );
}

#[test]
fn a_slow_section_leaves_time_to_the_next() {
    let told = records(
        "clock() { now=$clock; }; clock=100; end=125\ns_a() { clock=109; run put late || put none; walk /etc; put $qn; }\ns_b() { run put early; }\nt=; section a; section b; clock=130; section b",
    );
    let told = told.join("\n");
    assert!(told.contains("SECTION a\nnone\n1\n"), "{told}");
    assert!(told.contains("SECTION b\nearly\n"), "{told}");
    assert_eq!(told.matches("early").count(), 1, "{told}");
}

#[test]
fn a_packet_filter_that_was_not_told_is_unknown() {
    let told = records("uid=0; run() { return 124; }; s_firewall");
    // A module that can be seen needs nobody to be asked: then the rules themselves do not come.
    let wanted = if Path::new("/sys/module/nf_tables").exists() {
        "V nf_tables there"
    } else {
        "Y rules timeout"
    };
    assert!(told.contains(&wanted.to_owned()), "{told:?}");
    for line in told.iter().filter(|line| line.starts_with("F ")) {
        assert!(line.trim_end().ends_with("x124"), "{line}");
    }
}

#[test]
fn a_kubeconfig_in_a_form_of_its_own_is_read_in_part() {
    let folder = folder();
    let kube = "clusters:\n- cluster:\n    server: https://a:6443\nusers:\n- name: a\n";
    let ask = |text: &str| {
        let path = write(&folder, "k", text);
        let told = records(&format!(
            "up=/x ut=/x; s_kubeconfigs >/dev/null; public '{path}'"
        ));
        told.iter()
            .map(|line| line.replace(&format!("{path} "), ""))
            .collect::<Vec<String>>()
    };
    let plain = ask(&format!("{kube}  user:\n    token: geheim\n"));
    assert_eq!(
        plain,
        ["U read", "U server https://a:6443", "U login token"]
    );
    for own in [
        "  user: {token: geheim}\n",
        "  user:\n    \"token\": geheim\n",
        "  user: {client-key-data: Z2Vo}\n",
    ] {
        let told = ask(&format!("{kube}{own}"));
        assert!(told.contains(&"U partly".to_owned()), "{told:?}");
        assert!(!told.iter().any(|line| line.contains("geheim")), "{told:?}");
    }
    let long = ask(&format!("{kube}{}", "# long\n".repeat(40_000)));
    assert!(long.contains(&"U partly".to_owned()), "{long:?}");
    let key = ask(&format!("{kube}  user:\n    client-key-data: Z2Vo\n"));
    assert!(key.contains(&"U key".to_owned()), "{key:?}");
}

#[test]
fn a_commented_line_of_cron_makes_no_copies() {
    let script = collector::script();
    let words: Vec<&str> = script
        .lines()
        .filter(|line| line.starts_with("bx="))
        .collect();
    let ask = script.lines().find(|line| line.contains("output cron "));
    let (_, pattern) = ask
        .and_then(|line| line.split_once("-e "))
        .expect("a pattern");
    let pattern = pattern.trim_end_matches(" \"$@\"");
    let told = records(&format!(
        "{}\nput '# etcdctl snapshot save a{}etcdctl snapshot save b' | grep -e {pattern}",
        words.join("\n"),
        "\n 1 * * * * root etcdctl snapshot save c\n  #etcdctl snapshot save d\n"
    ));
    assert_eq!(
        told,
        [
            " 1 * * * * root etcdctl snapshot save c",
            "etcdctl snapshot save b"
        ]
    );
}

#[test]
fn sockets_are_known_by_their_links() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let told = records("s_listeners").join("\n");
    let own = format!(" 0 /proc/{}/fd/", std::process::id());
    assert!(told.contains(&own), "{told}");
    drop(socket);
}

/// A TLS server of the test, with a certificate of its own, that counts what it was sent beyond handshakes.
struct TlsServer {
    port: u16,
    der: Vec<u8>,
    said: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
}

fn tls_server() -> TlsServer {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::ssl::{SslAcceptor, SslMethod};
    use openssl::x509::{X509, X509NameBuilder};

    let key = PKey::generate_ed25519().expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "live").expect("a name");
    let name = name.build();
    let mut x509 = X509::builder().expect("a certificate");
    x509.set_subject_name(&name).expect("a name");
    x509.set_issuer_name(&name).expect("a name");
    x509.set_pubkey(&key).expect("a key");
    let from = Asn1Time::days_from_now(0).expect("a day");
    let until = Asn1Time::days_from_now(1).expect("a day");
    x509.set_not_before(&from).expect("a day");
    x509.set_not_after(&until).expect("a day");
    x509.sign(&key, MessageDigest::null()).expect("signed");
    let x509 = x509.build();
    let mut acceptor =
        SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("an acceptor");
    acceptor.set_private_key(&key).expect("a key");
    acceptor.set_certificate(&x509).expect("a certificate");
    let acceptor = acceptor.build();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("bound").port();
    let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = std::sync::Arc::clone(&said);
    std::thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            if let Ok(mut tls) = acceptor.accept(stream) {
                let mut rest = Vec::new();
                let _ = std::io::Read::read_to_end(&mut tls, &mut rest);
                if let Ok(mut heard) = heard.lock() {
                    heard.extend(rest);
                }
            }
        }
    });
    TlsServer {
        port,
        der: x509.to_der().expect("DER"),
        said,
    }
}

/// One that speaks TLS, one that answers with what it likes, and one that says nothing.
#[test]
fn a_handshake_with_whoever_answers() {
    if Command::new("openssl").arg("version").output().is_err() {
        let told = records("s_handshakes");
        assert_eq!(told, ["Y openssl absent"]);
        return;
    }
    let tls = tls_server();
    let liar = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = |socket: &std::net::TcpListener| socket.local_addr().expect("bound").port();
    let (lies, silence) = (port(&liar), port(&silent));
    std::thread::spawn(move || {
        for mut stream in liar.incoming().flatten() {
            let text = "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n@STK1 END\n";
            let _ = std::io::Write::write_all(&mut stream, text.as_bytes());
        }
    });
    let folder = folder();
    let text = format!(
        "- --secure-port={}\n- \"--secure-port={lies}\"\n- --secure-port {silence}\n",
        tls.port
    );
    let path = write(&folder, "a.yaml", &text);
    let told = records(&format!("mn=1 m1='{path}'; s_handshakes"));
    let of = |port: u16| {
        let place = format!(" 127.0.0.1:{port} ");
        let mine = told.iter().filter(move |line| line.contains(&place));
        mine.cloned().collect::<Vec<_>>()
    };
    let block = openssl::base64::encode_block(&tls.der).replace('\n', "");
    let own = of(tls.port);
    assert_eq!(own.len(), 3, "{told:?}");
    assert!(
        own[0].starts_with("T ") && own[0].contains("TLSv1.3 "),
        "{own:?}"
    );
    assert_eq!(own[1], format!("C 127.0.0.1:{} {block}", tls.port));
    assert_eq!(own[2], format!("N 127.0.0.1:{} 1", tls.port));
    assert_eq!(of(lies), [format!("Y 127.0.0.1:{lies} error")]);
    assert_eq!(of(silence), [format!("Y 127.0.0.1:{silence} timeout")]);
    assert!(tls.said.lock().expect("whole").is_empty());
}

#[test]
fn what_a_section_keeps_over_a_call_is_still_there() {
    let folder = folder();
    let path = write(&folder, "f", "x");
    let path = path.trim_end_matches("/f");
    let kept = "a=$1 b=$1 d=$1 f=$1 g=$1 i=$1 j=$1 k=$1 m=$1 n=$1 s=$1 u=$1 v=$1 y=$1 z=$1";
    let told = "$a$b$d$f$g$i$j$k$m$n$s$u$v$y$z";
    for call in [
        "late".to_owned(),
        "run true".to_owned(),
        format!("at environment {path}/f"),
        format!("walk {path}/f"),
        format!("file {path}/f 9"),
        format!("file {path}/none 9"),
        format!("output name 9 cat {path}/f"),
        format!("inside admission_dir {path} policies"),
        format!("dir {path}; nets=/x; dir {path}; there {path}; open {path}/f"),
        format!("certs {path}/none"),
        "blob name eHgw".to_owned(),
        "lack name cut; hid name more; value name x".to_owned(),
    ] {
        let lines = records(&format!(
            "set -- _; {kept}; {{ {call}; }} >/dev/null; put \"{told}\""
        ));
        assert_eq!(lines, ["_".repeat(15)], "{call}");
    }
}

/// What `s_kubelet` has found is used by the sections after it.
#[test]
fn no_section_forgets_what_the_kubelet_reads() {
    let script = collector::script();
    let calls: String = script
        .lines()
        .filter_map(|line| line.strip_prefix("section "))
        .filter(|section| *section != "kubelet")
        .fold(String::new(), |calls, section| {
            calls
                + &format!("clock; end=$((now + 9)); section {section} >/dev/null; put \"{section} $c1$v1$k1$w1\"\n")
        });
    let told = records(&format!("uid=0 c1=c v1=v k1=k w1=w\n{calls}"));
    let lost: Vec<&String> = told
        .iter()
        .filter(|line| !line.ends_with(" cvkw"))
        .collect();
    assert!(
        lost.is_empty() && told.len() > 20,
        "{lost:?} {}",
        told.len()
    );
}

#[test]
fn snapshots_are_counted_however_many_there_are() {
    let folder = folder();
    for name in ["a", "b", "c"] {
        write(&folder, name, "x");
    }
    let path = folder.display();
    let told = records(&format!(
        "s_backups >/dev/null; newest snapshot_dir '{path}'; put end"
    ));
    let last = &told[told.len().saturating_sub(2)..];
    assert_eq!(last, [format!("D {path} ok 3"), "end".to_owned()]);
}

#[test]
fn files_of_admission_are_found_behind_a_folder_of_it() {
    let folder = folder();
    std::fs::create_dir(folder.join("static")).expect("a folder of the test");
    write(&folder, "static/one.yaml", "x");
    let config = write(
        &folder,
        "admission.yaml",
        "kind: AdmissionConfiguration\nstaticManifestsDir: static\npath: more.yaml\n",
    );
    let told = records(&format!(
        "gn=1 g1='admission-control-config-file {config}'; s_api_server_files"
    ));
    let more = format!("W admission_config {}/more.yaml", folder.display());
    assert!(told.contains(&more), "{told:?}");
}
