//! Periods: half-open spans of the plan's calendar, computed in the plan's time zone.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc};

use super::plan::{Cadence, PeriodRule};

/// When the period that contains `at` began. Every instant is in exactly one period: a period ends where the
/// next begins.
pub fn start(rule: PeriodRule, at: DateTime<Utc>) -> DateTime<Utc> {
    let day = at.with_timezone(&rule.zone).date_naive();
    let first = first_day(rule.cadence, day);
    let began = day_start(rule, first);
    // A day that the zone skipped or began late can put its start behind `at`: then `at` belongs to the one before.
    if began <= at {
        return began;
    }
    first.pred_opt().map_or(began, |before| day_start(rule, first_day(rule.cadence, before)))
}

fn first_day(cadence: Cadence, day: NaiveDate) -> NaiveDate {
    let first = match cadence {
        Cadence::Day => Some(day),
        Cadence::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
        Cadence::Month => day.with_day(1),
        Cadence::Quarter => day.with_day(1).and_then(|first| first.with_month0(first.month0() / 3 * 3)),
    };
    first.unwrap_or(day)
}

/// The first instant of a local day: midnight, the earlier one where clocks are put back over it, or the first
/// minute that exists where they are put forward over it.
fn day_start(rule: PeriodRule, day: NaiveDate) -> DateTime<Utc> {
    let minutes = (0..24 * 60).filter_map(|minute| day.and_hms_opt(minute / 60, minute % 60, 0));
    minutes
        .filter_map(|local| rule.zone.from_local_datetime(&local).earliest())
        .map(|instant| instant.with_timezone(&Utc))
        .next()
        .unwrap_or_else(|| day.and_time(chrono::NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn began(cadence: Cadence, zone: chrono_tz::Tz, at: &str) -> String {
        start(PeriodRule { cadence, zone }, at.parse().unwrap())
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    #[test]
    fn periods_begin_at_local_midnight() {
        use chrono_tz::{America::Havana, Europe::Berlin, UTC};
        assert_eq!(began(Cadence::Month, UTC, "2026-03-31T23:59:59Z"), "2026-03-01T00:00:00Z");
        assert_eq!(began(Cadence::Month, Berlin, "2026-03-31T22:30:00Z"), "2026-03-31T22:00:00Z");
        assert_eq!(began(Cadence::Week, UTC, "2026-11-22T12:00:00Z"), "2026-11-16T00:00:00Z");
        assert_eq!(began(Cadence::Quarter, UTC, "2026-11-22T12:00:00Z"), "2026-10-01T00:00:00Z");
        // Cuba puts its clocks forward at midnight: the day begins at one o'clock.
        assert_eq!(began(Cadence::Day, Havana, "2026-03-08T12:00:00Z"), "2026-03-08T05:00:00Z");
    }

    #[test]
    fn every_instant_is_in_the_period_that_it_starts() {
        for zone in [chrono_tz::America::Sao_Paulo, chrono_tz::Asia::Kolkata, chrono_tz::Pacific::Apia] {
            for cadence in [Cadence::Day, Cadence::Week, Cadence::Month, Cadence::Quarter] {
                let rule = PeriodRule { cadence, zone };
                let mut at: DateTime<Utc> = "2011-01-01T00:00:00Z".parse().unwrap();
                for _ in 0..1_000 {
                    let began = start(rule, at);
                    assert!(began <= at);
                    assert_eq!(start(rule, began), began, "{zone} {at}");
                    at += chrono::TimeDelta::hours(17);
                }
            }
        }
    }
}
