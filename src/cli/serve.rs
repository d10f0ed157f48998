//! `upline serve`.

use std::io::Write;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Global, Outcome};
use crate::app::App;
use crate::clock::Clock;
use crate::telemetry;

/// Receive webhooks, work, and show the admin pages
///
/// Runs until it gets SIGTERM or SIGINT (Ctrl-C), then ends in order. Killing it is safe too: whatever was
/// answered with 200 is stored, and the work goes on at the next start.
///
/// While nobody has a password yet, a link is printed that signs the first admin in once.
#[derive(Args)]
#[command(after_help = "Examples:
  upline serve
  upline serve --listen 0.0.0.0:8080 --data-dir /var/lib/upline
  DATABASE_URL=postgres://upline@db/upline UPLINE_PUBLIC_URL=https://pay.example.com upline serve")]
pub struct Serve {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl Serve {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let settings = global.settings(self.listen)?;
        telemetry::init_logging(settings.log_format, "info,actix_server=warn");
        let runtime = runtime()?;
        runtime.block_on(async {
            let stop = stop_signal()?;
            let app = App::build(settings, Clock::system()).await?;
            announce(&app).await?;
            app.run_until(stop).await
        })?;
        Ok(Outcome::Done)
    }
}

pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Ready when the process is asked to end.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn announce(app: &App) -> anyhow::Result<()> {
    let mut lines = vec![format!("upline serves on {}", app.state().public_url)];
    if app.needs_first_login().await? {
        lines.push(format!("Sign in once with {}", app.first_login_link().await?));
    }
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
