//! Reading one order, now.

use super::{PullProblem, Taken, take, take_absence};
use crate::clients::StoreApi;
use crate::clock::Clock;
use crate::db::{Db, Lane};
use crate::ingest::Store;

/// What came of reading one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum One {
    /// We did not know it.
    Found,
    /// It stands differently at the store: that is a delivery now.
    Newer,
    Same,
    /// The store does not have it any more: that is a delivery now.
    Gone,
    /// Neither the store has it nor we, or we know that it is deleted.
    Nowhere,
}

impl One {
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Newer => "newer",
            Self::Same => "same",
            Self::Gone => "gone",
            Self::Nowhere => "nowhere",
        }
    }
}

pub fn one(
    db: &Db,
    clock: &Clock,
    api: &dyn StoreApi,
    store: &Store,
    external_id: &str,
) -> Result<One, PullProblem> {
    let read_at = clock.now();
    let read = api.order(external_id)?;
    let now = clock.now();
    let Some(order) = read else {
        let ids = [external_id.to_owned()];
        let gone = db.transact(Lane::Admin, |tx| take_absence(tx, store, &ids, read_at, now))?;
        return Ok(if gone > 0 { One::Gone } else { One::Nowhere });
    };
    let taken = db.transact(Lane::Admin, |tx| take(tx, store, std::slice::from_ref(&order), now))?;
    Ok(match taken {
        Taken { unknown: 1.., .. } => One::Found,
        Taken { told: 1.., .. } => One::Newer,
        _ => One::Same,
    })
}
