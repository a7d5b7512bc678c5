//! Clocks: by how much another machine's clock is ahead of this one's, as it was measured.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Another clock minus this machine's, in seconds: somewhere between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    pub least: i64,
    pub most: i64,
}

impl Offset {
    /// A clock told `second` (whole seconds, the rest cut off) at some time after `asked` and before `told`, both by
    /// this machine's clock.
    pub fn measured(second: i64, asked: Timestamp, told: Timestamp) -> Self {
        let up = i64::from(told.subsec_nanosecond() > 0);
        let told = told.as_second().saturating_add(up);
        Self {
            least: second.saturating_sub(told),
            most: second.saturating_add(1).saturating_sub(asked.as_second()),
        }
    }

    /// By how much the clocks differ at least: 0 where they may agree.
    pub fn proven(self) -> i64 {
        if self.least > 0 {
            self.least
        } else {
            self.most.min(0)
        }
    }

    /// What the other clock shows at `now` of this machine, as far as it is proven to differ.
    #[must_use]
    pub fn shifted(self, now: Timestamp) -> Timestamp {
        let ahead = jiff::SignedDuration::from_secs(self.proven());
        now.checked_add(ahead).unwrap_or(now)
    }

    /// The latest second of this machine at which the other clock can have told `second`.
    pub fn latest(self, second: i64) -> i64 {
        second.saturating_sub(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_as_good_as_the_answer_was_quick() {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).expect("a time");
        let quick = Offset::measured(1000, at(1_000_000), at(1_000_400));
        assert_eq!((quick.least, quick.most, quick.proven()), (-1, 1, 0));
        let ahead = Offset::measured(1300, at(1_000_000), at(1_009_000));
        assert_eq!((ahead.least, ahead.most, ahead.proven()), (291, 301, 291));
        assert_eq!(ahead.latest(2000), 1709);
        let behind = Offset::measured(700, at(1_000_000), at(1_001_000));
        assert_eq!(behind.proven(), -299);
        assert_eq!(behind.shifted(at(1_000_000)), at(701_000));
        let absurd = Offset::measured(i64::MAX, at(0), at(0));
        assert_eq!(absurd.most, i64::MAX);
        assert_eq!(absurd.shifted(at(5)), at(5));
    }
}
