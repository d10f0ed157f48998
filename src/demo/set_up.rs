//! Puts the sample company into the database, through the same functions as the command line and the pages.
//!
//! Runs before the first delivery and changes only what is not there yet, so that it can run again and beside
//! a company that somebody has begun to edit.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::company::{Company, DemoStore};
use crate::catalog::{self, Mappings, NewMapping};
use crate::core::genealogy::{DistributorVersion, Status};
use crate::core::ids::DistributorId;
use crate::core::order::ProductKey;
use crate::core::plan::Plan;
use crate::core::sku::KeyKind;
use crate::db::{DbError, Tx};
use crate::distributors::{self, Entry, RecordProblem};
use crate::ingest::{self, NewStore, StoreProblem};
use crate::payees::{self, PayeeError};
use crate::plans::{self, PublishProblem};
use crate::stores::Platform;
use crate::vault::Vault;

#[derive(Debug, thiserror::Error)]
pub enum SetUpProblem {
    #[error(
        "this database has stores of its own ({0}); give the demo another one with --data-dir or DATABASE_URL"
    )]
    Occupied(String),
    #[error("a store of the sample company could not be added")]
    Store(#[from] StoreProblem),
    #[error("the sample company's distributors do not fit those that are there")]
    Distributors(#[from] RecordProblem),
    #[error("the tax numbers of the sample company's distributors could not be sealed")]
    Payees(#[from] PayeeError),
    #[error("the sample company's plan could not be published")]
    Plan(#[from] PublishProblem),
    #[error("the sample company sells in {0}, the plan is in another currency; change the plan's currency")]
    OtherCurrency(&'static str),
    #[error("the database refused")]
    Db(#[from] DbError),
}

/// As whom the sample company is recorded.
const BY: &str = "demo";

/// Refuses a database that somebody uses for something else.
pub fn set_up(
    tx: &mut Tx<'_>,
    vault: &Vault,
    company: &Company,
    now: DateTime<Utc>,
) -> Result<(), SetUpProblem> {
    add_stores(tx, vault, company, now)?;
    add_distributors(tx, vault, company, now)?;
    add_mappings(tx, company, now)?;
    publish_plan(tx, company, now)?;
    fill_positions(tx, company, now)
}

fn add_stores(
    tx: &mut Tx<'_>,
    vault: &Vault,
    company: &Company,
    now: DateTime<Utc>,
) -> Result<(), SetUpProblem> {
    let known = ingest::list_stores(tx.conn)?;
    let is_ours = |slug: &str| company.stores.iter().any(|store| store.slug == slug);
    let theirs: Vec<&str> = known
        .iter()
        .filter(|store| store.platform != Platform::Direct.as_str())
        .map(|store| store.slug.as_str())
        .collect();
    if !theirs.is_empty() && !theirs.iter().any(|slug| is_ours(slug)) {
        return Err(SetUpProblem::Occupied(theirs.join(", ")));
    }
    for store in &company.stores {
        let Some(there) = known.iter().find(|known| known.slug == store.slug) else {
            add_store(tx, vault, store, now)?;
            continue;
        };
        let opened = there.secrets.iter().filter_map(|secret| vault.open_sealed(&secret.sealed).ok());
        let mut opened = opened.filter(|secret| secret == store.secret.as_bytes());
        // Another seed signs with another secret: the newest stays valid beside it.
        if opened.next().is_none() {
            ingest::retire_secrets(tx, store.slug, now)?;
            ingest::add_secret(tx, vault, store.slug, &store.secret, now)?;
        }
    }
    Ok(())
}

fn add_store(
    tx: &mut Tx<'_>,
    vault: &Vault,
    store: &DemoStore,
    now: DateTime<Utc>,
) -> Result<(), StoreProblem> {
    let attribution: Vec<String> = store.attribution.iter().map(|place| (*place).to_owned()).collect();
    let store = NewStore {
        slug: store.slug,
        platform: store.platform.as_str(),
        name: store.name,
        attribution: &attribution,
        secret: Some(&store.secret),
    };
    ingest::add_store(tx, vault, &store, now).map(|_id| ())
}

fn add_distributors(
    tx: &mut Tx<'_>,
    vault: &Vault,
    company: &Company,
    now: DateTime<Utc>,
) -> Result<(), SetUpProblem> {
    let ids: Vec<String> = company.distributors.iter().map(|person| person.id.clone()).collect();
    let known: BTreeSet<String> =
        distributors::profiles(tx.conn, &ids)?.into_iter().map(|profile| profile.distributor_id).collect();
    let missing = company.distributors.iter().filter(|person| !known.contains(&person.id));
    let entries: Vec<Entry> = missing
        .map(|person| Entry {
            version: DistributorVersion {
                id: DistributorId::new(&person.id),
                sponsor: person.sponsor_id.as_deref().map(DistributorId::new),
                status: Status::parse(person.status).unwrap_or(Status::Active),
                rank: Some(person.rank.to_owned()),
                from: Some(person.created_at),
                enrolled_at: Some(person.created_at),
            },
            country: Some(person.country.to_owned()),
            tax_id: Some(person.tax_id.clone()),
            name: Some(person.name.clone()),
            email: Some(person.email.clone()),
        })
        .collect();
    if !entries.is_empty() {
        distributors::record(tx, &entries, BY, now)?;
        let numbers =
            entries.iter().filter_map(|entry| Some((entry.version.id.clone(), entry.tax_id.clone()?)));
        payees::record_numbers(tx, vault, &numbers.collect::<Vec<_>>(), BY, now)?;
    }
    Ok(())
}

fn add_mappings(tx: &mut Tx<'_>, company: &Company, now: DateTime<Utc>) -> Result<(), SetUpProblem> {
    let stores = ingest::list_stores(tx.conn)?;
    let known = Mappings::default().get(tx.conn)?;
    let is_known = |row: &NewMapping| {
        let of_platform = stores.iter().filter(|store| store.platform == row.platform);
        let product = ProductKey { sku: Some(row.key.clone()), ..ProductKey::default() };
        of_platform.into_iter().any(|store| known.resolve(store.id, &row.platform, &product, now).is_some())
    };
    let mappings = company.mappings().into_iter().map(|row| NewMapping {
        store: None,
        platform: row.platform.to_owned(),
        kind: KeyKind::Sku,
        key: row.platform_sku.to_owned(),
        sku_id: row.sku_id.to_owned(),
        name: row.name.to_owned(),
        category: row.category.to_owned(),
        commission_class: row.commission_class,
        from: None,
    });
    let missing: Vec<NewMapping> = mappings.filter(|row| !is_known(row)).collect();
    if !missing.is_empty() {
        catalog::record(tx, &missing, None, BY, now)?;
    }
    Ok(())
}

/// From the day on which the first distributor joined.
fn publish_plan(tx: &mut Tx<'_>, company: &Company, now: DateTime<Utc>) -> Result<(), SetUpProblem> {
    let plan = Plan::parse(&company.plan).map_err(PublishProblem::Invalid)?;
    if let Some(currency) = company.other_currencies(&plan).first() {
        return Err(SetUpProblem::OtherCurrency(currency));
    }
    let known = plans::publications(tx.conn)?;
    if known.iter().any(|publication| publication.plan_hash == plan.hash().0) {
        return Ok(());
    }
    let from = company.distributors.iter().map(|person| person.created_at).min().unwrap_or(now);
    plans::publish(tx, &company.plan, from, BY, now)?;
    Ok(())
}

/// Everybody has a place in the tree that the plan declares.
fn fill_positions(tx: &mut Tx<'_>, company: &Company, now: DateTime<Utc>) -> Result<(), SetUpProblem> {
    let plan = Plan::parse(&company.plan).map_err(PublishProblem::Invalid)?;
    if let Some(rule) = plan.placement() {
        distributors::fill(tx, rule, BY, now).map_err(RecordProblem::from)?;
    }
    Ok(())
}
