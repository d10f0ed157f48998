//! `upline demo`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::Args;
use tokio::sync::oneshot;

use super::serve::{runtime, stop_signal};
use super::{Global, Outcome};
use crate::app::App;
use crate::clock::Clock;
use crate::demo::{Demo as Play, Summary};
use crate::telemetry;

/// Show everything with a sample company: orders in, commissions out
///
/// Sets up a company of a few hundred distributors, three stores, a catalogue and a plan, then sends signed
/// deliveries over HTTP to this server's own webhook addresses, in the shapes of Shopify, WooCommerce and Magento:
/// repeats, updates before their orders, refunds, an unmapped SKU and unknown distributors among them. Prints
/// what came of it, and stays to be looked at until Ctrl-C.
///
/// Running it again adds nothing that is there already. It refuses a database with stores of its own.
#[derive(Args)]
#[command(after_help = "Examples:
  upline demo
  upline demo --orders 20000 --exit
  upline demo --plan config/plans/binary.toml
  upline demo --data-dir /tmp/try --exit --json")]
pub struct Demo {
    /// Orders to send; each is told in one or more deliveries
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: u32,
    /// The same seed gives the same orders
    #[arg(long, value_name = "S", default_value_t = 42)]
    seed: u64,
    /// The plan that the company pays by, in place of its own
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// End after the summary
    #[arg(long)]
    exit: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    /// Address and port; port 0 takes a free one, as --exit does without this
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl Demo {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let listen = self.listen.clone().or_else(|| self.exit.then(|| "127.0.0.1:0".to_owned()));
        let mut settings = global.settings(listen)?;
        telemetry::init_logging(settings.log_format, "warn");
        // The only sender is the demo itself, as fast as it can.
        (settings.store_rate, settings.store_burst) = (1_000_000, 1_000_000);
        runtime()?.block_on(async {
            let stop = stop_signal()?;
            let app = App::build(settings, Clock::system()).await?;
            self.play(app, stop).await
        })
    }

    /// Serves and plays at the same time.
    async fn play(self, app: App, stop: impl Future<Output = ()>) -> anyhow::Result<Outcome> {
        let (db, vault, clock) =
            (app.state().db.clone(), app.state().vault.clone(), app.state().clock.clone());
        let plan = self.plan.as_deref().map(super::read_text).transpose()?;
        let link = if app.needs_first_login().await? { Some(app.first_login_link().await?) } else { None };
        let address = app.state().public_url.to_string();
        let stopped = Arc::new(AtomicBool::new(false));
        let play = Play {
            orders: self.orders,
            seed: self.seed,
            plan,
            base: local(app.addr()),
            progress: !self.json,
            stopped: stopped.clone(),
        };
        let (ending, ended) = oneshot::channel();
        let exit = self.exit;
        let playing = tokio::task::spawn_blocking(move || {
            let outcome = play
                .play(&db, &vault, &clock)
                .context("the demo did not come to its end")
                .and_then(|summary| self.tell(&summary, &address, link.as_deref()));
            // Without an end to look at, there is nothing to stay for.
            if exit || outcome.is_err() {
                let _server_is_gone = ending.send(());
            }
            outcome
        });
        let stop = async move {
            tokio::select! {
                () = stop => {}
                Ok(()) = ended => {}
            }
            stopped.store(true, Ordering::Relaxed);
        };
        let served = app.run_until(stop).await;
        let outcome = playing.await.context("the demo panicked")?;
        served.and(outcome)
    }

    fn tell(&self, summary: &Summary, address: &str, link: Option<&str>) -> anyhow::Result<Outcome> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", summary.json())?;
        } else {
            writeln!(out, "\n{summary}")?;
        }
        if !self.exit && !self.json {
            writeln!(out, "Admin pages   {address}")?;
            if let Some(link) = link {
                writeln!(out, "Sign in once  {link}")?;
            }
            writeln!(out, "Ctrl-C ends.")?;
        }
        out.flush()?;
        Ok(if summary.drifts() { Outcome::Difference } else { Outcome::Done })
    }
}

/// How the server is reached from this machine, however it is called from outside.
fn local(addr: SocketAddr) -> String {
    match addr {
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("http://[::1]:{}", v6.port()),
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("http://127.0.0.1:{}", v4.port()),
        other => format!("http://{other}"),
    }
}
