//! How long to wait before asking again: doubling, bounded, and not in step with everybody else.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The first and the longest wait.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits between attempts that fail.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
}

impl Pace {
    /// Something worked: the next failure waits briefly again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure: half of the bound fixed, half random.
    pub(super) fn next(&mut self) -> Duration {
        let bound = FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = bound / 2;
        (half + half.mul_f64(random())).max(FIRST)
    }
}

/// At least 0, less than 1. Good enough to spread load; nothing secret hangs on it.
fn random() -> f64 {
    // A fresh state is keyed at random; that is all the randomness that jitter needs.
    let bits = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or(0);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_start_again() {
        let mut pace = Pace::default();
        let waits: Vec<_> = (0..40).map(|_| pace.next()).collect();
        assert!(waits.iter().all(|wait| (FIRST..=LONGEST).contains(wait)));
        assert!(waits[39] >= LONGEST / 2);
        pace.reset();
        assert!(pace.next() <= FIRST * 2);
    }

    #[test]
    fn two_programs_do_not_wait_in_step() {
        let all: std::collections::BTreeSet<_> = (0..16).map(|_| random().to_bits()).collect();
        assert!(all.len() > 1);
    }
}
