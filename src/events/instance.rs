//! Which processes are alive, so that the leases of a dead one can be freed at once.
//!
//! Each process holds a session lock named by its instance id on a connection of its own. PostgreSQL drops the
//! lock the moment the process dies; whoever then gets it knows that its owner is gone.

use diesel::sql_types::{BigInt, Bool, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::clock::new_id;
use crate::db::{DbError, Tx, connect};

pub struct Instance {
    id: Uuid,
    /// Holds the lock by being open.
    session: std::sync::Mutex<Option<PgConnection>>,
    url: String,
}

impl Instance {
    pub fn register(url: &str) -> Result<Self, DbError> {
        let instance = Self { id: new_id(), session: std::sync::Mutex::new(None), url: url.to_owned() };
        instance.ensure_registered()?;
        Ok(instance)
    }

    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Takes the lock again after a lost connection.
    pub fn ensure_registered(&self) -> Result<(), DbError> {
        let Ok(mut session) = self.session.lock() else { return Ok(()) };
        if session.as_mut().is_some_and(|conn| sql_query("select 1").execute(conn).is_ok()) {
            return Ok(());
        }
        let mut conn = connect(&self.url)?;
        sql_query("select pg_advisory_lock($1)").bind::<BigInt, _>(lock_key(self.id)).execute(&mut conn)?;
        *session = Some(conn);
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = SqlUuid)]
    lease_owner: Uuid,
}

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Bool)]
    got: bool,
}

/// Frees the claims of processes that are gone. Returns how many events came free.
pub(super) fn free_leases_of_the_dead(tx: &mut Tx<'_>, me: Uuid) -> Result<usize, DbError> {
    let owners: Vec<Owner> = sql_query(
        "select distinct lease_owner from outbox where lease_owner is not null and lease_owner <> $1",
    )
    .bind::<SqlUuid, _>(me)
    .load(tx.conn)?;
    let mut freed = 0;
    for Owner { lease_owner } in owners {
        let dead: Got = sql_query("select pg_try_advisory_xact_lock($1) as got")
            .bind::<BigInt, _>(lock_key(lease_owner))
            .get_result(tx.conn)?;
        if dead.got {
            freed +=
                sql_query("update outbox set lease_owner = null, lease_until = null where lease_owner = $1")
                    .bind::<SqlUuid, _>(lease_owner)
                    .execute(tx.conn)?;
        }
    }
    Ok(freed)
}

/// The random half of the id.
fn lock_key(id: Uuid) -> i64 {
    let (_, low) = id.as_u64_pair();
    i64::from_ne_bytes(low.to_ne_bytes())
}
