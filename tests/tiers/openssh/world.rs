//! A node out of namespaces: overlays over the machine's own folders, a process that looks like a kubelet, sshd.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use stakeout::disk;
use stakeout::probes::collector;

/// Runs as process 1 of the node. `$W`: the world's folder.
const SETUP: &str = r#"
set -e
mount --make-rprivate /
for d in etc var usr/local home root; do
  n=$(echo $d | tr / _)
  mkdir -p "$W/up/$n" "$W/work/$n"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$W/up/$n,workdir=$W/work/$n" "/$d"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /etc/kubernetes/manifests /var/lib/kubelet /usr/local/libexec
chmod 700 /etc/kubernetes/manifests /var/lib/kubelet
echo 'intruder:$y$secret:1::::::' >> /etc/shadow
cat > /var/lib/kubelet/config.yaml <<'END'
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
END
cd /etc/kubernetes/manifests
cat > etcd.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: etcd, namespace: kube-system}
spec: {containers: [{name: etcd, image: etcd}]}
END
chmod 600 etcd.yaml
tab=$(printf '\t') nl='
' esc=$(printf '\033')
for n in 'a b.yaml' "new${nl}line.yaml" "esc${esc}[2J.yaml" '$(touch pwned)' '*' ./-rf "quote'\".yaml" "tab${tab}end${nl}" 'ü.yaml' .hidden; do
  cp etcd.yaml "$n"
done
mkdir -p folder.yaml /var/lib/elsewhere
cp etcd.yaml /var/lib/elsewhere/real
ln -s ../../../var/lib/elsewhere/./real linked.yaml
ln -s /etc/shadow shadow.yaml
ln -s /nowhere gone.yaml
mkfifo pipe
mkfifo "$W/block"
mkdir -p "$W/bin"
printf '#!/bin/sh\nread x <%s\n' "$W/block" > "$W/bin/kubelet"
chmod 755 "$W/bin/kubelet"
cd /
"$W/bin/kubelet" --config=/var/lib/kubelet/config.yaml --v=2 >/dev/null 2>&1 &
id=3000
for s in $SHELLS; do
  id=$((id + 1))
  p=$(command -v $s)
  echo "op-$s:x:$id:$id::/home/op-$s:$p" >> /etc/passwd
  echo "op-$s:x:$id:" >> /etc/group
  echo "op-$s:*:19000::::::" >> /etc/shadow
  echo "$p" >> /etc/shells
  mkdir -p /home/op-$s
  chown $id:$id /home/op-$s
done
if [ -n "$SHELLS" ]; then
  chmod 755 "$W" "$W/keys"
  $SSHD -e -D -f "$W/sshd_config" >/dev/null 2>"$W/sshd.log" &
fi
echo ready
wait
"#;

/// The node. It ends, with all of its processes, when it is dropped.
pub struct World {
    folder: PathBuf,
    child: Child,
    /// Process 1 of the node, by this machine's count.
    init: u32,
    port: u16,
}

impl World {
    /// `shells`: login shells, each with a user of its own and a key for it.
    pub fn new(name: &str, shells: &[&str]) -> Result<Self, Failed> {
        let world = Self::made_by(SETUP, name, shells)?;
        world.wait_for_kubelet()?;
        Ok(world)
    }

