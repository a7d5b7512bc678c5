//! The one maker of the kube client: a kubeconfig read as kubectl reads it, behind the guard.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::client::{ClientBuilder, ConfigExt as _};
use kube::config::{AuthInfo, Cluster, Config, ExecInteractiveMode, Kubeconfig};

use crate::disk;
use crate::model::fact::Gap;
use crate::model::text::Text;

use super::fault::Fault;
use super::guard::Guard;
use super::proxy;
use super::wire::Patience;

/// A dead server is told from a slow one after this long; TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// A login program gets this long: a person may be typing into it.
const LOGIN: Duration = Duration::from_mins(3);
/// A bundle of certificate authorities is not longer.
const BUNDLE: u64 = 8 << 20;
/// Where distributions keep the authorities that they trust, as Go's crypto/x509 looks for them.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How the API server is to be reached, in the words of kubectl's flags.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// `--kubeconfig`: this file and no other.
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    /// `--as`.
    pub as_user: Option<String>,
    /// `--as-group`.
    pub as_groups: Vec<String>,
    /// A login program may talk to the terminal now. Never afterwards: it would write over the dashboard.
    pub interactive: bool,
    /// The environment: KUBECONFIG, HOME, proxies.
    pub env: HashMap<OsString, OsString>,
}

/// A client that can only read, and what is known of its connection without asking.
pub struct Connection {
    pub(super) client: kube::Client,
    /// Name of the context, or `in-cluster`.
    pub context: Text,
    /// The server's address.
    pub server: Text,
    /// The proxy on the way there, without its password.
    pub proxy: Option<Text>,
    /// The server's certificate is not verified.
    pub insecure: bool,
    pub patience: Patience,
}

/// Reads the kubeconfig, runs the login program where there is one, and makes the client. Nothing is sent yet.
///
/// # Errors
/// [`Gap::Api`] with what is wrong with the configuration or the login.
pub async fn connect(access: &Access) -> Result<Connection, Gap> {
    let (mut config, context) = configure(access).map_err(|detail| Gap::Api {
        detail: detail.into(),
    })?;
    config.connect_timeout = Some(CONNECT);
    // Its policy waits up to 1,000 s in silence; ours is in wire.rs.
    config.default_retry = false;
    // So that the server's own audit log says who read.
    let name = http::HeaderValue::from_static(concat!("stakeout/", env!("CARGO_PKG_VERSION")));
    config.headers.push((http::header::USER_AGENT, name));
    let server = Text::from(config.cluster_url.to_string());
    let proxy = config.proxy_url.as_ref().map(proxy::shown);
    let insecure = config.accept_invalid_certs || is_plain(&config.cluster_url);
    let client = login(config, access.interactive).await?;
    Ok(Connection {
        client,
        context,
        server,
        proxy,
        insecure,
        patience: Patience::default(),
    })
}

/// The context that a run would use, by option or by the kubeconfig's own choice; asks nobody.
pub fn context(access: &Access) -> Option<String> {
    let own = || read(access).ok()?.0?.current_context;
    access
        .context
        .clone()
        .or_else(own)
        .filter(|name| !name.is_empty())
}

/// Whether the login of the chosen context may talk to the terminal.
pub fn may_ask(access: &Access) -> bool {
    configure(access).is_ok_and(|(config, _)| {
        let exec = config.auth_info.exec.as_ref();
        exec.is_some_and(|exec| exec.interactive_mode != Some(ExecInteractiveMode::Never))
    })
}

/// HTTP without TLS to another machine. `kubectl proxy` on this one verifies the server itself.
fn is_plain(server: &http::Uri) -> bool {
    server.scheme_str() == Some("http")
        && !server.host().is_some_and(|host| {
            let host = host.trim_matches(['[', ']']);
            host == "localhost"
                || host
                    .parse()
                    .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        })
}

