//! Where in a free text a secret stands: by what is around it, or by what it looks like.

use super::names::{plain_value, secret_env, secret_flag};

/// Byte ranges of secrets in a free text, in order and apart.
///
/// `scheme://HERE@host`, what follows `Bearer`, `NAME=HERE`, `"name": "HERE"` and `--flag HERE` with a telling name,
/// private keys, and tokens that are known by their first letters.
pub(super) fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut out = userinfo(text);
    out.extend(bearers(text));
    out.extend(assignments(text));
    out.extend(options(text));
    out.extend(private_keys(text));
    out.extend(tokens(text));
    out.sort_unstable_by_key(|&(start, end)| (start, std::cmp::Reverse(end)));
    let mut last = 0;
    out.retain_mut(|(start, end)| {
        // What reaches beyond the one before it is a secret as well.
        *start = (*start).max(last);
        let apart = *end > *start;
        if apart {
            last = *end;
        }
        apart
    });
    out
}

fn userinfo(text: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find("://") {
        let start = from + found + 3;
        let end = text[start..]
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`'))
            .map_or(text.len(), |length| start + length);
        if let Some(at) = text[start..end].rfind('@')
            && at > 0
            && !text[start + at..].starts_with("@sha256:")
            && &text[start..start + at] != "git"
            && !super::is_masked(&text[start..start + at])
        {
            out.push((start, start + at));
        }
        from = end;
    }
    out
}

fn bearers(text: &str) -> Vec<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let mut out = Vec::new();
    for word in ["bearer ", "authorization: basic "] {
        let mut from = 0;
        while let Some(found) = lower[from..].find(word) {
            let start = from + found + word.len();
            let end = text[start..]
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
                .map_or(text.len(), |length| start + length);
            // A shell variable or a mask is no secret, and neither is prose of one short word.
            let value = &text[start..end];
            if value.len() >= 6 && !value.starts_with(['$', '<']) {
                out.push((start, end));
            }
            from = end;
        }
    }
    out
}

/// `NAME=value`, `"name": "value"` and `Name: value`, where the name promises a secret.
fn assignments(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut out = Vec::new();
    let mut from = 0;
    for at in 0..bytes.len() {
        if at < from || !matches!(bytes[at], b'=' | b':') {
            continue;
        }
        // `name = value`, as configuration files have it.
        let before = bytes[from..at].iter().rposition(|byte| !is_blank(*byte));
        let close = before.map_or(from, |before| from + before + 1);
        let spaced = close < at;
        let quoted = close > from && matches!(bytes[close - 1], b'"' | b'\'');
        let end = if quoted { close - 1 } else { close };
        let name = bytes[from..end]
            .iter()
            .rposition(|byte| !is_name(*byte))
            .map_or(from, |before| from + before + 1);
        let mut start = at + 1;
        while bytes.get(start).is_some_and(|byte| is_blank(*byte)) {
            start += 1;
        }
        // `image:tag` and `host:port` are no assignments.
        let assigns = match bytes[at] {
            _ if spaced => start > at + 1,
            b':' => quoted || start > at + 1,
            _ => start == at + 1,
        };
        if !assigns || !telling(&text[name..end]) {
            continue;
        }
        let (first, last) = if bytes[at] == b':' && is_header(&text[name..end]) {
            header(text, start)
        } else {
            value(text, start)
        };
        let found = &text[first..last];
        if !found.is_empty() && !plain_value(found) && !found.starts_with("<masked") {
            out.push((first, last));
            from = last;
        }
    }
    out
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Headers of HTTP whose value is a scheme and a secret, or several secrets.
fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("authorization") || name.ends_with("cookie")
}

/// A header's value: to the end of the line, or to the quote that closes it.
fn header(text: &str, start: usize) -> (usize, usize) {
    let rest = &text[start..];
    if rest.starts_with(['"', '\'']) {
        return value(text, start);
    }
    let length = rest
        .find(['"', '\'', '`', '\n', '\r'])
        .unwrap_or(rest.len());
    (start, start + rest[..length].trim_end().len())
}

fn telling(name: &str) -> bool {
    match name.strip_prefix("-D") {
        // A property of a Java machine.
        Some(property) => secret_env(property),
        None if name.starts_with('-') => secret_flag(name),
        None => secret_env(name),
    }
}

/// The value that begins at a byte: up to its closing quote, or to the end of the word.
fn value(text: &str, start: usize) -> (usize, usize) {
    let rest = &text[start..];
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let length = rest[1..].find(quote).unwrap_or(rest.len() - 1);
        return (start + 1, start + 1 + length);
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ';' | '&' | '|');
    (start, start + rest.find(ends).unwrap_or(rest.len()))
}

/// `--password value` and `-u user:value` inside of one text.
fn options(text: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut expected = Expected::Nothing;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(first) = rest.find(|c: char| !c.is_whitespace()) else {
            break;
        };
        at += first;
        let (first, last) = value(text, at);
        let word = &text[first..last];
        if expected.is_met_by(word) {
            out.push((first, last));
        } else if let Some(from) = expected.glued(word) {
            out.push((first + from, last));
        }
        expected = expected.after(word);
        let quote = usize::from(first > at && last < text.len());
        at = (last + quote).max(at + 1);
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    out
}

