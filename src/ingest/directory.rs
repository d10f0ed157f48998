//! The stores that may deliver: slug, platform, secrets, places of attribution.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use secrecy::{ExposeSecret, SecretSlice};

use crate::core::ids::StoreId;
use crate::db::{Cached, DbError, Tx, bump};
use crate::vault::Vault;

#[derive(Clone, Debug)]
pub struct Store {
    pub id: StoreId,
    pub slug: String,
    pub platform: String,
    pub name: String,
    /// Ordered places where a distributor may be named.
    pub attribution: Vec<String>,
    pub active: bool,
    pub created_at: DateTime<Utc>,
    /// Sealed; the live ones, newest first.
    pub secrets: Vec<SealedSecret>,
}

#[derive(Clone, Debug)]
pub struct SealedSecret {
    pub secret_no: i32,
    pub sealed: Vec<u8>,
    pub created_at: DateTime<Utc>,
}

/// What can be wrong with a new store or secret; a person reads it.
#[derive(Debug, thiserror::Error)]
pub enum StoreProblem {
    #[error("a store with the slug {0:?} exists already")]
    SlugTaken(String),
    #[error("{0:?} is no slug: use 1 to 63 lower-case letters, digits and hyphens, such as main or shop-eu")]
    BadSlug(String),
    #[error("there is no store {0:?}")]
    Unknown(String),
    #[error("the secret is empty: a webhook that anybody can sign proves nothing")]
    EmptySecret,
    #[error("two secrets are live already: retire the old one first")]
    TwoLive,
    #[error("the secret could not be sealed")]
    Vault(#[from] crate::vault::VaultError),
    #[error("the store could not be saved")]
    Db(#[from] DbError),
}

pub struct NewStore<'a> {
    pub slug: &'a str,
    pub platform: &'a str,
    pub name: &'a str,
    pub attribution: &'a [String],
    pub secret: Option<&'a str>,
}

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
        "select store_id, slug, platform, name, attribution, active, created_at from stores order by slug",
    )
    .load(conn)?;
    let secrets: Vec<SecretRow> = sql_query(
        "select store_id, secret_no, sealed, created_at from store_secrets
         where retired_at is null order by store_id, secret_no desc",
    )
    .load(conn)?;
    let mut by_store: HashMap<i32, Vec<SealedSecret>> = HashMap::new();
    for row in secrets {
        let SecretRow { store_id, secret_no, sealed, created_at } = row;
        by_store.entry(store_id).or_default().push(SealedSecret { secret_no, sealed, created_at });
    }
    Ok(rows.into_iter().map(|row| Store::from_row(row, &mut by_store)).collect())
}

impl Store {
    fn from_row(row: Row, secrets: &mut HashMap<i32, Vec<SealedSecret>>) -> Self {
        Self {
            id: StoreId(row.store_id),
            slug: row.slug,
            platform: row.platform,
            name: row.name,
            attribution: row.attribution,
            active: row.active,
            created_at: row.created_at,
            secrets: secrets.remove(&row.store_id).unwrap_or_default(),
        }
    }
}

/// Returns the id of the store.
pub fn add_store(
    tx: &mut Tx<'_>,
    vault: &Vault,
    new: &NewStore<'_>,
    now: DateTime<Utc>,
) -> Result<StoreId, StoreProblem> {
    let row = sql_query(
        "insert into stores (slug, platform, name, attribution, created_at) values ($1, $2, $3, $4, $5)
         on conflict (slug) do nothing
         returning store_id, slug, platform, name, attribution, active, created_at",
    )
    .bind::<Text, _>(new.slug)
    .bind::<Text, _>(new.platform)
    .bind::<Text, _>(new.name)
    .bind::<Array<Text>, _>(new.attribution)
    .bind::<Timestamptz, _>(now)
    .get_result::<Row>(tx.conn)
    .optional()
    .map_err(|error| match DbError::from(error) {
        refused if refused.is_constraint("stores_slug_check") => StoreProblem::BadSlug(new.slug.to_owned()),
        other => StoreProblem::Db(other),
    })?
    .ok_or_else(|| StoreProblem::SlugTaken(new.slug.to_owned()))?;
    if let Some(secret) = new.secret {
        add_secret(tx, vault, new.slug, secret, now)?;
    }
    bump(tx, "stores")?;
    Ok(StoreId(row.store_id))
}

