//! `upline store webhooks` and `upline store rotate`.

use clap::Args;
use serde_json::json;

use super::given::Credentials;
use super::{explained, with_keeper, witness};
use crate::access::audit;
use crate::cli::{Global, Outcome, output};
use crate::connections::{Connection, Deed, Done, Ensured, Keeper, Rotation};
use crate::db::Lane;

/// Our webhooks at a store: what is there, and what would be mended
#[derive(Args)]
#[command(after_help = "Examples:
  upline store webhooks main
  upline store webhooks main --ensure
  upline store webhooks main --delete")]
pub struct Webhooks {
    slug: String,
    /// Make what lacks, mend what is off, and keep it so from now on
    #[arg(long, conflicts_with = "delete")]
    ensure: bool,
    /// Delete ours at the store, and leave its webhooks alone from now on
    #[arg(long)]
    delete: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Webhooks {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        with_keeper(global, |keeper, _| {
            let connection = keeper.connection(&self.slug)?;
            let platform = connection.platform()?;
            let asking = output::working("asking the store");
            let done = self.act(keeper, &connection);
            asking.finish_and_clear();
            match done.map_err(|problem| explained(problem, Some(platform)))? {
                Acted::Deleted(count) if self.json => output::json(&json!({"deleted": count}))?,
                Acted::Deleted(count) => {
                    output::line(format_args!(
                        "{count} webhook(s) deleted. What changes is only found by pulls now."
                    ))?;
                }
                Acted::Ensured(ensured) => {
                    match self.json {
                        true => output::json(&ensured)?,
                        false => tell(&ensured, !self.ensure)?,
                    }
                    let sound =
                        if self.ensure { ensured.broken().next().is_none() } else { ensured.is_sound() };
                    return Ok(if sound { Outcome::Done } else { Outcome::Failed });
                }
            }
            Ok(Outcome::Done)
        })
    }

    fn act(
        &self,
        keeper: &Keeper,
        connection: &Connection,
    ) -> Result<Acted, crate::connections::ConnectionProblem> {
        if !self.ensure && !self.delete {
            let api = keeper.api(connection)?;
            return Ok(Acted::Ensured(keeper.look(connection, api.as_ref())?));
        }
        keeper.keep_webhooks(connection, self.ensure)?;
        let acted = match self.ensure {
            true => Acted::Ensured(keeper.tend(connection)?),
            false => Acted::Deleted(keeper.remove(connection, keeper.api(connection)?.as_ref())?),
        };
        let action = if self.ensure { "store.webhooks.ensure" } else { "store.webhooks.delete" };
        keeper.db.transact(Lane::Admin, |tx| {
            audit::record(tx, "console", action, &self.slug, json!({}), keeper.now())
        })?;
        Ok(acted)
    }
}

enum Acted {
    Ensured(Ensured),
    Deleted(usize),
}

/// `only_seen`: nothing was done, this is what would be.
pub fn tell(ensured: &Ensured, only_seen: bool) -> anyhow::Result<()> {
    if ensured.done.is_empty() {
        return Ok(output::note("The platform sends nothing by itself: what changes is found by pulls.")?);
    }
    let row =
        |done: &Done| vec![state(done, only_seen).to_owned(), done.topic.clone(), detail(done, only_seen)];
    output::line(format_args!("Webhooks at {}", ensured.address))?;
    let rows: Vec<_> = ensured.done.iter().map(row).collect();
    Ok(output::table(&["state", "topic", "what"], &rows)?)
}

fn state(done: &Done, only_seen: bool) -> &'static str {
    match (done.deed, only_seen) {
        _ if done.problem.is_some() => "broken",
        (Deed::Kept, _) => "ok",
        (Deed::Created, true) => "missing",
        (Deed::Mended, true) => "off",
        (Deed::Deleted, true) => "surplus",
        (Deed::Created, false) => "made",
        (Deed::Mended, false) => "mended",
        (Deed::Deleted, false) => "deleted",
    }
}

fn detail(done: &Done, only_seen: bool) -> String {
    match (only_seen, done.deed) {
        (true, Deed::Created) => "there is none: --ensure makes it".to_owned(),
        (true, Deed::Mended) => "not as it should be: --ensure mends it".to_owned(),
        (true, Deed::Deleted) => "one too many: --ensure deletes it".to_owned(),
        _ => done.told(),
    }
}

/// Exchange the secret that a connected store's webhooks are signed with, without losing a delivery
///
/// WooCommerce: another secret is made and given to every webhook. Shopify signs with the app's client secret: make
/// another one in the Dev Dashboard, give it here, and revoke the old one there afterwards. The old secret ends by
/// itself a day later, once nothing is signed with it any more. Interrupted, it can be repeated.
#[derive(Args)]
#[command(after_help = "Examples:
  upline store rotate main
  upline store rotate eu --client-secret \"$NEW\"")]
pub struct Rotate {
    slug: String,
    #[command(flatten)]
    credentials: Credentials,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Rotate {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let (slug, given, json) = (self.slug, self.credentials.given(), self.json);
        with_keeper(global, |keeper, _| {
            let platform = keeper.connection(&slug)?.platform()?;
            let asking = output::working("asking the store");
            let rotated = keeper.rotate(&slug, given, &witness(keeper, &slug));
            asking.finish_and_clear();
            match rotated.map_err(|problem| explained(problem, Some(platform)))? {
                Rotation::Ending { at } => {
                    let ends = at.format("%Y-%m-%d %H:%M UTC");
                    match json {
                        true => output::json(&json!({"state": "ending", "old_secret_ends_at": at}))?,
                        false => output::line(format_args!(
                            "The secret of {slug} was exchanged already; the old one ends at {ends} or by: upline store \
                             secret retire {slug}"
                        ))?,
                    }
                    Ok(Outcome::Done)
                }
                Rotation::Done(ensured) => {
                    match json {
                        true => output::json(&json!({"state": "exchanged", "webhooks": ensured}))?,
                        false => {
                            tell(&ensured, false)?;
                            output::note(
                                "The old secret ends in a day, once nothing is signed with it any more.",
                            )?;
                        }
                    }
                    let broken = ensured.broken().next().is_some();
                    Ok(if broken { Outcome::Failed } else { Outcome::Done })
                }
            }
        })
    }
}
