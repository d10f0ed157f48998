//! Taking deliveries in: durable before they are answered.
//!
//! [`accept`] stores deliveries and the events about them in one database transaction; [`Intake`] lets many
//! callers share that transaction. What a delivery means is decided later and elsewhere; here it is bytes.

mod directory;
mod intake;
mod repo;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use directory::{
    NewStore, Receiver, SealedSecret, Store, StoreDirectory, StoreProblem, add_secret, add_store, is_slug,
    retire_secrets, seal_again, set_attribution, set_storefront,
};
pub use intake::{Intake, IntakeError};
pub use repo::{StoredDelivery, list_stores, load, load_page};

use crate::clock::new_id;
use crate::core::ids::{DeliveryId, StoreId};
use crate::db::{DbError, Tx};
use crate::events::{self, Topic};

/// Topic of orders that come over the direct API instead of a store's webhook.
pub const DIRECT_TOPIC: &str = "direct.order";

/// A verified delivery, as it came.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub store: StoreId,
    pub topic: String,
    /// Two deliveries of a store with the same key tell the same thing.
    pub dedupe_key: [u8; 32],
    /// The platform's own ids: evidence only.
    pub delivery_key: Option<String>,
    pub event_key: Option<String>,
    pub triggered_at: Option<DateTime<Utc>>,
    pub headers: BTreeMap<String, String>,
    /// Compressed by [`compress`].
    pub body: Vec<u8>,
    pub body_bytes: usize,
    pub body_sha256: [u8; 32],
    /// When its first byte was read.
    pub received_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    New(DeliveryId),
    /// Told before; the id is the first one's.
    Repeat(DeliveryId),
}

impl Accepted {
    pub fn id(self) -> DeliveryId {
        match self {
            Self::New(id) | Self::Repeat(id) => id,
        }
    }

    fn news(self, delivery: &NewDelivery) -> Option<(Uuid, DateTime<Utc>)> {
        match self {
            Self::New(id) => Some((id.0, delivery.received_at)),
            Self::Repeat(_) => None,
        }
    }
}

/// Stores deliveries, repeats among them, and publishes one event for each that says something new.
/// The answers are in the order of `deliveries`.
pub fn accept(tx: &mut Tx<'_>, deliveries: &[NewDelivery]) -> Result<Vec<Accepted>, DbError> {
    // A duplicate inside one batch must not be inserted, and not be published, twice.
    let mut firsts: BTreeMap<(StoreId, [u8; 32]), (Uuid, usize)> = BTreeMap::new();
    for (i, delivery) in deliveries.iter().enumerate() {
        firsts.entry((delivery.store, delivery.dedupe_key)).or_insert_with(|| (new_id(), i));
    }
    let candidates: Vec<(Uuid, &NewDelivery)> =
        firsts.values().filter_map(|(id, i)| deliveries.get(*i).map(|delivery| (*id, delivery))).collect();
    let known = repo::insert(tx.conn, &candidates)?;
    let mut repeats = vec![];
    let mut answers = Vec::with_capacity(deliveries.len());
    for (i, delivery) in deliveries.iter().enumerate() {
        let key = (delivery.store, delivery.dedupe_key);
        let first = firsts.get(&key).copied();
        let answer = match (known.get(&key), first) {
            (Some(id), _) => Accepted::Repeat(DeliveryId(*id)),
            (None, Some((id, at))) if at == i => Accepted::New(DeliveryId(id)),
            (None, Some((id, _))) => Accepted::Repeat(DeliveryId(id)),
            (None, None) => return Err(DbError::Invariant("a delivery without a first of its kind".into())),
        };
        if let Accepted::Repeat(id) = answer {
            repeats.push((id.0, delivery.received_at));
        }
        answers.push(answer);
    }
    repo::insert_repeats(tx.conn, &repeats)?;
    let news: Vec<(Uuid, DateTime<Utc>)> =
        answers.iter().zip(deliveries).filter_map(|(answer, delivery)| answer.news(delivery)).collect();
    events::publish(tx, Topic::DeliveryAccepted, &news)?;
    Ok(answers)
}

pub fn compress(body: &[u8]) -> Vec<u8> {
    lz4_flex::compress_prepend_size(body)
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
