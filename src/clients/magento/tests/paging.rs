//! No row is lost while rows move, and no broken page is taken for a whole one.

use std::collections::BTreeMap;

use super::rows::{Row, listed, order};
use super::*;

/// Orders alone; after each page of them `between` may change what the store holds.
fn store(rows: Vec<Row>, mut between: impl FnMut(&mut Vec<Row>, usize) + Send + 'static) -> Wire {
    let (mut rows, mut pages) = (rows, 0);
    Wire::new(move |request| match last(request.url.path()) {
        "orders" => {
            let page = listed(&rows, &request.url);
            pages += 1;
            between(&mut rows, pages);
            page
        }
        _ => answer(200, none()),
    })
}

fn second(n: u64) -> String {
    format!("2026-05-01 {:02}:{:02}:{:02}", n / 3600, n / 60 % 60, n % 60)
}

/// How often each order came, and how many pages it took.
fn read_all(wire: &Wire) -> (BTreeMap<u64, usize>, usize) {
    let magento = client(wire, &oauth());
    let (mut came, mut cursor, mut pages) = (BTreeMap::new(), None, 0);
    loop {
        let page = magento.orders(&window(), cursor.as_deref()).unwrap();
        pages += 1;
        assert!(pages < 50, "it ends");
        for order in page.items {
            *came.entry(order.external_id.parse().unwrap()).or_insert(0) += 1;
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return (came, pages),
        }
    }
}

#[test]
fn rows_that_move_to_the_end_take_no_other_with_them() {
    let rows = (1..=250).map(|id| order(id, &second(id))).collect();
    let wire = store(rows, |rows, page| {
        // The first thirty change again as soon as they were read.
        if page == 1 {
            for row in &mut rows[..30] {
                row["updated_at"] = json!(second(70_000));
            }
        }
    });
    let (came, pages) = read_all(&wire);
    assert_eq!(came.keys().copied().collect::<Vec<_>>(), (1..=250).collect::<Vec<_>>());
    assert_eq!(came.values().filter(|count| **count == 2).count(), 30, "those that changed came again");
    assert_eq!(pages, 3);
}

#[test]
fn a_second_shared_by_two_pages_is_read_to_its_end() {
    let rows = (1..=250).map(|id| order(id, &second(if id < 95 { id } else { 100 + id / 30 }))).collect();
    let (came, _) = read_all(&store(rows, |_, _| {}));
    assert_eq!((came.len(), came.values().sum::<usize>()), (250, 250), "each once");
}

#[test]
fn a_second_of_many_pages_is_read_by_ids() {
    // 350 orders changed by one statement, and one of them changes again while they are read.
    let rows = (1..=400).map(|id| order(id, &second(if id <= 350 { 500 } else { 500 + id }))).collect();
    let wire = store(rows, |rows, page| {
        if page == 1 {
            rows[4]["updated_at"] = json!(second(80_000));
        }
    });
    let (came, _) = read_all(&wire);
    assert_eq!(came.len(), 400);
    assert_eq!(came[&5], 2);
    assert!(wire.asked().iter().all(|request| !request.url.as_str().contains("currentPage%5D=2")));
}

#[test]
fn a_row_that_comes_into_the_last_second_is_still_read() {
    let rows = (1..=150).map(|id| order(id, &second(id))).collect();
    let wire = store(rows, |rows, page| {
        if page == 1 {
            rows[9]["updated_at"] = json!(second(100));
        }
    });
    assert_eq!(read_all(&wire).0[&10], 2, "order 10 changed in the second in which the first page ended");
}

