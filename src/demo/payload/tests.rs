//! Payloads against the product's own parsers: what is read must be what was meant.

use fastrand::Rng;
use rust_decimal::Decimal;

use super::*;
use crate::core::money::Currency;
use crate::core::net::commissionable;
use crate::core::order::{OrderSnapshot, Payment, Refund, Report};
use crate::demo::Company;
use crate::demo::draw::Draw;
use crate::demo::sample::Referral;
use crate::stores::{self, Headers, Verified};

/// Everything that is told of 400 orders, with the store that tells it and the message that does.
fn told() -> Vec<(DemoStore, Told, Message)> {
    let company = Company::sample(42);
    let mut all = Vec::new();
    for nth in 0..400 {
        let at = "2026-08-01T12:00:00Z".parse().unwrap();
        let mut draw = Draw::new(&company, Rng::with_seed(nth.into()), at, nth, 42);
        let (store, tellings) = draw.order().unwrap();
        for telling in tellings {
            if let Some(message) = message(store, &telling.told, telling.at, draw.nonce()) {
                all.push((store.clone(), telling.told, message));
            }
        }
    }
    all
}

fn read(store: &DemoStore, message: &Message) -> Vec<Report> {
    let headers: Headers = message.headers.iter().cloned().collect();
    let meta = stores::describe(store.platform, &headers);
    stores::parse(store.platform, &meta, &message.body).unwrap()
}

fn snapshot(store: &DemoStore, message: &Message) -> OrderSnapshot {
    let mut reports = read(store, message).into_iter();
    match reports.next() {
        Some(Report::Snapshot(snapshot)) => *snapshot,
        other => panic!("{other:?}"),
    }
}

#[test]
fn signatures_are_accepted() {
    for (store, _, message) in told() {
        let headers: Headers = message.headers.iter().cloned().collect();
        let verdict = stores::verify(store.platform, &[store.secret.as_bytes()], &headers, &message.body);
        assert_eq!(verdict, Ok(Verified::Delivery), "{}", message.topic);
        assert!(stores::verify(store.platform, &[b"another"], &headers, &message.body).is_err());
    }
}

#[test]
fn an_order_is_read_as_it_was_meant() {
    let mut orders = 0;
    for (store, told, message) in told() {
        let Told::Order(meant, _) = told else { continue };
        let read = snapshot(&store, &message);
        let name = format!("{} {}", store.slug, meant.id);
        assert_eq!(read.external_id, meant.id.to_string(), "{name}");
        assert_eq!(read.problems, [], "{name}");
        assert!(
            read.closings.iter().all(|closing| closing.difference().is_zero()),
            "{name}: {:?}",
            read.closings
        );
        assert!(!read.closings.is_empty(), "{name}");
        assert_eq!(commissionable(&read, &[]).net(), meant.net(), "{name}");
        assert_eq!(
            (read.total, read.test, read.currency),
            (meant.total(), meant.test, Currency::parse("USD").unwrap())
        );
        assert_eq!((read.ordered_at, read.updated_at), (meant.created_at, meant.updated_at), "{name}");
        // Magento refunds what was paid and cancels only what was not.
        let refunded_instead = store.platform == Platform::Magento && meant.paid_at.is_some();
        assert_eq!(read.cancelled, meant.cancelled_at.is_some() && !refunded_instead, "{name}");
        assert_eq!(read.payment == Payment::Paid, meant.paid_at.is_some(), "{name}");
        assert_eq!(read.customer_id, Some(meant.customer_id.to_string()), "{name}");
        orders += 1;
    }
    assert!(orders > 500);
}

#[test]
fn the_distributor_is_found_in_one_of_the_stores_places() {
    for (store, told, message) in told() {
        let Told::Order(meant, _) = told else { continue };
        let Some(Referral { code, place }) = &meant.referral else { continue };
        let read = snapshot(&store, &message);
        let everywhere = read.places.iter().chain(read.lines.iter().flat_map(|line| &line.places));
        let found = everywhere.filter(|found| store.attribution.contains(&found.place.as_str()));
        assert!(found.clone().any(|found| found.value == *code), "{} {place:?} {code}", store.slug);
    }
}

#[test]
fn refunds_take_back_what_was_meant() {
    let mut refunded = 0;
    for (store, told, message) in told() {
        let Told::Order(meant, _) = told else { continue };
        if meant.refunds.is_empty() {
            continue;
        }
        let read = snapshot(&store, &message);
        let amount: Decimal = read.refunds.iter().map(|refund| refund.amount).sum();
        assert_eq!(amount, meant.refunded(), "{} {}", store.slug, meant.id);
        let refunds: Vec<&Refund> = read.refunds.iter().collect();
        let left = commissionable(&read, &refunds).net();
        if meant.is_fully_refunded() {
            assert_eq!(left, Decimal::ZERO, "{} {}", store.slug, meant.id);
        } else {
            assert!(left < meant.net() && left >= Decimal::ZERO, "{} {} {left}", store.slug, meant.id);
        }
        refunded += 1;
    }
    assert!(refunded > 20);
}

#[test]
fn a_refund_alone_says_the_same_as_inside_its_order() {
    let all = told();
    let mut alone = 0;
    for (store, told, message) in &all {
        let Told::Refund(order) = told else { continue };
        let Some(Report::Refund { order: id, refund }) = read(store, message).into_iter().next() else {
            panic!()
        };
        assert_eq!(id, order.id.to_string());
        alone += 1;
        let inside = all.iter().filter_map(|(store, told, message)| match told {
            Told::Order(told, _) if told.id == order.id => Some(snapshot(store, message)),
            _ => None,
        });
        for same in
            inside.flat_map(|order| order.refunds).filter(|other| other.external_id == refund.external_id)
        {
            assert_eq!(same, refund);
        }
    }
    assert!(alone > 5);
}
