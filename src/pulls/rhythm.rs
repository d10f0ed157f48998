//! What is to be read next: windows, and how long to wait after a failure. Times in, times out.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Cause, Kind, Span};
use crate::clients::WindowBy;
use crate::settings;

/// How often a kind is read, and how far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    pub every: TimeDelta,
    /// Each window begins so long before the end of the last one: stores' clocks differ from ours, and what they
    /// write is seen a little later than it is dated.
    pub overlap: TimeDelta,
    pub daily: TimeDelta,
    /// The first window takes everything there is, and not only what is recent.
    pub whole_at_first: bool,
}

const CATALOGUE_EVERY: TimeDelta = TimeDelta::hours(1);
const DAY: TimeDelta = TimeDelta::hours(24);

impl Rhythm {
    pub fn of(kind: Kind, settings: &settings::Pulls) -> Self {
        let every = TimeDelta::minutes(i64::from(settings.every_minutes.max(1)));
        let orders = kind == Kind::Orders;
        Self {
            every: if orders { every } else { every.max(CATALOGUE_EVERY) },
            overlap: TimeDelta::minutes(i64::from(settings.overlap_minutes)),
            daily: TimeDelta::hours(i64::from(settings.daily_hours)),
            whole_at_first: !orders,
        }
    }

    /// What changed since the last complete window, whether it is time for that or not.
    pub fn since_last(&self, known: &Known, now: DateTime<Utc>) -> Span {
        let from = match known.pulled_until {
            Some(until) => Some(until - self.overlap),
            None if self.whole_at_first => None,
            None => Some(known.connected_at - self.daily),
        };
        changed(from, now)
    }

    /// The window that is due, and why; `None` while none is.
    pub fn due(&self, known: &Known, now: DateTime<Utc>) -> Option<(Cause, Span)> {
        if known.failures > 0 && known.next_try_at.is_some_and(|at| now < at) {
            return None;
        }
        if let Some((cause, span)) = known.unfinished.filter(|(_, span)| known.needs(span)) {
            return Some((cause, span));
        }
        if known.daily_at.is_none_or(|at| now >= at + DAY) {
            let last = self.since_last(known, now);
            let from = last.from.map(|from| from.min(now - self.daily));
            return Some((Cause::Daily, changed(from, now)));
        }
        let due = known.pulled_until.is_none_or(|until| now >= until + self.every);
        due.then(|| (Cause::Schedule, self.since_last(known, now)))
    }
}

fn changed(from: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Span {
    // Until now at most: what is not yet cannot have been read.
    Span { by: WindowBy::Changed, from: from.map(|from| from.min(now)), to: now }
}

/// How reading one kind of a store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub connected_at: DateTime<Utc>,
    pub pulled_until: Option<DateTime<Utc>>,
    pub daily_at: Option<DateTime<Utc>>,
    pub failures: i32,
    pub next_try_at: Option<DateTime<Utc>>,
    /// The newest window of the worker's own that did not come to its end.
    pub unfinished: Option<(Cause, Span)>,
}

impl Known {
    /// Somebody else may have read over it meanwhile.
    fn needs(&self, span: &Span) -> bool {
        self.pulled_until.is_none_or(|until| until < span.to)
    }
}

const LONGEST: TimeDelta = TimeDelta::hours(1);

/// After so many failures in a row.
pub fn back_off(failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(0).min(10);
    TimeDelta::minutes(1 << doublings).min(LONGEST)
}

#[cfg(test)]
mod tests;
