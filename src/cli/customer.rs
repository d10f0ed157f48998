//! `upline customer`: whom customers are bound to, and what they may ask for by law.

mod import;
mod privacy;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output, parse_instant, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::binding::What;
use crate::core::ids::DistributorId;
use crate::customers::NewDecision;
use crate::db::{DbError, Lane};
use crate::distributors;
use crate::ingest::{self, Store};
use crate::orders;
use crate::reports::customers as report;

/// Customers: the distributors that they are, whom they are bound to, and their personal data
#[derive(Args)]
#[command(after_help = "Examples:
  upline customer show main 5678
  upline customer bind main 5678 ANNA
  upline customer export main 5678 > held.json
  upline customer redact main 5678")]
pub struct CustomerCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// What is known of a customer, with orders and bindings
    #[command(after_help = "Example:\n  upline customer show main 5678 --json")]
    Show {
        store: String,
        customer: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Orders of the customer that name nobody earn for this distributor
    ///
    /// Reaches orders that are not posted; a posted one is attributed anew on its own page.
    #[command(after_help = "Examples:
  upline customer bind main 5678 ANNA
  upline customer bind main 5678 11043 --from 2026-01-01")]
    Bind(Decide),
    /// The customer is this distributor: what it buys is its own purchase
    #[command(after_help = "Example:\n  upline customer own main 5678 ANNA")]
    Own(Decide),
    /// The customer is bound to nobody any more, until an order binds it again
    #[command(after_help = "Examples:
  upline customer unbind main 5678
  upline customer unbind main 5678 --own")]
    Unbind {
        store: String,
        customer: String,
        /// The customer is no distributor, instead
        #[arg(long)]
        own: bool,
        /// Since when [default: now]
        #[arg(long, value_name = "DATE", value_parser = parse_instant)]
        from: Option<DateTime<Utc>>,
    },
    Import(import::Import),
    Export(privacy::Export),
    Redact(privacy::Redact),
    Requests(privacy::Requests),
}

#[derive(Args)]
struct Decide {
    store: String,
    /// The store's own id of the customer
    customer: String,
    /// Id or code
    distributor: String,
    /// Since when [default: always]
    #[arg(long, value_name = "DATE", value_parser = parse_instant)]
    from: Option<DateTime<Utc>>,
}

impl CustomerCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Import(import) => import.run(global),
            Action::Export(export) => export.run(global),
            Action::Redact(redact) => redact.run(global),
            Action::Requests(requests) => requests.run(global),
            Action::Show { store, customer, json } => {
                global.with_backend(Opening::Ready, |backend, _| show(backend, &store, &customer, json))
            }
            Action::Bind(decide) => {
                global.with_backend(Opening::Ready, |backend, clock| decide.run(backend, clock, What::Bound))
            }
            Action::Own(decide) => {
                global.with_backend(Opening::Ready, |backend, clock| decide.run(backend, clock, What::Is))
            }
            Action::Unbind { store, customer, own, from } => {
                global.with_backend(Opening::Ready, |backend, clock| {
                    let what = if own { What::Is } else { What::Bound };
                    let store = find(backend, &store)?;
                    let from = from.or(Some(clock.now()));
                    record(backend, clock, &store, &customer, what, None, from)
                })
            }
        }
    }
}

fn find(backend: &Backend, slug: &str) -> anyhow::Result<Store> {
    let stores = backend.db.read(Lane::Admin, ingest::list_stores)?;
    let store = stores.into_iter().find(|store| store.slug == slug);
    store.ok_or_else(|| anyhow!("there is no store {slug:?}; see upline store list"))
}

impl Decide {
    fn run(&self, backend: &Backend, clock: &Clock, what: What) -> anyhow::Result<Outcome> {
        let store = find(backend, &self.store)?;
        let asked = [self.distributor.trim().to_owned()].into();
        let found = backend.db.read(Lane::Admin, |conn| distributors::whoever(conn, &asked))?;
        let distributor = found.into_values().next();
        let distributor =
            distributor.ok_or_else(|| anyhow!("{:?} names no distributor", self.distributor))?;
        record(backend, clock, &store, &self.customer, what, Some(&distributor), self.from)
    }
}

