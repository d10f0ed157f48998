//! `upline customer import`: bindings of an old system, all or nothing.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::find;
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::cli::{Global, Outcome, output, read_bytes, transact};
use crate::core::binding::What;
use crate::core::ids::DistributorId;
use crate::core::sheet::{RowProblem, Sheet};
use crate::customers::NewDecision;
use crate::db::{DbError, Lane};
use crate::distributors::{self, import::instant};
use crate::ingest::Store;
use crate::orders;

/// Whom customers are bound to, from a CSV file: customer_id, distributor; optional kind, from
///
/// kind is `bound` (default) or `is`; from is since when it is so, without it always. Nothing is changed by a file
/// with a single problem.
#[derive(Args)]
#[command(after_help = "Example:
  customer_id,distributor,kind,from
  5678,ANNA,bound,2024-03-01
  9012,11043,is,

  upline customer import main bindings.csv --dry-run")]
pub struct Import {
    store: String,
    file: PathBuf,
    /// Only say what the file would do
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

struct Line {
    customer: String,
    distributor: String,
    what: What,
    from: Option<chrono::DateTime<chrono::Utc>>,
    number: u64,
}

impl Import {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let csv = read_bytes(&self.file)?;
        global.with_backend(Opening::Ready, |backend, clock| {
            let store = find(backend, &self.store)?;
            let (lines, mut problems) = read(&csv);
            let named = whoever(backend, &lines, &mut problems)?;
            if !problems.is_empty() {
                output::note(format_args!(
                    "error: {} has {} problem(s); nothing was imported",
                    self.file.display(),
                    problems.len()
                ))?;
                output::problems(&problems)?;
                return Ok(Outcome::Failed);
            }
            let reviewed = match self.dry_run {
                true => 0,
                false => record(backend, &store, &lines, &named, clock.now())?,
            };
            if self.json {
                output::json(
                    &json!({"bindings": lines.len(), "applied": !self.dry_run, "orders_reviewed": reviewed}),
                )?;
            } else if self.dry_run {
                output::line(format_args!("Dry run, nothing changed: {} binding(s).", lines.len()))?;
            } else {
                output::line(format_args!(
                    "{} binding(s) imported; {reviewed} order(s) that are not posted are looked at again.",
                    lines.len()
                ))?;
            }
            Ok(Outcome::Done)
        })
    }
}

fn read(csv: &[u8]) -> (Vec<Line>, Vec<RowProblem>) {
    let sheet = match Sheet::read(csv, &["customer_id", "distributor"], &["kind", "from"]) {
        Ok(sheet) => sheet,
        Err(problems) => return (vec![], problems),
    };
    let mut problems = vec![];
    let mut lines = vec![];
    for row in sheet.rows() {
        let what = row.get("kind").map_or(Some(What::Bound), What::parse);
        if what.is_none() {
            problems.push(row.problem("kind", "is neither bound nor is"));
        }
        let from = row.get("from").map(instant);
        if from == Some(None) {
            problems.push(row.problem("from", "is no date; write 2026-01-31"));
        }
        lines.push(Line {
            customer: row.required("customer_id", &mut problems).to_owned(),
            distributor: row.required("distributor", &mut problems).to_owned(),
            what: what.unwrap_or(What::Bound),
            from: from.flatten(),
            number: row.line,
        });
    }
    (lines, problems)
}

fn whoever(
    backend: &Backend,
    lines: &[Line],
    problems: &mut Vec<RowProblem>,
) -> Result<HashMap<String, DistributorId>, DbError> {
    let asked: BTreeSet<String> = lines.iter().map(|line| line.distributor.clone()).collect();
    let found = backend.db.read(Lane::Admin, |conn| distributors::whoever(conn, &asked))?;
    for line in
        lines.iter().filter(|line| !line.distributor.is_empty() && !found.contains_key(&line.distributor))
    {
        problems.push(RowProblem {
            line: line.number,
            column: "distributor".to_owned(),
            message: format!("{:?} names no distributor", line.distributor),
        });
    }
    Ok(found)
}

fn record(
    backend: &Backend,
    store: &Store,
    lines: &[Line],
    named: &HashMap<String, DistributorId>,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<usize> {
    let decisions: Vec<NewDecision<'_>> = lines
        .iter()
        .map(|line| NewDecision {
            store: store.id,
            customer: &line.customer,
            what: line.what,
            distributor: named.get(&line.distributor),
            from: line.from,
            source: "import",
        })
        .collect();
    Ok(transact(&backend.db, |tx| {
        let reviewed = orders::bind_customers(tx, &decisions, "console", now)?;
        let detail = json!({"bindings": decisions.len()});
        audit::record(tx, "console", "customer.import", &store.slug, detail, now)?;
        Ok::<_, DbError>(reviewed)
    })?)
}
