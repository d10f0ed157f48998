//! `upline store test`.

use clap::Args;
use serde_json::json;

use super::webhooks::tell;
use super::{as_json, with_keeper};
use crate::cli::{Global, Outcome, output};
use crate::connections::{Connection, Tested};

/// Ask a connected store who it is and what webhooks it has; exit 1 when something is broken
#[derive(Args)]
#[command(after_help = "Example:\n  upline store test main --json")]
pub struct Test {
    slug: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Test {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        with_keeper(global, |keeper, _| {
            let connection = keeper.connection(&self.slug)?;
            let asking = output::working("asking the store");
            let tested = keeper.test(&connection);
            asking.finish_and_clear();
            let tested = tested?;
            match self.json {
                true => tell_json(&connection, &tested)?,
                false => tell_people(&connection, &tested)?,
            }
            Ok(if tested.is_sound() { Outcome::Done } else { Outcome::Failed })
        })
    }
}

fn tell_json(connection: &Connection, tested: &Tested) -> anyhow::Result<()> {
    let platform = connection.platform()?;
    let webhooks = match &tested.webhooks {
        None => json!(null),
        Some(Ok(ensured)) => json!(ensured),
        Some(Err(problem)) => as_json(problem, platform),
    };
    let api = match &tested.facts {
        Ok(facts) => json!(facts),
        Err(problem) => as_json(problem, platform),
    };
    output::json(&json!({
        "slug": connection.slug, "platform": platform, "base_url": connection.base_url, "sound": tested.is_sound(),
        "paused": connection.paused, "api": api, "webhooks": webhooks, "last_delivery_at": connection.heard_at,
    }))
}

fn tell_people(connection: &Connection, tested: &Tested) -> anyhow::Result<()> {
    let platform = connection.platform()?;
    match &tested.facts {
        Ok(facts) => {
            let version = facts.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
            let currency = facts.currency.as_deref().unwrap_or("currency unknown");
            output::line(format_args!("ok      {} ({platform}{version}), {currency}", facts.name))?;
            for scope in &facts.missing_scopes {
                output::line(format_args!("note    its credentials lack {scope}"))?;
            }
        }
        Err(problem) => {
            output::line(format_args!("broken  {problem}"))?;
            if let Some(fix) = problem.fix(platform) {
                output::line(format_args!("        {fix}"))?;
            }
        }
    }
    match &tested.webhooks {
        None => {}
        Some(Ok(ensured)) => tell(ensured, true)?,
        Some(Err(problem)) => output::line(format_args!("broken  {problem}"))?,
    }
    let heard = match connection.heard_at {
        Some(at) => format!("last delivery {}", at.format("%Y-%m-%d %H:%M UTC")),
        None => "no delivery yet".to_owned(),
    };
    output::note(heard)?;
    if connection.paused {
        output::note(format_args!("It is paused: upline store resume {}", connection.slug))?;
    }
    Ok(())
}
