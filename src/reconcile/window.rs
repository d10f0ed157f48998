//! A day as the store has it: from midnight to midnight of its own zone.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::clients::{Window, WindowBy};
use crate::core::plan::{Cadence, PeriodRule};

/// `[from, to)`; 23 or 25 hours where the clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreDay {
    pub day: NaiveDate,
    pub zone: Tz,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl StoreDay {
    /// `None` at the far ends of the calendar.
    pub fn new(day: NaiveDate, zone: Tz) -> Option<Self> {
        let rule = PeriodRule { cadence: Cadence::Day, zone };
        let (from, to) = rule.bounds(rule.instant(day.and_time(NaiveTime::MIN))?)?;
        Some(Self { day, zone, from, to })
    }

    pub fn window(&self) -> Window {
        Window { by: WindowBy::Ordered, from: self.from, to: self.to }
    }
}

/// The store's day that an instant is in.
pub fn day_of(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn bounds(day: &str, zone: &str, from: &str, to: &str) {
        let found = StoreDay::new(day.parse().unwrap(), zone.parse().unwrap()).unwrap();
        let told = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        assert_eq!((told(found.from), told(found.to)), (from.to_owned(), to.to_owned()));
        assert_eq!(day_of(found.from, found.zone), found.day);
        assert_eq!(day_of(found.to - chrono::TimeDelta::microseconds(1), found.zone), found.day);
    }

    #[test]
    fn days_are_the_stores_own_and_as_long_as_its_clocks_make_them() {
        bounds("2026-11-20", "UTC", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
        bounds("2026-11-20", "America/New_York", "2026-11-20T05:00:00Z", "2026-11-21T05:00:00Z");
        bounds("2026-03-08", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z");
        bounds("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        // Midnight itself is skipped there.
        bounds("2026-09-06", "America/Santiago", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z");
    }
}
