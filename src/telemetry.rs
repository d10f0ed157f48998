//! What the running program tells about itself: log lines and numbers. Never personal data, never money.

use std::io::IsTerminal;
use std::time::Duration;

use chrono::TimeDelta;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::LogFormat;

/// Log lines go to stderr: stdout belongs to what a command was asked for. `RUST_LOG` chooses the level.
/// Does nothing when logging is set up already.
pub fn init_logging(format: LogFormat, default_level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_level));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false);
    let _set_up_already = match format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => {
            registry.with(layer.json().flatten_event(true).with_current_span(false)).try_init()
        }
    };
}

/// Steps of about a third, from a quarter of a millisecond to half a minute, so that p50 and p99 can be read.
const SECONDS: [f64; 36] = [
    0.000_25, 0.000_5, 0.000_75, 0.001, 0.001_5, 0.002, 0.002_5, 0.003, 0.004, 0.005, 0.006_5, 0.008, 0.01,
    0.013, 0.016, 0.02, 0.025, 0.032, 0.04, 0.05, 0.065, 0.08, 0.1, 0.12, 0.16, 0.2, 0.3, 0.4, 0.5, 0.75,
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0,
];
const BATCHES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// All numbers of one app. Cloning shares them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// By store and verdict at the edge: accepted, duplicate, ping, refused.
    pub deliveries: IntCounterVec,
    /// First byte read to answer ready.
    pub ack: Histogram,
    /// First byte read to ledger entry committed.
    pub receipt_to_ledger: Histogram,
    /// Events handled in one database transaction, by topic.
    pub batches: HistogramVec,
    /// Requests by route pattern and status class.
    pub requests: IntCounterVec,
    /// Work waiting, by topic. Set when somebody asks.
    pub backlog: IntGaugeVec,
    pub parked: IntGaugeVec,
    /// What was news of what was read, by store and kind.
    pub pull_news: IntCounterVec,
    pub pull_failures: IntCounterVec,
    /// Since when a store was not read, in seconds. Set when somebody asks.
    pub pull_age: IntGaugeVec,
    /// Orders that wait for a person.
    pub held_orders: IntGauge,
    pub database_up: IntGauge,
    /// Our subscriptions at each store, active or broken.
    pub webhooks: IntGaugeVec,
    pub webhooks_mended: IntCounterVec,
    /// Whether the API of a connected store answers, and whether the store says nothing although it should.
    pub store_up: IntGaugeVec,
    pub store_silent: IntGaugeVec,
    pub started: Gauge,
}

impl Metrics {
    pub fn build() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("upline".into()), None)?;
        let metrics = Self {
            deliveries: counters("deliveries_total", "Deliveries at the edge", &["store", "verdict"])?,
            ack: histogram("ack_seconds", "From the first byte of a delivery to its durable answer")?,
            receipt_to_ledger: histogram(
                "receipt_to_ledger_seconds",
                "From the first byte of a delivery to its committed ledger entry",
            )?,
            batches: HistogramVec::new(
                HistogramOpts::new("batch_events", "Events in one database transaction")
                    .buckets(BATCHES.to_vec()),
                &["topic"],
            )?,
            requests: counters("requests_total", "Requests answered", &["route", "status"])?,
            backlog: gauges("backlog_events", "Events that wait for their consumer", &["topic"])?,
            parked: gauges("parked_events", "Events that wait for a person", &["topic"])?,
            pull_news: counters("pull_news_total", "News read from the stores' APIs", &["store", "kind"])?,
            pull_failures: counters("pull_failures_total", "Pulls that failed", &["store", "kind"])?,
            pull_age: gauges(
                "pull_age_seconds",
                "Since the end of the last window that was read whole",
                &["store", "kind"],
            )?,
            held_orders: IntGauge::new("held_orders", "Orders that wait for a person")?,
            database_up: IntGauge::new("database_up", "Whether the database answers")?,
            webhooks: gauges("store_webhooks", "Our subscriptions at a store", &["store", "state"])?,
            webhooks_mended: counters(
                "store_webhooks_mended_total",
                "Subscriptions that were gone or off",
                &["store"],
            )?,
            store_up: gauges("store_up", "Whether the API of a connected store answers", &["store"])?,
            store_silent: gauges(
                "store_silent",
                "Whether a store delivers nothing although it should",
                &["store"],
            )?,
            started: Gauge::new("start_time_seconds", "When this process began to serve, in Unix time")?,
            registry,
        };
        metrics.register()?;
        Ok(metrics)
    }

    fn register(&self) -> Result<(), prometheus::Error> {
        let all: [Box<dyn prometheus::core::Collector>; 17] = [
            Box::new(self.deliveries.clone()),
            Box::new(self.ack.clone()),
            Box::new(self.receipt_to_ledger.clone()),
            Box::new(self.batches.clone()),
            Box::new(self.requests.clone()),
            Box::new(self.backlog.clone()),
            Box::new(self.parked.clone()),
            Box::new(self.pull_news.clone()),
            Box::new(self.pull_failures.clone()),
            Box::new(self.pull_age.clone()),
            Box::new(self.held_orders.clone()),
            Box::new(self.database_up.clone()),
            Box::new(self.webhooks.clone()),
            Box::new(self.webhooks_mended.clone()),
            Box::new(self.store_up.clone()),
            Box::new(self.store_silent.clone()),
            Box::new(self.started.clone()),
        ];
        all.into_iter().try_for_each(|collector| self.registry.register(collector))
    }

    /// A delivery was answered so long after it began to come.
    pub fn acknowledged(&self, after: Duration) {
        self.ack.observe(after.as_secs_f64());
    }

    /// What a delivery led to was posted so long after it was received.
    pub fn posted(&self, after: TimeDelta) {
        self.receipt_to_ledger.observe(after.to_std().unwrap_or_default().as_secs_f64());
    }

    /// In the text format of Prometheus.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn histogram(name: &str, help: &str) -> Result<Histogram, prometheus::Error> {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(SECONDS.to_vec()))
}

fn counters(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_under_their_names() {
        let metrics = Metrics::build().unwrap();
        metrics.deliveries.with_label_values(&["main", "accepted"]).inc();
        metrics.ack.observe(0.0021);
        let text = metrics.render().unwrap();
        assert!(text.contains(r#"upline_deliveries_total{store="main",verdict="accepted"} 1"#));
        assert!(text.contains(r#"upline_ack_seconds_bucket{le="0.0025"} 1"#));
        assert!(text.contains(r#"upline_ack_seconds_bucket{le="0.002"} 0"#));
    }
}
