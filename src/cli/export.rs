//! `upline export`: the files of a closed period.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::person::By;
use super::{Global, Outcome, output};
use crate::app::Opening;
use crate::chain;
use crate::db::Lane;
use crate::warehouse::{self, Asked, ChainHead, Exported, Format};

/// Write what a closed period holds as CSV or Parquet files with a manifest
///
/// The files of a period are the same bytes whenever they are written; what stands there already is compared and never
/// overwritten. They hold no personal data.
#[derive(Args)]
#[command(after_help = "Examples:
  upline export --period 2026-01 --out warehouse
  upline export --period 2026-01 --out warehouse --format csv --json
  upline export --period 2026-01 --out warehouse --dry-run")]
pub struct Export {
    /// Name of a closed period; `upline period list` shows all
    #[arg(long, value_name = "NAME")]
    period: String,
    /// Directory; the files come into DIR/PERIOD/FORMAT
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long, value_enum, default_value_t = FormatOption::Parquet)]
    format: FormatOption,
    /// Say what would be written where, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    by: By,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatOption {
    Csv,
    Parquet,
}

impl From<FormatOption> for Format {
    fn from(format: FormatOption) -> Self {
        match format {
            FormatOption::Csv => Self::Csv,
            FormatOption::Parquet => Self::Parquet,
        }
    }
}

impl Export {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| {
            let by = self.by.name();
            let head = backend.db.read(Lane::Admin, chain::standing)?.head;
            let asked = Asked {
                period: &self.period,
                out: &self.out,
                format: self.format.into(),
                chain_head: head.map(|head| ChainHead { seq: head.seq, hash: head.hash }),
                by: &by,
            };
            if self.dry_run {
                let wanted = asked.look(&backend.db)?;
                return self.would(&wanted.dir.display().to_string(), &wanted.files);
            }
            let counter = output::counter("rows");
            let exported = warehouse::export(&backend.db, clock, &asked, &mut |dataset, rows| {
                counter.set_message(dataset);
                counter.set_position(rows);
            });
            counter.finish_and_clear();
            self.tell(&exported?)
        })
    }

    fn would(&self, dir: &str, files: &[String]) -> anyhow::Result<Outcome> {
        if self.by.json {
            output::json(&json!({"dir": dir, "files": files}))?;
        } else {
            files.iter().try_for_each(|file| output::line(format_args!("{dir}/{file}")))?;
        }
        Ok(Outcome::Done)
    }

    fn tell(&self, exported: &Exported) -> anyhow::Result<Outcome> {
        let Exported { dir, manifest, is_unchanged } = exported;
        if self.by.json {
            output::json(&json!({"dir": dir, "unchanged": is_unchanged, "manifest": manifest}))?;
            return Ok(Outcome::Done);
        }
        let rows: Vec<Vec<String>> = manifest
            .files
            .iter()
            .map(|file| {
                vec![file.name.clone(), file.rows.to_string(), file.bytes.to_string(), file.sha256.clone()]
            })
            .collect();
        output::table(&["file", "rows", "bytes", "sha256"], &rows)?;
        let done = if *is_unchanged { "stood there already, the same to the byte" } else { "written" };
        output::note(format_args!("{}: {done}", dir.display()))?;
        Ok(Outcome::Done)
    }
}
