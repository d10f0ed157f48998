//! `upline notices`: what somebody should know, and whether the channels that carry it work.

use anyhow::bail;
use clap::{Args, Subcommand};

use super::{Global, Outcome, output};
use crate::app::Opening;
use crate::clients::http::Http;
use crate::clock::{Clock, new_id};
use crate::db::Lane;
use crate::notices::{self, Channel, Due};

/// What a person should know although nobody asked: silent stores, days that are not clean
#[derive(Args)]
pub struct NoticesCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Open notices; exit code 3 while a warning or an alarm is open
    #[command(after_help = "Example:\n  upline notices list --all --json")]
    List {
        /// Those that are over, too
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Send a test notice through every channel that the settings name
    #[command(
        after_help = "Channels are notices.webhook_url and notices.smtp_url in the settings; docs/operations.md.

Example:
  UPLINE_NOTICES_WEBHOOK_URL=https://hooks.example.com/x upline notices test"
    )]
    Test,
}

impl NoticesCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        match self.action {
            Action::List { all, json } => list(global, all, json),
            Action::Test => test(global),
        }
    }
}

fn list(global: &Global, all: bool, json: bool) -> anyhow::Result<Outcome> {
    global.with_backend(Opening::Ready, |backend, _| {
        let found = backend.db.read(Lane::Admin, |conn| notices::list(conn, !all))?;
        let pressing = found.iter().any(|notice| notice.resolved_at.is_none() && notice.severity != "info");
        if json {
            output::json(&found)?;
        } else if found.is_empty() {
            output::line("Nothing that you should know.")?;
        }
        for notice in found.iter().filter(|_| !json) {
            let state = if notice.resolved_at.is_some() { "resolved" } else { notice.severity.as_str() };
            let since = notice.raised_at.format("%Y-%m-%d %H:%M");
            output::line(format_args!("{state:<8} {since}  {} ({})", notice.subject, notice.key))?;
            output::line(format_args!("         {}", notice.body.replace('\n', "\n         ")))?;
        }
        Ok(if pressing { Outcome::Difference } else { Outcome::Done })
    })
}

fn test(global: &Global) -> anyhow::Result<Outcome> {
    let settings = global.settings(None)?;
    let clock = Clock::system();
    let channels = Channel::of(&settings.notices, &Http::network(true, clock.clone()))?;
    if channels.is_empty() {
        bail!("no channel is set: give notices.webhook_url or notices.smtp_url in the settings");
    }
    let due = Due {
        notice_id: new_id(),
        event: "raised".into(),
        key: "test".into(),
        severity: "info".into(),
        subject: "a test of the notices".into(),
        body: "Somebody ran `upline notices test`. Nothing is wrong.".into(),
        store: None,
        raised_at: clock.now(),
        resolved_at: None,
        times: 1,
    };
    let link = format!("{}/admin/notices", settings.public_base());
    let mut outcome = Outcome::Done;
    for channel in &channels {
        match channel.send(&due, &link) {
            Ok(()) => output::line(format_args!("{}: sent", channel.name()))?,
            Err(problem) => {
                output::line(format_args!("{}: {problem}", channel.name()))?;
                outcome = Outcome::Failed;
            }
        }
    }
    Ok(outcome)
}
