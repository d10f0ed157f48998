//! Which periods there have to be, and what they are called.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use crate::core::plan::{Cadence, PeriodRule};
use crate::plans::Published;

/// A period that is to be made: half-open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

/// Without a gap, up to the period that `now` is in: behind the last one that there is, or from the first order
/// on. While no plan holds no period begins.
pub fn wanted(
    published: &Published,
    last_end: Option<DateTime<Utc>>,
    first_order: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = vec![];
    let (mut start, mut at) = (last_end, last_end.unwrap_or(first_order));
    while at <= now {
        let Some(plan) = published.at(at) else {
            let Some(later) = published.first_after(at).filter(|later| *later <= now) else { break };
            at = later;
            continue;
        };
        let Some((starts_at, ends_at)) = plan.period().bounds(at) else { break };
        // A plan with another calendar takes over in the middle: what is left of its period is one.
        let starts_at = start.unwrap_or(starts_at);
        wanted.push(Wanted { name: name(plan.period(), at), starts_at, ends_at });
        (start, at) = (Some(ends_at), ends_at);
    }
    wanted
}

/// Those that an order asks for that was placed before the first period: without a gap, up to where it starts.
pub fn before(published: &Published, first_order: DateTime<Utc>, first_start: DateTime<Utc>) -> Vec<Wanted> {
    let mut wanted = wanted(published, None, first_order, first_start - TimeDelta::microseconds(1));
    if let Some(last) = wanted.last_mut() {
        last.ends_at = first_start;
    }
    wanted
}

/// `2026-01`, `2026-Q1`, `2026-W05` or `2026-01-31`, by the calendar of the plan's zone.
fn name(rule: PeriodRule, at: DateTime<Utc>) -> String {
    let day = at.with_timezone(&rule.zone).date_naive();
    match rule.cadence {
        Cadence::Day => day.format("%Y-%m-%d").to_string(),
        Cadence::Week => day.format("%G-W%V").to_string(),
        Cadence::Month => day.format("%Y-%m").to_string(),
        Cadence::Quarter => format!("{}-Q{}", day.year(), day.month0() / 3 + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_named_by_the_calendar_of_its_zone() {
        for (cadence, zone, at, expected) in [
            (Cadence::Month, "UTC", "2026-01-31T23:59:59Z", "2026-01"),
            (Cadence::Month, "Pacific/Auckland", "2026-01-31T23:59:59Z", "2026-02"),
            (Cadence::Quarter, "UTC", "2026-12-01T00:00:00Z", "2026-Q4"),
            (Cadence::Day, "America/New_York", "2026-01-01T04:59:59Z", "2025-12-31"),
            // The first Thursday decides to which year a week belongs.
            (Cadence::Week, "UTC", "2026-01-01T00:00:00Z", "2026-W01"),
            (Cadence::Week, "UTC", "2027-01-01T00:00:00Z", "2026-W53"),
        ] {
            let rule = PeriodRule { cadence, zone: zone.parse().unwrap() };
            assert_eq!(name(rule, at.parse().unwrap()), expected);
        }
    }
}
