//! Slows down whoever guesses passwords: a wait that doubles with every failure, per account and per address.
//!
//! In memory only: a restart forgives. Knows no passwords and decides nothing but "not yet".

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Failures that cost nothing: people mistype.
const FREE: u32 = 4;
const LONGEST: TimeDelta = TimeDelta::minutes(15);
/// After so long without a failure everything is forgotten.
const FORGET: TimeDelta = TimeDelta::hours(1);
/// Keys remembered; beyond it the forgotten are swept out.
const KEYS: usize = 10_000;

#[derive(Debug, Default)]
pub struct Backoff(Mutex<HashMap<String, Failures>>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: DateTime<Utc>,
}

impl Backoff {
    /// How long the longest waiting of `keys` still has to wait, if at all.
    pub fn wait(&self, keys: &[&str], now: DateTime<Utc>) -> Option<TimeDelta> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |key: &&str| known.get(*key).map(|failures| failures.last + penalty(failures.count) - now);
        keys.iter().filter_map(left).filter(|left| *left > TimeDelta::zero()).max()
    }

    pub fn failed(&self, keys: &[&str], now: DateTime<Utc>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS {
            known.retain(|_, failures| now - failures.last < FORGET);
        }
        for key in keys {
            let failures = known.entry((*key).to_owned()).or_insert(Failures { count: 0, last: now });
            let forgotten = now - failures.last >= FORGET;
            failures.count = if forgotten { 1 } else { failures.count.saturating_add(1) };
            failures.last = now;
        }
    }

    pub fn succeeded(&self, keys: &[&str]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

fn penalty(count: u32) -> TimeDelta {
    match count.saturating_sub(FREE) {
        0 => TimeDelta::zero(),
        over => TimeDelta::seconds(1i64 << over.min(20)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_wait_doubles_and_ends() {
        let backoff = Backoff::default();
        let keys = ["a@example.com", "192.0.2.1"];
        for _ in 0..FREE {
            backoff.failed(&keys, at(0));
            assert_eq!(backoff.wait(&keys, at(0)), None);
        }
        backoff.failed(&keys, at(0));
        assert_eq!(backoff.wait(&keys, at(0)), Some(TimeDelta::seconds(2)));
        backoff.failed(&keys, at(0));
        assert_eq!(backoff.wait(&["192.0.2.1"], at(1)), Some(TimeDelta::seconds(3)));
        assert_eq!(backoff.wait(&keys, at(4)), None);
        assert_eq!(backoff.wait(&["somebody else"], at(0)), None);
        for _ in 0..40 {
            backoff.failed(&keys, at(5));
        }
        assert_eq!(backoff.wait(&keys, at(5)), Some(LONGEST));
        backoff.succeeded(&keys);
        assert_eq!(backoff.wait(&keys, at(5)), None);
    }
}
