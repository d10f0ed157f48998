//! `upline scenario`: run money scenarios that are written as text.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Global, Outcome, output};
use crate::scenario::{self, Scenario};

/// Run scenario files on the core alone: no database, no server
///
/// A scenario says a plan, distributors, orders and refunds, when periods are closed, and what is expected to come
/// of it all, one fact a line; docs/scenarios.md describes the format. Exit code 3 if an expectation does not hold.
#[derive(Args)]
#[command(after_help = "Example:\n  upline scenario tests/scenarios/*.txt")]
pub struct ScenarioCommand {
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ScenarioCommand {
    pub fn run(self, _: &Global) -> anyhow::Result<Outcome> {
        let mut worst = Outcome::Done;
        let mut told = vec![];
        for file in &self.files {
            match parse(file)? {
                Err(problems) => {
                    worst = Outcome::Failed;
                    told.push(json!({"file": file, "problems": problems.iter().map(ToString::to_string).collect::<Vec<_>>()}));
                    output::note(format_args!("error: {} cannot be read", file.display()))?;
                    output::problems(&problems)?;
                }
                Ok(scenario) => {
                    let outcome = scenario::run(&scenario);
                    if !outcome.passed() && worst == Outcome::Done {
                        worst = Outcome::Difference;
                    }
                    if !self.json {
                        tell(file, &outcome)?;
                    }
                    told.push(json!({"file": file, "passed": outcome.passed(), "outcome": outcome}));
                }
            }
        }
        if self.json {
            output::json(&told)?;
        }
        Ok(worst)
    }
}

type Parsed = Result<Scenario, Vec<scenario::ScenarioProblem>>;

/// A plan file is found beside the scenario that names it.
fn parse(file: &Path) -> anyhow::Result<Parsed> {
    let text = super::read_text(file)?;
    let beside = file.parent().unwrap_or(Path::new("."));
    Ok(Scenario::parse(&text, |path| {
        std::fs::read_to_string(beside.join(path)).map_err(|error| format!("{path} cannot be read: {error}"))
    }))
}

fn tell(file: &Path, outcome: &scenario::Outcome) -> anyhow::Result<()> {
    let all = outcome.held + outcome.failures.len();
    let verdict = if outcome.passed() { "ok" } else { "FAILED" };
    output::line(format_args!(
        "{verdict:6} {}: {}, {} of {} as expected",
        file.display(),
        outcome.title,
        outcome.held,
        all
    ))?;
    for failure in &outcome.failures {
        output::line(format_args!("  {failure}"))?;
    }
    Ok(())
}
