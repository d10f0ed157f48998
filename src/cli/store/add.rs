//! `upline store add`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::places;
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::cli::{Global, Outcome, output, read_text, transact};
use crate::clock::Clock;
use crate::ingest::{self, NewStore, StoreProblem};
use crate::stores::{Platform, usual_places};
use crate::vault;

/// Add a store and print the address that its webhooks go to
///
/// Without a secret one is made and printed, once; it is stored sealed. The address is on the first line of the
/// output, a secret that was made on the second; how to set the shop up is told beside it, on stderr.
#[derive(Args)]
#[command(after_help = format!("{}

Examples:
  upline store add --platform woocommerce --slug main --secret 'from the webhook settings'
  upline store add --platform shopify --slug eu --secret \"$SECRET\" --attribution note_attribute:ref,discount_code
  upline store add --platform magento --slug de --secret-file magento_public_key.pem", places::HELP))]
pub struct Add {
    #[arg(long, value_name = "PLATFORM", help = "shopify, woocommerce, magento or direct")]
    platform: Platform,
    /// Short name, also in the webhook's address: lower-case letters, digits, hyphens
    #[arg(long)]
    slug: String,
    /// What the shop signs its webhooks with [default: one is made]
    #[arg(long, env = "UPLINE_STORE_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The same from a file; a PEM public key for Adobe I/O Events
    #[arg(long, value_name = "FILE", conflicts_with = "secret")]
    secret_file: Option<PathBuf>,
    /// Where to look for the distributor, in this order [default: by platform]
    #[arg(long, value_delimiter = ',', value_name = "PLACE,...", value_parser = places::parse)]
    attribution: Vec<String>,
    /// For people [default: the slug]
    #[arg(long)]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What the shop signs with, and whether anybody has seen it yet.
struct Secret {
    value: Option<String>,
    made: bool,
}

impl Add {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let secret = self.secret()?;
        let base = global.settings(None)?.public_base();
        global.with_backend(Opening::Ready, |backend, clock| {
            let attribution = match self.attribution.as_slice() {
                [] => usual_places(self.platform),
                given => given.to_vec(),
            };
            self.record(backend, clock, &attribution, &secret)?;
            self.tell(&format!("{base}/webhooks/{}", self.slug), &attribution, &secret)
        })
    }

    /// The direct API is opened by tokens, not by a secret of the store.
    fn secret(&self) -> anyhow::Result<Secret> {
        let given = match &self.secret_file {
            Some(file) => Some(read_text(file)?.trim_end().to_owned()),
            None => self.secret.clone(),
        };
        if given.is_none() && self.platform != Platform::Direct {
            return Ok(Secret { value: Some(hex::encode(vault::random::<32>()?)), made: true });
        }
        Ok(Secret { value: given, made: false })
    }

    fn record(
        &self,
        backend: &Backend,
        clock: &Clock,
        attribution: &[String],
        secret: &Secret,
    ) -> Result<(), StoreProblem> {
        let new = NewStore {
            slug: &self.slug,
            platform: self.platform.as_str(),
            name: self.name.as_deref().unwrap_or(&self.slug),
            attribution,
            secret: secret.value.as_deref(),
        };
        let now = clock.now();
        transact(&backend.db, |tx| {
            ingest::add_store(tx, &backend.vault, &new, now)?;
            let detail = json!({"platform": self.platform.as_str(), "attribution": attribution});
            Ok(audit::record(tx, "console", "store.add", &self.slug, detail, now)?)
        })
    }

    fn tell(&self, address: &str, attribution: &[String], secret: &Secret) -> anyhow::Result<Outcome> {
        let made = secret.value.as_ref().filter(|_| secret.made);
        if self.json {
            let platform = self.platform.as_str();
            let told = json!({"slug": self.slug, "platform": platform, "webhook_url": address,
                              "attribution": attribution, "secret": made});
            output::json(&told)?;
            return Ok(Outcome::Done);
        }
        output::line(address)?;
        if let Some(made) = made {
            output::line(made)?;
        }
        for line in guide(self.platform, &self.slug) {
            output::note(line)?;
        }
        Ok(Outcome::Done)
    }
}

/// How the shop is told where to deliver.
fn guide(platform: Platform, slug: &str) -> [String; 2] {
    match platform {
        Platform::Shopify => [
            "In Shopify: Settings, Notifications, Webhooks. Add order creation, update, payment, cancellation \
             and refund creation as JSON to the address above."
                .to_owned(),
            format!(
                "Shopify shows its own secret there (an app's is its client secret): it is the one to store, if need \
                 be with `upline store secret add {slug}`."
            ),
        ],
        Platform::WooCommerce => [
            "In WooCommerce: Settings, Advanced, Webhooks. Add active webhooks for order created, updated, deleted \
             and restored with the address above as delivery URL."
                .to_owned(),
            "Give each of them the same secret as this store has.".to_owned(),
        ],
        Platform::Magento => [
            "In Magento: let Adobe I/O Events (with its public key as this store's secret) or a module post orders, \
             invoices and credit memos as JSON to the address above."
                .to_owned(),
            "A module sends the secret in X-Upline-Secret, or HMAC-SHA256 of the body under it in X-Upline-Signature."
                .to_owned(),
        ],
        Platform::Direct => [
            format!("A token for your systems: upline token add --scope orders --store {slug}"),
            "With it they send orders to POST /api/mlm/orders.".to_owned(),
        ],
    }
}
