//! An image reference taken apart as the container runtimes do (distribution/reference).

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'t> {
    /// `docker.io` where none is written.
    pub registry: &'t str,
    /// The path in the registry; `library/NAME` where Docker's short form is written.
    pub path: String,
    pub tag: Option<&'t str>,
    /// `sha256:...` as written.
    pub digest: Option<&'t str>,
}

impl<'t> Reference<'t> {
    /// Takes a reference apart. `None` for what no runtime would take.
    pub fn parse(text: &'t str) -> Option<Self> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(is_digest(digest).then_some(digest)?)),
            None => (text, None),
        };
        let (first, rest) = name.split_once('/').unwrap_or(("", name));
        let is_host = first.contains(['.', ':']) || first == "localhost";
        let (registry, path) = if is_host {
            (first, rest)
        } else {
            ("docker.io", name)
        };
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (path, None),
        };
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-/".contains(&c);
        let tagged = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        let whole = !path.is_empty()
            && path.bytes().all(plain)
            && path.split('/').all(|part| !part.is_empty())
            && tag.is_none_or(|tag| !tag.is_empty() && tag.len() <= 128 && tag.bytes().all(tagged));
        if !whole {
            return None;
        }
        let short = registry == "docker.io" && !path.contains('/');
        Some(Self {
            registry,
            path: if short {
                format!("library/{path}")
            } else {
                path.to_owned()
            },
            tag,
            digest,
        })
    }

    /// `registry/path`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// Whether it comes from a place that a person wrote down: a registry, a folder in it, or one repository.
    ///
    /// It ends at a boundary: `registry.k8s.io` does not mean `registry.k8s.io.example.com`.
    pub fn is_from(&self, place: &str) -> bool {
        let place = place.trim_end_matches('/');
        let repository = self.repository();
        let rest = repository.strip_prefix(place);
        !place.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

fn is_digest(text: &str) -> bool {
    let Some((kind, hex)) = text.split_once(':') else {
        return false;
    };
    !kind.is_empty() && hex.len() >= 32 && hex.bytes().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart_as_runtimes_do_it() {
        let sha = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (text, expected) in [
            ("nginx", "docker.io/library/nginx - -".to_owned()),
            ("nginx:1.27", "docker.io/library/nginx 1.27 -".to_owned()),
            ("a/b", "docker.io/a/b - -".to_owned()),
            ("localhost:5000/a", "localhost:5000/a - -".to_owned()),
            ("localhost/a:1", "localhost/a 1 -".to_owned()),
            (
                "registry.k8s.io/etcd:3.6.4-0",
                "registry.k8s.io/etcd 3.6.4-0 -".to_owned(),
            ),
        ] {
            assert_eq!(spelled(text), expected, "{text}");
        }
        let pinned = format!("registry.k8s.io/pause:3.10@{sha}");
        assert_eq!(
            spelled(&pinned),
            format!("registry.k8s.io/pause 3.10 {sha}")
        );
        for wrong in [
            "",
            "a:",
            "A",
            "a//b",
            "a@sha256:1",
            "a b",
            "x.io/",
            ":1",
            "a:b/c:",
        ] {
            assert_eq!(Reference::parse(wrong), None, "{wrong}");
        }
    }

    fn spelled(text: &str) -> String {
        let found = Reference::parse(text).expect(text);
        format!(
            "{} {} {}",
            found.repository(),
            found.tag.unwrap_or("-"),
            found.digest.unwrap_or("-")
        )
    }

    #[test]
    fn a_place_ends_at_a_boundary() {
        let of = |text, place| Reference::parse(text).expect(text).is_from(place);
        assert!(of("registry.k8s.io/etcd:1", "registry.k8s.io"));
        assert!(of("registry.k8s.io/etcd:1", "registry.k8s.io/etcd"));
        assert!(of("a.io/team/app", "a.io/team/"));
        assert!(!of("registry.k8s.io.evil.com/etcd", "registry.k8s.io"));
        assert!(!of("registry.k8s.io/etcd2", "registry.k8s.io/etcd"));
        assert!(!of("nginx", ""));
        assert!(of("nginx", "docker.io/library"));
    }
}
