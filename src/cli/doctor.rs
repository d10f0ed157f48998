//! `upline doctor`: everything that is worth a look before asking for help, as text to copy.
//!
//! Looks only. Names no people and shows no secrets.

mod checks;

use clap::Args;
use serde::Serialize;

use super::{Global, Outcome, output};
use crate::app::{Backend, Opening};
use crate::clock::Clock;
use crate::telemetry;

/// Check the database, the schema, the disk, the clock, the stores and the work that waits
///
/// Prints text that can be copied into a request for help: no names, no secrets. Exit code 1 if something is
/// wrong; what is only worth knowing does not count.
#[derive(Args)]
#[command(after_help = "Examples:
  upline doctor
  upline doctor --json | jq '.checks[] | select(.verdict != \"ok\")'")]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// Worth knowing.
    Note,
    Wrong,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, detail: detail.into(), fix: None }
    }

    fn note(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Note, detail: detail.into(), fix: Some(fix.into()) }
    }

    fn wrong(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Wrong, detail: detail.into(), fix: Some(fix.into()) }
    }
}

impl Doctor {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let settings = global.settings(None)?;
        telemetry::init_logging(settings.log_format, "error,r2d2=off");
        let clock = Clock::system();
        let mut checks = vec![checks::disk(&settings.data_dir)];
        match Backend::open(&settings, Opening::AsFound) {
            Ok(backend) => {
                checks.extend(checks::database(&backend, &settings, &clock));
                backend.close();
            }
            Err(error) => {
                let fix = "start the database, or correct --database-url or --data-dir";
                checks.push(Check::wrong("database", format!("{error:#}"), fix));
            }
        }
        let wrong = checks.iter().any(|check| check.verdict == Verdict::Wrong);
        if self.json {
            let version = env!("CARGO_PKG_VERSION");
            output::json(&serde_json::json!({"version": version, "healthy": !wrong, "checks": checks}))?;
        } else {
            tell(&checks)?;
        }
        Ok(if wrong { Outcome::Failed } else { Outcome::Done })
    }
}

fn tell(checks: &[Check]) -> anyhow::Result<()> {
    output::line(format_args!("upline {} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS))?;
    for Check { name, verdict, detail, fix } in checks {
        let mark = match verdict {
            Verdict::Ok => "ok   ",
            Verdict::Note => "note ",
            Verdict::Wrong => "WRONG",
        };
        output::line(format_args!("{mark} {name}: {detail}"))?;
        if let Some(fix) = fix {
            output::line(format_args!("      {fix}"))?;
        }
    }
    Ok(())
}