/// Makes the client; kube runs a login program meanwhile and blocks on it.
async fn login(mut config: Config, interactive: bool) -> Result<kube::Client, Gap> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    // A thread of its own: a login program that hangs must not keep the runtime from ending.
    let work = move || {
        let _inside = runtime.enter();
        let asking = config.clone();
        let mut may_ask = false;
        if let Some(exec) = &mut config.auth_info.exec {
            may_ask = interactive && exec.interactive_mode != Some(ExecInteractiveMode::Never);
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
        if may_ask {
            // What the program learns it keeps in its own cache; the outcome that counts is the next one.
            let _ = asking.auth_layer();
        }
        let hint = (config.auth_info.exec.as_ref()).and_then(|exec| exec.install_hint.clone());
        let outcome = match guarded(config) {
            // It keeps no cache: then this client has to be the one that asked.
            Err(_) if may_ask => guarded(asking),
            outcome => outcome,
        };
        // Nobody waits any more: the run was given up.
        let _ = sender.send(outcome.map_err(|error| login_words(&error, hint.as_deref())));
    };
    std::thread::Builder::new()
        .name("api-login".into())
        .spawn(work)
        .map_err(|error| api(format!("no thread for the login: {error}")))?;
    match tokio::time::timeout(LOGIN, receiver).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(api("the login ended without an answer")),
        Err(_) => Err(api("the login program did not end in time")),
    }
}

/// The only way to a client: nothing is outside of the guard.
fn guarded(config: Config) -> Result<kube::Client, kube::Error> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&Guard).build())
}

fn api(detail: impl Into<Text>) -> Gap {
    Gap::Api {
        detail: detail.into(),
    }
}

/// What is wrong with the credentials; kube's own words dump the output of the login program.
fn login_words(error: &kube::Error, hint: Option<&str>) -> Gap {
    use kube::client::AuthError;
    let kube::Error::Auth(auth) = error else {
        return Fault::of(error).gap("connect to", "the API server");
    };
    let mut detail = match auth {
        AuthError::AuthExecStart(io) => format!("the login program cannot be started: {io}"),
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty());
            format!(
                "the login program failed ({}): {}",
                out.status,
                last.unwrap_or("it said nothing")
            )
        }
        AuthError::AuthExecParse(_) => "the login program did not answer with credentials".into(),
        other => format!("the credentials cannot be used: {other}"),
    };
    if let (Some(hint), AuthError::AuthExecStart(_)) = (hint, auth) {
        detail.push_str("; ");
        detail.push_str(hint);
    }
    api(detail)
}

/// The configuration and the name of its context.
fn configure(access: &Access) -> Result<(Config, Text), String> {
    let (kubeconfig, from) = read(access)?;
    let Some(kubeconfig) = kubeconfig else {
        return in_cluster(access);
    };
    let name = access
        .context
        .clone()
        .or_else(|| kubeconfig.current_context.clone())
        .filter(|name| !name.is_empty())
        .ok_or_else(|| format!("{from} sets no current-context: give --context"))?;
    let context = kubeconfig
        .contexts
        .iter()
        .find(|context| context.name == name)
        .and_then(|context| context.context.as_ref())
        .ok_or_else(|| format!("{from} has no context {}", Text::new(&name)))?;
    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|cluster| cluster.name == context.cluster)
        .and_then(|cluster| cluster.cluster.as_ref())
        .ok_or_else(|| format!("{from} has no cluster {}", Text::new(&context.cluster)))?;
    // A user that is not there is nobody in particular, as for kubectl.
    let user = context
        .user
        .as_ref()
        .and_then(|wanted| {
            let found = (kubeconfig.auth_infos.iter()).find(|user| user.name == *wanted);
            found.and_then(|user| user.auth_info.clone())
        })
        .unwrap_or_default();
    let config = assemble(access, cluster, user)?;
    Ok((config, name.into()))
}

/// The merged kubeconfig and how to name it; none where there is no file at all.
fn read(access: &Access) -> Result<(Option<Kubeconfig>, String), String> {
    if let Some(file) = &access.kubeconfig {
        return load(file).map(|read| (Some(read), shown(file)));
    }
    let listed = access.env.get(std::ffi::OsStr::new("KUBECONFIG"));
    if let Some(list) = listed.filter(|list| !list.is_empty()) {
        // kubectl passes over names in the list that are not there.
        let files: Vec<_> = std::env::split_paths(list)
            .filter(|file| !file.as_os_str().is_empty() && disk::exists(file))
            .collect();
        let mut merged: Option<Kubeconfig> = None;
        for file in &files {
            let next = load(file)?;
            merged = Some(match merged {
                Some(first) => first
                    .merge(next)
                    .map_err(|error| format!("{} does not merge: {error}", shown(file)))?,
                None => next,
            });
        }
        return Ok((merged, "KUBECONFIG".into()));
    }
    let home = access.env.get(std::ffi::OsStr::new("HOME"));
    let file = Path::new(home.map_or("/".as_ref(), |home| home.as_os_str())).join(".kube/config");
    if disk::exists(&file) {
        load(&file).map(|read| (Some(read), shown(&file)))
    } else {
        Ok((None, shown(&file)))
    }
}

