//! Whom a customer is bound to: whatever arrives first, whoever decides, and what of it reaches which order.

use chrono::{DateTime, Utc};
use upline::core::binding::{Policy, What};
use upline::core::ids::{DistributorId, StoreId};
use upline::customers::{NewDecision, NewPolicy};
use upline::db::Lane;
use upline::orders;

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

const STORE: StoreId = StoreId(1);

fn order<'a>(id: u64, day: &'a str, distributor: Option<&'a str>) -> Order<'a> {
    Order { id, created: day, modified: day, distributor, customer: 77, ..Order::default() }
}

/// Two that name somebody, two that do not; the first day names 4.
fn history() -> [String; 4] {
    [
        order(1, "2026-10-01T09:00:00", Some("4")).body(),
        order(2, "2026-10-05T09:00:00", Some("3")).body(),
        order(3, "2026-10-10T09:00:00", None).body(),
        order(4, "2026-11-15T09:00:00", None).body(),
    ]
}

fn policy(pipeline: &Pipeline, policy: Policy) -> usize {
    policy_with(pipeline, policy, None)
}

fn policy_with(pipeline: &Pipeline, policy: Policy, own_place: Option<&str>) -> usize {
    let new = NewPolicy { policy, own_place, bound_place: None, from: None };
    let set = |tx: &mut upline::db::Tx<'_>| orders::set_binding_policy(tx, STORE, &new, "test", now());
    pipeline.db.transact(Lane::Admin, set).unwrap().1
}

fn decide(pipeline: &Pipeline, what: What, distributor: Option<&str>, from: Option<&str>) -> usize {
    let distributor = distributor.map(DistributorId::new);
    let from: Option<DateTime<Utc>> = from.map(|at| at.parse().unwrap());
    let decision = NewDecision {
        store: STORE,
        customer: "77",
        what,
        distributor: distributor.as_ref(),
        from,
        source: "manual",
    };
    let decisions = [decision];
    pipeline.db.transact(Lane::Admin, |tx| orders::bind_customers(tx, &decisions, "test", now())).unwrap()
}

/// Of every order: whom it is attributed to, and where.
fn attributed(pipeline: &Pipeline) -> String {
    pipeline.ask(
        "select string_agg(external_id || ':' || coalesce(distributor_id, '-') || ':' || coalesce(place, status), ' '
                           order by external_id) from orders",
    )
}

fn is_proven(pipeline: &Pipeline) -> String {
    let verified = pipeline.verify();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    let replayed = pipeline.replay();
    assert!(replayed.is_clean(), "{:?}", replayed.differences);
    replayed.stored.sha256
}

fn after(policy_of: Policy, bodies: &[String]) -> (String, String) {
    let pipeline = Pipeline::with_company();
    policy(&pipeline, policy_of);
    for body in bodies {
        pipeline.accept(STORE, std::slice::from_ref(body));
        pipeline.drain();
    }
    (attributed(&pipeline), is_proven(&pipeline))
}

const REF: &str = "order_meta:distributor";

#[test]
fn none_days_and_life_say_whom_later_orders_earn_for() {
    let (life, _) = after(Policy::Life, &history());
    assert_eq!(life, format!("1:4:{REF} 2:3:{REF} 3:4:customer 4:4:customer"));
    let (days, _) = after(Policy::Days(30), &history());
    assert_eq!(days, format!("1:4:{REF} 2:3:{REF} 3:4:customer 4:-:exempt"));
    let (none, _) = after(Policy::None, &history());
    assert_eq!(none, format!("1:4:{REF} 2:3:{REF} 3:-:exempt 4:-:exempt"));
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    let told = history();
    let expected = after(Policy::Life, &told);
    for [a, b, c, d] in [[3, 2, 1, 0], [2, 1, 0, 3], [1, 2, 3, 0], [3, 0, 2, 1]] {
        let shuffled = [a, b, c, d].map(|i| told[i].clone());
        assert_eq!(after(Policy::Life, &shuffled), expected, "{:?}", [a, b, c, d]);
    }
    // All of them in one batch, backwards.
    let pipeline = Pipeline::with_company();
    policy(&pipeline, Policy::Life);
    let backwards: Vec<String> = told.iter().rev().cloned().collect();
    pipeline.accept(STORE, &backwards);
    pipeline.drain();
    assert_eq!((attributed(&pipeline), is_proven(&pipeline)), expected);
}

#[test]
fn a_late_order_of_an_earlier_day_takes_the_customer_and_what_was_posted_follows() {
    let pipeline = Pipeline::with_company();
    policy(&pipeline, Policy::Life);
    let [first, second, third, _] = history();
    pipeline.accept(STORE, &[second, third]);
    pipeline.drain();
    let earned = "select coalesce(sum(e.amount), 0)::numeric(9, 2) from commission_events e join orders o using (order_id)
                  where o.external_id = '3' and e.bonus = 'direct' and e.distributor_id = ";
    assert_eq!(pipeline.ask(&format!("{earned} '3'")), "15.00");
    pipeline.accept(STORE, &[first]);
    pipeline.drain();
    assert_eq!(pipeline.ask(&format!("{earned} '3'")), "0.00", "taken back");
    assert_eq!(pipeline.ask(&format!("{earned} '4'")), "15.00");
    is_proven(&pipeline);
    // The order that bound is cancelled: the next one that names somebody binds.
    let cancelled = Order {
        status: "cancelled",
        modified: "2026-11-20T09:00:00",
        ..order(1, "2026-10-01T09:00:00", Some("4"))
    };
    pipeline.accept(STORE, &[cancelled.body()]);
    pipeline.drain();
    assert_eq!(attributed(&pipeline), format!("1:4:{REF} 2:3:{REF} 3:3:customer"));
    is_proven(&pipeline);
}