/// What a flag says of the word behind it.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    Nothing,
    Secret,
    /// `user:password`.
    Login,
    /// `-p password`: the word before, or one of the options before, was sshpass.
    Option,
    /// The words that sshpass waits for: behind them comes another option.
    Prompt,
}

fn takes_login(flag: &str) -> bool {
    matches!(flag, "-u" | "--user" | "--proxy-user" | "-U")
}

impl Expected {
    /// What the word after `word` is, which itself stands where `self` was expected.
    pub(super) fn after(self, word: &str) -> Self {
        if word.rsplit('/').next() == Some("sshpass") {
            return Self::Option;
        }
        if matches!(self, Self::Prompt) {
            return Self::Option;
        }
        if !word.starts_with('-') || word.contains('=') {
            Self::Nothing
        } else if matches!(self, Self::Option) {
            match word {
                "-p" => Self::Secret,
                "-P" => Self::Prompt,
                _ => self,
            }
        } else if takes_login(word) {
            Self::Login
        } else if secret_flag(word) {
            Self::Secret
        } else {
            Self::Nothing
        }
    }

    /// Where in a word that is a flag its secret begins: `--user=name:secret`, `-uname:secret`, `sshpass -psecret`.
    pub(super) fn glued(self, word: &str) -> Option<usize> {
        let met = |kind: Self, from: usize| {
            let value = word.get(from..)?;
            kind.is_met_by(value.trim_matches(['"', '\'']))
                .then_some(from)
        };
        if matches!(self, Self::Option) && word.len() > 2 && word.starts_with("-p") {
            return met(Self::Secret, 2);
        }
        match word.split_once('=') {
            Some((flag, _)) if takes_login(flag) => met(Self::Login, flag.len() + 1),
            _ if word.starts_with("-u") || word.starts_with("-U") => met(Self::Login, 2),
            _ => None,
        }
    }

    pub(super) fn is_met_by(self, word: &str) -> bool {
        let word_is_secret = !plain_value(word) && !word.starts_with(['-', '<']);
        match self {
            Self::Nothing | Self::Option | Self::Prompt => false,
            Self::Secret => word_is_secret,
            // Not `1000:1000`, and not `root:root`.
            Self::Login => {
                let parts = word.split_once(':').filter(|(user, secret)| user != secret);
                word_is_secret
                    && parts.is_some_and(|(_, secret)| {
                        !secret.is_empty() && !secret.bytes().all(|byte| byte.is_ascii_digit())
                    })
            }
        }
    }
}

/// From the first line of a private key to its last, or to the end; and one that is encoded once more.
fn private_keys(text: &str) -> Vec<(usize, usize)> {
    const BEGIN: &str = "-----BEGIN ";
    const ENCODED: &str = "LS0tLS1CRUdJTi";
    const CERTIFICATE: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS";
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find(BEGIN) {
        let start = from + found;
        let label = start + BEGIN.len();
        from = label;
        let Some(length) = text[label..].find("-----") else {
            break;
        };
        if length > 40 || !text[label..label + length].ends_with("PRIVATE KEY") {
            continue;
        }
        let end = text[label + length..]
            .find("-----END")
            .map(|end| label + length + end);
        let end = end.map_or(text.len(), |end| {
            let tail = end + "-----END".len();
            text[tail..]
                .find("-----")
                .map_or(text.len(), |dashes| tail + dashes + 5)
        });
        out.push((start, end));
        from = end;
    }
    from = 0;
    while let Some(found) = text[from..].find(ENCODED) {
        let start = from + found;
        let end = run(text, start, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
        });
        if !text[start..].starts_with(CERTIFICATE) {
            out.push((start, end));
        }
        from = end;
    }
    out
}

/// Tokens that say themselves what they are.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    const BEGINNINGS: &[&str] = &[
        "eyJ",
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "sk_live_",
        "rk_live_",
        "hvs.",
        "AGE-SECRET-KEY-",
        "npm_",
        "dop_v1_",
        "pypi-AgE",
    ];
    const LENGTH: usize = 20;
    let mut out = Vec::new();
    for beginning in BEGINNINGS {
        let mut from = 0;
        while let Some(found) = text[from..].find(beginning) {
            let start = from + found;
            let end = run(text, start, |byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
            });
            let inside = start > 0 && text.as_bytes()[start - 1].is_ascii_alphanumeric();
            let jwt = *beginning != "eyJ" || text[start..end].matches('.').count() == 2;
            if !inside && jwt && end - start >= LENGTH {
                out.push((start, end));
            }
            from = end;
        }
    }
    out
}

