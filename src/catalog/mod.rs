//! What the company sells: which product of which store is which SKU, in which commission class.
//!
//! Mappings are only ever added; the newest version of a key holds. Orders that wait for one are released by
//! the orders room, not here. [`products`] are what the stores tell of their catalogues, [`suggestions`] how what
//! is not mapped yet probably is.

pub mod import;
pub mod products;
mod repo;
pub mod suggestions;

use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

pub use repo::{CurrentMapping, current};

use crate::core::ids::StoreId;
use crate::core::sku::{Catalog, KeyKind};
use crate::db::{Cached, Conn, DbError, Tx, bump};

/// One version of one mapping, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMapping {
    /// `None`: in all stores of the platform.
    pub store: Option<StoreId>,
    pub platform: String,
    pub kind: KeyKind,
    pub key: String,
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub commission_class: String,
    /// `None`: has always been so.
    pub from: Option<DateTime<Utc>>,
}

/// All mappings in memory, as fresh as the asking database transaction.
pub struct Mappings(Cached<Catalog>);

impl Default for Mappings {
    fn default() -> Self {
        Self(Cached::new("catalog", |conn| Ok(Catalog::new(repo::load(conn)?))))
    }
}

impl Mappings {
    pub fn get(&self, conn: &mut Conn) -> Result<Arc<Catalog>, DbError> {
        self.0.get(conn)
    }
}

/// Adds versions; `import` names the import they came with. Returns how many were added.
pub fn record(
    tx: &mut Tx<'_>,
    mappings: &[NewMapping],
    import: Option<Uuid>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    let added = repo::insert(tx.conn, mappings, import, by, now)?;
    bump(tx, "catalog")?;
    Ok(added)
}
