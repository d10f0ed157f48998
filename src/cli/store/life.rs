//! `upline store pause`, `resume`, `disconnect` and `attribution`.

use clap::Args;
use serde_json::json;

use super::{places, with_keeper, witness};
use crate::access::audit;
use crate::app::Opening;
use crate::cli::{Global, Outcome, output, transact};
use crate::connections::Disconnected;
use crate::ingest::{self, StoreProblem};

/// Stop pulling from a store and looking at its webhooks; its deliveries are still taken
#[derive(Args)]
#[command(after_help = "Example:\n  upline store pause main")]
pub struct Pause {
    slug: String,
}

/// Go on with a store that was paused
#[derive(Args)]
#[command(after_help = "Example:\n  upline store resume main")]
pub struct Resume {
    slug: String,
}

/// Delete our webhooks at a store and forget its credentials
///
/// Orders and commissions stay, and so do the secrets: what the store still delivers is taken.
#[derive(Args)]
#[command(after_help = "Example:\n  upline store disconnect main")]
pub struct Disconnect {
    slug: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Set where a store's orders name the distributor; what was posted stays as it is
#[derive(Args)]
#[command(after_help = format!("{}

Example:
  upline store attribution main order_meta:distributor_code,discount_code", places::HELP))]
pub struct Attribution {
    slug: String,
    /// In this order; the first place that names somebody wins
    #[arg(required = true, value_delimiter = ',', value_name = "PLACE,...", value_parser = places::parse)]
    places: Vec<String>,
    /// Only tell what would change
    #[arg(long)]
    dry_run: bool,
}

impl Pause {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        pause(global, &self.slug, true)
    }
}

impl Resume {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        pause(global, &self.slug, false)
    }
}

fn pause(global: &Global, slug: &str, paused: bool) -> anyhow::Result<Outcome> {
    with_keeper(global, |keeper, _| {
        let changed = keeper.pause(slug, paused, &witness(keeper, slug))?;
        let state = if paused { "paused" } else { "at work" };
        let again = if changed { "now" } else { "already" };
        output::line(format_args!("{slug} is {again} {state}."))?;
        Ok(Outcome::Done)
    })
}

impl Disconnect {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let slug = &self.slug;
        with_keeper(global, |keeper, _| {
            let asking = output::working("deleting webhooks");
            let gone = keeper.disconnect(slug, &witness(keeper, slug));
            asking.finish_and_clear();
            let (deleted, left) = match gone? {
                Disconnected::Deleted(count) => (count, None),
                Disconnected::Left(problem) => (0, Some(problem.to_string())),
            };
            if self.json {
                output::json(&json!({"slug": slug, "webhooks_deleted": deleted, "webhooks_left": left}))?;
                return Ok(Outcome::Done);
            }
            output::line(format_args!("{slug} is disconnected; {deleted} webhook(s) deleted."))?;
            if let Some(problem) = left {
                output::note(format_args!("Delete our webhooks in the shop yourself: {problem}"))?;
            }
            Ok(Outcome::Done)
        })
    }
}

impl Attribution {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let Self { slug, places, dry_run } = self;
        global.with_backend(Opening::Ready, |backend, clock| {
            let stores = backend.db.read(crate::db::Lane::Admin, ingest::list_stores)?;
            let before = stores.into_iter().find(|store| store.slug == slug);
            let before = before.ok_or_else(|| StoreProblem::Unknown(slug.clone()))?.attribution;
            output::line(format_args!("before: {}", before.join(",")))?;
            output::line(format_args!("after:  {}", places.join(",")))?;
            if dry_run {
                output::note("Nothing was changed (--dry-run).")?;
                return Ok(Outcome::Done);
            }
            transact(&backend.db, |tx| {
                ingest::set_attribution(tx, &slug, &places)?;
                let detail = json!({"before": before, "after": places});
                Ok::<_, StoreProblem>(audit::record(
                    tx,
                    "console",
                    "store.attribution",
                    &slug,
                    detail,
                    clock.now(),
                )?)
            })?;
            Ok(Outcome::Done)
        })
    }
}
