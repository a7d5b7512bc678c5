//! A farm of SSH nodes on loopback: one server in this process, one address and one host key per node.
//!
//! A node answers an exec request by calling a closure, and may have a fault instead. No shell, no file and no
//! process is behind it.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{Certificate, PrivateKey, PublicKey};
use russh::server::{self, Auth, ChannelOpenHandle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, MethodKind, MethodSet, Sig};
use stakeout::disk;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How a node misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Nothing listens.
    Refuses,
    /// Takes the connection and never says a word.
    Silent,
    /// Hangs up before the greeting, the first so many times.
    HangsUp(usize),
    /// Answers the first connection and hangs up on all others.
    Once,
    /// Says that too many logins are going on, the first so many times.
    Busy(usize),
    /// Sends bytes without a line break for ever.
    BannerFlood,
    /// Sends lines that are no greeting for ever.
    LineFlood,
    /// One byte of the greeting every so many milliseconds.
    Drips(u64),
    /// Another service: waits for a request and answers it as a web server does.
    Http,
    /// The greeting, then bytes that are no key exchange.
    BadKex,
    /// The greeting, then nothing.
    StallsInKex,
    /// Shows another key than the one in `known_hosts`.
    WrongKey,
    /// Takes no key.
    Denied,
    /// Takes the connection and the login, and answers after a pause.
    Slow(Duration),
    /// Refuses to run commands.
    NoExec,
    /// Runs the command, answers nothing and keeps the channel open.
    Stalls,
    /// Prints this and exits with status 1.
    Prints(&'static str),
    /// Hangs up after so many bytes of the answer.
    Cut(usize),
    /// Nothing more after so many bytes of the answer.
    Stops(usize),
    /// So many zeros before the answer.
    Huge(usize),
    /// So many bytes of standard error before the answer.
    StderrFlood(usize),
    /// The whole answer, and then the channel stays open.
    NeverEnds,
    /// Drops every packet that would open a connection, seen from here and from another node.
    BlackHole,
    /// As a bastion: forwards nothing.
    NoForwarding,
    /// As a bastion: forwards after a pause.
    SlowForwarding(Duration),
    /// As a bastion: the first so many logins end with their so many-th connection to another node.
    Falls {
        logins: usize,
        at: usize,
    },
    /// As a bastion: forwards, and each login is deaf to everything after so many connections to another node.
    Deaf(usize),
    /// Where a certificate is asked for, shows one of the farm's authority for this name, until so many seconds
    /// after 1970.
    Certified(&'static str, u64),
    /// Takes something else than the key of all nodes.
    Gate(Gate),
    /// Says this instead of a greeting, and waits or hangs up.
    Says(&'static [u8], Then),
    /// A line between the two that loses what it carries to the client.
    Line(Line),
    /// Zeros, for ever.
    Endless,
    /// So many bytes of the answer, and then an orderly end without the rest.
    Ends(usize, End),
    /// Hangs up instead of an answer to a key.
    Leaves,
}

/// What follows on words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Waits,
    HangsUp,
}

/// How a connection is carried to the client, whatever is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Reset after so many bytes.
    Resets(usize),
    /// Ended after so many bytes.
    Closes(usize),
    /// Nothing more after so many bytes.
    Stalls(usize),
    /// So many bytes every so many milliseconds.
    Drips(usize, u64),
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As if all were well.
    Status0,
    /// By SIGKILL.
    Killed,
    /// The channel is closed without a word of how it ended.
    Closed,
}