/// The end of a run of such bytes, which are ASCII.
fn run(text: &str, start: usize, is: impl Fn(u8) -> bool) -> usize {
    let rest = &text.as_bytes()[start..];
    start
        + rest
            .iter()
            .position(|byte| !is(*byte))
            .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = text.to_owned();
        for (from, to) in spans(text).into_iter().rev() {
            out.replace_range(from..to, "*");
        }
        out
    }

    /// Words, and what is shown of them.
    const COMMANDS: &[(&str, &str)] = &[
        (
            "export DB_PASSWORD=geheim; run",
            "export DB_PASSWORD=*; run",
        ),
        (
            "PGPASSWORD='ge heim' psql -h db",
            "PGPASSWORD='*' psql -h db",
        ),
        ("mysql --password geheim -h db", "mysql --password * -h db"),
        (
            "mysql --password \"ge heim\" -h db",
            "mysql --password \"*\" -h db",
        ),
        ("curl -u me:geheim https://x/", "curl -u * https://x/"),
        (
            "chown -R --user 1000:1000 /data",
            "chown -R --user 1000:1000 /data",
        ),
        (
            "java -Ddb.password=geheim -Dx=1",
            "java -Ddb.password=* -Dx=1",
        ),
        (
            "https://x/?a=1&token=geheim1&b=2",
            "https://x/?a=1&token=*&b=2",
        ),
        ("helm --set db.password=geheim", "helm --set db.password=*"),
        (
            "Server=x;Password=geheim;User=y",
            "Server=x;Password=*;User=y",
        ),
        (
            "{\"password\": \"geheim\", \"a\": 1}",
            "{\"password\": \"*\", \"a\": 1}",
        ),
        ("X-Api-Key: geheim", "X-Api-Key: *"),
        (
            "curl --user=root:geheim https://x/",
            "curl --user=* https://x/",
        ),
        ("curl -uroot:geheim https://x/", "curl -u* https://x/"),
        ("sshpass -p geheim ssh -p 22 h", "sshpass -p * ssh -p 22 h"),
        (
            "sshpass -P assword: -p geheim ssh h",
            "sshpass -P assword: -p * ssh h",
        ),
        (
            "/usr/bin/sshpass -v -pgeheim ssh h",
            "/usr/bin/sshpass -v -p* ssh h",
        ),
        (
            "curl -H 'Authorization: Token geheim' https://x/",
            "curl -H 'Authorization: *' https://x/",
        ),
        ("Cookie: a=1; session=geheim\nHost: x", "Cookie: *\nHost: x"),
        ("password = geheim", "password = *"),
        ("password : \"ge heim\"", "password : \"*\""),
        ("token=$(cat /run/token)", "token=* /run/token)"),
    ];

    #[test]
    fn secrets_in_a_command_of_a_shell() {
        for (text, masked) in COMMANDS {
            assert_eq!(shown(text), *masked);
        }
    }

    #[test]
    fn what_is_none_stays() {
        for text in [
            "registry.example/auth/token:v1.2.3",
            "--feature-gates=A=true,B=false",
            "--initial-cluster=cp-1=https://10.0.0.1:2380",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--service-account-key-file=/etc/kubernetes/pki/sa.pub",
            "PASSWORD_FILE=/etc/app/password",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "ca: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
            "TOKEN=<masked 12345678>",
            "monkey=banana",
            "greyJacket eyJustAWord",
            "chown -u1000:1000 -p x",
            "ssh -p 2222 host",
            "if password == x",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn keys_and_tokens_by_their_looks() {
        for text in [
            "a -----BEGIN RSA PRIVATE KEY-----\ngeheim\n-----END RSA PRIVATE KEY----- b",
            "a -----BEGIN OPENSSH PRIVATE KEY-----\\ngeheim",
            "a LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt b",
            "a eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWIifQ.c2lnbmF0dXJl b",
            "a ghp_0123456789abcdefABCDEF0123456789abcd b",
        ] {
            let masked = shown(text);
            assert!(masked.starts_with("a *") && masked.len() < 6, "{masked}");
        }
    }

    #[test]
    fn spans_never_split_a_character() {
        for text in [
            "ü://ä@ö",
            "://@",
            "bearer ",
            "x://a@b://c@d",
            "BEARER ääääää x",
            "://é",
            "PASSWORD=ü",
            "PASSWORD='ü",
            "PASSWORD=\"",
            "--password ü",
            "--password 'ü",
            "ü=ü:ü",
            "\"token\":ü",
            "-----BEGIN ü PRIVATE KEY-----ü",
            "-----BEGIN PRIVATE KEY-----ü-----ENDü",
            "'",
            "''",
            "\"ü\"ü",
        ] {
            for (from, to) in spans(text) {
                assert!(text.get(from..to).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn time_is_linear() {
        for word in [
            "PASSWORD=",
            "a=",
            "::::",
            "\"",
            "--password ",
            "eyJ",
            "-----BEGIN ",
            "://",
            "'x' ",
        ] {
            let text = word.repeat((256 << 10) / word.len());
            let start = std::time::Instant::now();
            let _ = spans(&text);
            assert!(start.elapsed().as_secs() < 2, "{word}");
        }
    }
}
