//! Which names promise a secret, and which values are none in spite of their name.

/// Whether a value is already a mask.
pub(super) fn is_masked(value: &str) -> bool {
    value == "<masked>"
        || value
            .strip_prefix("<masked ")
            .and_then(|rest| rest.strip_suffix('>'))
            .is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether a value tells no secret whatever its name: empty, a switch, a small number, a path, a reference, a mask.
pub(super) fn plain_value(value: &str) -> bool {
    let value = value.trim();
    let small = value.len() <= 3 && value.bytes().all(|b| b.is_ascii_digit());
    let reference = value.starts_with("$(") && value.ends_with(')');
    small
        || reference
        || is_masked(value)
        || is_path(value)
        || matches!(
            value.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null"
        )
}

/// An absolute path below a folder that systems really have: a secret may begin with a slash too.
fn is_path(value: &str) -> bool {
    const ROOTS: &[&str] = &[
        "app", "certs", "config", "data", "dev", "etc", "home", "mnt", "opt", "pki", "proc",
        "root", "run", "secrets", "srv", "sys", "system", "tmp", "usr", "var",
    ];
    value
        .strip_prefix('/')
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(root, _)| ROOTS.contains(&root))
}

/// Whether a text is a shell variable's name.
pub(super) fn identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether an environment variable, a header or an annotation of that name carries a secret.
pub(super) fn secret_env(name: &str) -> bool {
    let words = words(name);
    let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let joined = words.concat();
    let parts = ["passw", "secret", "credential", "webhookurl", "privatekey"];
    parts.iter().any(|part| joined.contains(part))
        || words.iter().any(|word| is_pass(word))
        || any(&[
            "token",
            "tokens",
            "pwd",
            "pw",
            "pass",
            "passphrase",
            "jwt",
            "sas",
            "sig",
            "signature",
            "masterauth",
            "key",
            "keys",
            "cred",
            "creds",
            "apikey",
            "accesskey",
            "privatekey",
            "authorization",
            "cookie",
            "auth",
            "dsn",
        ])
}

/// Whether a key of a configuration carries a secret: as a variable, and not where it names a file or a mode.
pub(super) fn secret_key(name: &str) -> bool {
    let takes = ["file", "path", "dir", "mode", "name", "ttl", "type"];
    secret_env(name)
        && !words(name)
            .last()
            .is_some_and(|last| takes.contains(&last.as_str()))
}

/// Whether a flag of that name (with its dashes) takes a secret. Narrower than for variables: Kubernetes has many
/// flags about tokens, keys and passwords that take a path, a mode or a duration, and checks read those.
pub(super) fn secret_flag(flag: &str) -> bool {
    let words = words(flag.trim_start_matches('-'));
    let last = words.last().map_or("", String::as_str);
    let before = words
        .len()
        .checked_sub(2)
        .and_then(|index| words.get(index))
        .map_or("", String::as_str);
    let takes_file = matches!(last, "file" | "path" | "dir" | "ttl" | "mode" | "policy");
    let key =
        last == "key" && matches!(before, "api" | "access" | "secret" | "encryption" | "auth");
    !takes_file
        && (words
            .iter()
            .any(|word| word.starts_with("passw") || is_pass(word))
            || matches!(
                last,
                "token"
                    | "secret"
                    | "credential"
                    | "credentials"
                    | "apikey"
                    | "pass"
                    | "pwd"
                    | "pw"
                    | "passphrase"
                    | "masterauth"
            )
            || key
            || matches!((before, last), ("url", "header") | ("basic", "auth")))
}

/// `requirepass`, `rootpassword`: run together by those who type little.
fn is_pass(word: &str) -> bool {
    let ends = ["pass", "passwd", "password"];
    ends.iter().any(|end| word.ends_with(end))
        && !matches!(word, "bypass" | "compass" | "encompass")
}

/// Lower-case words of a name in any style: `DB_PASSWORD`, `apiKey`, `x-auth-token`.
fn words(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        let border = !c.is_alphanumeric() || (c.is_uppercase() && lower_before);
        if border && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase() || c.is_ascii_digit();
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telling_names() {
        for name in [
            "TOKEN",
            "DB_PASSWORD",
            "PASSWD",
            "MYSQL_ROOT_PASSWORD",
            "apiKey",
            "AWS_SECRET_ACCESS_KEY",
            "CREDS",
            "Authorization",
            "X-Auth-Token",
            "PGPASSWORD",
            "GITHUB_TOKEN",
            "clientSecret",
        ] {
            assert!(secret_env(name), "{name}");
        }
        for name in [
            "KEYCLOAK_HOST",
            "MONKEY",
            "AUTHOR",
            "PATH",
            "TOKENIZER",
            "HOSTNAME",
        ] {
            assert!(!secret_env(name), "{name}");
        }
    }

    #[test]
    fn telling_flags() {
        for flag in [
            "--password",
            "--etcd-password",
            "--token",
            "--client-secret",
            "--api-key",
            "-passwd",
            "--db-password-2",
        ] {
            assert!(secret_flag(flag), "{flag}");
        }
        for flag in [
            "--anonymous-auth",
            "--authorization-mode",
            "--service-account-key-file",
            "--token-auth-file",
            "--enable-bootstrap-token-auth",
            "--authentication-token-webhook",
            "--tls-private-key-file",
            "--authentication-token-webhook-cache-ttl",
            "--client-ca-file",
            "--service-account-issuer",
        ] {
            assert!(!secret_flag(flag), "{flag}");
        }
    }

    #[test]
    fn values_that_tell_nothing() {
        for value in [
            "",
            "true",
            "0",
            "/etc/kubernetes/pki/sa.key",
            "$(TOKEN)",
            "<masked 12345678>",
        ] {
            assert!(plain_value(value), "{value}");
        }
        for value in [
            "hunter2",
            "/wJalrXUtnFEMI/K7MDENG",
            "12345678",
            "<masked zz>",
        ] {
            assert!(!plain_value(value), "{value}");
        }
    }
}
