//! From stored deliveries to balanced entries, without the HTTP edge.

use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;
use upline::core::assess::Hold;
use upline::core::ids::StoreId;
use upline::db::Lane;
use upline::orders;

const STORE: StoreId = StoreId(1);
const POSTED: &str =
    "select string_agg(distributor_id || ' ' || s, ', ' order by distributor_id) from
       (select distributor_id, sum(amount)::numeric(20,2) as s from commission_events group by 1 having sum(amount) <> 0) t";

fn balanced(pipeline: &Pipeline) {
    assert_eq!(pipeline.ask("select coalesce(sum(amount), 0)::int from postings"), "0");
}

#[test]
fn an_order_pays_the_upline_and_balances() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &[Order { tax: "7.00", total: "107.00", ..Order::default() }.body()]);
    pipeline.drain();
    assert_eq!(
        pipeline.ask("select status || ' ' || net::numeric(20,2) from orders"),
        "commissionable 100.00"
    );
    assert_eq!(pipeline.ask(POSTED), "2 5.00, 3 5.00, 4 15.00");
    assert_eq!(pipeline.ask("select count(*) from journal_entries"), "1");
    balanced(&pipeline);
}

#[test]
fn repeats_and_older_snapshots_change_nothing() {
    let pipeline = Pipeline::with_company();
    let newer = Order { modified: "2026-11-02T00:00:00", refunds: &["40.00"], ..Order::default() }.body();
    let older = Order::default().body();
    pipeline.accept(STORE, &[newer.clone(), newer.clone()]);
    pipeline.drain();
    pipeline.accept(STORE, &[older, newer]);
    pipeline.drain();
    assert_eq!(pipeline.ask("select count(*) from deliveries"), "2");
    assert_eq!(pipeline.ask("select count(*) from delivery_repeats"), "2");
    assert_eq!(pipeline.ask("select net::numeric(20,2) from orders"), "60.00");
    assert_eq!(pipeline.ask(POSTED), "2 3.00, 3 3.00, 4 9.00");
    assert_eq!(pipeline.ask("select count(*) from calculations"), "1");
    assert_eq!(
        pipeline.ask("select string_agg(verdict, ',' order by delivery_id) from delivery_outcomes"),
        "applied,superseded"
    );
    balanced(&pipeline);
}

#[test]
fn a_refund_takes_back_in_proportion_and_a_cancellation_all() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &[Order::default().body()]);
    pipeline.drain();
    pipeline.accept(
        STORE,
        &[Order { modified: "2026-11-02T00:00:00", refunds: &["50.00"], ..Order::default() }.body()],
    );
    pipeline.drain();
    assert_eq!(pipeline.ask(POSTED), "2 2.50, 3 2.50, 4 7.50");
    assert_eq!(pipeline.ask("select string_agg(distinct kind, ',') from commission_events"), "clawback,earn");
    pipeline.accept(
        STORE,
        &[Order { modified: "2026-11-03T00:00:00", status: "cancelled", ..Order::default() }.body()],
    );
    pipeline.drain();
    assert_eq!(pipeline.ask(POSTED), "");
    assert_eq!(pipeline.ask("select array_to_string(exemptions, ',') from orders"), "cancelled");
    balanced(&pipeline);
}

#[test]
fn held_orders_tell_all_reasons_and_are_released_by_the_fix() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &[Order { sku: "B2", distributor: Some("nobody"), ..Order::default() }.body()]);
    pipeline.accept(STORE, &[Order { id: 302, sku: "B2", ..Order::default() }.body()]);
    pipeline.drain();
    assert_eq!(
        pipeline.ask("select string_agg(reason || '=' || cause, ' ' order by order_id, hold_no) from holds"),
        "unmapped_sku=sku:B2 unknown_distributor=nobody unmapped_sku=sku:B2"
    );
    let waiting =
        pipeline.db.read(Lane::Admin, |conn| orders::waiting(conn, Hold::UnmappedSku, "sku:B2")).unwrap();
    assert_eq!((waiting[0].orders, waiting[0].net), (2, 200.into()));
    pipeline.map("B2", "supplement");
    let at = crate::support::pipeline::now();
    let released =
        pipeline.db.transact(Lane::Admin, |tx| orders::release(tx, Hold::UnmappedSku, "sku:B2", at)).unwrap();
    pipeline.drain();
    assert_eq!(released, 2);
    assert_eq!(
        pipeline.ask("select string_agg(status, ',' order by external_id) from orders"),
        "held,commissionable"
    );
    assert_eq!(pipeline.ask(POSTED), "2 5.00, 3 5.00, 4 15.00");
}

#[test]
fn what_is_posted_cannot_be_changed() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &[Order::default().body()]);
    pipeline.drain();
    for table in
        ["deliveries", "order_revisions", "calculations", "commission_events", "journal_entries", "postings"]
    {
        for change in [format!("delete from {table}"), format!("truncate {table} cascade")] {
            let refused = pipeline.db.read(Lane::Admin, |conn| {
                Ok(diesel::RunQueryDsl::execute(diesel::sql_query(change.as_str()), conn)
                    .unwrap_err()
                    .to_string())
            });
            assert!(refused.unwrap().contains("append-only"), "{change}");
        }
    }
}
