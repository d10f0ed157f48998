//! All deliveries of the demo in the order in which they are sent, with the faults of a real network in them:
//! exact duplicates, updates before creates, older snapshots hours late.
//!
//! What the deliveries add up to does not depend on their order: each snapshot has an age of its own, and
//! where two share a second, a fixed rule on their content decides.

use chrono::{DateTime, Duration, Utc};
use fastrand::Rng;

use super::company::{Company, DemoStore};
use super::draw::Draw;
use super::payload::{Told, message};
use crate::stores::Platform;

/// One request to `/webhooks/{store}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoDelivery {
    pub store: String,
    pub topic: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// From how many days ago orders are, so that a month has ended among them, and over how many they are spread.
const SINCE_DAYS: i64 = 45;
const FOR_DAYS: i64 = 43;

/// `orders` orders of the days before `now`, about 1.8 deliveries for each.
pub fn stream(company: &Company, seed: u64, orders: u32, now: DateTime<Utc>) -> Vec<DemoDelivery> {
    let mut rng = Rng::with_seed(seed ^ 0x5eed_0002);
    let mut sent: Vec<(DateTime<Utc>, DemoDelivery)> = Vec::new();
    let from = now - Duration::days(SINCE_DAYS);
    if let Some(store) = company.store(Platform::WooCommerce) {
        extend(&mut sent, store, &Told::Ping, from, 0);
    }
    for nth in 0..orders {
        let (part, whole) = (i32::try_from(nth).unwrap_or(0), i32::try_from(orders).unwrap_or(1));
        let at = from + Duration::days(FOR_DAYS) * part / whole;
        let mut draw = Draw::new(company, rng.fork(), at, nth, seed);
        if let Some((store, tellings)) = draw.order() {
            for telling in tellings {
                extend(&mut sent, store, &telling.told, telling.at, draw.nonce());
            }
        }
        if let Some(store) = company.store(Platform::WooCommerce).filter(|_| nth % 97 == 5) {
            extend(&mut sent, store, &Told::Unreadable, at, 0);
        }
    }
    duplicate(&mut sent, &mut rng);
    // Stable: what is sent at one instant stays in the order of the story.
    sent.sort_by_key(|(at, _)| *at);
    sent.into_iter().map(|(_, delivery)| delivery).collect()
}

fn extend(
    sent: &mut Vec<(DateTime<Utc>, DemoDelivery)>,
    store: &DemoStore,
    told: &Told,
    at: DateTime<Utc>,
    nonce: u64,
) {
    if let Some(message) = message(store, told, at, nonce) {
        let store = store.slug.to_owned();
        sent.push((
            at,
            DemoDelivery { store, topic: message.topic, headers: message.headers, body: message.body },
        ));
    }
}

/// About one in eight comes again, seconds or hours later; of Shopify's, some with a delivery id of their own.
fn duplicate(sent: &mut Vec<(DateTime<Utc>, DemoDelivery)>, rng: &mut Rng) {
    let mut again: Vec<(DateTime<Utc>, DemoDelivery)> = Vec::new();
    for (at, delivery) in sent.iter() {
        if rng.u8(0..8) != 0 {
            continue;
        }
        let mut copy = delivery.clone();
        let later = if rng.bool() { Duration::seconds(1) } else { Duration::minutes(rng.i64(1..300)) };
        if rng.u8(0..3) == 0 {
            for (_, id) in copy.headers.iter_mut().filter(|(name, _)| name == "X-Shopify-Webhook-Id") {
                *id = uuid::Uuid::from_u64_pair(rng.u64(..), rng.u64(..)).to_string();
            }
        }
        again.push((*at + later, copy));
    }
    sent.extend(again);
}

#[cfg(test)]
mod tests;
