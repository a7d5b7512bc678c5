//! Which proxy leads to the API server, decided as kubectl decides it.
//!
//! `proxy-url` of the kubeconfig always counts. Else `HTTPS_PROXY` (`HTTP_PROXY` for an http server)
//! counts unless `NO_PROXY` names the server or the server is on this machine
//! (golang.org/x/net/http/httpproxy).

use std::net::IpAddr;

use http::Uri;

use crate::model::text::Text;

/// Reads an environment variable.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The proxy for `server`; none for the direct way.
///
/// # Errors
/// Says which setting is no address.
pub(super) fn route(
    server: &Uri,
    configured: Option<&str>,
    env: Env<'_>,
) -> Result<Option<Uri>, String> {
    if let Some(proxy) = configured.filter(|proxy| !proxy.is_empty()) {
        return parse(proxy, "proxy-url of the kubeconfig").map(Some);
    }
    let name = match server.scheme_str() {
        Some("http") => "HTTP_PROXY",
        _ => "HTTPS_PROXY",
    };
    let Some(proxy) = either(env, name) else {
        return Ok(None);
    };
    if direct(server, &either(env, "NO_PROXY").unwrap_or_default()) {
        return Ok(None);
    }
    parse(&proxy, name).map(Some)
}

/// A proxy's address without user and password.
pub(super) fn shown(proxy: &Uri) -> Text {
    let scheme = proxy.scheme_str().unwrap_or("http");
    let host = proxy.host().unwrap_or("");
    match proxy.port_u16() {
        Some(port) => Text::from(format!("{scheme}://{host}:{port}")),
        None => Text::from(format!("{scheme}://{host}")),
    }
}

fn either(env: Env<'_>, name: &str) -> Option<String> {
    [name.to_owned(), name.to_ascii_lowercase()]
        .iter()
        .filter_map(|name| env(name))
        .find(|value| !value.is_empty())
}

fn parse(proxy: &str, setting: &str) -> Result<Uri, String> {
    let spelled = if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    };
    // The value may hold a password: it is not repeated.
    spelled
        .parse()
        .map_err(|error| format!("{setting} is not an address: {error}"))
}

fn direct(server: &Uri, exceptions: &str) -> bool {
    let host = server.host().unwrap_or("").to_ascii_lowercase();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    let port = server.port_u16().unwrap_or(match server.scheme_str() {
        Some("http") => 80,
        _ => 443,
    });
    exceptions
        .split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || matches(&entry, host, ip, port))
}

fn matches(entry: &str, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
    if let Some((net, bits)) = entry.split_once('/') {
        let (Ok(net), Ok(bits), Some(ip)) = (net.parse(), bits.parse(), ip) else {
            return false;
        };
        return contains(net, bits, ip);
    }
    let (name, only) = split_port(entry);
    if only.is_some_and(|only| only != port) {
        return false;
    }
    if let Ok(wanted) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return ip == Some(wanted);
    }
    let name = name.strip_prefix('*').unwrap_or(name);
    match name.strip_prefix('.') {
        Some(suffix) => host
            .strip_suffix(suffix)
            .is_some_and(|rest| rest.ends_with('.')),
        None => {
            host == name
                || host
                    .strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'))
        }
    }
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    if entry.parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((name, port)) => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        None => (entry, None),
    }
}

fn contains(net: IpAddr, bits: u32, ip: IpAddr) -> bool {
    match (net, ip) {
        (IpAddr::V4(net), IpAddr::V4(ip)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            net.to_bits() & mask == ip.to_bits() & mask
        }
        (IpAddr::V6(net), IpAddr::V6(ip)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            net.to_bits() & mask == ip.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(server: &str, configured: Option<&str>, env: &[(&str, &str)]) -> Option<String> {
        let lookup = |name: &str| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        route(&server.parse().expect("a server"), configured, &lookup)
            .expect("an address")
            .map(|uri| uri.to_string())
    }

    #[test]
    fn the_kubeconfig_wins_over_the_environment() {
        let env = [("HTTPS_PROXY", "http://env:1"), ("NO_PROXY", "*")];
        let got = routed("https://k8s.test:6443", Some("socks5://conf:2"), &env);
        assert_eq!(got.as_deref(), Some("socks5://conf:2/"));
    }

    #[test]
    fn the_environment_as_go_reads_it() {
        let proxy = |no_proxy| {
            let env = [("https_proxy", "env:1"), ("NO_PROXY", no_proxy)];
            routed("https://api.k8s.test:6443", None, &env).is_some()
        };
        assert!(proxy(""));
        for (no_proxy, used) in [
            ("*", false),
            ("k8s.test", false),
            (".k8s.test", false),
            ("*.k8s.test", false),
            ("api.k8s.test:6443", false),
            ("api.k8s.test:443", true),
            (".api.k8s.test", true),
            ("s.test", true),
            (" other.test ,, API.k8s.test,", false),
        ] {
            assert_eq!(proxy(no_proxy), used, "{no_proxy}");
        }
    }

    #[test]
    fn addresses_and_networks() {
        let proxy = |server: &str, no_proxy| {
            let env = [("HTTPS_PROXY", "http://env:1"), ("no_proxy", no_proxy)];
            routed(server, None, &env).is_some()
        };
        for (server, no_proxy, used) in [
            ("https://198.51.100.7:6443", "198.51.100.0/24", false),
            ("https://198.51.101.7:6443", "198.51.100.0/24", true),
            ("https://198.51.100.7", "198.51.100.7", false),
            ("https://198.51.100.7", "198.51.100.7/0", false),
            ("https://198.51.100.7", "198.51.100.7/99", true),
            ("https://[2001:db8::7]:6443", "2001:db8::/32", false),
            ("https://[2001:db8::7]:6443", "[2001:db8::7]:6443", false),
            ("https://127.0.0.1:6443", "", false),
            ("https://localhost:6443", "", false),
        ] {
            assert_eq!(proxy(server, no_proxy), used, "{server} {no_proxy}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let proxy = "http://user:hunter2@proxy.test:3128"
            .parse()
            .expect("a proxy");
        assert_eq!(shown(&proxy), "http://proxy.test:3128");
    }

    #[test]
    fn a_bad_address_is_said_without_its_password() {
        let outcome = route(
            &"https://k8s.test".parse().expect("a server"),
            Some("http://user:hunter2@[bad"),
            &|_| None,
        );
        let message = outcome.expect_err("no address");
        assert!(
            message.starts_with("proxy-url of the kubeconfig"),
            "{message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }
}
