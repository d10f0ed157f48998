use super::*;

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-03-{text}:00Z").parse().unwrap()
}

fn settings() -> settings::Pulls {
    settings::Pulls {
        every_minutes: 15,
        overlap_minutes: 10,
        daily_hours: 48,
        webhooks_minutes: 60,
        silent_hours: 6,
    }
}

fn orders() -> Rhythm {
    Rhythm::of(Kind::Orders, &settings())
}

fn connected(text: &str) -> Known {
    Known {
        connected_at: at(text),
        pulled_until: None,
        daily_at: None,
        failures: 0,
        next_try_at: None,
        unfinished: None,
    }
}

/// Read until `text`, the long window included.
fn read_until(text: &str) -> Known {
    Known { pulled_until: Some(at(text)), daily_at: Some(at(text)), ..connected("01T09:00") }
}

fn window(from: &str, to: &str) -> Span {
    Span { by: WindowBy::Changed, from: Some(at(from)), to: at(to) }
}

#[test]
fn the_first_window_begins_two_days_before_the_store_was_connected() {
    let due = orders().due(&connected("03T09:00"), at("03T09:01")).unwrap();
    assert_eq!(due, (Cause::Daily, window("01T09:00", "03T09:01")));
    // Also when it is the first only after days of failures.
    let due = orders().due(&connected("03T09:00"), at("20T09:00")).unwrap();
    assert_eq!(due, (Cause::Daily, window("01T09:00", "20T09:00")));
}

#[test]
fn products_begin_with_all_of_them() {
    let products = Rhythm::of(Kind::Products, &settings());
    let (_, span) = products.due(&connected("03T09:00"), at("03T09:01")).unwrap();
    assert_eq!(span, Span { by: WindowBy::Changed, from: None, to: at("03T09:01") });
    assert_eq!(products.due(&read_until("03T09:00"), at("03T09:59")), None);
    let (cause, span) = products.due(&read_until("03T09:00"), at("03T10:00")).unwrap();
    assert_eq!((cause, span), (Cause::Schedule, window("03T08:50", "03T10:00")));
}

#[test]
fn windows_overlap_and_end_now() {
    let known = read_until("03T09:00");
    assert_eq!(orders().due(&known, at("03T09:14")), None);
    let due = orders().due(&known, at("03T09:15")).unwrap();
    assert_eq!(due, (Cause::Schedule, window("03T08:50", "03T09:15")));
}

#[test]
fn once_a_day_the_window_is_long_and_never_leaves_a_gap() {
    let known = Known { pulled_until: Some(at("04T08:59")), ..read_until("03T09:00") };
    let due = orders().due(&known, at("04T09:00")).unwrap();
    assert_eq!(due, (Cause::Daily, window("02T09:00", "04T09:00")));
    // After a week without us.
    let due = orders().due(&read_until("03T09:00"), at("10T09:00")).unwrap();
    assert_eq!(due, (Cause::Daily, window("03T08:50", "10T09:00")));
}

#[test]
fn what_was_begun_is_finished_first_unless_it_was_read_over() {
    let begun = (Cause::Schedule, window("03T08:50", "03T09:15"));
    let known = Known { unfinished: Some(begun), ..read_until("03T09:00") };
    assert_eq!(orders().due(&known, at("05T09:00")), Some(begun));
    let over = Known { pulled_until: Some(at("03T09:20")), ..known };
    assert_eq!(orders().due(&over, at("03T09:21")), None);
}

#[test]
fn after_a_failure_nothing_is_due_before_its_time() {
    let failed = Known { failures: 1, next_try_at: Some(at("03T09:17")), ..read_until("03T09:00") };
    assert_eq!(orders().due(&failed, at("03T09:16")), None);
    assert!(orders().due(&failed, at("03T09:17")).is_some());
}

#[test]
fn a_clock_that_was_set_back_gives_an_empty_window_and_no_backward_one() {
    let span = orders().since_last(&read_until("03T09:00"), at("03T08:00"));
    assert_eq!(span, window("03T08:00", "03T08:00"));
}

#[test]
fn waiting_doubles_up_to_an_hour() {
    let minutes: Vec<i64> = (1..=9).map(|failures| back_off(failures).num_minutes()).collect();
    assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(back_off(i32::MAX).num_minutes(), 60);
}
