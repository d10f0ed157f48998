//! `upline warehouse`: who may read the schema `report`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::person::By;
use super::{Global, Outcome, output, read_text};
use crate::app::Opening;
use crate::warehouse::{self, Grants};

/// The read-only schema of the analysts
#[derive(Args)]
#[command(after_help = "Let analysts read:
  upline warehouse grant --password-file report.txt
Files of a closed period:
  upline export --period 2026-01 --out warehouse")]
pub struct WarehouseCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Grant(Grant),
}

/// Make a role that reads the schema `report` and nothing else, or give an existing one its rights again
///
/// Its statements end after a time, and its transactions are read-only. Refused when the role could get at anything
/// else. Takes a database user that may make roles.
#[derive(Args)]
#[command(after_help = "Examples:
  upline warehouse grant --dry-run
  upline warehouse grant --password-file report.txt --statement-timeout 120")]
struct Grant {
    /// The role
    #[arg(long, value_name = "NAME", default_value = "report_ro")]
    role: String,
    /// End its statements after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    statement_timeout: u32,
    /// File with its password; without one it signs in as the server lets it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print the statements and run none
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    by: By,
}

impl WarehouseCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Grant(command) => command.run(global),
        }
    }
}

impl Grant {
    fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let password = self.password_file.as_deref().map(read_text).transpose()?;
        let password = password.map(|text| text.trim_end_matches(['\r', '\n']).to_owned().into());
        global.with_backend(Opening::Ready, |backend, clock| {
            let by = self.by.name();
            let grants =
                Grants { role: &self.role, statement_seconds: self.statement_timeout, password, by: &by };
            let granted = warehouse::grant(&backend.db, clock, &grants, self.dry_run)?;
            if self.by.json {
                output::json(&granted)?;
            } else if self.dry_run {
                granted
                    .statements
                    .iter()
                    .try_for_each(|statement| output::line(format_args!("{statement};")))?;
            } else {
                output::line(format_args!(
                    "{} reads report in {}: {}",
                    granted.role,
                    granted.database,
                    granted.views.join(", ")
                ))?;
            }
            Ok(Outcome::Done)
        })
    }
}
