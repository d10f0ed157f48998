//! Nothing is left out, whatever moves while it is read.

use std::collections::BTreeSet;

use super::*;

const FROM: &str = "2026-11-01T00:00:00Z";
const TO: &str = "2026-11-02T00:00:00Z";

fn minutes(count: u64) -> Shop {
    let mut shop = Shop::default();
    for id in 1..=count {
        shop.order(id, seconds(at(FROM), i64::try_from(id).unwrap() * 60));
    }
    shop
}

#[test]
fn a_window_is_read_with_its_edges_and_nothing_beyond() {
    let mut shop = minutes(0);
    for (id, time) in [(1, "2026-10-31T23:59:59Z"), (2, FROM), (3, "2026-11-01T23:59:59Z"), (4, TO)] {
        shop.order(id, at(time));
    }
    let (client, fake) = open(shop, quiet);
    let page = client.orders(&changed(FROM, TO), None).unwrap();
    assert_eq!(ids(&page.items), [2, 3]);
    assert_eq!((page.next, page.remaining), (None, Some(2)));
    assert_eq!(asked(&fake, "modified_after"), ["2026-10-31T23:59:59"; 2], "without a zone, a second early");
    assert_eq!(asked(&fake, "status"), ["any", "trash"]);
    assert_eq!(asked(&fake, "dates_are_gmt"), ["true"; 2]);
}

#[test]
fn pages_follow_time_and_not_numbers() {
    let (client, fake) = open(minutes(250), quiet);
    let window = changed(FROM, TO);
    let first = client.orders(&window, None).unwrap();
    assert_eq!((first.items.len(), first.remaining), (100, Some(250)));
    let second = client.orders(&window, first.next.as_deref()).unwrap();
    // The last second of the first page is asked for again, and what was given of it is not given twice.
    assert_eq!((second.items.len(), second.remaining), (99, Some(150)));
    let third = client.orders(&window, second.next.as_deref()).unwrap();
    assert_eq!((third.items.len(), third.next), (51, None));
    assert!(asked(&fake, "offset").iter().all(String::is_empty));
}

#[test]
fn rows_that_move_to_the_end_take_nobody_with_them() {
    for seed in 0..12 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let everything: BTreeSet<u64> = (1..=350).collect();
        let mut clock = at("2026-11-01T12:00:00Z");
        let (client, _) = open(minutes(350), move |_, _, shop| {
            for _ in 0..rng.usize(0..12) {
                clock += TimeDelta::seconds(rng.i64(0..3));
                let id = rng.u64(1..=350);
                shop.orders.get_mut(&id).unwrap().modified = clock;
            }
            None
        });
        let read = read(&client, &changed(FROM, TO)).unwrap();
        assert_eq!(ids(&read), everything.into_iter().collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn a_second_that_fills_pages_is_read_by_id() {
    let mut shop = minutes(50);
    let second = at("2026-11-01T06:00:00Z");
    for id in 1_000..1_330 {
        shop.order(id, second);
    }
    shop.order(2_000, at("2026-11-01T07:00:00Z"));
    let (client, fake) = open(shop, quiet);
    let all = read(&client, &changed(FROM, TO)).unwrap();
    assert_eq!(ids(&all).len(), 50 + 330 + 1);
    assert!(asked(&fake, "orderby").contains(&"id".to_owned()));
    assert!(asked(&fake, "modified_before").contains(&"2026-11-01T06:00:01".to_owned()));
}

#[test]
fn rows_that_leave_a_full_second_take_nobody_with_them() {
    let second = at("2026-11-01T06:00:00Z");
    for seed in 0..12 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut shop = Shop::default();
        for id in 1..=450 {
            shop.order(id, second);
        }
        let mut now = second;
        let (client, _) = open(shop, move |_, _, shop| {
            for _ in 0..rng.usize(0..60) {
                now += TimeDelta::seconds(1);
                let id = rng.u64(1..=450);
                shop.orders.get_mut(&id).unwrap().modified = now;
            }
            None
        });
        let all = read(&client, &changed(FROM, TO)).unwrap();
        assert_eq!(ids(&all).len(), 450, "seed {seed}");
    }
}

#[test]
fn an_old_version_is_read_by_id_whatever_it_filters() {
    for seed in 0..12 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut shop = minutes(320);
        shop.old = true;
        for id in 5_000..5_050 {
            shop.order(id, at("2026-10-01T00:00:00Z"));
        }
        let mut now = at("2026-11-01T20:00:00Z");
        let (client, _) = open(shop, move |_, _, shop| {
            for _ in 0..rng.usize(0..5) {
                now += TimeDelta::seconds(1);
                let id = rng.u64(1..=320);
                shop.orders.get_mut(&id).unwrap().modified = now;
            }
            None
        });
        let all = read(&client, &changed(FROM, TO)).unwrap();
        assert_eq!(ids(&all), (1..=320).collect::<Vec<_>>(), "seed {seed}");
    }
}

