//! Flags of a component, in the words that it is started with.

use crate::model::fact::Gap;
use crate::model::text::Text;

/// The values of a flag in a command line, in their order; `--name=value` and `--name value` are both read, and a flag
/// without a value is the empty string.
fn values<'w>(words: &[&'w str], name: &str) -> Vec<&'w str> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match flag(word, name) {
            Given::Another => {}
            Given::Value(value) => found.push(value),
            Given::Alone => {
                let next = words.get(at + 1).filter(|next| !next.starts_with('-'));
                found.push(next.copied().unwrap_or(""));
            }
        }
    }
    found
}

/// The items of a flag that holds a list (pflag's StringSlice): each time it is given adds to it, and a value is a line
/// of CSV. `words`: the program's own, without those of a shell around it.
///
/// # Errors
/// Where a variable takes the place of a flag or an item, and where the flag may be the value of the one before it.
pub fn list(words: &[String], name: &str) -> Result<Vec<String>, Gap> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some((before, word)) = taken(&words, name) {
        return Err(Gap::NeedsHuman {
            question: Text::from(format!(
                "is {word} a flag, or the value of {before} in front of it?"
            )),
        });
    }
    let mut values = values(&words, name);
    let flags = words.iter().copied().filter(|word| word.starts_with('$'));
    let items = values.iter().copied().filter(|value| value.contains('$'));
    if let Some(variable) = flags.chain(items).next() {
        return Err(Gap::NeedsHuman {
            question: Text::from(format!("what does {variable} bring to --{name}?")),
        });
    }
    values.retain(|value| !value.is_empty());
    Ok(values.into_iter().flat_map(csv).collect())
}

/// A flag that the word before it may take for its value, with that word: pflag gives a flag without `=` the next
/// word, whatever it looks like, unless it is a switch.
fn taken<'w>(words: &[&'w str], name: &str) -> Option<(&'w str, &'w str)> {
    words.windows(2).find_map(|pair| {
        let &[before, word] = pair else {
            return None;
        };
        let body = before.trim_start_matches('-');
        let open = body.len() < before.len()
            && !body.is_empty()
            && !body.contains('=')
            && !SWITCHES.contains(&body.replace('_', "-").as_str());
        let own = !matches!(flag(word, name), Given::Another);
        (own && open).then_some((before, word))
    })
}

/// Switches of the control plane and of etcd, as far as they are known: of no other flag it is known that it takes no
/// value.
const SWITCHES: &[&str] = &[
    "allocate-node-cidrs",
    "allow-privileged",
    "alsologtostderr",
    "anonymous-auth",
    "audit-log-compress",
    "audit-log-truncate-enabled",
    "audit-webhook-truncate-enabled",
    "authentication-skip-lookup",
    "authentication-tolerate-lookup-failure",
    "auto-tls",
    "client-cert-auth",
    "configure-cloud-routes",
    "contention-profiling",
    "enable-aggregator-routing",
    "enable-bootstrap-token-auth",
    "enable-dynamic-provisioning",
    "enable-garbage-collector",
    "enable-hostpath-provisioner",
    "enable-leader-migration",
    "enable-logs-handler",
    "enable-pprof",
    "enable-priority-and-fairness",
    "enable-v2",
    "encryption-provider-config-automatic-reload",
    "force-new-cluster",
    "leader-elect",
    "logtostderr",
    "one-output",
    "peer-auto-tls",
    "peer-client-cert-auth",
    "peer-skip-client-san-verification",
    "permit-address-sharing",
    "permit-port-sharing",
    "pre-vote",
    "profiling",
    "service-account-extend-token-expiration",
    "service-account-lookup",
    "shutdown-send-retry-after",
    "strict-reconfig-check",
    "use-service-account-credentials",
    "watch-cache",
];

/// The value that counts in a program's own words.
pub fn last_of(words: &[String], name: &str) -> Option<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    values(&words, name).pop().map(str::to_owned)
}

/// A switch in a program's own words: without a value it is on, and the next word is none.
///
/// # Errors
/// Where its value is neither true nor false as Go reads them (strconv.ParseBool).
pub fn switch_of(words: &[String], name: &str) -> Result<Option<bool>, Gap> {
    let mut last = None;
    for word in words {
        last = match flag(word, name) {
            Given::Another => last,
            Given::Alone => Some("true"),
            Given::Value(value) => Some(value),
        };
    }
    match last {
        None => Ok(None),
        Some(value) => truth(value).map(Some).ok_or_else(|| Gap::Garbled {
            what: Text::from(format!("--{name} is neither true nor false")),
        }),
    }
}

