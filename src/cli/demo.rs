//! `upline demo`.

use anyhow::Context;
use clap::Args;

use super::serve::{runtime, stop_signal};
use super::{Global, Outcome, output};
use crate::app::App;
use crate::clock::Clock;
use crate::demo::Demo;
use crate::telemetry;

/// Set up a sample company, send its deliveries over HTTP, and show what came of it
///
/// A few hundred distributors, three stores, a catalogue and a plan; then signed deliveries in the genuine shapes
/// of Shopify, WooCommerce and Magento, with duplicates, updates before creates, refunds, an unmapped SKU and an
/// unknown distributor among them. Afterwards the admin pages stay open until Ctrl-C, unless --exit is given.
#[derive(Args)]
#[command(after_help = "Examples:
  upline demo
  upline demo --orders 5000 --exit --json")]
pub struct DemoCommand {
    /// How many orders
    #[arg(long, default_value_t = 400)]
    orders: u32,
    /// Another company and other orders; the same seed gives the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after the summary
    #[arg(long)]
    exit: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl DemoCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let mut settings = global.settings(self.listen.clone())?;
        telemetry::init_logging(settings.log_format, "warn");
        // The demo's own storm is welcome.
        settings.store_rate = u32::MAX;
        settings.store_burst = u32::MAX;
        runtime()?.block_on(async {
            let stop = stop_signal()?;
            let app = App::build(settings, Clock::system()).await?;
            let link = app.first_login_link().await?;
            let (db, vault, clock) = {
                let state = app.state();
                (state.db.clone(), state.vault.clone(), state.clock.clone())
            };
            let play = Demo {
                orders: self.orders,
                seed: self.seed,
                base: format!("http://{}", app.addr()),
                progress: !self.json,
            };
            let (done, ended) = tokio::sync::oneshot::channel::<()>();
            let (json, exit) = (self.json, self.exit);
            let played = tokio::task::spawn_blocking(move || {
                let summary = play.play(&db, &vault, &clock)?;
                output::line(if json { summary.json() } else { summary.to_string() })?;
                if exit {
                    drop(done);
                } else {
                    if !json {
                        output::line(format_args!("\nSign in once with {link}\nCtrl-C ends it."))?;
                    }
                    std::mem::forget(done);
                }
                anyhow::Ok(())
            });
            app.run_until(async {
                tokio::select! {
                    () = stop => {}
                    _ = ended => {}
                }
            })
            .await?;
            played.await.context("the demo panicked")?
        })?;
        Ok(Outcome::Done)
    }
}
