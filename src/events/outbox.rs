//! The outbox table: publish, claim, complete, fail, park.
//!
//! Attempts are counted when work is claimed, before it is tried, so that work which kills the process is
//! counted too. Work that has failed before is claimed alone: it cannot drag its neighbours down again.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Interval, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::Topic;
use crate::clock::new_id;
use crate::db::{DbError, Tx};

/// One claimed piece of work.
#[derive(Clone, Debug, QueryableByName)]
pub struct Event {
    #[diesel(sql_type = SqlUuid)]
    pub event_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub key: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    /// This one included.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
}

/// Adds events in the caller's database transaction, each with its key and when its cause came in from outside:
/// latency is measured from there.
pub fn publish(tx: &mut Tx<'_>, topic: Topic, events: &[(Uuid, DateTime<Utc>)]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|_| new_id()).collect();
    let (keys, occurred): (Vec<Uuid>, Vec<DateTime<Utc>>) = events.iter().copied().unzip();
    sql_query(
        "insert into outbox (topic, event_id, key, occurred_at)
         select $1, event_id, key, occurred_at from unnest($2, $3, $4) as t(event_id, key, occurred_at)",
    )
    .bind::<Text, _>(topic.name())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(keys)
    .bind::<Array<Timestamptz>, _>(occurred)
    .execute(tx.conn)?;
    tx.ring(topic.name());
    Ok(())
}

/// How long a claim holds. A batch takes milliseconds; a dead owner is noticed sooner than this.
const LEASE: chrono::TimeDelta = chrono::TimeDelta::seconds(60);
/// After so many attempts an event is parked for a person.
pub const MAX_ATTEMPTS: i32 = 5;

/// Takes up to `limit` events that were never tried, or else one that has failed before.
pub(super) fn claim(tx: &mut Tx<'_>, topic: Topic, owner: Uuid, limit: i64) -> Result<Vec<Event>, DbError> {
    let fresh = claim_where(tx, topic, owner, limit, "attempts = 0")?;
    if !fresh.is_empty() {
        return Ok(fresh);
    }
    claim_where(tx, topic, owner, 1, "attempts > 0")
}

fn claim_where(
    tx: &mut Tx<'_>,
    topic: Topic,
    owner: Uuid,
    limit: i64,
    which: &str,
) -> Result<Vec<Event>, DbError> {
    let claimed = sql_query(format!(
        "with picked as (
           select event_id from outbox
           where topic = $1 and parked_at is null and {which} and (lease_until is null or lease_until < now())
           order by event_id limit $2 for update skip locked)
         update outbox o set attempts = attempts + 1, lease_owner = $3, lease_until = now() + $4
         from picked where o.topic = $1 and o.event_id = picked.event_id
         returning o.event_id, o.key, o.occurred_at, o.attempts"
    ))
    .bind::<Text, _>(topic.name())
    .bind::<BigInt, _>(limit)
    .bind::<SqlUuid, _>(owner)
    .bind::<Interval, _>(LEASE)
    .load::<Event>(tx.conn)?;
    Ok(claimed)
}

/// Removes finished events in the database transaction of their effect. Whoever lost the lease writes nothing.
pub(super) fn complete(tx: &mut Tx<'_>, topic: Topic, owner: Uuid, events: &[Event]) -> Result<(), DbError> {
    let done = sql_query("delete from outbox where topic = $1 and event_id = any($2) and lease_owner = $3")
        .bind::<Text, _>(topic.name())
        .bind::<Array<SqlUuid>, _>(ids(events))
        .bind::<SqlUuid, _>(owner)
        .execute(tx.conn)?;
    if done == events.len() { Ok(()) } else { Err(DbError::Fenced("outbox events")) }
}

/// Gives claimed events back untried: what stopped them was not their fault.
pub(super) fn release(tx: &mut Tx<'_>, topic: Topic, owner: Uuid, events: &[Event]) -> Result<(), DbError> {
    sql_query(
        "update outbox set attempts = attempts - 1, lease_owner = null, lease_until = null
         where topic = $1 and event_id = any($2) and lease_owner = $3",
    )
    .bind::<Text, _>(topic.name())
    .bind::<Array<SqlUuid>, _>(ids(events))
    .bind::<SqlUuid, _>(owner)
    .execute(tx.conn)?;
    Ok(())
}

/// Puts a failed event aside: for a while, or for a person once it has failed too often.
pub(super) fn fail(tx: &mut Tx<'_>, topic: Topic, event: &Event, error: &str) -> Result<(), DbError> {
    let wait = chrono::TimeDelta::seconds(1 << event.attempts.clamp(0, 8));
    sql_query(
        "update outbox set lease_owner = null, lease_until = now() + $3, last_error = $4,
                parked_at = case when attempts >= $5 then now() end
         where topic = $1 and event_id = $2",
    )
    .bind::<Text, _>(topic.name())
    .bind::<SqlUuid, _>(event.event_id)
    .bind::<Interval, _>(wait)
    .bind::<Text, _>(error)
    .bind::<Integer, _>(MAX_ATTEMPTS)
    .execute(tx.conn)?;
    Ok(())
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Backlog {
    #[diesel(sql_type = Text)]
    pub topic: String,
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    #[diesel(sql_type = BigInt)]
    pub parked: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

/// What is still to do, by topic. Empty when everything is done.
pub fn backlog(conn: &mut PgConnection) -> Result<Vec<Backlog>, DbError> {
    Ok(sql_query(
        "select topic, count(*) filter (where parked_at is null) as waiting,
                count(*) filter (where parked_at is not null) as parked,
                min(occurred_at) filter (where parked_at is null) as oldest
         from outbox group by topic order by topic",
    )
    .load(conn)?)
}

/// Gives parked events of a key another round of attempts. Returns how many there were.
pub fn unpark(tx: &mut Tx<'_>, key: Uuid) -> Result<usize, DbError> {
    let freed = sql_query(
        "update outbox set attempts = 0, parked_at = null, lease_until = null, lease_owner = null
         where key = $1 and parked_at is not null",
    )
    .bind::<SqlUuid, _>(key)
    .execute(tx.conn)?;
    Topic::ALL.into_iter().for_each(|topic| tx.ring(topic.name()));
    Ok(freed)
}

fn ids(events: &[Event]) -> Vec<Uuid> {
    events.iter().map(|event| event.event_id).collect()
}
