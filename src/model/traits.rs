//! What is asked of every pod of a cluster, as bits: there are 150,000 of them.

use serde::{Deserialize, Serialize};

/// Bits about a pod's spec; none set for a plain pod that is not known to be owned.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct PodTraits(u16);

impl PodTraits {
    pub const PRIVILEGED: Self = Self(1);
    pub const HOST_PATH: Self = Self(1 << 1);
    pub const HOST_NETWORK: Self = Self(1 << 2);
    /// `hostPID` or `hostIPC`.
    pub const HOST_PROCESSES: Self = Self(1 << 3);
    /// A toleration of every taint, whatever its effect: operator Exists, no key, no effect.
    pub const TOLERATES_ALL: Self = Self(1 << 4);
    /// A toleration of every taint of one effect.
    pub const TOLERATES_EFFECT: Self = Self(1 << 5);
    /// A toleration of a control-plane role taint by its key.
    pub const TOLERATES_ROLE: Self = Self(1 << 6);
    /// Owned by a DaemonSet.
    pub const DAEMON: Self = Self(1 << 7);
    /// Owned by another controller.
    pub const OWNED: Self = Self(1 << 8);
    /// A mirror of a static pod, by its annotation.
    pub const MIRROR: Self = Self(1 << 9);
    /// Succeeded or Failed: nothing of it runs.
    pub const ENDED: Self = Self(1 << 10);

    /// Each with the word that it is written as.
    const WORDS: [(Self, &'static str); 11] = [
        (Self::PRIVILEGED, "privileged"),
        (Self::HOST_PATH, "host_path"),
        (Self::HOST_NETWORK, "host_network"),
        (Self::HOST_PROCESSES, "host_processes"),
        (Self::TOLERATES_ALL, "tolerates_all"),
        (Self::TOLERATES_EFFECT, "tolerates_effect"),
        (Self::TOLERATES_ROLE, "tolerates_role"),
        (Self::DAEMON, "daemon"),
        (Self::OWNED, "owned"),
        (Self::MIRROR, "mirror"),
        (Self::ENDED, "ended"),
    ];

    /// The bits by their words.
    ///
    /// # Errors
    /// The word that is none.
    pub fn parse<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, String> {
        let mut all = Self::default();
        for word in words {
            let known = Self::WORDS.iter().find(|(_, known)| *known == word);
            let (bit, _) = known.ok_or_else(|| format!("{word} is not a trait of a pod"))?;
            all.set(*bit, true);
        }
        Ok(all)
    }

    /// Whether all of these bits are set.
    pub fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// Whether one of these bits is set.
    pub fn any(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }

    #[must_use]
    pub const fn or(self, bits: Self) -> Self {
        Self(self.0 | bits.0)
    }

    /// Sets the bits where `on` holds.
    pub fn set(&mut self, bits: Self, on: bool) {
        if on {
            self.0 |= bits.0;
        }
    }

    pub fn is_plain(&self) -> bool {
        self.0 == 0
    }
}

impl From<Vec<String>> for PodTraits {
    /// Words of a later version are passed over.
    fn from(words: Vec<String>) -> Self {
        let known = Self::WORDS
            .iter()
            .filter(|(_, word)| words.iter().any(|own| own == word));
        known.fold(Self::default(), |all, (bit, _)| all.or(*bit))
    }
}

impl From<PodTraits> for Vec<String> {
    fn from(traits: PodTraits) -> Self {
        let set = PodTraits::WORDS.iter().filter(|(bit, _)| traits.has(*bit));
        set.map(|(_, word)| (*word).to_owned()).collect()
    }
}
