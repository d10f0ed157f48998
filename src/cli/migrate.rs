//! `upline migrate`.

use std::io::Write;

use clap::Args;

use super::{Global, Outcome};
use crate::app::Opening;

/// Bring the database schema up to date
///
/// `serve` and all other commands do this too; use it to do it beforehand. Several processes may try at the same
/// time: one does it, the others wait. A migration that was interrupted is run again.
#[derive(Args)]
#[command(after_help = "Example:
  DATABASE_URL=postgres://upline@db/upline upline migrate")]
pub struct Migrate {}

impl Migrate {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, _| {
            let mut out = std::io::stdout().lock();
            match backend.migrated.applied.as_slice() {
                [] => writeln!(out, "The schema is up to date.")?,
                applied => writeln!(out, "Applied {} migration(s): {}", applied.len(), applied.join(", "))?,
            }
            Ok(Outcome::Done)
        })
    }
}