fn load(file: &Path) -> Result<Kubeconfig, String> {
    Kubeconfig::read_from(file).map_err(|error| format!("cannot read {}: {error}", shown(file)))
}

fn shown(file: &Path) -> String {
    Text::from_bytes(file.as_os_str().as_encoded_bytes()).to_string()
}

/// Without a kubeconfig: the service account of the pod that this runs in.
fn in_cluster(access: &Access) -> Result<(Config, Text), String> {
    if access.context.is_some() {
        return Err("--context needs a kubeconfig, and there is none".into());
    }
    let inside = access
        .env
        .contains_key(std::ffi::OsStr::new("KUBERNETES_SERVICE_HOST"));
    if !inside {
        return Err(
            "no kubeconfig: --kubeconfig, KUBECONFIG and ~/.kube/config lead to no file".into(),
        );
    }
    let mut config = Config::incluster_env()
        .map_err(|error| format!("the pod's service account cannot be used: {error}"))?;
    impersonate(access, &mut config.auth_info)?;
    Ok((config, "in-cluster".into()))
}

fn impersonate(access: &Access, user: &mut AuthInfo) -> Result<(), String> {
    if access.as_user.is_none() && !access.as_groups.is_empty() {
        return Err("--as-group needs --as".into());
    }
    if let Some(name) = &access.as_user {
        user.impersonate = Some(name.clone());
        user.impersonate_groups = (!access.as_groups.is_empty()).then(|| access.as_groups.clone());
    }
    Ok(())
}

/// kube's own assembly reads proxies from its own environment and asks NO_PROXY about the proxy, not the server.
fn assemble(access: &Access, cluster: &Cluster, mut user: AuthInfo) -> Result<Config, String> {
    let server = cluster.server.as_deref().unwrap_or("");
    let server: http::Uri = match server.parse() {
        Ok(server) if !server_is_bare(&server) => server,
        _ => return Err(format!("server {} is not an address", Text::new(server))),
    };
    impersonate(access, &mut user)?;
    if let Some(exec) = &mut user.exec
        && exec.provide_cluster_info
    {
        let told = cluster
            .try_into()
            .map_err(|error: kube::config::KubeconfigError| error.to_string())?;
        exec.cluster = Some(told);
    }
    let env = |name: &str| {
        let value = access.env.get(std::ffi::OsStr::new(name))?;
        value.to_str().map(str::to_owned)
    };
    let mut config = Config::new(server.clone());
    config.proxy_url = proxy::route(&server, cluster.proxy_url.as_deref(), &env)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.root_cert = authorities(cluster, &env)?;
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster
        .tls_server_name
        .clone()
        .filter(|name| !name.is_empty());
    config.auth_info = user;
    Ok(config)
}

fn server_is_bare(server: &http::Uri) -> bool {
    server.scheme().is_none() || server.host().is_none()
}

/// The authorities that the kubeconfig names; where it names none, those that the system trusts.
fn authorities(cluster: &Cluster, env: proxy::Env<'_>) -> Result<Option<Vec<Vec<u8>>>, String> {
    let pem = if let Some(data) = &cluster.certificate_authority_data {
        let packed: String = data.split_ascii_whitespace().collect();
        openssl::base64::decode_block(&packed)
            .map_err(|_| "certificate-authority-data is not base64".to_owned())?
    } else if let Some(file) = &cluster.certificate_authority {
        disk::read(Path::new(file), BUNDLE)
            .map_err(|error| format!("cannot read {}: {error}", shown(Path::new(file))))?
    } else {
        // The OpenSSL inside the program does not know where this system keeps them.
        let given = env("SSL_CERT_FILE").into_iter();
        let known = SYSTEM_BUNDLES.iter().map(|file| (*file).to_owned());
        let found = given
            .chain(known)
            .find_map(|file| disk::read(Path::new(&file), BUNDLE).ok());
        match found {
            Some(pem) => pem,
            None => return Ok(None),
        }
    };
    let chain = openssl::x509::X509::stack_from_pem(&pem)
        .map_err(|_| "the certificate authority is not PEM".to_owned())?;
    let ders: Result<Vec<_>, _> = chain.iter().map(|cert| cert.to_der()).collect();
    ders.map(Some)
        .map_err(|_| "the certificate authority cannot be used".to_owned())
}
