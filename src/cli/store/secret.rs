//! `upline store secret`: by hand, what `upline store rotate` does for connected stores.

use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

use crate::access::audit;
use crate::app::Backend;
use crate::cli::{Outcome, output, transact};
use crate::clock::Clock;
use crate::connections;
use crate::db::Lane;
use crate::ingest::{self, StoreProblem};

#[derive(Subcommand)]
pub enum Secret {
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

impl Secret {
    pub fn run(self, backend: &Backend, clock: &Clock) -> anyhow::Result<Outcome> {
        let now = clock.now();
        let (slug, action) = match &self {
            Self::Add { slug, .. } => (slug, "store.secret.add"),
            Self::Retire { slug } => (slug, "store.secret.retire"),
        };
        if let Self::Retire { slug } = &self {
            let still = backend.db.read(Lane::Admin, |conn| connections::signing_with_older(conn, slug))?;
            if still > 0 {
                bail!(
                    "{still} webhook(s) of {slug} still sign with the older secret: upline store rotate {slug}"
                );
            }
        }
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
