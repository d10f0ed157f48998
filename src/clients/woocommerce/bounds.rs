//! Times as a filter of the shop takes them.
//!
//! WordPress reads a time without a zone as the shop's local time, even where it is compared with a column in UTC.
//! An hour that the shop's clocks leave out in spring is read as the hour after it, so a filter cannot begin inside
//! such an hour: it would begin up to an hour late, and rows would be missed. Which zone the shop is in is not known
//! here, so an hour that is left out anywhere is avoided.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::TZ_VARIANTS;

/// Everything changed at or after `second` is changed after this; never later than asked.
pub fn after(second: DateTime<Utc>) -> String {
    let mut bound = (second - Duration::seconds(1)).naive_utc();
    while is_left_out(bound) {
        bound -= STEP;
    }
    written(bound)
}

pub fn before(second: DateTime<Utc>) -> String {
    written(second.naive_utc())
}

/// Where an hour in which filters cannot begin is over, if a filter for `second` would begin in one.
pub fn hole(second: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let bound = second - Duration::seconds(1);
    if !is_left_out(bound.naive_utc()) {
        return None;
    }
    let quarter = bound.timestamp().div_euclid(STEP.num_seconds()) * STEP.num_seconds();
    let mut end = DateTime::from_timestamp(quarter, 0)?;
    while is_left_out((end - Duration::seconds(1)).naive_utc()) || end <= second {
        end += STEP;
    }
    Some(end)
}

const STEP: Duration = Duration::minutes(15);

fn is_left_out(local: NaiveDateTime) -> bool {
    TZ_VARIANTS.iter().any(|zone| matches!(zone.from_local_datetime(&local), LocalResult::None))
}

fn written(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_filter_begins_a_second_early_and_has_no_zone() {
        assert_eq!(after(at("2026-11-21T12:20:30Z")), "2026-11-21T12:20:29");
        assert_eq!(before(at("2026-11-21T12:20:30Z")), "2026-11-21T12:20:30");
        assert_eq!(hole(at("2026-11-21T12:20:30Z")), None);
    }

    #[test]
    fn no_filter_begins_in_an_hour_that_clocks_leave_out() {
        // That night the Azores leave out the hour from 00:00, Lisbon from 01:00, Berlin from 02:00, Athens from 03:00.
        for second in ["2026-03-29T00:30:00Z", "2026-03-29T02:30:00Z", "2026-03-29T03:59:59Z"] {
            let over = hole(at(second)).unwrap();
            assert!(over > at(second) && over <= at("2026-03-29T04:15:00Z"), "{over}");
            assert_eq!(hole(over), None, "reading goes on there");
            assert!(after(at(second)).as_str() < "2026-03-29T00:00:00", "{}", after(at(second)));
        }
        assert_eq!(after(at("2026-03-29T04:00:01Z")), "2026-03-29T04:00:00");
    }
}
