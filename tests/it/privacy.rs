//! What customers may ask for by law: what is held of them, and that it is forgotten, without losing a proof.

use diesel::connection::SimpleConnection;
use upline::clock::Clock;
use upline::core::ids::StoreId;
use upline::customers::{self, privacy};
use upline::db::Lane;
use upline::{ingest, orders};

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

const STORE: StoreId = StoreId(1);
const PERSONAL: [&str; 5] =
    ["Zoe-Marie", "Quillfeather", "zoe@example.test", "Stradivari Lane 9", "+4930123459"];

/// As the platform writes an order: with everything about the person who bought.
fn order(id: u64, modified: &str, refunds: &[&str]) -> String {
    let body = Order { id, modified, refunds, customer: 77, ..Order::default() }.body();
    let [first, last, email, street, phone] = PERSONAL;
    body.replacen(
        '{',
        &format!(
            r#"{{"billing":{{"first_name":"{first}","last_name":"{last}","address_1":"{street}","email":"{email}",
"phone":"{phone}"}},"shipping":{{"first_name":"{first}"}},"customer_note":"{first} {last} is at home after six",
"customer_ip_address":"192.0.2.77","#
        ),
        1,
    )
}

fn customer() -> String {
    let [first, last, email, street, _] = PERSONAL;
    format!(
        r#"{{"id":77,"date_created_gmt":"2026-01-01T00:00:00","date_modified_gmt":"2026-10-01T00:00:00","email":"{email}",
"first_name":"{first}","last_name":"{last}","billing":{{"address_1":"{street}"}},"meta_data":[{{"key":"nick","value":"{first}"}}]}}"#
    )
}

/// Everything that the database holds, bodies unpacked: the rows of every table, and what is in the deliveries.
fn everything(pipeline: &Pipeline) -> String {
    let tables = pipeline.ask(
        "select string_agg(format('select %L || coalesce(string_agg(t::text, '' ''), '''') from %I t', table_name, table_name), ';')
         from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    );
    let mut all: String = tables.split(';').map(|sql| pipeline.ask(sql)).collect();
    let deliveries = pipeline.db.read(Lane::Admin, |conn| ingest::load_page(conn, None, 1000)).unwrap();
    for delivery in deliveries {
        all.push_str(&String::from_utf8(delivery.body).unwrap());
    }
    all
}

/// The packed bodies as they lie there, too: a text is not hidden by its being packed.
fn is_anywhere(all: &str, text: &str) -> bool {
    all.contains(text) || all.contains(&hex::encode(text))
}

fn store(pipeline: &Pipeline) -> ingest::Store {
    pipeline.db.read(Lane::Admin, ingest::list_stores).unwrap().remove(0)
}

fn forget(pipeline: &Pipeline, customer: &str) -> Result<customers::Erased, String> {
    let store = store(pipeline);
    let mut refused = None;
    let done = pipeline.db.transact(Lane::Admin, |tx| {
        orders::forget_customer(tx, &store, (customer, &[]), "test", now()).map_err(|problem| {
            refused = Some(problem.to_string());
            upline::db::DbError::Invariant("undone".into())
        })
    });
    done.map_err(|error| refused.unwrap_or(error.to_string()))
}

fn is_proven(pipeline: &Pipeline) -> String {
    let verified = pipeline.verify();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    let replayed = pipeline.replay();
    assert!(replayed.is_clean(), "{:?}", replayed.differences);
    replayed.stored.sha256
}

fn lived() -> Pipeline {
    let pipeline = Pipeline::with_company();
    let orders = [
        order(1, "2026-11-01T10:00:00", &[]),
        order(1, "2026-11-02T10:00:00", &["33.33"]),
        order(2, "2026-11-01T10:00:00", &[]),
        // Older than what is known: kept as evidence, and as personal.
        order(1, "2026-10-30T10:00:00", &[]),
        Order { id: 3, customer: 78, ..Order::default() }.body(),
    ];
    pipeline.accept(STORE, &orders);
    pipeline.accept_as(STORE, "customer.updated", &[customer()]);
    pipeline.drain();
    pipeline
}

