//! Which period an instant belongs to: half-open, from local midnight to local midnight.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

use super::{Cadence, PeriodRule};

impl PeriodRule {
    /// `[start, end)` of the period that `at` is in. `None` at the far ends of the calendar.
    pub fn bounds(&self, at: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let day = at.with_timezone(&self.zone).date_naive();
        let (first, next) = match self.cadence {
            Cadence::Day => (day, day.succ_opt()?),
            Cadence::Week => {
                let monday = day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?;
                (monday, monday.checked_add_days(Days::new(7))?)
            }
            Cadence::Month => months(day.with_day(1)?, 1)?,
            Cadence::Quarter => months(day.with_day(1)?.with_month(day.month0() / 3 * 3 + 1)?, 3)?,
        };
        Some((midnight(first, self.zone)?, midnight(next, self.zone)?))
    }

    /// When the clocks of the plan's zone show `local`: where they skip it, when they go on; where they repeat
    /// it, the first time.
    pub fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        instant(local, self.zone)
    }
}

fn months(first: NaiveDate, count: u32) -> Option<(NaiveDate, NaiveDate)> {
    Some((first, first.checked_add_months(Months::new(count))?))
}

fn midnight(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    instant(day.and_time(NaiveTime::MIN), zone)
}

fn instant(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    (0..=8).find_map(|quarters| {
        let local = local.checked_add_signed(TimeDelta::minutes(15 * quarters))?;
        zone.from_local_datetime(&local).earliest().map(|at| at.with_timezone(&Utc))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn period(cadence: Cadence, zone: &str, at: &str, start: &str, end: &str) {
        let rule = PeriodRule { cadence, zone: zone.parse().unwrap() };
        let at = at.parse().unwrap();
        let bounds = rule.bounds(at).map(|(start, end)| (start.to_rfc3339(), end.to_rfc3339()));
        assert_eq!(bounds, Some((start.to_owned(), end.to_owned())));
    }

    #[test]
    fn periods_follow_the_local_calendar() {
        let new_york = "America/New_York";
        let at = "2026-03-01T04:59:59Z";
        period(Cadence::Month, new_york, at, "2026-02-01T05:00:00+00:00", "2026-03-01T05:00:00+00:00");
        // The clocks go forward in March: the month is an hour short.
        let at = "2026-03-01T05:00:00Z";
        period(Cadence::Month, new_york, at, "2026-03-01T05:00:00+00:00", "2026-04-01T04:00:00+00:00");
        period(
            Cadence::Week,
            "UTC",
            "2026-01-01T00:00:00Z",
            "2025-12-29T00:00:00+00:00",
            "2026-01-05T00:00:00+00:00",
        );
        period(
            Cadence::Quarter,
            "UTC",
            "2026-12-31T23:00:00Z",
            "2026-10-01T00:00:00+00:00",
            "2027-01-01T00:00:00+00:00",
        );
    }

    #[test]
    fn a_day_without_midnight_begins_when_the_clocks_go_on() {
        let at = "2026-03-29T12:00:00Z";
        period(Cadence::Day, "Asia/Beirut", at, "2026-03-28T22:00:00+00:00", "2026-03-29T21:00:00+00:00");
    }
}
