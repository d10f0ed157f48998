//! `upline store`: the shops that may deliver, the secrets that they sign with, and their own APIs.

mod add;
mod binding;
mod connect;
mod given;
mod life;
mod list;
mod places;
mod secret;
mod storefront;
mod test;
mod webhooks;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use url::Url;

use super::{Global, Outcome};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::connections::{ConnectionProblem, Keeper};
use crate::db::{DbError, Tx};
use crate::stores::Platform;

/// Stores: what they sign with, and the connection to their own APIs
#[derive(Args)]
#[command(after_help = "Examples:
  upline store connect main --platform woocommerce --url https://shop.example --consumer-key ck_... --consumer-secret cs_...
  upline store test main
  upline store list
A store that only sends webhooks:
  upline store add --platform woocommerce --slug main")]
pub struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(add::Add),
    Connect(Box<connect::Connect>),
    Test(test::Test),
    Webhooks(webhooks::Webhooks),
    Rotate(Box<webhooks::Rotate>),
    Pause(life::Pause),
    Resume(life::Resume),
    Disconnect(life::Disconnect),
    Attribution(life::Attribution),
    Binding(binding::Binding),
    List(list::List),
    /// Where visitors of the store begin: the links of distributors lead there
    #[command(after_help = storefront::EXAMPLE)]
    Storefront(storefront::Storefront),
    /// Change a store's secret without losing a delivery: add, change it in the shop, retire
    #[command(subcommand)]
    Secret(secret::Secret),
}

impl StoreCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Add(add) => add.run(global),
            Action::Connect(connect) => connect.run(global),
            Action::Test(test) => test.run(global),
            Action::Webhooks(webhooks) => webhooks.run(global),
            Action::Rotate(rotate) => rotate.run(global),
            Action::Pause(pause) => pause.run(global),
            Action::Resume(resume) => resume.run(global),
            Action::Disconnect(disconnect) => disconnect.run(global),
            Action::Attribution(attribution) => attribution.run(global),
            Action::Binding(binding) => binding.run(global),
            Action::List(list) => list.run(global),
            Action::Storefront(storefront) => {
                global.with_backend(Opening::Ready, |backend, clock| storefront.run(backend, clock))
            }
            Action::Secret(secret) => {
                global.with_backend(Opening::Ready, |backend, clock| secret.run(backend, clock))
            }
        }
    }
}

/// Opens the database, and what connects stores.
fn with_keeper<T>(
    global: &Global,
    work: impl FnOnce(&Keeper, &Backend) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let base = global.settings(None)?.public_base();
    let public = Url::parse(&base).with_context(|| format!("public_url {base:?} is no address"))?;
    global.with_backend(Opening::Ready, |backend, clock: &Clock| {
        let (db, vault) = (backend.db.clone(), backend.vault.clone());
        work(&Keeper { db, vault, clock: clock.clone(), public }, backend)
    })
}

/// The audit log of what is done on the command line.
fn witness<'a>(
    keeper: &'a Keeper,
    slug: &'a str,
) -> impl Fn(&mut Tx<'_>, &str, serde_json::Value) -> Result<(), DbError> + 'a {
    move |tx, action, detail| audit::record(tx, "console", action, slug, detail, keeper.now())
}

/// The problem with what to do about it, as the error that ends a command.
fn explained(problem: ConnectionProblem, platform: Option<Platform>) -> anyhow::Error {
    match platform.and_then(|platform| problem.fix(platform)) {
        Some(fix) => anyhow::anyhow!("{}\n  {fix}", crate::web::error::causes(&problem)),
        None => problem.into(),
    }
}

/// What went wrong, for programs.
fn as_json(problem: &ConnectionProblem, platform: Platform) -> serde_json::Value {
    json!({"problem": problem.to_string(), "fix": problem.fix(platform)})
}
