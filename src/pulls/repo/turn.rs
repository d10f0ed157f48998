//! One reader at a time for each store and kind, in all processes: a lock that its session holds.

use diesel::sql_types::{Bool, Integer};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::super::{Cause, Kind};
use crate::core::ids::StoreId;
use crate::db::{Db, DbError, connect};

/// Free again when it is dropped, or when its process dies.
pub struct Turn {
    session: PgConnection,
    key: i32,
}

/// "pull" as a number: the first of two keys, so that no lock of a single key is met.
const CLASS: i32 = 0x7075_6c6c;

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Bool)]
    got: bool,
}

impl Turn {
    /// `None` while somebody else reads. A backfill has a turn of its own.
    pub fn take(db: &Db, store: StoreId, kind: Kind, cause: Cause) -> Result<Option<Self>, DbError> {
        let mut session = connect(db.url())?;
        let place = Kind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
        let place = i32::try_from(place).unwrap_or_default() * 2 + i32::from(cause.is_aside());
        let key = store.0.wrapping_mul(8).wrapping_add(place);
        let claim: Got = sql_query("select pg_try_advisory_lock($1, $2) as got")
            .bind::<Integer, _>(CLASS)
            .bind::<Integer, _>(key)
            .get_result(&mut session)?;
        Ok(claim.got.then_some(Self { session, key }))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The end of the session frees it too, but only a moment later.
        let _ended_anyway = sql_query("select pg_advisory_unlock($1, $2)")
            .bind::<Integer, _>(CLASS)
            .bind::<Integer, _>(self.key)
            .execute(&mut self.session);
    }
}
