//! A node of each distribution: its real layout and processes in namespaces of its own, read by the collector, and
//! the answer held to the recorded one. `UPDATE_FIXTURES=1` records it.

use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use stakeout::disk;
use stakeout::model::node::WayIn;
use stakeout::probes::collector;

use crate::machine::{lacks, lacks_root, trial};
use crate::openssh::world::{World, output};

#[path = "../distributions/places.rs"]
mod places;

use places::{ALL, NONCE, facts, places};

/// A program that does nothing, or leaves a socket behind.
const STAY: &str = r#"
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int n, char **a) {
  if (n == 2 && !strcmp(a[0], "socket")) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strncpy(at.sun_path, a[1], sizeof at.sun_path - 1);
    return bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&at, sizeof at) != 0;
  }
  for (;;) pause();
}
"#;

pub fn trials() -> Vec<Trial> {
    let each = |name: &'static str| {
        let lacks = lacks(&[
            "unshare",
            "nsenter",
            "bash",
            "cc",
            "openssl",
            "getfacl",
            "pivot_root",
            "setpriv",
        ])
        .or_else(lacks_root);
        trial("sshd", &format!("distribution::{name}"), lacks, move || {
            compare(name)
        })
    };
    ALL.into_iter().map(each).collect()
}

fn below_tests(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(path)
}

fn compare(name: &str) -> Result<(), Failed> {
    let answer = recorded_now(name)?;
    let path = below_tests(&format!("fixtures/distributions/{name}.txt"));
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        disk::write(&path, |out| out.write_all(&answer)).map_err(|error| error.to_string())?;
    }
    let kept = disk::read(&path, 1 << 20).map_err(|error| error.to_string())?;
    assert!(kept.len() < 60_000, "{} bytes", kept.len());
    let (now, then) = (places(&facts(&answer)?), places(&facts(&kept)?));
    assert_eq!(
        now.join("\n"),
        then.join("\n"),
        "{name} is not read as it was: UPDATE_FIXTURES=1 records it"
    );
    Ok(())
}

/// Makes the node and lets the collector read it.
fn recorded_now(name: &str) -> Result<Vec<u8>, Failed> {
    let stay = std::env::temp_dir().join(format!("stakeout-stay-{name}-{}", std::process::id()));
    let mut cc = Command::new("cc");
    cc.args(["-Os", "-xc", "-", "-o"]).arg(&stay);
    output(cc, STAY.as_bytes())?;
    let script = |file: &str| {
        disk::read_text(&below_tests(&format!("distributions/{file}.sh")), 1 << 18)
            .map_err(|error| error.to_string())
    };
    let tree = format!(
        "export STAY={}\nexec unshare -n -u bash <<'END_OF_NODE'\n{}{}\nsettle\necho ready\nwait\nEND_OF_NODE\n",
        stay.display(),
        script("node")?,
        script(name)?
    );
    let world = World::made_by(&tree, name, &[]);
    let _ = std::fs::remove_file(&stay);
    let (_, stdin) = collector::job(WayIn::LoginOnly, NONCE);
    world?.run(&["nsenter", "-n", "-u", "-t", "1", "sh", "-s"], &stdin)
}
