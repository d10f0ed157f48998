//! `upline verify`: that nothing was touched, in the database or in an export of its ledger.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{Global, Outcome, output};
use crate::app::{Backend, Opening};
use crate::chain::{self, GivenHead};
use crate::clock::Clock;
use crate::db::{Lane, connect};
use crate::proof::{self, Problem, Verified};

/// Check that nothing stored or posted was changed: chain, digests, sums, references, heads
///
/// Walks the chain from its first link to its head, reads the whole ledger, the audit log and all deliveries, and names
/// every row that is not as it was written, and the first bad place in the chain. The heads that were given out are
/// compared with the table and with the file `heads.jsonl` in the data directory. What comes of it is kept: the admin
/// pages show it, and payouts stop when it is bad. Exit code 3 if a row is.
///
/// With --file an exported ledger is checked in the same way, without a database. Whether the ledger follows from what
/// the stores sent is another question: `upline replay --check`.
#[derive(Args)]
#[command(after_help = "Examples:
  upline verify
  upline verify --json | jq .first_bad
  upline verify --heads /mnt/elsewhere/heads.jsonl
  upline ledger export ledger.jsonl && upline verify --file ledger.jsonl --heads heads.jsonl")]
pub struct Verify {
    /// An exported ledger instead of the database
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Heads that were kept elsewhere, instead of those in the data directory
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A server whose process was killed still holds its lease for so long.
const PATIENCE: Duration = Duration::from_secs(15);

impl Verify {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        if let Some(file) = &self.file {
            return self.offline(file);
        }
        let kept = chain::heads_file(&global.settings(None)?.data_dir);
        let heads = self.heads(&kept)?;
        global.with_backend(Opening::Ready, |backend, clock| self.online(backend, clock, &heads))
    }

    /// Without --heads the file at the usual place, if there is one.
    fn heads(&self, usual: &Path) -> anyhow::Result<Vec<GivenHead>> {
        match &self.heads {
            Some(path) => Ok(chain::read_file(path)?),
            None if usual.exists() => Ok(chain::read_file(usual)?),
            None => Ok(vec![]),
        }
    }

    fn online(&self, backend: &Backend, clock: &Clock, heads: &[GivenHead]) -> anyhow::Result<Outcome> {
        let counter = output::counter("rows checked");
        let caught_up = chain::catch_up(&backend.db, PATIENCE);
        // A connection of its own: a ledger of years takes longer to read than pages may.
        let mut conn = connect(backend.db.url())?;
        let verified = proof::verify(&mut conn, heads, |rows| counter.set_position(rows))?;
        counter.finish_and_clear();
        let told = json!(verified.problems.iter().take(20).collect::<Vec<_>>());
        let (first_bad, problems, now) = (verified.first_bad(), verified.problems.len(), clock.now());
        backend.db.transact(Lane::Admin, |tx| {
            chain::record_verification(tx, first_bad, problems, told.clone(), now)
        })?;
        let standing = backend.db.read(Lane::Admin, chain::standing)?;
        if self.json {
            let mut value = serde_json::to_value(&verified)?;
            if let Some(fields) = value.as_object_mut() {
                fields.insert("first_bad".to_owned(), json!(first_bad));
                fields.insert("head".to_owned(), json!(standing.head));
                fields.insert("unchained".to_owned(), json!(standing.unchained));
            }
            output::json(&value)?;
        } else {
            tell(&verified, &standing)?;
        }
        if let Err(error) = caught_up {
            output::note(format_args!("The chain does not grow: {error}"))?;
        }
        Ok(if verified.is_clean() { Outcome::Done } else { Outcome::Difference })
    }

    fn offline(&self, file: &Path) -> anyhow::Result<Outcome> {
        let heads = self.heads.as_deref().map(chain::read_file).transpose()?.unwrap_or_default();
        let open = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
        let counter = output::counter("links checked");
        let reader = BufReader::with_capacity(1 << 20, open);
        let verified = proof::verify_file(reader, &heads, |links| counter.set_position(links))
            .with_context(|| file.display().to_string())?;
        counter.finish_and_clear();
        if self.json {
            output::json(&verified)?;
        } else {
            problems(&verified.problems)?;
            output::line(format_args!(
                "{} links: {} journal entries, {} postings, {} rows of the audit log, {} heads: {}\nhead {} {}",
                verified.links,
                verified.entries,
                verified.postings,
                verified.audit_rows,
                verified.heads,
                verdict(&verified.problems, verified.first_bad),
                verified.seq,
                verified.hash
            ))?;
        }
        Ok(if verified.is_clean() { Outcome::Done } else { Outcome::Difference })
    }
}

fn tell(verified: &Verified, standing: &chain::Standing) -> anyhow::Result<()> {
    problems(&verified.problems)?;
    output::line(format_args!(
        "{} deliveries ({} redacted), {} volume facts, {} commission events, {} journal entries, {} postings: {}",
        verified.deliveries,
        verified.redacted,
        verified.facts,
        verified.commission_events,
        verified.entries,
        verified.postings,
        verdict(&verified.problems, verified.first_bad()),
    ))?;
    let head = standing.head.as_ref().map_or("none".to_owned(), |head| format!("{} {}", head.seq, head.hash));
    output::line(format_args!(
        "{} links, {} of them of the audit log, {} heads given out, {} rows not chained yet; head {head}",
        verified.chained, verified.audit_rows, verified.heads, standing.unchained
    ))?;
    Ok(())
}

fn problems(problems: &[Problem]) -> anyhow::Result<()> {
    for problem in problems {
        let place = problem.seq.map_or(String::new(), |seq| format!(" (seq {seq})"));
        output::line(format_args!("{} {}{place}: {}", problem.table, problem.row, problem.message))?;
    }
    Ok(())
}

fn verdict(problems: &[Problem], first_bad: Option<i64>) -> String {
    match (problems.len(), first_bad) {
        (0, _) => "clean".to_owned(),
        (number, None) => format!("{number} problem(s)"),
        (number, Some(seq)) => format!("{number} problem(s), first bad seq {seq}"),
    }
}
