//! A store's policy: how long the first order that names a distributor binds its customer.

use chrono::{DateTime, Utc};

use super::repo;
use crate::core::attribution::PLACE_CUSTOMER;
use crate::core::binding::Policy;
use crate::core::ids::StoreId;
use crate::db::{DbError, Tx, bump};

#[derive(Clone, Debug)]
pub struct NewPolicy<'a> {
    pub policy: Policy,
    pub own_place: Option<&'a str>,
    pub bound_place: Option<&'a str>,
    /// `None`: the first policy of a store has always been so, a later one holds from now on.
    pub from: Option<DateTime<Utc>>,
}

/// Adds a version of the policy. A binding is looked for at the place `customer`: a store that does not ask there
/// gets it as its last place. Returns whether it got it. Orders that are not calculated have to be looked at again.
pub fn set_policy(
    tx: &mut Tx<'_>,
    store: StoreId,
    new: &NewPolicy<'_>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let added = repo::policy::lock(tx.conn, store)?;
    let from = new.from.or((added > 0).then_some(now));
    repo::policy::insert(tx.conn, store, added + 1, new, from, by, now)?;
    let asks = new.policy != Policy::None || new.own_place.is_some() || new.bound_place.is_some();
    let listed = asks && repo::policy::list_place(tx.conn, store, PLACE_CUSTOMER)?;
    bump(tx, "stores")?;
    Ok(listed)
}
