//! `upline import`: distributors and SKU mappings from CSV files, all or nothing.

use std::collections::HashMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::{Global, Outcome, output, parse_instant, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::catalog;
use crate::clock::Clock;
use crate::core::assess::Hold;
use crate::core::plan::PlacementRule;
use crate::core::sheet::RowProblem;
use crate::db::{Conn, DbError, Lane};
use crate::distributors::{self, Filled, Networks, Placements};
use crate::ingest;
use crate::orders;
use crate::payees;
use crate::plans::Plans;
use crate::stores::Platform;

/// Distributors or SKU mappings from a CSV file
///
/// Nothing is changed by a file with a single problem; every problem is told with its line and column. A file can
/// be imported again: only what differs is recorded. Orders that were held for what the file brings are assessed
/// again.
#[derive(Args)]
pub struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// distributor_id, sponsor_id, status, country, tax_id, created_at; optional name, email, rank, and a place
    #[command(
        after_help = "Sponsors may come later in the file. A changed sponsor, status or rank holds from now on,
or from --effective; orders before that keep their upline.

For a binary or a matrix there are the columns placement_parent and placement_side (left, right, or a number
from 0), and position where it is not the distributor's own id. Without them, and with a plan that has
[placement], newcomers are placed by its rule below their sponsor; --no-fill leaves them without a place.

Example:
  distributor_id,sponsor_id,status,country,tax_id,created_at
  10090,,active,US,,2021-04-01
  11043,10090,active,US,,2023-02-11T09:30:00Z

  upline import distributors distributors.csv --dry-run
  upline import distributors moved.csv --effective 2026-01-01"
    )]
    Distributors {
        #[command(flatten)]
        file: File,
        /// Place nobody by the plan's rule
        #[arg(long)]
        no_fill: bool,
    },
    /// sku_id, platform, platform_sku, name, category, commission_class; optional store, key_kind
    #[command(
        after_help = "key_kind says what platform_sku is: sku (default), variant or product, by the platform's own
ids. Without a store a mapping holds in all stores of the platform. The class `none` earns nothing on purpose.

Example:
  sku_id,platform,platform_sku,name,category,commission_class
  KIT-1,shopify,KIT-STARTER-001,Starter kit,kits,starter

  upline import skus skus.csv --dry-run"
    )]
    Skus(File),
}

#[derive(Args)]
struct File {
    file: PathBuf,
    /// Only say what the file would change
    #[arg(long)]
    dry_run: bool,
    /// From when changes hold, as 2026-01-31 (UTC) or 2026-01-31T00:00:00+01:00 [default: now]
    #[arg(long, value_name = "DATE", value_parser = parse_instant)]
    effective: Option<DateTime<Utc>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is told of an import, whatever it imports.
#[derive(Serialize)]
struct Report {
    what: &'static str,
    applied: bool,
    new: usize,
    changed: usize,
    unchanged: usize,
    /// Positions that the file places or moves.
    placed: usize,
    /// Newcomers that the plan's rule placed.
    filled: usize,
    ignored_columns: Vec<String>,
    /// Orders that were held and are assessed again.
    orders_reviewed: usize,
    notes: Vec<String>,
    problems: Vec<RowProblem>,
}

impl Import {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let (What::Distributors { file, .. } | What::Skus(file)) = &self.what;
        let csv = super::read_bytes(&file.file)?;
        global.with_backend(Opening::Ready, |backend, clock| {
            let effective = file.effective.unwrap_or_else(|| clock.now());
            let working = output::working(format!("importing {} bytes", csv.len()));
            let report = match &self.what {
                What::Distributors { no_fill, .. } => {
                    distributors(backend, clock, &csv, effective, (file.dry_run, *no_fill))?
                }
                What::Skus(_) => skus(backend, clock, &csv, effective, file.dry_run)?,
            };
            working.finish_and_clear();
            report.tell(file)
        })
    }
}

fn distributors(
    backend: &Backend,
    clock: &Clock,
    csv: &[u8],
    effective: DateTime<Utc>,
    (dry_run, no_fill): (bool, bool),
) -> anyhow::Result<Report> {
    const WAITED: [Hold; 3] =
        [Hold::UnknownDistributor, Hold::AmbiguousDistributor, Hold::TerminatedDistributor];
    let now = clock.now();
    let rule = placement_rule(backend, now)?;
    let trees = distributors::import::Trees {
        networks: &Networks::default(),
        placements: &Placements::default(),
        tree: rule.map(|rule| rule.tree),
    };
    let preview = |conn: &mut Conn| distributors::import::preview(conn, trees, csv, effective);
    let import = backend.db.read(Lane::Admin, preview)?;
    let apply = import.is_clean() && !dry_run;
    let mut done = (0, Filled::default());
    if apply {
        let by = "console";
        done = transact(&backend.db, |tx| {
            import.record(tx, by, now)?;
            let numbers = payees::record_numbers(tx, &backend.vault, &import.tax_ids, by, now)?;
            let filled = match &rule {
                Some(rule) if !no_fill => distributors::fill(tx, rule, by, now)?,
                _ => Filled::default(),
            };
            let detail = json!({"new": import.new, "changed": import.changed, "placed": import.placed,
                                "filled": filled.placed.len(), "tax_ids": numbers});
            audit::record(tx, by, "distributors.import", "distributors", detail, now)?;
            Ok::<_, anyhow::Error>((orders::review_all_of(tx, &WAITED, now)?, filled))
        })?;
    }
    let (reviewed, filled) = done;
    Ok(Report {
        what: "distributors",
        applied: apply,
        new: import.new,
        changed: import.changed,
        unchanged: import.unchanged,
        placed: import.placed,
        filled: filled.placed.len(),
        ignored_columns: import.ignored_columns,
        orders_reviewed: reviewed,
        notes: filled.unplaced.iter().map(ToString::to_string).collect(),
        problems: import.problems,
    })
}