/// What a node wants to know at the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Password(&'static str),
    /// Keyboard-interactive with these prompts in one round.
    Asks(&'static [Prompt]),
    /// The key, and then the prompts.
    KeyThenAsks(&'static [Prompt]),
    /// This password; at any other it hangs up, as after too many attempts.
    PasswordOnce(&'static str),
}

/// A prompt, the right answer, and whether it may be seen.
pub type Prompt = (&'static str, &'static str, bool);

/// What a command brings.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub status: u32,
}

/// Node index, command, standard input.
pub type Respond = dyn Fn(usize, &str, &[u8]) -> Answer + Send + Sync;

/// The running farm; dropping it ends all servers.
pub struct Farm {
    addresses: Vec<IpAddr>,
    port: u16,
    site: Arc<Site>,
    runtime: Option<Runtime>,
    _holes: Holes,
}

struct Site {
    respond: Box<Respond>,
    faults: Vec<Fault>,
    /// Connections so far, by node.
    visits: Vec<AtomicUsize>,
    /// Passwords and answers so far, by node.
    answers: Vec<AtomicUsize>,
    client: PublicKey,
    addresses: Vec<IpAddr>,
}

/// Each farm of a process has its own block of 127.0.0.0/8.
static BLOCK: AtomicU32 = AtomicU32::new(0);

impl Farm {
    /// Starts one node per fault.
    pub fn start(
        faults: &[Fault],
        respond: impl Fn(usize, &str, &[u8]) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        raise_limit();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("farm")
            .enable_all()
            .build()?;
        let addresses = addresses(faults.len());
        let site = Arc::new(Site {
            addresses: addresses.clone(),
            respond: Box::new(respond),
            faults: faults.to_vec(),
            visits: faults.iter().map(|_| AtomicUsize::new(0)).collect(),
            answers: faults.iter().map(|_| AtomicUsize::new(0)).collect(),
            client: client_key().public_key().clone(),
        });
        let (port, listeners, holes) = bind(&addresses, faults)?;
        for (index, listener) in listeners {
            let site = Arc::clone(&site);
            let listener = {
                let _inside = runtime.enter();
                TcpListener::from_std(listener)?
            };
            runtime.spawn(serve(site, index, listener));
        }
        Ok(Self {
            addresses,
            port,
            site,
            runtime: Some(runtime),
            _holes: holes,
        })
    }

    pub fn address(&self, node: usize) -> IpAddr {
        self.addresses[node]
    }

    /// The same for all nodes.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections that a node has seen.
    pub fn visits(&self, node: usize) -> usize {
        self.site.visits[node].load(Ordering::SeqCst)
    }

    /// Passwords and rounds of answers that a node has seen.
    pub fn answers(&self, node: usize) -> usize {
        self.site.answers[node].load(Ordering::SeqCst)
    }

    /// Lines with the right key of every node, under its address.
    pub fn known_hosts(&self) -> String {
        let line = |(node, address): (usize, &IpAddr)| {
            let key = host_key(node).public_key().to_openssh();
            format!("[{address}]:{} {}\n", self.port, key.expect("a public key"))
        };
        self.addresses.iter().enumerate().map(line).collect()
    }

    /// The authority behind the certificates, as it stands in a line.
    pub fn authority_line() -> String {
        let key = authority().public_key().to_openssh();
        key.expect("a public key")
    }

    /// Writes `known_hosts` and the client's key into a folder that exists.
    pub fn write_files(&self, folder: &std::path::Path) -> io::Result<(PathBuf, PathBuf)> {
        let (known, key) = (folder.join("known_hosts"), folder.join("id_ed25519"));
        disk::write(&known, |out| out.write_all(self.known_hosts().as_bytes()))?;
        disk::write(&key, |out| out.write_all(client_pem().as_bytes()))?;
        Ok((known, key))
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The key that every node takes.
pub fn client_pem() -> String {
    client_key()
        .to_openssh(LineEnding::LF)
        .expect("an unencrypted key")
        .to_string()
}

fn client_key() -> PrivateKey {
    key(u64::MAX)
}

fn authority() -> PrivateKey {
    key(u64::MAX / 3)
}

fn certificate(host: &PrivateKey, name: &str, until: u64) -> Certificate {
    let public = host.public_key().key_data().clone();
    let make = || {
        let mut builder = Builder::new(vec![7; 32], public, 0, until)?;
        builder
            .cert_type(CertType::Host)?
            .key_id("farm")?
            .valid_principal(name)?;
        builder.sign(&authority())
    };
    make().expect("a certificate")
}

fn host_key(node: usize) -> PrivateKey {
    key(node as u64)
}

/// Keys are made from a number: the same in every run, and 5,000 of them in no time.
fn key(number: u64) -> PrivateKey {
    let seed = openssl::sha::sha256(&number.to_be_bytes());
    PrivateKey::from(Ed25519Keypair::from_seed(&seed))
}

fn addresses(count: usize) -> Vec<IpAddr> {
    let block = BLOCK.fetch_add(1, Ordering::SeqCst) + std::process::id();
    // 127.64.0.0 and up, one /16 a farm.
    let high = 64 + u8::try_from(block % 128).expect("below 128");
    (0..count)
        .map(|node| {
            let node = u16::try_from(node + 1).expect("at most 65,534 nodes a farm");
            let [third, fourth] = node.to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(127, high, third, fourth))
        })
        .collect()
}

/// A listener takes a descriptor, and the usual limit is 1,024.
fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, binding says what is missing.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
}

type Listeners = Vec<(usize, std::net::TcpListener)>;

/// One port that is free on all addresses; the first address chooses.
fn bind(addresses: &[IpAddr], faults: &[Fault]) -> io::Result<(u16, Listeners, Holes)> {
    let mut last = io::Error::other("no node");
    for _ in 0..16 {
        let probe = std::net::TcpListener::bind(SocketAddr::new(addresses[0], 0))?;
        let port = probe.local_addr()?.port();
        drop(probe);
        let listen = |(node, address): (usize, &IpAddr)| {
            let listener = std::net::TcpListener::bind(SocketAddr::new(*address, port))?;
            listener.set_nonblocking(true)?;
            Ok((node, listener))
        };
        let open: io::Result<Listeners> = addresses
            .iter()
            .enumerate()
            .filter(|(node, _)| !matches!(faults[*node], Fault::Refuses | Fault::BlackHole))
            .map(listen)
            .collect();
        let holes = || dig(addresses, faults, port);
        match open.and_then(|open| Ok((open, holes()?))) {
            Ok((listeners, holes)) => return Ok((port, listeners, holes)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A queue that is full: the kernel drops whatever asks to be let in.
type Holes = Vec<(OwnedFd, std::net::TcpStream)>;

fn dig(addresses: &[IpAddr], faults: &[Fault], port: u16) -> io::Result<Holes> {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let hole = |(address, _): (&IpAddr, &Fault)| {
        let at = SocketAddr::new(*address, port);
        let listener = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&listener, &at)?;
        // Room for one, which is taken.
        listen(&listener, 0)?;
        Ok((listener, std::net::TcpStream::connect(at)?))
    };
    let all = addresses.iter().zip(faults);
    all.filter(|(_, fault)| **fault == Fault::BlackHole)
        .map(hole)
        .collect()
}

async fn serve(site: Arc<Site>, node: usize, listener: TcpListener) {
    let shown = if site.faults[node] == Fault::WrongKey {
        key(u64::MAX / 2)
    } else {
        host_key(node)
    };
    let certificates = match site.faults[node] {
        Fault::Certified(name, until) => vec![certificate(&shown, name, until)],
        _ => Vec::new(),
    };
    let config = Arc::new(server::Config {
        certificates,
        keys: vec![shown],
        auth_rejection_time: Duration::from_millis(1),
        auth_rejection_time_initial: Some(Duration::ZERO),
        methods: methods(site.faults[node]),
        nodelay: true,
        ..server::Config::default()
    });
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let visit = site.visits[node].fetch_add(1, Ordering::SeqCst);
        let (site, config) = (Arc::clone(&site), Arc::clone(&config));
        tokio::spawn(async move {
            // An error is the client hanging up.
            let _ = visitor(site, config, (node, visit), stream).await;
        });
    }
}

fn methods(fault: Fault) -> MethodSet {
    let kinds: &[MethodKind] = match fault {
        Fault::Gate(Gate::Password(_) | Gate::PasswordOnce(_)) => &[MethodKind::Password],
        Fault::Gate(Gate::Asks(_)) => &[MethodKind::KeyboardInteractive],
        _ => &[MethodKind::PublicKey],
    };
    kinds.into()
}

#[expect(
    clippy::too_many_lines,
    reason = "a table: one arm per fault of a greeting"
)]
async fn visitor(
    site: Arc<Site>,
    config: Arc<server::Config>,
    (node, visit): (usize, usize),
    mut stream: TcpStream,
) -> Result<(), russh::Error> {
    match site.faults[node] {
        Fault::Silent => return wait_for_end(stream).await,
        Fault::HangsUp(times) if visit < times => return Ok(()),
        Fault::Once if visit > 0 => return Ok(()),
        Fault::Busy(times) if visit < times => {
            stream.write_all(b"Exceeded MaxStartups\r\n").await?;
            return Ok(());
        }
        Fault::BannerFlood => loop {
            stream.write_all(&[b'x'; 4096]).await?;
        },
        Fault::LineFlood => loop {
            stream.write_all(b"not yet\r\n").await?;
        },
        Fault::Drips(pause) => {
            for byte in b"SSH-2.0-slow\r\n" {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            return wait_for_end(stream).await;
        }
        Fault::Http => {
            stream.readable().await?;
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                .await?;
            return wait_for_end(stream).await;
        }
        Fault::BadKex => {
            stream.write_all(b"SSH-2.0-broken\r\n").await?;
            stream.write_all(&[0xff; 4096]).await?;
            return wait_for_end(stream).await;
        }
        Fault::StallsInKex => {
            stream.write_all(b"SSH-2.0-broken\r\n").await?;
            return wait_for_end(stream).await;
        }
        Fault::Says(words, then) => {
            stream.write_all(words).await?;
            return match then {
                Then::Waits => wait_for_end(stream).await,
                Then::HangsUp => Ok(()),
            };
        }
        _ => {}
    }
    let line = site.faults[node];
    let visitor = Visitor {
        site,
        node,
        visit,
        command: None,
        stdin: Vec::new(),
        forwards: 0,
        open: HashMap::new(),
    };
    if let Fault::Line(line) = line {
        return lossy(line, config, stream, visitor).await;
    }
    server::run_stream(config, stream, visitor).await?.await
}

/// A server behind a bad line.
async fn lossy(
    line: Line,
    config: Arc<server::Config>,
    stream: TcpStream,
    visitor: Visitor,
) -> Result<(), russh::Error> {
    let (here, there) = tokio::io::duplex(64 * 1024);
    let session = server::run_stream(config, there, visitor);
    let (carried, _) = tokio::join!(carry(line, stream, here), async { session.await?.await });
    Ok(carried?)
}

/// Carries both ways until one side ends, with what is wrong with the line.
async fn carry(line: Line, stream: TcpStream, server: DuplexStream) -> io::Result<()> {
    if matches!(line, Line::Resets(_)) {
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    }
    let (mut from_client, mut to_client) = stream.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let down = async {
        match line {
            Line::Drips(piece, pause) => {
                let mut buffer = vec![0; piece];
                loop {
                    let count = from_server.read(&mut buffer).await?;
                    if count == 0 {
                        return Ok(());
                    }
                    to_client.write_all(&buffer[..count]).await?;
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
            }
            Line::Resets(bytes) | Line::Closes(bytes) | Line::Stalls(bytes) => {
                let mut some = (&mut from_server).take(bytes as u64);
                tokio::io::copy(&mut some, &mut to_client).await?;
            }
        }
        match line {
            Line::Resets(_) => return Ok(()),
            Line::Closes(_) => to_client.shutdown().await?,
            Line::Stalls(_) | Line::Drips(..) => {}
        }
        std::future::pending().await
    };
    tokio::select! {
        ended = tokio::io::copy(&mut from_client, &mut to_server) => ended.map(drop),
        broken = down => broken,
    }
}

/// Keeps the connection until the other side ends it.
async fn wait_for_end(mut stream: TcpStream) -> Result<(), russh::Error> {
    let mut sink = tokio::io::sink();
    tokio::io::copy(&mut stream, &mut sink).await?;
    Ok(())
}

/// One connection.
struct Visitor {
    site: Arc<Site>,
    node: usize,
    /// Connections to the node before this one.
    visit: usize,
    command: Option<String>,
    stdin: Vec<u8>,
    /// Connections to other nodes so far.
    forwards: usize,
    /// Those that are open: russh does not end a writer whose channel is gone, dropping its sender does.
    open: HashMap<ChannelId, oneshot::Sender<()>>,
}

impl Visitor {
    /// Whether the key is right, and a key is what the node wants.
    fn takes(&self, key: &PublicKey) -> bool {
        let other = matches!(
            self.fault(),
            Fault::Denied | Fault::Gate(Gate::Password(_) | Gate::PasswordOnce(_) | Gate::Asks(_))
        );
        !other && key.key_data() == self.site.client.key_data()
    }

    fn fault(&self) -> Fault {
        self.site.faults[self.node]
    }
}

impl Handler for Visitor {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        offer: server::PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        if self.fault() == Fault::Leaves {
            return Err(russh::Error::Disconnect);
        }
        Ok(if self.takes(offer.public_key) {
            Auth::Accept
        } else {
            Auth::reject()
        })
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(match self.fault() {
            _ if !self.takes(key.public_key) => Auth::reject(),
            Fault::Gate(Gate::KeyThenAsks(_)) => Auth::Reject {
                proceed_with_methods: Some((&[MethodKind::KeyboardInteractive][..]).into()),
                partial_success: true,
            },
            _ => Auth::Accept,
        })
    }

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, Self::Error> {
        self.site.answers[self.node].fetch_add(1, Ordering::SeqCst);
        Ok(match self.fault() {
            Fault::Gate(Gate::Password(right) | Gate::PasswordOnce(right)) if right == password => {
                Auth::Accept
            }
            Fault::Gate(Gate::PasswordOnce(_)) => return Err(russh::Error::Disconnect),
            _ => Auth::reject(),
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<server::Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Fault::Gate(Gate::Asks(prompts) | Gate::KeyThenAsks(prompts)) = self.fault() else {
            return Ok(Auth::reject());
        };
        let Some(response) = response else {
            let prompts = prompts
                .iter()
                .map(|(text, _, echo)| ((*text).into(), *echo));
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "\u{1b}[2Jwelcome\nto the lab".into(),
                prompts: prompts.collect(),
            });
        };
        self.site.answers[self.node].fetch_add(1, Ordering::SeqCst);
        let typed: Vec<Vec<u8>> = response.map(|line| line.to_vec()).collect();
        let right: Vec<&[u8]> = prompts.iter().map(|prompt| prompt.1.as_bytes()).collect();
        Ok(if typed == right {
            Auth::Accept
        } else {
            Auth::reject()
        })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _from: &str,
        _from_port: u32,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.forwards += 1;
        let pause = match self.fault() {
            Fault::NoForwarding => {
                let why = russh::ChannelOpenFailure::AdministrativelyProhibited;
                reply.reject(why).await;
                return Ok(());
            }
            Fault::Falls { logins, at } if self.visit < logins && self.forwards >= at => {
                let reason = russh::Disconnect::ByApplication;
                return session.disconnect(reason, "", "");
            }
            Fault::Deaf(most) if self.forwards > most => {
                // The handler is what reads: nothing is taken any more.
                return std::future::pending().await;
            }
            Fault::SlowForwarding(pause) => pause,
            _ => Duration::ZERO,
        };
        let target = host.parse().ok().map(|ip: IpAddr| (ip, port));
        let hole = target.is_some_and(|(ip, _)| {
            let node = self.site.addresses.iter().position(|known| *known == ip);
            node.is_some_and(|node| self.site.faults[node] == Fault::BlackHole)
        });
        let (sender, gone) = oneshot::channel::<()>();
        self.open.insert(channel.id(), sender);
        let carry = async move {
            tokio::time::sleep(pause).await;
            if hole {
                // Nobody answers, for as long as anybody could wait.
                tokio::time::sleep(Duration::from_mins(2)).await;
            }
            forward(channel, target, reply).await;
        };
        tokio::spawn(async move {
            tokio::select! {
                () = carry => {}
                _ = gone => {}
            }
        });
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.open.remove(&channel);
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.fault() == Fault::NoExec {
            return session.channel_failure(channel);
        }
        self.command = Some(String::from_utf8_lossy(command).into_owned());
        self.stdin.clear();
        session.channel_success(channel)
    }

    async fn data(
        &mut self,
        _channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Without a command the channel leads to another node.
        if self.command.is_some() {
            self.stdin.extend(data);
        }
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(command) = self.command.take() else {
            return Ok(());
        };
        let fault = self.fault();
        let answer = match fault {
            Fault::Stalls => return Ok(()),
            Fault::Prints(text) => Answer {
                stdout: text.as_bytes().to_vec(),
                status: 1,
                ..Answer::default()
            },
            _ => (self.site.respond)(self.node, &command, &self.stdin),
        };
        tokio::spawn(reply(session.handle(), channel, fault, answer));
        Ok(())
    }
}

/// Carries bytes between a channel and another node.
async fn forward(channel: Channel<Msg>, target: Option<(IpAddr, u32)>, reply: ChannelOpenHandle) {
    let address =
        target.and_then(|(ip, port)| Some(SocketAddr::new(ip, u16::try_from(port).ok()?)));
    let stream = match address {
        Some(address) => TcpStream::connect(address).await.ok(),
        None => None,
    };
    let Some(mut stream) = stream else {
        reply.reject(russh::ChannelOpenFailure::ConnectFailed).await;
        return;
    };
    // Small packets back and forth: waiting for more of them costs 40 ms each.
    let _ = stream.set_nodelay(true);
    reply.accept().await;
    // An error is either side hanging up.
    let _ = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut stream).await;
}

async fn reply(handle: server::Handle, channel: ChannelId, fault: Fault, answer: Answer) {
    const PIECE: usize = 16 * 1024;
    let mut stdout = answer.stdout;
    let mut stderr = answer.stderr;
    match fault {
        Fault::Slow(pause) => tokio::time::sleep(pause).await,
        Fault::Cut(bytes) | Fault::Stops(bytes) | Fault::Ends(bytes, _) => stdout.truncate(bytes),
        Fault::Huge(bytes) => stdout
            .splice(0..0, std::iter::repeat_n(0, bytes))
            .for_each(drop),
        Fault::StderrFlood(bytes) => stderr.resize(bytes, b'e'),
        _ => {}
    }
    if fault == Fault::Endless {
        while handle.data(channel, vec![0; PIECE]).await.is_ok() {}
        return;
    }
    for piece in stderr.chunks(PIECE) {
        if handle
            .extended_data(channel, 1, piece.to_vec())
            .await
            .is_err()
        {
            return;
        }
    }
    for piece in stdout.chunks(PIECE) {
        if handle.data(channel, piece.to_vec()).await.is_err() {
            return;
        }
    }
    match fault {
        Fault::NeverEnds | Fault::Stops(_) => return,
        Fault::Cut(_) => {
            let reason = russh::Disconnect::ByApplication;
            let _ = handle
                .disconnect(reason, String::new(), String::new())
                .await;
            return;
        }
        _ => {}
    }
    // Errors: the client has left, which it may.
    let _ = match fault {
        Fault::Ends(_, End::Closed) => Ok(()),
        Fault::Ends(_, End::Killed) => {
            let (empty, core) = (String::new(), false);
            let killed = handle.exit_signal_request(channel, Sig::KILL, core, empty.clone(), empty);
            killed.await
        }
        _ => handle.exit_status_request(channel, answer.status).await,
    };
    let _ = handle.eof(channel).await;
    let _ = handle.close(channel).await;
}
