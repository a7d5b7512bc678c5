//! Patterns with `*` and `?`, as match_pattern of OpenSSH has them: of hosts, of options, of file names.

/// Whether the whole of `text` fits; linear in both lengths multiplied, whatever the pattern.
pub fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut own) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(own) {
            Some(b'*') => {
                star = Some((own, at));
                own += 1;
            }
            Some(c) if *c == b'?' || *c == text[at] => {
                own += 1;
                at += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    own = before + 1;
                    at = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[own..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_match_as_openssh_does() {
        for (pattern, host, fits) in [
            ("*", "", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("n?", "n1", true),
            ("n?", "n", false),
            ("[*.x]:2222", "[a.x]:2222", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("**a", "aaaa", true),
        ] {
            assert_eq!(matches(host, pattern), fits, "{pattern} {host}");
        }
        let evil = "*a".repeat(200);
        assert!(!matches(&"a".repeat(150), &evil));
    }

    #[test]
    fn patterns() {
        for (text, pattern, fits) in [
            ("n1", "n1", true),
            ("n1", "n?", true),
            ("n1", "N1", false),
            ("n12", "n?", false),
            ("", "*", true),
            ("", "?", false),
            ("a.b.example.com", "*.example.com", true),
            ("example.com", "*.example.com", false),
            ("aXbXc", "a*X*c", true),
            ("aXbXd", "a*X*c", false),
            ("abc", "***", true),
        ] {
            assert_eq!(matches(text, pattern), fits, "{text} {pattern}");
        }
        let (text, pattern) = ("a".repeat(5000), format!("{}b", "a*".repeat(2000)));
        assert!(!matches(&text, &pattern));
    }
}