/// Of the plan that holds.
pub(super) fn placement_rule(
    backend: &Backend,
    now: DateTime<Utc>,
) -> Result<Option<PlacementRule>, DbError> {
    let published = backend.db.read(Lane::Admin, |conn| Plans::default().get(conn))?;
    Ok(published.at(now).and_then(|plan| plan.placement().copied()))
}

fn skus(
    backend: &Backend,
    clock: &Clock,
    csv: &[u8],
    effective: DateTime<Utc>,
    dry_run: bool,
) -> anyhow::Result<Report> {
    let now = clock.now();
    let stores = backend.db.read(Lane::Admin, ingest::list_stores)?;
    let stores: HashMap<_, _> = stores.into_iter().map(|s| (s.slug, (s.id, s.platform))).collect();
    let platforms = Platform::ALL.map(Platform::as_str);
    let known = catalog::import::Known { stores: &stores, platforms: &platforms };
    let preview = |conn: &mut Conn| catalog::import::preview(conn, &known, csv, effective);
    let import = backend.db.read(Lane::Admin, preview)?;
    let notes = unknown_classes(backend, &import, now)?;
    let apply = import.is_clean() && !dry_run;
    let mut reviewed = 0;
    if apply {
        reviewed = transact(&backend.db, |tx| {
            import.record(tx, "console", now)?;
            let detail = json!({"new": import.new, "changed": import.changed});
            audit::record(tx, "console", "skus.import", "sku_mappings", detail, now)?;
            orders::review_all_of(tx, &[Hold::UnmappedSku, Hold::UnknownClass], now)
        })?;
    }
    Ok(Report {
        what: "SKU mappings",
        applied: apply,
        new: import.new,
        changed: import.changed,
        unchanged: import.unchanged,
        placed: 0,
        filled: 0,
        ignored_columns: import.ignored_columns,
        orders_reviewed: reviewed,
        notes,
        problems: import.problems,
    })
}

/// Classes that no plan pays: a note, because the plan may come later.
fn unknown_classes(
    backend: &Backend,
    import: &catalog::import::Import,
    now: DateTime<Utc>,
) -> Result<Vec<String>, DbError> {
    let published = backend.db.read(Lane::Admin, |conn| Plans::default().get(conn))?;
    let Some(plan) = published.at(now) else { return Ok(vec![]) };
    let known = plan.class_ids();
    let unknown = import
        .classes
        .iter()
        .filter(|class| !known.contains(class) && *class != crate::core::sku::CLASS_NONE);
    let note = |class: &String| {
        format!("the plan {} does not know the class {class:?}; its orders will be held", plan.name())
    };
    Ok(unknown.map(note).collect())
}

impl Report {
    fn tell(&self, file: &File) -> anyhow::Result<Outcome> {
        if file.json {
            output::json(self)?;
        } else {
            self.tell_people(file)?;
        }
        Ok(if self.problems.is_empty() { Outcome::Done } else { Outcome::Failed })
    }

    fn tell_people(&self, file: &File) -> anyhow::Result<()> {
        let Self { what, new, changed, unchanged, placed, filled, .. } = self;
        let mut counts = format!("{new} new, {changed} changed, {unchanged} unchanged");
        if *placed > 0 {
            counts.push_str(&format!("; {placed} placed or moved in the placement tree"));
        }
        if *filled > 0 {
            counts.push_str(&format!("; {filled} placed by the plan's rule"));
        }
        if !self.ignored_columns.is_empty() {
            output::note(format_args!(
                "note: columns that are not used: {}",
                self.ignored_columns.join(", ")
            ))?;
        }
        for note in &self.notes {
            output::note(format_args!("note: {note}"))?;
        }
        if !self.problems.is_empty() {
            let file = file.file.display();
            output::note(format_args!(
                "error: {file} has {} problem(s); nothing was imported",
                self.problems.len()
            ))?;
            output::problems(&self.problems)?;
        } else if self.applied {
            output::line(format_args!("Imported {what}: {counts}."))?;
            if self.orders_reviewed > 0 {
                output::line(format_args!("{} held order(s) are assessed again.", self.orders_reviewed))?;
            }
        } else {
            output::line(format_args!("Dry run, nothing changed. {what}: {counts}."))?;
        }
        Ok(())
    }
}