#[derive(QueryableByName)]
struct Live {
    #[diesel(sql_type = Integer)]
    store_id: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    newest: Option<i32>,
    #[diesel(sql_type = Integer)]
    live: i32,
}

/// A second live secret beside the first, so that a store can change over without a gap.
pub fn add_secret(
    tx: &mut Tx<'_>,
    vault: &Vault,
    slug: &str,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreProblem> {
    if secret.is_empty() {
        return Err(StoreProblem::EmptySecret);
    }
    let Live { store_id, newest, live } = lock_secrets(tx, slug)?;
    if live >= 2 {
        return Err(StoreProblem::TwoLive);
    }
    sql_query("insert into store_secrets (store_id, secret_no, sealed, created_at) values ($1, $2, $3, $4)")
        .bind::<Integer, _>(store_id)
        .bind::<Integer, _>(newest.unwrap_or(0) + 1)
        .bind::<Binary, _>(vault.seal(secret.as_bytes())?)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn)
        .map_err(DbError::from)?;
    Ok(bump(tx, "stores")?)
}

/// Ends every live secret but the newest. Returns how many that were.
pub fn retire_secrets(tx: &mut Tx<'_>, slug: &str, now: DateTime<Utc>) -> Result<usize, StoreProblem> {
    let Live { store_id, newest, .. } = lock_secrets(tx, slug)?;
    let retired = sql_query(
        "update store_secrets set retired_at = $3 where store_id = $1 and secret_no <> $2 and retired_at is null",
    )
    .bind::<Integer, _>(store_id)
    .bind::<Integer, _>(newest.unwrap_or(0))
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn)
    .map_err(DbError::from)?;
    bump(tx, "stores")?;
    Ok(retired)
}

fn lock_secrets(tx: &mut Tx<'_>, slug: &str) -> Result<Live, StoreProblem> {
    sql_query(
        "select s.store_id,
                (select max(secret_no) from store_secrets x where x.store_id = s.store_id) as newest,
                (select count(*)::int from store_secrets x where x.store_id = s.store_id and retired_at is null) as live
         from stores s where slug = $1 for update",
    )
    .bind::<Text, _>(slug)
    .get_result(tx.conn)
    .optional()
    .map_err(DbError::from)?
    .ok_or_else(|| StoreProblem::Unknown(slug.to_owned()))
}

/// All stores in memory with their opened secrets, as fresh as the asking database transaction.
pub struct StoreDirectory {
    vault: Vault,
    stores: Cached<Vec<Store>>,
}

/// What verifying a delivery needs.
#[derive(Clone)]
pub struct Receiver {
    pub store: Arc<Store>,
    pub secrets: Vec<Arc<SecretSlice<u8>>>,
}

impl StoreDirectory {
    pub fn new(vault: Vault) -> Self {
        Self { vault, stores: Cached::new("stores", list_stores) }
    }

    pub fn all(&self, conn: &mut PgConnection) -> Result<Arc<Vec<Store>>, DbError> {
        self.stores.get(conn)
    }

    /// Every active store ready to receive, by slug.
    pub fn receivers(&self, conn: &mut PgConnection) -> Result<HashMap<String, Receiver>, DbError> {
        let stores = self.all(conn)?;
        Ok(stores.iter().filter(|s| s.active).map(|s| (s.slug.clone(), self.receiver(s))).collect())
    }

    fn receiver(&self, store: &Store) -> Receiver {
        let opened = store.secrets.iter().filter_map(|secret| match self.vault.open_sealed(&secret.sealed) {
            Ok(bytes) => Some(Arc::new(SecretSlice::from(bytes))),
            Err(error) => {
                tracing::error!(store = store.slug, secret_no = secret.secret_no, %error, "secret unusable");
                None
            }
        });
        Receiver { secrets: opened.collect(), store: Arc::new(store.clone()) }
    }
}

impl Receiver {
    /// The live secrets' bytes, for as long as the receiver is borrowed.
    pub fn secret_bytes(&self) -> Vec<&[u8]> {
        self.secrets.iter().map(|secret| secret.expose_secret()).collect()
    }
}
