//! `upline store`: the shops that may deliver, and the secrets that they sign with.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::core::attribution::PLACE_MANUAL;
use crate::db::Lane;
use crate::ingest::{self, NewStore, Store, StoreProblem};
use crate::stores::Platform;

/// Stores that may deliver, and their secrets
#[derive(Args)]
pub struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(Add),
    /// All stores, with how many secrets are live
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a store's secret without losing a delivery: add, change it in the shop, retire
    #[command(subcommand)]
    Secret(Secret),
}

/// Add a store and print the address that its webhooks go to
#[derive(Args)]
#[command(after_help = "Places of attribution, first match wins:
  distributor_ref            an order of POST /api/mlm/orders names the distributor itself
  order_meta:KEY             WooCommerce order meta, Magento extension attribute
  note_attribute:KEY         Shopify cart attribute
  line_property:KEY          a property of a line
  discount_code              the coupon, if it is a distributor's code
  landing_url:PARAMETER      ?PARAMETER= of the first page; referring_url:PARAMETER of the page before
  customer                   the distributor that the customer is
  referrer_id                as in the short shape of POST /api/mlm/orders

Examples:
  upline store add --platform woocommerce --slug main --secret 'from the webhook settings'
  upline store add --platform shopify --slug eu --secret \"$SECRET\" --attribution note_attribute:ref,discount_code
  upline store add --platform magento --slug de --secret-file magento_public_key.pem")]
struct Add {
    #[arg(long, value_name = "PLATFORM", help = "shopify, woocommerce, magento or direct")]
    platform: Platform,
    /// Short name, also in the webhook's address: lower-case letters, digits, hyphens
    #[arg(long)]
    slug: String,
    /// What the secret is that the shop signs its webhooks with
    #[arg(long, env = "UPLINE_STORE_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The same from a file; a PEM public key for Adobe I/O Events
    #[arg(long, value_name = "FILE", conflicts_with = "secret")]
    secret_file: Option<std::path::PathBuf>,
    /// Where to look for the distributor, in this order [default: by platform]
    #[arg(long, value_delimiter = ',', value_name = "PLACE,...")]
    attribution: Vec<String>,
    /// For people [default: the slug]
    #[arg(long)]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Secret {
    /// Make another secret valid, beside the one that is
    Add {
        slug: String,
        #[arg(long, env = "UPLINE_STORE_SECRET", hide_env_values = true)]
        secret: String,
    },
    /// End every secret but the newest
    Retire { slug: String },
}

impl StoreCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Add(add) => add.run(global),
            Action::List { json } => global.with_backend(Opening::Ready, |backend, _| list(backend, json)),
            Action::Secret(secret) => {
                global.with_backend(Opening::Ready, |backend, clock| secret.run(backend, clock))
            }
        }
    }
}

impl Add {
    fn run(mut self, global: &Global) -> anyhow::Result<Outcome> {
        let attribution = self.places()?;
        if let Some(file) = &self.secret_file {
            self.secret = Some(super::read_text(file)?.trim_end().to_owned());
        }
        if self.secret.is_none() && self.platform != Platform::Direct {
            bail!("--secret is missing: without one no delivery of {} can be verified", self.slug);
        }
        let base = global.settings(None)?.public_base();
        global.with_backend(Opening::Ready, |backend, clock| {
            let new = NewStore {
                slug: &self.slug,
                platform: self.platform.as_str(),
                name: self.name.as_deref().unwrap_or(&self.slug),
                attribution: &attribution,
                secret: self.secret.as_deref(),
            };
            let now = clock.now();
            transact(&backend.db, |tx| {
                ingest::add_store(tx, &backend.vault, &new, now)?;
                let detail = json!({"platform": self.platform.as_str(), "attribution": attribution});
                Ok::<_, StoreProblem>(audit::record(tx, "console", "store.add", &self.slug, detail, now)?)
            })?;
            self.tell(&format!("{base}/webhooks/{}", self.slug), &attribution)
        })
    }

    fn tell(&self, address: &str, attribution: &[String]) -> anyhow::Result<Outcome> {
        if self.json {
            let platform = self.platform.as_str();
            let told = json!({"slug": self.slug, "platform": platform, "webhook_url": address,
                              "attribution": attribution});
            output::json(&told)?;
        } else {
            output::line(address)?;
        }
        Ok(Outcome::Done)
    }

    fn places(&self) -> anyhow::Result<Vec<String>> {
        let given: Vec<String> = self.attribution.iter().map(|place| place.trim().to_owned()).collect();
        if let Some(wrong) = given.iter().find(|place| !is_place(place)) {
            bail!("{wrong:?} is no place of attribution; `upline store add --help` lists them");
        }
        Ok(if given.is_empty() { usual(self.platform) } else { given })
    }
}

/// Where each platform's shops usually keep the distributor.
fn usual(platform: Platform) -> Vec<String> {
    let places: &[&str] = match platform {
        Platform::Shopify => &["note_attribute:ref", "line_property:ref", "discount_code", "landing_url:ref"],
        Platform::WooCommerce => &["order_meta:distributor_code", "discount_code", "landing_url:ref"],
        Platform::Magento => &["order_meta:distributor_code", "discount_code"],
        Platform::Direct => &crate::web::api::orders::DIRECT_PLACES,
    };
    places.iter().map(|place| (*place).to_owned()).collect()
}

pub fn is_place(place: &str) -> bool {
    const KINDS: [&str; 5] =
        ["order_meta", "note_attribute", "line_property", "landing_url", "referring_url"];
    const PLAIN: [&str; 4] = ["discount_code", "customer", "distributor_ref", "referrer_id"];
    match place.split_once(':') {
        Some((kind, key)) => KINDS.contains(&kind) && !key.trim().is_empty(),
        None => PLAIN.contains(&place) && place != PLACE_MANUAL,
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
        vec![store.slug.clone(), store.platform.clone(), active.to_owned(), secrets, attribution]
    };
    let rows: Vec<_> = stores.iter().map(row).collect();
    output::table(&["slug", "platform", "active", "secrets", "attribution"], &rows)?;
    Ok(Outcome::Done)
}

fn as_json(store: &Store) -> serde_json::Value {
    json!({"slug": store.slug, "platform": store.platform, "name": store.name, "active": store.active,
           "live_secrets": store.secrets.len(), "attribution": store.attribution, "created_at": store.created_at})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_checked_by_name() {
        for place in
            ["order_meta:distributor_code", "discount_code", "landing_url:ref", "customer", "referrer_id"]
        {
            assert!(is_place(place), "{place}");
        }
        for place in ["", "order_meta", "order_meta:", "coupon", "manual", "cookie:ref", "discount_code:x"] {
            assert!(!is_place(place), "{place}");
        }
        for platform in Platform::ALL {
            assert!(usual(platform).iter().all(|place| is_place(place)));
        }
    }
}
