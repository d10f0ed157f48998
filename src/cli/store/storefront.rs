//! `upline store storefront`: where the links of distributors lead.

use clap::Args;
use serde_json::json;
use url::Url;

use super::super::{Outcome, output, transact};
use crate::access::audit;
use crate::app::Backend;
use crate::clock::Clock;
use crate::ingest::{self, StoreProblem};

pub const EXAMPLE: &str =
    "Links are /r/CODE, or /r/CODE/SLUG where several stores have a storefront; docs/referrals.md.

Examples:
  upline store storefront main https://shop.example.com
  upline store storefront main --none";

#[derive(Args)]
pub struct Storefront {
    slug: String,
    #[arg(required_unless_present = "none", value_parser = parse)]
    url: Option<Url>,
    /// Links do not lead to this store any more
    #[arg(long, conflicts_with = "url")]
    none: bool,
}

fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| format!("{text:?} is no address; write https://shop.example.com"))
}

impl Storefront {
    pub fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let now = clock.now();
        transact(&backend.db, |tx| {
            ingest::set_storefront(tx, &self.slug, self.url.as_ref())?;
            let detail = json!({"url": self.url.as_ref().map(Url::as_str)});
            audit::record(tx, "console", "store.storefront", &self.slug, detail, now)?;
            Ok::<_, StoreProblem>(())
        })?;
        match &self.url {
            Some(url) => output::line(format_args!("Links of distributors lead to {url}"))?,
            None => {
                output::line(format_args!("Links of distributors do not lead to {} any more.", self.slug))?
            }
        }
        Ok(Outcome::Done)
    }
}