#[test]
fn decisions_reach_orders_that_are_not_posted_and_no_others() {
    let pipeline = Pipeline::with_company();
    pipeline.accept(STORE, &history());
    pipeline.drain();
    assert_eq!(policy(&pipeline, Policy::Life), 2, "the posted ones are left alone");
    pipeline.drain();
    assert_eq!(attributed(&pipeline), format!("1:4:{REF} 2:3:{REF} 3:4:customer 4:4:customer"));
    assert_eq!(decide(&pipeline, What::Bound, Some("2"), Some("2026-10-07T00:00:00Z")), 0, "all are posted");
    let unposted = Order { sku: "NEW", ..order(5, "2026-11-16T09:00:00", None) };
    pipeline.accept(STORE, &[unposted.body(), order(6, "2026-11-17T09:00:00", None).body()]);
    pipeline.drain();
    let before = format!("1:4:{REF} 2:3:{REF} 3:4:customer 4:4:customer");
    assert_eq!(attributed(&pipeline), format!("{before} 5:2:customer 6:2:customer"));
    is_proven(&pipeline);
    assert_eq!(
        decide(&pipeline, What::Bound, None, Some("2026-11-16T00:00:00Z")),
        1,
        "one is held, not posted"
    );
    pipeline.drain();
    assert_eq!(attributed(&pipeline), format!("{before} 5:-:exempt 6:2:customer"));
    is_proven(&pipeline);
    // A later state of a posted order keeps what was known of its customer.
    let refunded = Order {
        modified: "2026-11-20T09:00:00",
        refunds: &["10.00"],
        ..order(6, "2026-11-17T09:00:00", None)
    };
    pipeline.accept(STORE, &[refunded.body()]);
    pipeline.drain();
    assert_eq!(attributed(&pipeline), format!("{before} 5:-:exempt 6:2:customer"));
    is_proven(&pipeline);
}

#[test]
fn a_customer_that_is_a_distributor_buys_for_itself_and_cannot_refer_itself() {
    let pipeline = Pipeline::with_company();
    policy_with(&pipeline, Policy::Life, Some("customer_meta:distributor_code"));
    let record = |at: &str, code: &str| {
        format!(
            r#"{{"id":77,"date_created_gmt":"2026-01-01T00:00:00","date_modified_gmt":"{at}","email":"zoe@example.test",
"first_name":"Zoe","meta_data":[{{"key":"distributor_code","value":"{code}"}},{{"key":"shoe_size","value":"Zoe 38"}}]}}"#
        )
    };
    let others = Order { customer: 78, ..order(13, "2026-10-12T09:00:00", Some("4")) };
    let self_referred = order(11, "2026-10-10T09:00:00", Some("4"));
    let own = order(12, "2026-10-11T09:00:00", None);
    pipeline.accept(STORE, &[own.body(), others.body()]);
    pipeline.drain();
    assert_eq!(attributed(&pipeline), format!("12:-:exempt 13:4:{REF}"));
    pipeline.accept_as(STORE, "customer.updated", &[record("2026-10-01T00:00:00", "4")]);
    pipeline.drain();
    pipeline.accept(STORE, &[self_referred.body()]);
    pipeline.drain();
    assert_eq!(attributed(&pipeline), format!("11:-:held 12:4:customer 13:4:{REF}"));
    assert_eq!(pipeline.ask("select reason from holds"), "self_referral");
    // What periods read: only the customer's volume counts where a plan asks for that of customers.
    let facts = "select string_agg(o.external_id || ':' || f.own, ' ' order by o.external_id)
                 from volume_facts f join orders o using (order_id)";
    assert_eq!(pipeline.ask(facts), "12:true 13:false");
    is_proven(&pipeline);
    let kept = pipeline.ask("select places from customers where customer_id = '77'");
    assert!(kept.contains("distributor_code") && !kept.contains("Zoe"), "{kept}");
    let outcome = pipeline.ask("select detail from delivery_outcomes where detail like 'customer%'");
    assert_eq!(outcome, "customer 77: recorded");
    // An older record that comes late is none; a newer one without the code ends it from then on.
    pipeline.accept_as(STORE, "customer.updated", &[record("2026-09-01T00:00:00", "3")]);
    pipeline.accept_as(STORE, "customer.updated", &[record("2026-11-01T00:00:00", "nobody")]);
    pipeline.drain();
    pipeline.accept(STORE, &[order(14, "2026-11-02T09:00:00", None).body()]);
    pipeline.drain();
    assert_eq!(attributed(&pipeline), format!("11:-:held 12:4:customer 13:4:{REF} 14:-:exempt"));
    is_proven(&pipeline);
}
