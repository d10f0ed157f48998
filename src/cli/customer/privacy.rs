//! `upline customer export`, `redact` and `requests`.

use anyhow::{anyhow, bail};
use clap::Args;
use serde_json::json;

use super::find;
use crate::access::audit;
use crate::app::Opening;
use crate::cli::{Global, Outcome, output, transact};
use crate::customers::{self, EraseProblem, Erased, privacy};
use crate::db::{DbError, Lane};
use crate::orders;

/// Everything that is held about a customer, as JSON
///
/// Open data requests of the customer are marked as done.
#[derive(Args)]
#[command(after_help = "Example:\n  upline customer export main 5678 > held.json")]
pub struct Export {
    store: String,
    /// The store's own id of the customer
    customer: String,
}

/// Take personal data out of everything that was stored of a customer
///
/// Amounts, ids and the proof stay: verify and replay find what they found before. There is no way back.
#[derive(Args)]
#[command(after_help = "Examples:
  upline customer redact main 5678
  upline customer redact main 5678 --order 1001 --order 1002
  upline customer redact main --everybody")]
pub struct Redact {
    store: String,
    /// The store's own id of the customer
    #[arg(required_unless_present = "everybody")]
    customer: Option<String>,
    /// An order of theirs without the customer's id, as guests have them; may be given several times
    #[arg(long = "order", value_name = "ID")]
    orders: Vec<String>,
    /// Every customer of the store
    #[arg(long, conflicts_with_all = ["customer", "orders"])]
    everybody: bool,
    /// Only tell how many deliveries there are
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What customers and stores asked for by law, and until when it has to be done
///
/// Exit code 3 if something is overdue.
#[derive(Args)]
#[command(after_help = "Example:\n  upline customer requests --all --json")]
pub struct Requests {
    /// Those that are done, too
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Export {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            let (store, now) = (find(backend, &self.store)?, clock.now());
            let held = transact(&backend.db, |tx| {
                let held = customers::held(tx.conn, store.id, &self.customer, &[], now)?;
                if held.is_some() {
                    privacy::done_for(tx, store.id, &self.customer, "data_request", "console", now)?;
                    let detail = json!({"customer": self.customer});
                    audit::record(tx, "console", "customer.export", &store.slug, detail, now)?;
                }
                Ok::<_, DbError>(held)
            })?;
            let held = held
                .ok_or_else(|| anyhow!("there is no customer {} in store {}", self.customer, store.slug))?;
            output::json(&held)?;
            Ok(Outcome::Done)
        })
    }
}

impl Redact {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            let (store, now) = (find(backend, &self.store)?, clock.now());
            let customer = self.customer.as_deref();
            if self.dry_run {
                let Some(customer) = customer else { bail!("--dry-run is for one customer") };
                let read = |conn: &mut crate::db::Conn| {
                    customers::deliveries_of(conn, store.id, customer, &self.orders)
                };
                let found = backend.db.read(Lane::Admin, read)?.len();
                output::line(format_args!(
                    "Dry run, nothing changed: {found} deliveries are about the customer."
                ))?;
                return Ok(Outcome::Done);
            }
            let working = output::working("taking personal data out");
            let detail = json!({"customer": customer, "orders": self.orders});
            let erased = match customer {
                Some(customer) => transact(&backend.db, |tx| {
                    let named = (customer, self.orders.as_slice());
                    let erased = orders::forget_customer(tx, &store, named, "console", now)?;
                    audit::record(tx, "console", "customer.redact", &store.slug, detail.clone(), now)?;
                    Ok::<_, EraseProblem>(erased)
                })?,
                None => {
                    let erased = orders::forget_store(&backend.db, &store, "console", now)?;
                    backend.db.transact(Lane::Admin, |tx| {
                        privacy::done_for_store(tx, store.id, "console", now)?;
                        audit::record(tx, "console", "store.redact", &store.slug, detail.clone(), now)
                    })?;
                    erased
                }
            };
            working.finish_and_clear();
            tell(erased, self.json)
        })
    }
}

fn tell(erased: Erased, json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(&erased)?;
        return Ok(Outcome::Done);
    }
    let Erased { deliveries, bytes_before, bytes_after } = erased;
    output::line(format_args!(
        "{deliveries} deliveries reduced, from {bytes_before} to {bytes_after} bytes."
    ))?;
    output::note(
        "note: backups, and the database's own old pages until it cleans them up, still hold what was there",
    )?;
    Ok(Outcome::Done)
}

impl Requests {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            let found = backend.db.read(Lane::Admin, |conn| privacy::list(conn, !self.all, 10_000))?;
            let overdue = found.iter().any(|it| it.handled_at.is_none() && it.due_at < clock.now());
            if self.json {
                output::json(&found)?;
            } else {
                let rows: Vec<_> = found
                    .iter()
                    .map(|it| {
                        let day = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d").to_string();
                        let done = it.handled_at.map_or_else(|| "open".to_owned(), day);
                        let customer = it.customer_id.clone().unwrap_or_else(|| "all".to_owned());
                        vec![
                            it.store.clone(),
                            it.kind.clone(),
                            customer,
                            day(it.received_at),
                            day(it.due_at),
                            done,
                        ]
                    })
                    .collect();
                output::table(&["store", "asked for", "customer", "received", "due", "done"], &rows)?;
            }
            Ok(if overdue { Outcome::Difference } else { Outcome::Done })
        })
    }
}
