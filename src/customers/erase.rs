//! Personal data leaves what was stored of deliveries, the proof stays.
//!
//! A body is reduced to what its reports need, by trying: a key that can be left out without changing a report is
//! left out, a text that can be any other is made one. What remains says the same to every replay and holds nothing
//! but what the order itself is known by. A body that cannot be reduced so is refused, never changed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::repo::erase as repo;
use crate::core::ids::{DeliveryId, StoreId};
use crate::core::order::Report;
use crate::db::{Conn, DbError, Tx};
use crate::ingest::{self, StoredDelivery};
use crate::stores::ParseError;

/// What a delivery of the store tells.
pub type Lines<'a> = &'a dyn Fn(&StoredDelivery) -> Result<Vec<Report>, ParseError>;

#[derive(Debug, thiserror::Error)]
pub enum EraseProblem {
    #[error("there is no customer {customer} in store {store}")]
    Unknown { store: String, customer: String },
    #[error("delivery {0} would tell something else without its personal data; nothing was changed")]
    Differs(DeliveryId),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// How much was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    pub deliveries: usize,
    pub bytes_before: usize,
    pub bytes_after: usize,
}

impl std::ops::AddAssign for Erased {
    fn add_assign(&mut self, more: Self) {
        self.deliveries += more.deliveries;
        self.bytes_before += more.bytes_before;
        self.bytes_after += more.bytes_after;
    }
}

/// The deliveries about a customer, and about orders that are named besides.
pub fn deliveries_of(
    conn: &mut Conn,
    store: StoreId,
    customer: &str,
    orders: &[String],
) -> Result<Vec<Uuid>, DbError> {
    repo::of_customer(conn, store, customer, orders)
}

/// Forgotten customers of whom something was processed since.
pub fn told_since_forgotten(conn: &mut Conn) -> Result<Vec<(StoreId, String)>, DbError> {
    repo::told_since_forgotten(conn)
}

/// The next deliveries of a store that are as they came.
pub fn deliveries_of_store(
    conn: &mut Conn,
    store: StoreId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    repo::of_store(conn, store, after, limit)
}