#[test]
fn a_window_is_read_in_whole_seconds_and_nothing_after_it() {
    let rows = vec![
        order(1, "2026-04-30 23:59:59"),
        order(2, "2026-05-01 00:00:00"),
        order(3, "2026-05-01 23:59:59"),
        order(4, "2026-05-02 00:00:00"),
    ];
    let wire = store(rows, |_, _| {});
    let magento = client(&wire, &oauth());
    let page = magento.orders(&window(), None).unwrap();
    assert_eq!(page.items.iter().map(|order| order.external_id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    assert_eq!((page.next, page.remaining), (None, Some(2)));
    let inside = Window { from: at("2026-05-01T00:00:00.9Z"), to: at("2026-05-01T23:59:59.1Z"), ..window() };
    assert_eq!(magento.orders(&inside, None).unwrap().items.len(), 2);
    let ordered = Window { by: WindowBy::Ordered, ..window() };
    assert_eq!(magento.orders(&ordered, None).unwrap().items.len(), 0, "they were made a day before");
    let query: Vec<(String, String)> = wire.asked()[0].url.query_pairs().into_owned().collect();
    let filter = |i: usize| {
        query
            .iter()
            .filter(|(name, _)| name.contains(&format!("groups][{i}]")))
            .map(|(_, v)| v.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(filter(0), ["updated_at", "gteq", "2026-05-01 00:00:00"]);
    assert_eq!(filter(1), ["updated_at", "lt", "2026-05-02 00:00:00"]);
}

#[test]
fn what_remains_is_told_and_a_cursor_survives_a_restart() {
    let wire = store((1..=230).map(|id| order(id, &second(id))).collect(), |_, _| {});
    let first = client(&wire, &oauth()).orders(&window(), None).unwrap();
    assert_eq!((first.items.len(), first.remaining), (100, Some(230)));
    let second = client(&wire, &oauth()).orders(&window(), first.next.as_deref()).unwrap();
    assert_eq!(
        (second.items.len(), second.remaining),
        (99, Some(130)),
        "the last of the first page came again"
    );
    let error = client(&wire, &oauth()).orders(&window(), Some("page 2")).unwrap_err();
    assert!(matches!(&error, ApiError::Unsupported(why) if why.contains("page 2")), "{error}");
}

#[test]
fn fewer_rows_than_the_count_are_read_again() {
    let mut tries = 0;
    let wire = Wire::new(move |request| {
        tries += 1;
        let items: Vec<Row> = (1..=if tries < 3 { 2 } else { 3 }).map(|id| order(id, &second(id))).collect();
        match last(request.url.path()) {
            "orders" => answer(200, json!({"items": items, "total_count": 3})),
            _ => answer(200, none()),
        }
    });
    assert_eq!(client(&wire, &oauth()).orders(&window(), None).unwrap().items.len(), 3);
    let never = Wire::new(|_| answer(200, json!({"items": [order(1, &second(1))], "total_count": 2})));
    let error = client(&never, &oauth()).orders(&window(), None).unwrap_err();
    assert_eq!(error, ApiError::Incomplete("1 of 2 rows of orders came, of 2 in all".into()));
    assert_eq!(never.asked().len(), 6);
}

#[test]
fn a_cut_page_is_read_again() {
    let whole = json!({"items": [order(1, &second(1))], "total_count": 1}).to_string();
    let mut tries = 0;
    let wire = Wire::new(move |request| {
        tries += 1;
        match last(request.url.path()) {
            "orders" if tries == 1 => answer(200, &whole[..whole.len() / 2]),
            "orders" if tries == 2 => answer(200, "<html>maintenance</html>"),
            "orders" => answer(200, &whole),
            _ => answer(200, none()),
        }
    });
    assert_eq!(client(&wire, &oauth()).orders(&window(), None).unwrap().items.len(), 1);
    let nonces: Vec<String> = wire.asked().iter().map(|request| request.headers[1].1.clone()).collect();
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2], "each try is signed anew");
}

#[test]
fn rows_in_another_order_than_asked_for_are_refused() {
    let wire = Wire::new(|_| {
        let items = [order(1, &second(9)), order(2, &second(3))];
        answer(200, json!({"items": items, "total_count": 2}))
    });
    let error = client(&wire, &oauth()).orders(&window(), None).unwrap_err();
    assert!(matches!(error, ApiError::Unreadable(why) if why.contains("order asked for")));
}

#[test]
fn a_page_past_the_end_is_empty_though_the_store_repeats_the_last() {
    // Only source items are paged by number: 100 rows fill the first page to the last.
    let items: Vec<Value> = (1..=100)
        .map(|n| json!({"sku": "A/1", "source_code": format!("s{n}"), "quantity": 1.5, "status": 1}))
        .collect();
    let mut count = 100;
    let wire = Wire::new(move |request| match last(request.url.path()) {
        "products" => answer(
            200,
            json!({"items": [{"id": 7, "sku": "A/1", "name": "A", "type_id": "simple", "updated_at": second(1)}],
                "total_count": 1}),
        ),
        _ => {
            // A source was removed after the first page: what is asked for next lies past the end.
            let told = json!({"items": items, "total_count": count + 1});
            let past = json!({"items": items, "total_count": count});
            count -= 1;
            answer(200, if count == 99 { told } else { past })
        }
    });
    let page = client(&wire, &oauth()).products(None, None).unwrap();
    assert_eq!(page.items[0].variants[0].stock.unwrap().to_string(), "150.0");
    assert_eq!(wire.paths(), ["products", "inventory/source-items", "inventory/source-items"]);
}
