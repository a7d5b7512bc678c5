//! The kernel, asked: one long-lived process for each set of credentials, fed with paths.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A process with a mount namespace of its own, for read-only mounts that nobody else sees.
pub struct Room {
    shell: Child,
    stdin: ChildStdin,
}

impl Room {
    /// Mounts every path on itself; true: read-only.
    pub fn enter(mounts: &[(std::path::PathBuf, bool)]) -> io::Result<Self> {
        let mut shell = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-e"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(mut stdin), Some(stdout)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err(io::Error::other("the shell has no pipes"));
        };
        for (path, read_only) in mounts {
            let path = path.display();
            writeln!(stdin, "mount --bind {path} {path}")?;
            if *read_only {
                writeln!(stdin, "mount -o remount,bind,ro {path}")?;
            }
        }
        writeln!(stdin, "echo ready")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        if line.trim() != "ready" {
            shell.wait()?;
            return Err(io::Error::other(
                "mounts could not be made in a private namespace",
            ));
        }
        Ok(Self { shell, stdin })
    }

    /// The process whose namespaces are the room.
    pub fn pid(&self) -> u32 {
        self.shell.id()
    }

    /// Ends the room and its mounts.
    pub fn leave(self) -> io::Result<()> {
        let Self { mut shell, stdin } = self;
        drop(stdin);
        shell.wait().map(drop)
    }
}

/// Who asks: a uid and its groups, the first one primary.
#[derive(Clone, Debug)]
pub struct Asker {
    pub uid: u32,
    pub gids: Vec<u32>,
}

/// `test` of the shell: `rwx` as three digits for each path.
const TEST: &str = r#"
while IFS= read -r p; do
  r=0; w=0; x=0
  test -r "$p" && r=1
  test -w "$p" && w=1
  test -x "$p" && x=1
  echo "$r$w$x"
done"#;

/// The deeds themselves, each undone at once: rename away and back (R), make and remove (M), access
/// (r, w), chmod of what is owned (C) until undone (U). Answers 1, 0, or E where undoing failed.
const DEEDS: &str = r#"
use strict; use POSIX ();
my @old;
while (my $line = <STDIN>) {
  chomp $line;
  my ($op, $p) = split /\t/, $line, 2;
  my ($ok, $undone) = (0, 1);
  if ($op eq 'R') { $ok = rename($p, "$p.away"); $undone = rename("$p.away", $p) if $ok }
  elsif ($op eq 'M') { $ok = mkdir($p); $undone = rmdir($p) if $ok }
  elsif ($op eq 'r') { $ok = POSIX::access($p, POSIX::R_OK()) }
  elsif ($op eq 'w') { $ok = POSIX::access($p, POSIX::W_OK()) }
  elsif ($op eq 'C') {
    my @s = lstat $p;
    $ok = @s && $s[4] == $> && chmod(($s[2] & 07777) | 0700, $p);
    push @old, [$s[2] & 07777, $p] if $ok;
  }
  elsif ($op eq 'U') { $ok = 1; while (my $o = pop @old) { $undone &&= chmod($o->[0], $o->[1]) } }
  print !$undone ? "E\n" : $ok ? "1\n" : "0\n";
}"#;

impl Asker {
    /// What `test -r`, `-w` and `-x` say of each path.
    pub fn test(&self, room: &Room, paths: &str) -> io::Result<Vec<[bool; 3]>> {
        let lines = self.run(room, &["sh", "-c", TEST], paths)?;
        let bit = |line: &str, place: usize| line.as_bytes().get(place) == Some(&b'1');
        Ok(lines
            .lines()
            .map(|line| [0, 1, 2].map(|place| bit(line, place)))
            .collect())
    }

    /// Whether each deed succeeded.
    pub fn attempt(&self, room: &Room, deeds: &str) -> io::Result<Vec<bool>> {
        let lines = self.run(room, &["perl", "-e", DEEDS], deeds)?;
        if lines.contains('E') {
            return Err(io::Error::other(format!(
                "{self:?}: a deed could not be undone"
            )));
        }
        Ok(lines.lines().map(|line| line == "1").collect())
    }

    fn run(&self, room: &Room, program: &[&str], input: &str) -> io::Result<String> {
        let mut child = Command::new("nsenter")
            .arg(format!("--mount=/proc/{}/ns/mnt", room.pid()))
            .args(["--", "setpriv"])
            .args(self.identity())
            .args(program)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let input = input.to_owned();
        let feeder =
            std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output()?;
        if let Ok(Some(fed)) = feeder.join() {
            fed?;
        }
        if !output.status.success() {
            return Err(io::Error::other(format!("{self:?}: {program:?} failed")));
        }
        String::from_utf8(output.stdout).map_err(io::Error::other)
    }

    fn identity(&self) -> Vec<String> {
        let gid = |gid: &u32| gid.to_string();
        let mut args = vec![
            format!("--reuid={}", self.uid),
            format!(
                "--regid={}",
                self.gids.first().map_or_else(|| "3999".to_owned(), gid)
            ),
        ];
        let more: Vec<String> = self.gids.iter().skip(1).map(gid).collect();
        args.push(if more.is_empty() {
            "--clear-groups".to_owned()
        } else {
            format!("--groups={}", more.join(","))
        });
        args
    }
}