fn old_and_above_a_thousand() -> Shop {
    let minutes = minutes(300).orders.into_iter().map(|(id, row)| (id + 1_000, row));
    Shop { orders: minutes.collect(), old: true, ..Shop::default() }
}

#[test]
fn rows_that_come_in_behind_the_place_that_was_reached_are_met() {
    let (client, _) = open(old_and_above_a_thousand(), |call, _, shop| {
        // An old order is changed after the pages in which it would have stood were read.
        if call == 4 {
            shop.order(5, at("2026-11-01T22:00:00Z"));
        }
        None
    });
    let all = ids(&read(&client, &changed(FROM, TO)).unwrap());
    assert_eq!((all.len(), all[0]), (301, 5));
}

#[test]
fn rows_that_keep_coming_in_are_an_error_and_no_end() {
    let (client, _) = open(old_and_above_a_thousand(), |call, _, shop| {
        shop.order(999 - u64::try_from(call).unwrap(), at("2026-11-01T22:00:00Z"));
        None
    });
    assert!(matches!(read(&client, &changed(FROM, TO)), Err(ApiError::Incomplete(_))));
}

#[test]
fn no_filter_begins_in_an_hour_that_the_shop_skips() {
    // The shop reads 02:30 as 03:30 on that day, and would leave an hour out.
    let skipped = |time: &str| ("2026-03-29T02:00:00".."2026-03-29T03:00:00").contains(&time);
    let mut shop = Shop::default();
    for id in 1..=400 {
        shop.order(id, seconds(at("2026-03-29T01:30:00Z"), i64::try_from(id).unwrap() * 15));
    }
    let (client, fake) = open(shop, quiet);
    let all = read(&client, &changed("2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z")).unwrap();
    assert_eq!(ids(&all), (1..=400).collect::<Vec<_>>());
    assert!(asked(&fake, "modified_after").iter().all(|time| !skipped(time)));
}

#[test]
fn fewer_rows_than_the_shop_counts_are_read_again_and_then_an_error() {
    let short = |times: usize| {
        move |call: usize, request: &Request, shop: &mut Shop| {
            let query = request.url.query_pairs().into_owned().collect();
            let mut whole = shop.answer(request.url.path(), &query);
            let mut rows: Vec<Value> = serde_json::from_slice(&whole.body).unwrap();
            rows.truncate(20);
            whole.body = Value::Array(rows).to_string().into_bytes();
            (call <= times).then_some(whole)
        }
    };
    let (client, fake) = open(minutes(30), short(2));
    assert_eq!(read(&client, &changed(FROM, TO)).unwrap().len(), 30);
    assert_eq!(fake.paused.lock().unwrap().len(), 2);
    let (client, _) = open(minutes(30), short(100));
    let error = read(&client, &changed(FROM, TO)).unwrap_err();
    assert!(matches!(&error, ApiError::Incomplete(why) if why.starts_with("20 of 30 orders")), "{error}");
}

#[test]
fn a_list_without_a_count_is_not_believed() {
    let (client, _) = open(minutes(3), |_, _, _| Some(answer(200, &json!([]))));
    let error = client.orders(&changed(FROM, TO), None).unwrap_err();
    assert!(matches!(&error, ApiError::Unreadable(why) if why.contains("X-WP-Total")), "{error}");
}

#[test]
fn cut_pages_and_throttles_are_waited_out() {
    let (client, fake) = open(minutes(120), |call, request, shop| match call {
        1 => {
            let query = request.url.query_pairs().into_owned().collect();
            let mut half = shop.answer(request.url.path(), &query);
            half.body.truncate(half.body.len() / 2);
            Some(half)
        }
        2 => {
            let mut slow = html(429);
            slow.headers.push(("Retry-After".into(), "7".into()));
            Some(slow)
        }
        3 => Some(html(503)),
        _ => None,
    });
    assert_eq!(read(&client, &changed(FROM, TO)).unwrap().len(), 120);
    assert_eq!(fake.paused.lock().unwrap()[1], Duration::from_secs(7));
    assert_eq!(fake.paused.lock().unwrap().len(), 3);
}

#[test]
fn orders_by_the_day_they_were_made() {
    let mut shop = minutes(150);
    for row in shop.orders.values_mut() {
        row.modified = at("2026-11-20T00:00:00Z");
    }
    let (client, fake) = open(shop, quiet);
    let window = Window { by: WindowBy::Ordered, from: at(FROM), to: at(TO) };
    assert_eq!(ids(&read(&client, &window).unwrap()).len(), 150);
    assert!(asked(&fake, "orderby").iter().all(|by| by == "date"));
    assert!(asked(&fake, "after").iter().all(|after| !after.is_empty()));
}

#[test]
fn a_cursor_of_something_else_is_refused() {
    let (client, _) = open(minutes(1), quiet);
    assert!(matches!(client.orders(&changed(FROM, TO), Some("page 2")), Err(ApiError::Refused(_))));
}
