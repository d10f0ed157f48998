//! `upline store binding`: how long an order that names a distributor binds its customer.

use anyhow::anyhow;
use clap::Args;
use serde_json::json;

use super::super::{Global, Outcome, output, parse_instant, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::binding::Policy;
use crate::customers::NewPolicy;
use crate::db::{DbError, Lane};
use crate::ingest::{self, Store};
use crate::orders;
use crate::pulls::{self, Kind};
use crate::stores::is_customer_place;

/// How long an order that names a distributor binds its customer to him
///
/// The first order of a customer that names a distributor binds it; later orders that name nobody then earn for him,
/// at the place `customer`, which is added to the store's list. The first policy of a store holds for all its orders,
/// a change from now on. What was posted stays as it is.
#[derive(Args)]
#[command(after_help = "Examples:
  upline store binding main
  upline store binding main life
  upline store binding main 90 --from 2026-01-01
  upline store binding main life --own-place customer_meta:distributor_code
  upline store binding main none")]
pub struct Binding {
    slug: String,
    /// life, none, or a number of days; without it the present policy is shown
    #[arg(value_parser = parse)]
    policy: Option<Policy>,
    /// From which orders on it holds
    #[arg(long, value_name = "DATE", value_parser = parse_instant, requires = "policy")]
    from: Option<chrono::DateTime<chrono::Utc>>,
    /// Where a customer's record has the code of the distributor that it is: customer_tag, customer_meta:KEY
    #[arg(long, value_name = "PLACE", value_parser = place, requires = "policy")]
    own_place: Option<String>,
    /// Where a customer's record has the code of the distributor that it is bound to
    #[arg(long, value_name = "PLACE", value_parser = place, requires = "policy")]
    bound_place: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse(text: &str) -> Result<Policy, String> {
    Policy::parse(text).ok_or_else(|| format!("{text:?} is none of life, none, or 1 to 36500 days"))
}

fn place(text: &str) -> Result<String, String> {
    match is_customer_place(text.trim()) {
        true => Ok(text.trim().to_owned()),
        false => Err("use customer_tag or customer_meta:KEY".to_owned()),
    }
}

impl Binding {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            let stores = backend.db.read(Lane::Admin, ingest::list_stores)?;
            let store = stores.into_iter().find(|store| store.slug == self.slug);
            let store =
                store.ok_or_else(|| anyhow!("there is no store {:?}; see upline store list", self.slug))?;
            match self.policy {
                None => show(&store, self.json),
                Some(policy) => self.set(backend, clock, &store, policy),
            }
        })
    }

    fn set(
        &self,
        backend: &Backend,
        clock: &Clock,
        store: &Store,
        policy: Policy,
    ) -> anyhow::Result<Outcome> {
        let now = clock.now();
        let new = NewPolicy {
            policy,
            own_place: self.own_place.as_deref(),
            bound_place: self.bound_place.as_deref(),
            from: self.from,
        };
        let (listed, reviewed) = transact(&backend.db, |tx| {
            let done = orders::set_binding_policy(tx, store.id, &new, "console", now)?;
            if new.own_place.is_some() || new.bound_place.is_some() {
                pulls::read_whole(tx, store.id, Kind::Customers)?;
            }
            let detail = json!({"policy": policy.to_string(), "own_place": new.own_place,
                                "bound_place": new.bound_place, "from": new.from});
            audit::record(tx, "console", "store.binding", &store.slug, detail, now)?;
            Ok::<_, DbError>(done)
        })?;
        if self.json {
            output::json(
                &json!({"policy": policy.to_string(), "place_added": listed, "orders_reviewed": reviewed}),
            )?;
            return Ok(Outcome::Done);
        }
        output::line(format_args!("Customers of {} are bound: {policy}.", store.slug))?;
        if listed {
            output::line("The place `customer` is asked last now, after what an order itself says.")?;
        }
        output::line(format_args!("{reviewed} order(s) that are not posted are looked at again."))?;
        Ok(Outcome::Done)
    }
}

fn show(store: &Store, json: bool) -> anyhow::Result<Outcome> {
    if json {
        let all: Vec<_> = store
            .bindings
            .iter()
            .map(|terms| {
                json!({"version": terms.no, "policy": terms.policy.to_string(), "own_place": terms.own_place,
                       "bound_place": terms.bound_place, "from": terms.from})
            })
            .collect();
        output::json(&all)?;
        return Ok(Outcome::Done);
    }
    let row = |terms: &crate::core::binding::Terms| {
        let from = terms.from.map_or("always".to_owned(), |from| from.format("%Y-%m-%d %H:%M").to_string());
        let place = |place: &Option<String>| place.clone().unwrap_or_default();
        vec![
            terms.no.to_string(),
            terms.policy.to_string(),
            from,
            place(&terms.own_place),
            place(&terms.bound_place),
        ]
    };
    let rows: Vec<_> = store.bindings.iter().map(row).collect();
    if rows.is_empty() {
        output::line(format_args!(
            "Customers of {} are not bound; see upline store binding --help",
            store.slug
        ))?;
    } else {
        output::table(&["version", "policy", "from", "own place", "bound place"], &rows)?;
    }
    Ok(Outcome::Done)
}
