//! SKU mappings as a person reads them: the version that holds now, and all versions of one key.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{Conn, Page, limit};
use crate::db::DbError;

/// Empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub q: String,
    pub class: String,
    pub platform: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && self.class.is_empty() && self.platform.is_empty()
    }
}

#[derive(Clone, Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = BigInt)]
    pub mapping_id: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    pub store_id: Option<i32>,
    /// Slug; none in all stores of the platform.
    #[diesel(sql_type = Nullable<Text>)]
    pub store: Option<String>,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub key_kind: String,
    #[diesel(sql_type = Text)]
    pub key_value: String,
    #[diesel(sql_type = Text)]
    pub sku_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub category: String,
    #[diesel(sql_type = Text)]
    pub commission_class: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub effective_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub recorded_by: String,
    #[diesel(sql_type = Bool)]
    pub imported: bool,
    #[diesel(sql_type = BigInt)]
    pub versions: i64,
}

const ROW: &str =
    "m.mapping_id, m.store_id, s.slug as store, m.platform, m.key_kind, m.key_value, m.sku_id, m.name,
    m.category, m.commission_class, nullif(m.effective_from, '-infinity') as effective_from, m.recorded_at,
    m.recorded_by, m.import_id is not null as imported";

/// Where a page begins: after this key of this platform, kind and store.
pub type Key = (String, String, String, i32);

/// The versions that hold at `now`, by key.
pub fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Key>,
    now: DateTime<Utc>,
) -> Result<Page<Row, Key>, DbError> {
    let (value, platform, kind, store) = after.unwrap_or_default();
    let rows: Vec<Row> = sql_query(format!(
        "with m as (
           select distinct on (store_id, platform, key_kind, key_value) x.*,
                  count(*) over (partition by store_id, platform, key_kind, key_value) as versions
           from sku_mappings x where effective_from <= $1
           order by store_id, platform, key_kind, key_value, effective_from desc, mapping_id desc)
         select {ROW}, m.versions from m left join stores s using (store_id)
         where (m.key_value, m.platform, m.key_kind, coalesce(m.store_id, 0)) > ($2, $3, $4, $5)
           and ($6 = '' or m.commission_class = $6) and ($7 = '' or m.platform = $7)
           and ($8 = '' or strpos(lower(m.key_value), $8) > 0 or strpos(lower(m.sku_id), $8) > 0
                or strpos(lower(m.name), $8) > 0 or strpos(lower(m.category), $8) > 0)
         order by m.key_value, m.platform, m.key_kind, coalesce(m.store_id, 0) limit $9"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(value)
    .bind::<Text, _>(platform)
    .bind::<Text, _>(kind)
    .bind::<Integer, _>(store)
    .bind::<Text, _>(&filter.class)
    .bind::<Text, _>(&filter.platform)
    .bind::<Text, _>(filter.q.trim().to_lowercase())
    .bind::<BigInt, _>(limit())
    .load(conn)?;
    Ok(Page::cut(rows, |row| {
        (row.key_value.clone(), row.platform.clone(), row.key_kind.clone(), row.store_id.unwrap_or(0))
    }))
}

/// The given versions, in no particular order.
pub fn by_id(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Row>, DbError> {
    Ok(sql_query(format!(
        "select {ROW}, 1::bigint as versions from sku_mappings m left join stores s using (store_id)
         where m.mapping_id = any($1)"
    ))
    .bind::<Array<BigInt>, _>(ids)
    .load(conn)?)
}

/// All versions of the key that `id` is a version of: the latest effective first, the latest recorded before.
pub fn history(conn: &mut Conn, id: i64) -> Result<Vec<Row>, DbError> {
    Ok(sql_query(format!(
        "select {ROW}, 1::bigint as versions from sku_mappings k
         join sku_mappings m on m.platform = k.platform and m.key_kind = k.key_kind and m.key_value = k.key_value
          and m.store_id is not distinct from k.store_id
         left join stores s on s.store_id = m.store_id
         where k.mapping_id = $1 order by m.effective_from desc, m.mapping_id desc"
    ))
    .bind::<BigInt, _>(id)
    .load(conn)?)
}

/// How the same key is mapped elsewhere: a suggestion, nothing more.
#[derive(Clone, Debug, QueryableByName)]
pub struct Suggestion {
    #[diesel(sql_type = Text)]
    pub key_value: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    #[diesel(sql_type = Text)]
    pub sku_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub category: String,
    #[diesel(sql_type = Text)]
    pub commission_class: String,
}

pub fn suggestions(conn: &mut Conn, keys: &[String]) -> Result<Vec<Suggestion>, DbError> {
    Ok(sql_query(
        "select distinct on (m.key_value) m.key_value, m.platform, m.sku_id, m.name, m.category, m.commission_class
         from sku_mappings m where m.key_value = any($1) order by m.key_value, m.mapping_id desc",
    )
    .bind::<Array<Text>, _>(keys)
    .load(conn)?)
}

/// Where a product was seen that nothing is mapped for.
#[derive(Clone, Debug, QueryableByName)]
pub struct Seen {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Text)]
    pub store: String,
    #[diesel(sql_type = Text)]
    pub platform: String,
    /// What one of the orders calls it.
    #[diesel(sql_type = Text)]
    pub title: String,
}

/// One row a store, by platform.
pub fn seen(conn: &mut Conn, cause: &str) -> Result<Vec<Seen>, DbError> {
    Ok(sql_query(
        "select s.store_id, s.slug as store, s.platform, min(h.detail) as title
         from holds h join orders o using (order_id) join stores s using (store_id)
         where h.reason = 'unmapped_sku' and h.cause = $1
         group by s.store_id, s.slug, s.platform order by s.platform, s.slug",
    )
    .bind::<Text, _>(cause)
    .load(conn)?)
}
