//! What waits for a person: numbers for the menu and for the dashboard. Counted only so far.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::Conn;
use crate::db::DbError;

/// Nobody needs to know whether it is a thousand or a million.
pub const ENOUGH: i64 = 1000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Waiting {
    /// Orders.
    #[diesel(sql_type = BigInt)]
    pub held: i64,
    /// Products.
    #[diesel(sql_type = BigInt)]
    pub unmapped: i64,
    /// Deliveries and orders that failed too often.
    #[diesel(sql_type = BigInt)]
    pub parked: i64,
    /// Warnings and alarms.
    #[diesel(sql_type = BigInt)]
    pub notices: i64,
    /// When the ledger was verified last.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub verified_at: Option<DateTime<Utc>>,
    /// What came of it.
    #[diesel(sql_type = Nullable<Bool>)]
    pub verified_ok: Option<bool>,
}

/// Up to [`ENOUGH`] of each, and one more when there are more.
pub fn waiting(conn: &mut Conn) -> Result<Waiting, DbError> {
    Ok(sql_query(
        "select (select count(*) from (select distinct order_id from holds limit $1) h) as held,
                (select count(*) from (select distinct cause from holds where reason = $2 limit $1) u) as unmapped,
                (select count(*) from (select 1 from outbox where parked_at is not null limit $1) p) as parked,
                (select count(*) from notices where resolved_at is null and severity <> 'info') as notices,
                v.at as verified_at, v.ok as verified_ok
         from (select 1) once
         left join (select at, ok from verifications order by verification_no desc limit 1) v on true",
    )
    .bind::<BigInt, _>(ENOUGH + 1)
    .bind::<Text, _>(crate::core::assess::Hold::UnmappedSku.name())
    .get_result(conn)?)
}