fn record(
    backend: &Backend,
    clock: &Clock,
    store: &Store,
    customer: &str,
    what: What,
    distributor: Option<&DistributorId>,
    from: Option<DateTime<Utc>>,
) -> anyhow::Result<Outcome> {
    let now = clock.now();
    let decision = [NewDecision { store: store.id, customer, what, distributor, from, source: "manual" }];
    let reviewed = transact(&backend.db, |tx| {
        let reviewed = orders::bind_customers(tx, &decision, "console", now)?;
        let detail = json!({"customer": customer, "what": what, "distributor": distributor, "from": from});
        audit::record(tx, "console", "customer.bind", &store.slug, detail, now)?;
        Ok::<_, DbError>(reviewed)
    })?;
    let told = match (what, distributor) {
        (What::Is, Some(distributor)) => format!("Customer {customer} is distributor {distributor}"),
        (What::Is, None) => format!("Customer {customer} is no distributor"),
        (What::Bound, Some(distributor)) => format!("Customer {customer} is bound to {distributor}"),
        (What::Bound, None) => format!("Customer {customer} is bound to nobody"),
    };
    output::line(format_args!("{told}; {reviewed} order(s) that are not posted are looked at again."))?;
    if what == What::Bound && !store.attribution.iter().any(|place| place == "customer") {
        output::note(format_args!(
            "note: orders of {slug} do not ask for it: upline store binding {slug} life",
            slug = store.slug
        ))?;
    }
    Ok(Outcome::Done)
}

fn show(backend: &Backend, store: &str, customer: &str, json: bool) -> anyhow::Result<Outcome> {
    let found = backend.db.read(Lane::Admin, |conn| {
        let Some(row) = report::one(conn, store, customer)? else { return Ok(None) };
        let bindings = report::bindings(conn, row.store_id, customer)?;
        let orders = report::orders(conn, row.store_id, customer)?;
        Ok(Some((row, bindings, orders)))
    })?;
    let (row, bindings, orders) =
        found.ok_or_else(|| anyhow!("there is no customer {customer} in store {store}"))?;
    if json {
        output::json(&json!({"customer": row, "bindings": bindings, "orders": orders}))?;
        return Ok(Outcome::Done);
    }
    output::line(format_args!("customer {customer} of {store}, {} order(s)", row.orders))?;
    let lines = [
        ("is distributor", &row.is),
        ("bound to", &row.bound),
        ("first named by an order", &row.first_named),
    ];
    for (what, who) in lines {
        if let Some(who) = who {
            output::line(format_args!("{what}: {who}"))?;
        }
    }
    if let Some(at) = row.redacted_at {
        output::line(format_args!("forgotten at {at}"))?;
    }
    let date = |at: Option<DateTime<Utc>>| {
        at.map_or("always".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string())
    };
    let rows: Vec<_> = orders
        .iter()
        .map(|order| {
            let who = order.distributor_id.clone().unwrap_or_default();
            let place = order.place.clone().unwrap_or_default();
            vec![order.number.clone(), date(order.ordered_at), order.status.clone(), who, place]
        })
        .collect();
    output::table(&["order", "ordered", "status", "distributor", "place"], &rows)?;
    let rows: Vec<_> = bindings
        .iter()
        .map(|binding| {
            let who = binding.distributor_id.clone().unwrap_or_else(|| "nobody".to_owned());
            let from = date(binding.effective_from);
            vec![binding.kind.clone(), who, from, binding.source.clone(), binding.recorded_by.clone()]
        })
        .collect();
    if !rows.is_empty() {
        output::table(&["decided", "distributor", "from", "source", "by"], &rows)?;
    }
    Ok(Outcome::Done)
}