/// A feature gate of the items of `--feature-gates`; none where nothing is said of it. In front of a colon stands the
/// component whose gate it is.
pub fn gate(gates: &[String], name: &str) -> Option<bool> {
    let mut own = gates.iter().filter_map(|gate| gate.split_once('='));
    let last = own.rfind(|(gate, _)| {
        let gate = gate.trim();
        gate.strip_prefix("kube:").unwrap_or(gate) == name
    });
    last.map(|(_, value)| truth(value.trim()) == Some(true))
}

/// Whether an admission plugin of the API server that is off by default is on. The older `--admission-control` turns off
/// all that it does not name (`computePluginNames` in pkg/kubeapiserver/options/admission.go).
///
/// # Errors
/// As [`list`].
pub fn admits_by(words: &[String], plugin: &str) -> Result<bool, Gap> {
    let has = |flag: &str| Ok::<bool, Gap>(list(words, flag)?.iter().any(|name| name == plugin));
    let on = has("enable-admission-plugins")? || has("admission-control")?;
    Ok(on && !has("disable-admission-plugins")?)
}

/// The flag by which an admission plugin of the API server that is on by default is off, without its dashes.
///
/// # Errors
/// As [`list`].
pub fn turned_off(words: &[String], plugin: &str) -> Result<Option<&'static str>, Gap> {
    let has = |names: &[String]| names.iter().any(|name| name == plugin);
    let off = "disable-admission-plugins";
    if has(&list(words, off)?) {
        return Ok(Some(off));
    }
    let all = list(words, "admission-control")?;
    let left_out = !all.is_empty() && !has(&all);
    Ok(left_out.then_some("admission-control"))
}

/// What Go reads a word as (strconv.ParseBool); none where it is neither.
pub fn truth(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The fields of a line of CSV, without the space around them.
fn csv(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let (mut quoted, mut before) = (false, ',');
    for c in line.chars() {
        match (c, fields.last_mut()) {
            ('"', Some(field)) => {
                // Two of them within quotes stand for one.
                if !quoted && before == '"' {
                    field.push('"');
                }
                quoted = !quoted;
            }
            (',', _) if !quoted => fields.push(String::new()),
            (c, Some(field)) => field.push(c),
            (_, None) => {}
        }
        before = c;
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

/// What a word is to somebody who looks for a flag.
enum Given<'w> {
    Another,
    Value(&'w str),
    /// The value is the next word, if any.
    Alone,
}

/// Go takes one dash for two, and `_` for `-`.
fn flag<'w>(word: &'w str, name: &str) -> Given<'w> {
    let Some(rest) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
        return Given::Another;
    };
    let (own, value) = match rest.split_once('=') {
        Some((own, value)) => (own, Given::Value(value)),
        None => (rest, Given::Alone),
    };
    if own.replace('_', "-") == name {
        value
    } else {
        Given::Another
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings() {
        let words = words_of(&["--a=1", "--b", "--a", "2", "--c_d=x=y", "-e", "--f"]);
        let all: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(values(&all, "a"), ["1", "2"]);
        let last = |name: &str| last_of(&words, name);
        assert_eq!(last("a").as_deref(), Some("2"));
        assert_eq!(last("b").as_deref(), Some(""));
        assert_eq!(last("c-d").as_deref(), Some("x=y"));
        assert_eq!(last("e").as_deref(), Some(""));
        assert_eq!(last("g"), None);
    }

    #[test]
    fn a_list_grows_with_each_flag() {
        let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
        for (line, wanted) in [
            ("--p=A,B --p C --q=D", &["A", "B", "C"][..]),
            ("--p=\"A\",\"B,x\" --p=", &["A", "B,x"]),
            ("--p=\"a\"\"b\"", &["a\"b"]),
            ("--q=D", &[]),
        ] {
            let list = list(&words(line), "p");
            assert_eq!(list.as_deref(), Ok(&*words_of(wanted)), "{line}");
        }
        assert!(list(&words("--p=$X"), "p").is_err());
        assert!(list(&words("--q --p=A"), "p").is_err());
        assert!(list(&words("-v --p"), "p").is_err());
        assert!(list(&words("--leader_elect --p=A -- --p=B"), "p").is_ok());
        assert!(list(&words("$(MORE) --p=A"), "p").is_err());
        assert!(list(&words("--q=$X --p=A"), "p").is_ok());
    }

    #[test]
    fn a_switch_needs_no_value() {
        for (line, wanted) in [
            ("--a", Ok(Some(true))),
            ("--a false", Ok(Some(true))),
            ("--a=false --b", Ok(Some(false))),
            ("-a=T --a=0", Ok(Some(false))),
            ("--ab", Ok(None)),
            ("--a=maybe", Err(())),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(switch_of(&words, "a").map_err(|_| ()), wanted, "{line}");
        }
    }

    fn words_of(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}
