//! SQL of stores and their sealed secrets.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::super::{NewStore, SealedSecret, Store};
use crate::core::binding::{Policy, Terms};
use crate::core::ids::StoreId;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    platform: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    attribution: Vec<String>,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Nullable<Text>)]
    storefront: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct SecretRow {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Integer)]
    secret_no: i32,
    #[diesel(sql_type = Binary)]
    sealed: Vec<u8>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

/// All stores, by slug.
pub fn list_stores(conn: &mut PgConnection) -> Result<Vec<Store>, DbError> {
    let rows: Vec<Row> = sql_query(
        "select store_id, slug, platform, name, attribution, active, storefront, created_at from stores order by slug",
    )
    .load(conn)?;
    let secrets: Vec<SecretRow> = sql_query(
        "select store_id, secret_no, sealed, created_at from store_secrets
         where retired_at is null order by store_id, secret_no desc",
    )
    .load(conn)?;
    let mut by_store: HashMap<i32, Vec<SealedSecret>> = HashMap::new();
    for SecretRow { store_id, secret_no, sealed, created_at } in secrets {
        by_store.entry(store_id).or_default().push(SealedSecret { secret_no, sealed, created_at });
    }
    let mut terms: HashMap<i32, Vec<Terms>> = HashMap::new();
    for row in sql_query(BINDINGS).load::<BindingRow>(conn)? {
        terms.entry(row.store_id).or_default().push(row.terms());
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let bindings = terms.remove(&row.store_id).unwrap_or_default();
            Store { bindings, ..store(row, &mut by_store) }
        })
        .collect())
}

const BINDINGS: &str = "select store_id, policy_no, days, own_place, bound_place,
        nullif(effective_from, '-infinity') as effective_from from store_bindings order by store_id, policy_no";

#[derive(QueryableByName)]
struct BindingRow {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Integer)]
    policy_no: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    days: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    own_place: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    bound_place: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    effective_from: Option<DateTime<Utc>>,
}

impl BindingRow {
    fn terms(self) -> Terms {
        Terms {
            no: self.policy_no,
            policy: Policy::of_days(self.days.map(|days| u32::try_from(days).unwrap_or(0))),
            own_place: self.own_place,
            bound_place: self.bound_place,
            from: self.effective_from,
        }
    }
}

fn store(row: Row, secrets: &mut HashMap<i32, Vec<SealedSecret>>) -> Store {
    Store {
        id: StoreId(row.store_id),
        slug: row.slug,
        platform: row.platform,
        name: row.name,
        attribution: row.attribution,
        bindings: vec![],
        active: row.active,
        storefront: row.storefront,
        created_at: row.created_at,
        secrets: secrets.remove(&row.store_id).unwrap_or_default(),
    }
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Integer)]
    store_id: i32,
}

/// `None` when the slug is taken.
pub fn insert_store(
    conn: &mut PgConnection,
    new: &NewStore<'_>,
    now: DateTime<Utc>,
) -> Result<Option<StoreId>, DbError> {
    let inserted = sql_query(
        "insert into stores (slug, platform, name, attribution, created_at) values ($1, $2, $3, $4, $5)
         on conflict (slug) do nothing returning store_id",
    )
    .bind::<Text, _>(new.slug)
    .bind::<Text, _>(new.platform)
    .bind::<Text, _>(new.name)
    .bind::<Array<Text>, _>(new.attribution)
    .bind::<Timestamptz, _>(now)
    .get_result::<Id>(conn)
    .optional()?;
    Ok(inserted.map(|row| StoreId(row.store_id)))
}

/// Whether there is such a store.
pub fn set_storefront(conn: &mut PgConnection, slug: &str, url: Option<&str>) -> Result<bool, DbError> {
    let changed = sql_query("update stores set storefront = $2 where slug = $1")
        .bind::<Text, _>(slug)
        .bind::<Nullable<Text>, _>(url)
        .execute(conn)?;
    Ok(changed > 0)
}

/// Returns how many stores have the slug.
pub fn set_attribution(conn: &mut PgConnection, slug: &str, places: &[String]) -> Result<usize, DbError> {
    Ok(sql_query("update stores set attribution = $2 where slug = $1")
        .bind::<Text, _>(slug)
        .bind::<Array<Text>, _>(places)
        .execute(conn)?)
}

/// The state of a store's secrets; its row is locked.
#[derive(QueryableByName)]
pub struct Secrets {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    pub newest: Option<i32>,
    #[diesel(sql_type = Integer)]
    pub live: i32,
}

/// `None` when there is no such store.
pub fn lock_secrets(conn: &mut PgConnection, slug: &str) -> Result<Option<Secrets>, DbError> {
    Ok(sql_query(
        "select s.store_id,
                (select max(secret_no) from store_secrets x where x.store_id = s.store_id) as newest,
                (select count(*)::int from store_secrets x where x.store_id = s.store_id and retired_at is null) as live
         from stores s where slug = $1 for update",
    )
    .bind::<Text, _>(slug)
    .get_result(conn)
    .optional()?)
}

pub fn insert_secret(
    conn: &mut PgConnection,
    secrets: &Secrets,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query("insert into store_secrets (store_id, secret_no, sealed, created_at) values ($1, $2, $3, $4)")
        .bind::<Integer, _>(secrets.store_id)
        .bind::<Integer, _>(secrets.newest.unwrap_or(0) + 1)
        .bind::<Binary, _>(sealed)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    Ok(())
}

/// Ends every live secret but the newest.
pub fn retire_secrets(
    conn: &mut PgConnection,
    secrets: &Secrets,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    Ok(sql_query(
        "update store_secrets set retired_at = $3 where store_id = $1 and secret_no <> $2 and retired_at is null",
    )
    .bind::<Integer, _>(secrets.store_id)
    .bind::<Integer, _>(secrets.newest.unwrap_or(0))
    .bind::<Timestamptz, _>(now)
    .execute(conn)?)
}

#[derive(QueryableByName)]
pub struct SealedRow {
    #[diesel(sql_type = Integer)]
    pub store_id: i32,
    #[diesel(sql_type = Integer)]
    pub secret_no: i32,
    #[diesel(sql_type = Binary)]
    pub sealed: Vec<u8>,
}

/// Of all stores, the retired ones too, held for the rest of the database transaction.
pub fn sealed_secrets(conn: &mut PgConnection) -> Result<Vec<SealedRow>, DbError> {
    let sql = "select store_id, secret_no, sealed from store_secrets order by store_id, secret_no for update";
    Ok(sql_query(sql).load(conn)?)
}

pub fn exchange_sealed(conn: &mut PgConnection, rows: &[SealedRow]) -> Result<(), DbError> {
    sql_query(
        "update store_secrets s set sealed = t.sealed
         from unnest($1, $2, $3) as t(store_id, secret_no, sealed)
         where s.store_id = t.store_id and s.secret_no = t.secret_no",
    )
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.store_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.secret_no).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(rows.iter().map(|row| row.sealed.as_slice()).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}
