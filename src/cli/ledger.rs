//! `upline ledger`: the ledger outside of its database.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output};
use crate::app::Opening;
use crate::db::connect;
use crate::proof;

/// The ledger outside of its database
#[derive(Args)]
pub struct LedgerCommand {
    #[command(subcommand)]
    command: Leaf,
}

#[derive(Subcommand)]
enum Leaf {
    Export(Export),
}

impl LedgerCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.command {
            Leaf::Export(command) => command.run(global),
        }
    }
}

/// Write the whole chain with everything it seals into a file that `upline verify --file` checks anywhere
///
/// One JSON line for each link, with its journal entry and postings or its row of the audit log. Distributors are in it by
/// their ids, users by the address they sign in with. docs/ledger.md describes every field.
#[derive(Args)]
#[command(after_help = "Example:
  upline ledger export ledger.jsonl")]
struct Export {
    /// A file that is not there yet; - writes to stdout
    file: PathBuf,
    /// Say what was written as JSON, on stdout
    #[arg(long)]
    json: bool,
}

impl Export {
    fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, _| {
            let mut conn = connect(backend.db.url())?;
            let counter = output::counter("links written");
            let progress = |links| counter.set_position(links);
            if self.file == Path::new("-") {
                let mut out = BufWriter::new(io::stdout().lock());
                proof::export(&mut conn, &mut out, progress)?;
                counter.finish_and_clear();
                return Ok(Outcome::Done);
            }
            let file = File::create_new(&self.file)
                .with_context(|| format!("cannot make {}", self.file.display()))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            let exported = proof::export(&mut conn, &mut out, progress)?;
            out.get_ref().sync_all()?;
            counter.finish_and_clear();
            if self.json {
                output::json(&json!({"file": self.file, "links": exported.links, "head": {"seq": exported.seq, "hash": exported.hash}}))?;
            } else {
                output::line(format_args!(
                    "{} links, head {} {}, in {}",
                    exported.links,
                    exported.seq,
                    exported.hash,
                    self.file.display()
                ))?;
            }
            Ok(Outcome::Done)
        })
    }
}