/// Reduces the deliveries and empties the customer's record; without a customer that of all of the store.
pub fn erase(
    tx: &mut Tx<'_>,
    (store, customer): (StoreId, Option<&str>),
    deliveries: &[Uuid],
    lines: Lines<'_>,
    (by, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Erased, EraseProblem> {
    let mut erased = Erased::default();
    // A page at a time, so that a customer of many orders does not lie in memory as a whole.
    for ids in deliveries.chunks(PAGE) {
        let mut redactions = vec![];
        for delivery in ingest::load(tx.conn, ids)? {
            let body = minimal(&delivery, lines)?;
            if body == delivery.body {
                continue;
            }
            erased += Erased { deliveries: 1, bytes_before: delivery.body.len(), bytes_after: body.len() };
            redactions.push(repo::Redaction {
                delivery: delivery.id,
                body: ingest::compress(&body),
                body_bytes: body.len(),
                sha256: ingest::sha256(&body),
            });
        }
        repo::redact(tx.conn, &redactions, by, reason, now)?;
    }
    repo::forget(tx.conn, store, customer, now)?;
    Ok(erased)
}

const PAGE: usize = 100;

/// The smallest body that tells the same. One that cannot be read tells nothing, and may go on telling nothing.
fn minimal(delivery: &StoredDelivery, lines: Lines<'_>) -> Result<Vec<u8>, EraseProblem> {
    let told = essence(lines(delivery));
    let says = |body: &str| {
        let reduced = StoredDelivery { body: body.as_bytes().to_vec(), ..delivery.clone() };
        match (&told, essence(lines(&reduced))) {
            (Some(told), Some(says)) => *told == says,
            (Some(_), None) => false,
            (None, says) => says.iter().flatten().all(|report| matches!(report, Report::Ignored { .. })),
        }
    };
    let whole = std::str::from_utf8(&delivery.body).ok().and_then(Node::read);
    let body = match (&told, whole) {
        (None, _) => "{}".to_owned(),
        // What is read without being JSON is a ping.
        (Some(_), None) => return Ok(delivery.body.clone()),
        (Some(_), Some(mut whole)) => {
            reduce(&mut whole, &says);
            whole.to_string()
        }
    };
    if says(&body) { Ok(body.into_bytes()) } else { Err(EraseProblem::Differs(delivery.id)) }
}

/// What counts of reports: all that an order is folded from, and of all else only what it is about.
fn essence(told: Result<Vec<Report>, ParseError>) -> Option<Vec<Report>> {
    let mut reports = told.ok()?;
    for report in &mut reports {
        if let Report::Customer(customer) = report {
            customer.places.clear();
            customer.created_at = None;
        }
    }
    Some(reports)
}

/// JSON as it stands: names in their order, values with their own text.
enum Node {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// Number, text, `true`, `null`: as it was written.
    Leaf(String),
}

/// In place of a text that nobody reads.
const ANY: &str = "\"-\"";

impl Node {
    fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn nothing() -> Self {
        Self::Leaf("null".to_owned())
    }

    /// The node at a path of positions.
    fn at(&mut self, path: &[usize]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, at| match node {
            Self::Object(fields) => fields.get_mut(*at).map(|(_, value)| value),
            Self::Array(items) => items.get_mut(*at),
            Self::Leaf(_) => None,
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Object(fields) => fields.len(),
            Self::Array(items) => items.len(),
            Self::Leaf(_) => 0,
        }
    }

    fn take(&mut self, at: usize) -> Option<(Option<String>, Self)> {
        match self {
            Self::Object(fields) if at < fields.len() => {
                let (name, value) = fields.remove(at);
                Some((Some(name), value))
            }
            Self::Array(items) if at < items.len() => Some((None, items.remove(at))),
            _ => None,
        }
    }

    fn put_back(&mut self, at: usize, name: Option<String>, value: Self) {
        match (self, name) {
            (Self::Object(fields), Some(name)) => fields.insert(at, (name, value)),
            (Self::Array(items), _) => items.insert(at, value),
            _ => {}
        }
    }
}

/// Leaves out whatever can be, from the outside in: a part that is needed is looked into.
fn reduce(whole: &mut Node, says: &dyn Fn(&str) -> bool) {
    let mut paths: Vec<Vec<usize>> = vec![vec![]];
    while let Some(path) = paths.pop() {
        let parts = whole.at(&path).map_or(0, |node| node.len());
        // From behind, so that the positions before stay as they are.
        for at in (0..parts).rev() {
            let Some((name, value)) = whole.at(&path).and_then(|node| node.take(at)) else { continue };
            if says(&whole.to_string()) {
                continue;
            }
            if let Some(node) = whole.at(&path) {
                node.put_back(at, name, value);
            }
        }
        let left = whole.at(&path).map_or(0, |node| node.len());
        for at in 0..left {
            let below = [path.as_slice(), &[at]].concat();
            if !reduce_text(whole, &below, says) {
                paths.push(below);
            }
        }
    }
}

/// Whether there is a single value; a text that can be any other is made one.
fn reduce_text(whole: &mut Node, path: &[usize], says: &dyn Fn(&str) -> bool) -> bool {
    let Some(Node::Leaf(literal)) = whole.at(path) else { return false };
    if literal.starts_with('"') && literal != ANY {
        let literal = std::mem::replace(literal, ANY.to_owned());
        if !says(&whole.to_string())
            && let Some(node) = whole.at(path)
        {
            *node = Node::Leaf(literal);
        }
    }
    true
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(literal) => f.write_str(literal),
            Self::Array(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Object(fields) => {
                f.write_str("{")?;
                for (i, (name, value)) in fields.iter().enumerate() {
                    let name = serde_json::to_string(name).map_err(|_| fmt::Error)?;
                    write!(f, "{}{name}:{value}", if i > 0 { "," } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let literal = raw.get();
        let read = match literal.as_bytes().first() {
            Some(b'{') => serde_json::from_str(literal).map(|Fields(fields)| Self::Object(fields)),
            Some(b'[') => serde_json::from_str(literal).map(Self::Array),
            Some(_) => Ok(Self::Leaf(literal.to_owned())),
            None => Ok(Self::nothing()),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// Names may come twice, and keep their order.
struct Fields(Vec<(String, Node)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = vec![];
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests;
