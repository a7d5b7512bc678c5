//! Catalogues of others in which the rule of a check stands too.

/// Where else the same rule is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maps {
    /// CIS Kubernetes Benchmark 1.12.
    Cis(&'static str),
    /// MITRE ATT&CK technique.
    Attack(&'static str),
    /// Pod Security Standards.
    Pss(&'static str),
    /// Microsoft Threat Matrix for Kubernetes.
    Ms(&'static str),
    /// NSA/CISA Kubernetes Hardening Guide, section tag.
    Nsa(&'static str),
    /// DISA Kubernetes STIG.
    Stig(&'static str),
    /// Another source, named in full.
    Source(&'static str),
}

impl std::fmt::Display for Maps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cis(id) => write!(f, "CIS {id}"),
            Self::Attack(id) => write!(f, "ATT&CK {id}"),
            Self::Pss(id) => write!(f, "PSS {id}"),
            Self::Ms(id) => write!(f, "Microsoft {id}"),
            Self::Nsa(id) => write!(f, "NSA {id}"),
            Self::Stig(id) => write!(f, "STIG {id}"),
            Self::Source(name) => f.write_str(name),
        }
    }
}
