//! `upline store`: the shops that may deliver, and the secrets that they sign with.

mod add;
mod places;
mod storefront;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::db::Lane;
use crate::ingest::{self, Store, StoreProblem};

/// Stores that may deliver, and their secrets
#[derive(Args)]
#[command(after_help = "Examples:
  upline store add --platform woocommerce --slug main
  upline store list
  upline store secret add main --secret \"$ANOTHER\"
  upline store secret retire main")]
pub struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(add::Add),
    /// All stores, with how many secrets are live
    #[command(after_help = "Example:\n  upline store list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Where visitors of the store begin: the links of distributors lead there
    #[command(after_help = storefront::EXAMPLE)]
    Storefront(storefront::Storefront),
    /// Change a store's secret without losing a delivery: add, change it in the shop, retire
    #[command(subcommand)]
    Secret(Secret),
}

#[derive(Subcommand)]
enum Secret {
    /// Make another secret valid, beside the one that is
    #[command(after_help = "Example:\n  upline store secret add main --secret \"$ANOTHER\"")]
    Add {
        slug: String,
        /// What the shop will sign with from now on
        #[arg(long, env = "UPLINE_STORE_SECRET", hide_env_values = true)]
        secret: String,
    },
    /// End every secret but the newest
    #[command(after_help = "Example:\n  upline store secret retire main")]
    Retire { slug: String },
}

impl StoreCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Add(add) => add.run(global),
            Action::List { json } => global.with_backend(Opening::Ready, |backend, _| list(backend, json)),
            Action::Storefront(storefront) => {
                global.with_backend(Opening::Ready, |backend, clock| storefront.run(backend, clock))
            }
            Action::Secret(secret) => {
                global.with_backend(Opening::Ready, |backend, clock| secret.run(backend, clock))
            }
        }
    }
}

impl Secret {
    fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let now = clock.now();
        let (slug, action) = match &self {
            Self::Add { slug, .. } => (slug, "store.secret.add"),
            Self::Retire { slug } => (slug, "store.secret.retire"),
        };
        let told = transact(&backend.db, |tx| {
            let told = match &self {
                Self::Add { slug, secret } => {
                    ingest::add_secret(tx, &backend.vault, slug, secret, now)?;
                    format!(
                        "{slug} has another secret. Change it in the shop, then: upline store secret retire {slug}"
                    )
                }
                Self::Retire { slug } => match ingest::retire_secrets(tx, slug, now)? {
                    0 => format!("{slug} has only one secret; nothing to retire."),
                    retired => format!("{retired} secret(s) of {slug} retired; only the newest is valid."),
                },
            };
            audit::record(tx, "console", action, slug, json!({}), now)?;
            Ok::<_, StoreProblem>(told)
        })?;
        output::line(told)?;
        Ok(Outcome::Done)
    }
}

fn list(backend: &Backend, json: bool) -> anyhow::Result<Outcome> {
    let stores = backend.db.read(Lane::Admin, ingest::list_stores)?;
    if json {
        output::json(&stores.iter().map(as_json).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let row = |store: &Store| {
        let active = if store.active { "yes" } else { "no" };
        let secrets = store.secrets.len().to_string();
        let attribution = store.attribution.join(",");
        let created = store.created_at.format("%Y-%m-%d").to_string();
        vec![store.slug.clone(), store.platform.clone(), active.to_owned(), secrets, created, attribution]
    };
    let rows: Vec<_> = stores.iter().map(row).collect();
    output::table(&["slug", "platform", "active", "live secrets", "created", "attribution"], &rows)?;
    Ok(Outcome::Done)
}

fn as_json(store: &Store) -> serde_json::Value {
    json!({"slug": store.slug, "platform": store.platform, "name": store.name, "active": store.active,
           "live_secrets": store.secrets.len(), "attribution": store.attribution, "created_at": store.created_at})
}
