//! When a period was, by its name: `2026-01`, `2026-Q1`, `2026-W05`, `2026-01-31`.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

use crate::core::period::Span;
use crate::core::plan::{Cadence, PeriodRule};

/// `None` for what is no name of this cadence.
pub(super) fn named(rule: PeriodRule, name: &str) -> Option<Span> {
    let day = match rule.cadence {
        Cadence::Day => name.parse().ok()?,
        Cadence::Week => {
            let (year, week) = name.split_once("-W")?;
            NaiveDate::from_isoywd_opt(year.parse().ok()?, week.parse().ok()?, Weekday::Mon)?
        }
        Cadence::Month => format!("{name}-01").parse().ok()?,
        Cadence::Quarter => {
            let (year, quarter) = name.split_once("-Q")?;
            let quarter: u32 = quarter.parse().ok()?;
            NaiveDate::from_ymd_opt(year.parse().ok()?, quarter.checked_mul(3)?.checked_sub(2)?, 1)?
        }
    };
    let midday = rule.instant(day.and_time(NaiveTime::MIN) + TimeDelta::hours(12))?;
    span_at(rule, midday).filter(|span| span.name == name)
}

/// The period that an instant is in.
pub(super) fn span_at(rule: PeriodRule, at: DateTime<Utc>) -> Option<Span> {
    let (start, end) = rule.bounds(at)?;
    let day = start.with_timezone(&rule.zone).date_naive();
    let name = match rule.cadence {
        Cadence::Day => day.to_string(),
        Cadence::Week => day.format("%G-W%V").to_string(),
        Cadence::Month => day.format("%Y-%m").to_string(),
        Cadence::Quarter => format!("{}-Q{}", day.year(), day.month0() / 3 + 1),
    };
    Some(Span { start, end, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn starts(cadence: Cadence, zone: &str, name: &str, start: Option<&str>) {
        let rule = PeriodRule { cadence, zone: zone.parse().unwrap() };
        let found = named(rule, name).map(|span| span.start.to_rfc3339());
        assert_eq!(found.as_deref(), start, "{name}");
    }

    #[test]
    fn a_name_says_when_a_period_was() {
        starts(Cadence::Month, "UTC", "2026-01", Some("2026-01-01T00:00:00+00:00"));
        starts(Cadence::Month, "America/New_York", "2026-03", Some("2026-03-01T05:00:00+00:00"));
        starts(Cadence::Quarter, "UTC", "2026-Q2", Some("2026-04-01T00:00:00+00:00"));
        starts(Cadence::Week, "UTC", "2026-W01", Some("2025-12-29T00:00:00+00:00"));
        starts(Cadence::Day, "UTC", "2026-01-31", Some("2026-01-31T00:00:00+00:00"));
        for wrong in ["2026-13", "2026-1", "2026-01-01", "2026", "2026-Q1", "January"] {
            starts(Cadence::Month, "UTC", wrong, None);
        }
        starts(Cadence::Quarter, "UTC", "2026-Q0", None);
        starts(Cadence::Week, "UTC", "2026-W54", None);
    }
}
