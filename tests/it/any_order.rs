//! The order in which deliveries arrive, and how often, changes nothing.

use std::collections::BTreeSet;

use fastrand::Rng;
use upline::db::Lane;
use upline::demo::{Company, DemoDelivery, EXAMPLES, repo, stream};

use crate::support::digest::{assert_same, digest};
use crate::support::live::Pipeline;

const SEED: u64 = 20_260_828;

fn deliveries(company: &Company, orders: u32) -> Vec<DemoDelivery> {
    stream(company, SEED, orders, "2026-08-28T00:00:00Z".parse().unwrap())
}

/// Runs the deliveries through a pipeline of their own and gives back what it left behind.
fn run(deliveries: &[DemoDelivery], batch: usize) -> Vec<String> {
    let pipeline = Pipeline::start(Company::sample(SEED));
    pipeline.accept(deliveries, batch);
    pipeline.drain();
    pipeline
        .db
        .read(Lane::Admin, |conn| {
            assert_eq!(repo::broken_invariants(conn).unwrap().into_iter().collect::<Vec<_>>(), []);
            Ok(digest(conn))
        })
        .unwrap()
}

#[test]
fn shuffled_and_thrice_is_the_same_as_once_in_order() {
    let company = Company::sample(SEED);
    let sent = deliveries(&company, 400);
    let ordered = run(&sent, 50);
    assert!(ordered.len() > 1_500, "{}", ordered.len());
    for seed in 0..2 {
        let mut shuffled: Vec<DemoDelivery> = sent.iter().cycle().take(sent.len() * 3).cloned().collect();
        Rng::with_seed(seed).shuffle(&mut shuffled);
        assert_same(&ordered, &run(&shuffled, 7 + 100 * usize::try_from(seed).unwrap()));
    }
}

#[test]
fn the_sample_company_earns_the_two_rows_and_nothing_drifts() {
    let company = Company::sample(SEED);
    let sent = deliveries(&company, 120);
    let pipeline = Pipeline::start(company.clone());
    let fresh = pipeline.accept(&sent, 40);
    pipeline.drain();
    let stores: Vec<String> = company.stores.iter().map(|store| store.slug.to_owned()).collect();
    let (counts, sums) = pipeline
        .db
        .read(Lane::Admin, |conn| Ok((repo::counts(conn, &stores)?, repo::sums(conn, &stores)?)))
        .unwrap();
    let distinct: BTreeSet<_> =
        sent.iter().map(|delivery| (&delivery.store, &delivery.topic, &delivery.body)).collect();
    assert_eq!(fresh, distinct.len() - 1, "all but the ping");
    assert_eq!(usize::try_from(counts.repeats).unwrap(), sent.len() - distinct.len());
    assert_eq!(counts.orders, 120);
    assert!(counts.held > 0 && counts.held < 20, "{counts:?}");
    let [usd] = sums.as_slice() else { panic!("{sums:?}") };
    assert!(usd.drift.is_zero() && !usd.commissions.is_zero() && usd.commissions < usd.net, "{usd:?}");
    for (example, commission) in EXAMPLES.iter().zip(["19.80", "9.75"]) {
        let store = company.store(example.platform).unwrap().slug;
        let row =
            pipeline.db.read(Lane::Admin, |conn| repo::result_row(conn, store, &example.order.to_string()));
        let row = row.unwrap().unwrap();
        assert_eq!(row.sku.as_deref(), Some(example.sku));
        assert_eq!(row.buyer, Some(example.buyer.to_string()));
        assert_eq!(row.referrer, Some(example.referrer.to_string()));
        assert_eq!(row.commission, commission.parse().unwrap());
        assert_eq!(row.payment.as_deref(), Some("paid"));
    }
}