    /// A node that another script makes. It says `ready` once it is, and waits.
    pub fn made_by(setup: &str, name: &str, shells: &[&str]) -> Result<Self, Failed> {
        let folder =
            std::env::temp_dir().join(format!("stakeout-node-{name}-{}", std::process::id()));
        disk::make_folder(&folder.join("keys")).map_err(|error| error.to_string())?;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| error.to_string())?
            .port();
        if !shells.is_empty() {
            keys(&folder, shells, port)?;
        }
        let sshd = crate::machine::find("sshd").unwrap_or_default();
        let mut child = Command::new("unshare")
            .args([
                "-mpf",
                "--kill-child",
                "--mount-proc",
                "--propagation",
                "private",
                "sh",
                "-c",
                setup,
            ])
            .env("W", &folder)
            .env("SHELLS", shells.join(" "))
            .env("SSHD", sshd)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let mut world = Self {
            folder,
            init: 0,
            child,
            port,
        };
        if line != "ready\n" {
            let mut said = String::new();
            if let Some(mut stderr) = world.child.stderr.take() {
                std::io::Read::read_to_string(&mut stderr, &mut said)?;
            }
            return Err(format!("the node did not come up: {said}").into());
        }
        let id = world.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        world.init = children
            .trim()
            .parse()
            .map_err(|_| "no process in the node")?;
        Ok(world)
    }

    fn wait_for_kubelet(&self) -> Result<(), Failed> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let find = "for f in /proc/[0-9]*; do read c <$f/comm; [ \"$c\" = kubelet ] && exit 0; done; exit 1";
        while self.run(&["sh", "-c", find], b"").is_err() {
            if Instant::now() > deadline {
                return Err("the node's kubelet did not start".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// A file of the world's folder, by name.
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Runs a program in the node as root; its standard output where it ends well.
    pub fn run(&self, words: &[&str], stdin: &[u8]) -> Result<Vec<u8>, Failed> {
        let mut command = Command::new("timeout");
        command
            .args(["60", "nsenter", "-m", "-p", "-w/", "-t"])
            .arg(self.init.to_string())
            .args(words);
        output(command, stdin)
    }

    /// As [`World::run`], for a program whose exit code is no matter.
    pub fn run_whatever(&self, words: &[&str]) -> Result<Vec<u8>, Failed> {
        let mut all = vec!["sh", "-c", "\"$@\" >&2 || true", "sh"];
        all.extend(words);
        self.run(&all, b"")
    }

    /// Starts a program in the node as root, and waits until it says a word on its standard error.
    pub fn spawn(&self, words: &[&str], word: &str) -> Result<Ending, Failed> {
        let said = self.path("said");
        let mut command = Command::new("nsenter");
        command
            .args(["-m", "-p", "-w/", "-t", &self.init.to_string()])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&said)?)
            .process_group(0);
        let child = Ending(command.spawn()?);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !std::fs::read_to_string(&said)?.contains(word) {
            if Instant::now() > deadline {
                let said = std::fs::read_to_string(&said)?;
                return Err(format!("{words:?} did not say {word}: {said}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(child)
    }

    /// The process that listens, by the node's own count.
    pub fn sshd(&self) -> Result<String, Failed> {
        let find = "for f in /proc/[0-9]*; do read c <$f/comm; [ \"$c\" = sshd ] && echo ${f#/proc/}; done | sort -n | head -1";
        let id = self.run(&["sh", "-c", find], b"")?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port, and what makes a client of OpenSSH one of this node.
    pub fn options(&self) -> Vec<String> {
        let known = format!("UserKnownHostsFile={}", self.path("keys/known_hosts"));
        let key = self.path("keys/id");
        let options = [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "ConnectionAttempts=50",
            &known,
        ];
        let mut words = vec![self.port.to_string(), "-F".to_owned(), "none".to_owned()];
        for option in options {
            words.extend(["-o".to_owned(), option.to_owned()]);
        }
        words.extend(["-i".to_owned(), key]);
        words
    }

    /// `ssh` with further options, up to the destination.
    pub fn client(&self, words: &[&str], user: &str) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["60", "ssh", "-p"])
            .args(self.options())
            .args(words);
        command.arg(format!("{user}@127.0.0.1"));
        command
    }

    /// Runs a request through sshd.
    pub fn ssh(&self, user: &str, request: &str, stdin: &[u8]) -> Result<Vec<u8>, Failed> {
        let mut command = self.client(&["-T"], user);
        command.args(["--", request]);
        output(command, stdin)
    }

    /// A container on the node with a system of its own, the node's root at `/host` and, at `/bare`, a root without
    /// `/proc`. Returns its root.
    pub fn debug_pod(&self, program: &str) -> Result<String, Failed> {
        let make = r#"
            set -e
            mkdir -p "$1"
            mount -t tmpfs tmpfs "$1"
            for r in "$1" "$1/bare"; do
              mkdir -p "$r/usr" "$r/dev" "$r/etc" "$r/tmp"
              mount --rbind /usr "$r/usr"
              for l in bin sbin lib lib64; do [ ! -e /$l ] || ln -s usr/$l "$r/$l"; done
              mknod -m 666 "$r/dev/null" c 1 3
              cp /etc/passwd /etc/group /etc/os-release "$r/etc/"
            done
            cp /etc/machine-id "$1/bare/etc/"
            cp -a /etc/kubernetes "$1/bare/etc/"
            cd "$1"
            mkdir -p proc host root var/lib/elsewhere etc/kubernetes/manifests var/lib/kubelet
            echo of-the-pod | tee etc/shadow etc/hostname var/lib/elsewhere/real var/lib/kubelet/config.yaml >/dev/null
            cp "$2" stakeout
            mount --rbind /proc proc
            mount --rbind / host
            mount --make-rslave host
        "#;
        let pod = self.path("pod");
        self.run(&["sh", "-c", make, "sh", &pod, program], b"")?;
        Ok(pod)
    }

    /// Installs the collector and the sudoers rule for a user.
    pub fn install(&self, user: &str) -> Result<(), Failed> {
        let path = collector::PATH;
        self.run(
            &["sh", "-c", &format!("cat > {path}; chmod 755 {path}")],
            collector::script().as_bytes(),
        )?;
        let rule = collector::sudoers(user)?;
        let file = "/etc/sudoers.d/stakeout";
        self.run(
            &[
                "sh",
                "-c",
                &format!("cat > {file}; chmod 440 {file}; visudo -cf {file} >&2"),
            ],
            rule.as_bytes(),
        )?;
        Ok(())
    }

    /// Makes the collector the only command of a user's key.
    pub fn force(&self, user: &str, sudo: bool) -> Result<(), Failed> {
        let key = disk::read_text(&self.folder.join("keys/id.pub"), 1 << 16)?;
        let line = collector::authorized_keys(&key, sudo)?;
        std::fs::write(self.folder.join("keys").join(user), line)?;
        Ok(())
    }

    /// Where [`World::chroot`] makes its root.
    pub fn small_root(&self) -> String {
        self.path("small")
    }

    /// A root with busybox alone; without some of its tools and with dash for a shell, since busybox's own shell
    /// has every tool inside.
    pub fn chroot(&self, gone: &[&str]) -> Result<(), Failed> {
        let busybox = crate::machine::find("busybox").unwrap_or_default();
        let make = format!(
            "set -e; r={}; umount $r/proc 2>/dev/null || true; umount $r 2>/dev/null || true; mkdir -p $r; \
             mount -t tmpfs tmpfs $r; mkdir -p $r/bin $r/proc $r/dev $r/etc/kubernetes $r/var/lib; \
             cp {} $r/bin/busybox; for a in $({1} --list); do [ $a = busybox ] || ln -s busybox $r/bin/$a; done; \
             for a in {2}; do rm -f $r/bin/$a; done; \
             [ -z '{2}' ] || for f in $(command -v dash) $(ldd $(command -v dash) | grep -o '/[^ ]*'); do \
             mkdir -p $r${{f%/*}}; cp -L $f $r$f; rm -f $r/bin/sh; ln -s $(command -v dash) $r/bin/sh; done; mount --rbind /proc $r/proc; mknod -m 666 $r/dev/null c 1 3; \
             cp -a /etc/kubernetes/manifests $r/etc/kubernetes/; cp -a /var/lib/kubelet /var/lib/elsewhere $r/var/lib/; \
             cp /etc/shadow /etc/passwd /etc/group /etc/os-release /etc/machine-id $r/etc/",
            self.small_root(),
            busybox.display(),
            gone.join(" "),
        );
        self.run(&["sh", "-c", &make], b"")?;
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The end of unshare is the end of process 1 in there, and with it of all others.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A key for all users, a host key, and the server's configuration.
fn keys(folder: &std::path::Path, shells: &[&str], port: u16) -> Result<(), Failed> {
    let keys = folder.join("keys");
    for name in ["id", "host"] {
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
            .arg(keys.join(name));
        output(command, b"")?;
    }
    let public = disk::read_text(&keys.join("id.pub"), 1 << 16)?;
    for shell in shells {
        std::fs::write(keys.join(format!("op-{shell}")), &public)?;
    }
    let host = disk::read_text(&keys.join("host.pub"), 1 << 16)?;
    std::fs::write(
        keys.join("known_hosts"),
        format!("[127.0.0.1]:{port} {host}"),
    )?;
    std::fs::write(
        folder.join("sshd_config"),
        format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/%u\nPidFile none\n\
             UsePAM no\nStrictModes no\nPasswordAuthentication no\n",
            keys.display()
        ),
    )?;
    Ok(())
}

/// A process with its group, told to end when it is dropped.
pub struct Ending(pub Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(id) = id {
            let _ = kill_process_group(id, Signal::TERM);
            let _ = kill_process(id, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

pub fn output(mut command: Command, stdin: &[u8]) -> Result<Vec<u8>, Failed> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let input = child.stdin.take();
    let bytes = stdin.to_vec();
    // A program that ends early does not read all of it.
    let writer = std::thread::spawn(move || input.map(|mut pipe| pipe.write_all(&bytes)));
    let done = child.wait_with_output()?;
    let _ = writer.join();
    if done.status.success() {
        Ok(done.stdout)
    } else {
        let said = String::from_utf8_lossy(&done.stderr);
        Err(format!("{command:?} ended with {}: {said}", done.status).into())
    }
}
