//! SQL of positions and their versions.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, SmallInt, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::core::ids::DistributorId;
use crate::core::placement::PlacementVersion;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    position_id: String,
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_id: Option<String>,
    #[diesel(sql_type = SmallInt)]
    side: i16,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    effective_from: Option<DateTime<Utc>>,
}

/// The version that holds from each instant on: the latest recorded where two start together. `known_at`: only
/// what was recorded by then.
pub fn versions(
    conn: &mut PgConnection,
    known_at: Option<DateTime<Utc>>,
) -> Result<Vec<PlacementVersion>, DbError> {
    sql_query(
        "select distinct on (position_id, effective_from)
                position_id, distributor_id, parent_id, side, nullif(effective_from, '-infinity') as effective_from
         from placement_versions where $1 is null or recorded_at <= $1
         order by position_id, effective_from, version_no desc",
    )
    .bind::<Nullable<Timestamptz>, _>(known_at)
    .load::<Row>(conn)?
    .into_iter()
    .map(|row| {
        let side = u16::try_from(row.side)
            .map_err(|_| DbError::Damaged(format!("side of position {}", row.position_id)))?;
        Ok(PlacementVersion {
            position: row.position_id,
            owner: DistributorId::new(row.distributor_id),
            parent: row.parent_id,
            side,
            from: row.effective_from,
        })
    })
    .collect()
}

/// Rows of one statement: a whole company is a few of them, and none takes long.
const CHUNK: usize = 20_000;

/// Each behind those that its position has.
pub fn insert(
    conn: &mut PgConnection,
    versions: &[PlacementVersion],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    versions.chunks(CHUNK).try_for_each(|chunk| insert_chunk(conn, chunk, by, now))
}

fn insert_chunk(
    conn: &mut PgConnection,
    versions: &[PlacementVersion],
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let side = |version: &PlacementVersion| {
        i16::try_from(version.side).map_err(|_| {
            DbError::Invariant(format!("position {} is at place {}", version.position, version.side))
        })
    };
    let sides: Vec<i16> = versions.iter().map(side).collect::<Result<_, _>>()?;
    sql_query(
        "insert into placement_versions
           (position_id, version_no, distributor_id, parent_id, side, effective_from, recorded_at, recorded_by)
         select t.position_id,
                coalesce((select max(version_no) from placement_versions v where v.position_id = t.position_id), 0)
                  + row_number() over (partition by t.position_id order by t.effective_from nulls first),
                t.distributor_id, t.parent_id, t.side, coalesce(t.effective_from, '-infinity'), $6, $7
         from unnest($1, $2, $3, $4, $5) as t(position_id, distributor_id, parent_id, side, effective_from)",
    )
    .bind::<Array<Text>, _>(versions.iter().map(|v| v.position.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(versions.iter().map(|v| v.owner.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(versions.iter().map(|v| v.parent.as_deref()).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(sides)
    .bind::<Array<Nullable<Timestamptz>>, _>(versions.iter().map(|v| v.from).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .execute(conn)?;
    Ok(())
}