#[test]
fn a_customer_is_forgotten_and_every_cent_stays_proven() {
    let pipeline = lived();
    let before = everything(&pipeline);
    for text in PERSONAL {
        assert!(is_anywhere(&before, text), "{text}");
    }
    let digest = is_proven(&pipeline);
    let erased = forget(&pipeline, "77").unwrap();
    assert_eq!(erased.deliveries, 5);
    assert!(erased.bytes_after < erased.bytes_before, "{erased:?}");
    let after = everything(&pipeline);
    for text in PERSONAL.iter().chain(&["192.0.2.77", "at home after six"]) {
        assert!(!is_anywhere(&after, text), "{text}");
    }
    assert_eq!(is_proven(&pipeline), digest);
    assert_eq!(pipeline.verify().redacted, 5);
    assert_eq!(forget(&pipeline, "77").unwrap().deliveries, 0, "nothing is left to forget");
    // The order goes on: a refund after that is counted as ever.
    pipeline.accept(STORE, &[order(2, "2026-11-05T10:00:00", &["100.00"])]);
    pipeline.drain();
    assert_eq!(pipeline.ask("select net::numeric(9, 2) from orders where external_id = '2'"), "0.00");
    is_proven(&pipeline);
    // It tells the name again, until it is looked for.
    assert!(is_anywhere(&everything(&pipeline), "Stradivari Lane 9"));
    let forgetter = orders::Forgetter::new(pipeline.db.clone(), Clock::system());
    assert_eq!(forgetter.round().unwrap().deliveries, 1);
    let after = everything(&pipeline);
    for text in PERSONAL {
        assert!(!is_anywhere(&after, text), "{text}");
    }
    is_proven(&pipeline);
    assert_eq!(forgetter.round().unwrap().deliveries, 0, "once is enough");
    // The record of before is none any more.
    pipeline.accept_as(STORE, "customer.updated", &[customer().replace("2026-10-01", "2026-09-01")]);
    pipeline.drain();
    assert_eq!(
        pipeline.ask(
            "select places::text || ' ' || (redacted_at is not null) from customers where customer_id = '77'"
        ),
        "[] true"
    );
    assert_eq!(forget(&pipeline, "9").unwrap_err(), "there is no customer 9 in store main");
}

#[test]
fn only_a_redaction_gets_past_the_guard() {
    let pipeline = lived();
    let refused = |sql: &str| {
        let error = pipeline.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(sql)?)).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(format!("{error} {source}").contains("append-only"), "{sql}: {error} {source}");
    };
    refused("update deliveries set body = '\\x00'");
    refused("update deliveries set redacted_at = now(), redacted_sha256 = body_sha256");
    refused("delete from deliveries");
    refused("truncate deliveries cascade");
    refused(
        "create function pg_temp.redact_delivery() returns void language sql as
           'update deliveries set redacted_at = now(), redacted_sha256 = body_sha256';
         select pg_temp.redact_delivery()",
    );
    // Past all guards, the proof still sees it.
    pipeline.tamper(
        "update deliveries set redacted_at = now(), redacted_sha256 = body_sha256
         where delivery_id = (select min(delivery_id::text)::uuid from deliveries)",
    );
    let problems = pipeline.verify().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("no redaction on record"), "{problems:?}");
}

#[test]
fn requests_are_recorded_once_with_a_day_until_which_they_are_due() {
    let pipeline = lived();
    pipeline.tamper("update stores set platform = 'shopify'");
    pipeline.tamper("update cache_versions set version = version + 1");
    let [.., email, _, phone] = PERSONAL;
    let asked = |rest: &str| {
        format!(
            r#"{{"shop_id":1,"customer":{{"id":77,"email":"{email}","phone":"{phone}"}},"{rest}":[1,2]}}"#
        )
    };
    pipeline.accept_as(STORE, "customers/data_request", &[asked("orders_requested")]);
    pipeline.accept_as(STORE, "customers/redact", &[asked("orders_to_redact")]);
    pipeline.drain();
    let open = pipeline.db.read(Lane::Admin, |conn| privacy::list(conn, true, 10)).unwrap();
    let kinds: Vec<&str> = open.iter().map(|request| request.kind.as_str()).collect();
    assert_eq!((kinds.len(), open[0].due_at), (2, now() + chrono::TimeDelta::days(30)));
    assert_eq!(
        pipeline.ask("select count(*) from notices where key like 'privacy-due:%' and resolved_at is null"),
        "2"
    );
    let held = pipeline
        .db
        .read(Lane::Admin, |conn| customers::held(conn, STORE, "77", &["1".to_owned()], now()))
        .unwrap()
        .unwrap();
    assert_eq!(held.orders.as_array().unwrap().len(), 2);
    assert_eq!(held.deliveries.as_array().unwrap().len(), 7, "{}", held.deliveries);
    let told = serde_json::to_string(&held).unwrap();
    assert!(PERSONAL.iter().all(|text| !told.contains(text)), "{told}");
    // Orders of another platform are not what this test is about: only the requests are forgotten with the customer.
    let requests: Vec<uuid::Uuid> = open.iter().map(|request| request.delivery_id).collect();
    let lines = |delivery: &ingest::StoredDelivery| orders::parse_delivery("shopify", delivery);
    let forget = |tx: &mut upline::db::Tx<'_>| {
        customers::erase(tx, (STORE, Some("77")), &requests, &lines, ("test", "asked for"), now())
            .map_err(|problem| upline::db::DbError::Invariant(problem.to_string()))
    };
    assert_eq!(pipeline.db.transact(Lane::Admin, forget).unwrap().deliveries, 2);
    let done = |tx: &mut upline::db::Tx<'_>| privacy::done_for(tx, STORE, "77", "redact", "test", now());
    assert_eq!(pipeline.db.transact(Lane::Admin, done).unwrap(), 1);
    assert_eq!(
        pipeline.ask("select count(*) from notices where key like 'privacy-due:%' and resolved_at is null"),
        "1"
    );
    assert!(pipeline.verify().is_clean());
}
