//! `cargo bench --bench pipeline`: the real program beside the naive one, in alternating rounds of one run, on one
//! database server.
//!
//! | arm | what |
//! |---|---|
//! | product | `upline serve`: webhooks in, acknowledged after a shared commit, ledger entries out |
//! | naive ack | a handler that stores one delivery in one database transaction |
//! | naive all | the same, with order, commissions and postings in that database transaction |
//!
//! Absolute figures are of this machine on this day; the ratios within one run are what counts. After every
//! round everything is checked: each order once, entries that balance, a second sending that changes nothing, and
//! the same commissions from both. A run that breaks one of these has no speed and ends with an error.
//!
//! `UPLINE_BENCH_ROUNDS` (5), `UPLINE_BENCH_ORDERS` (6000 per round), `UPLINE_BENCH_CONNECTIONS` (64).

// A benchmark that cannot go on stops, and its figures are no money.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic
)]

mod check;
mod load;
mod naive;
mod process;
mod report;
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../../tests/it/support/server.rs"]
mod server;
#[path = "../../tests/it/support/wait.rs"]
mod wait;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use check::Bench;
use load::{Load, request};
use report::{Arm, Round};
use upline::demo::histogram::Histogram;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, url, secret] = arguments.as_slice()
        && mode == "naive"
    {
        naive::serve(url, secret).expect("serve");
        return;
    }
    let bench = Bench::start(setting("UPLINE_BENCH_CONNECTIONS", 64));
    let (rounds, orders) = (setting("UPLINE_BENCH_ROUNDS", 5), setting("UPLINE_BENCH_ORDERS", 6_000));
    let rounds: Vec<Round> = (0..rounds).map(|nth| round(&bench, nth, orders)).collect();
    report::print(&rounds, bench.peak_memory());
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// All arms once, in an order that changes from round to round.
fn round(bench: &Bench, nth: usize, orders: usize) -> Round {
    let sent = bench.orders(nth, orders);
    let few = &sent[..orders / 4];
    let mut round = Round::default();
    let mut arms = [Arm::Product, Arm::NaiveAck, Arm::NaiveAll, Arm::Paced];
    arms.rotate_left(nth % 4);
    for arm in arms {
        eprint!("\rround {}: {arm:?}            ", nth + 1);
        match arm {
            Arm::Product => round.product = product(bench, &sent, None),
            Arm::Paced => {
                let paced = bench.orders(1_000 + nth, 3_000);
                round.paced = product(bench, &paced, Some(1_000));
            }
            Arm::NaiveAck => round.naive_ack = naive(bench, &sent[..orders / 2], "/ack"),
            Arm::NaiveAll => round.naive_all = naive(bench, few, "/all"),
        }
    }
    bench.check(&sent, few);
    eprint!("\r                                  \r");
    round
}

/// Figures of one arm in one round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub acks_per_second: f64,
    pub ack_p50_ms: f64,
    pub ack_p99_ms: f64,
    /// Until the last ledger entry was committed.
    pub orders_per_second: f64,
    pub ledger_p50_ms: f64,
    pub ledger_p99_ms: f64,
    /// Program and database together.
    pub cpu_us_per_order: f64,
    /// Of other programs meanwhile, in cores.
    pub foreign_cores: f64,
}

fn product(bench: &Bench, orders: &[check::Order], pace: Option<u32>) -> Figures {
    let requests: Vec<Vec<u8>> =
        orders.iter().map(|order| request("/webhooks/demo-us", &order.headers, &order.body)).collect();
    let before = bench.posted();
    let watch = Watch::start(bench.server_pid(), None);
    let load = Load { addr: bench.address(), connections: bench.connections, pace };
    let answered = load.run(&requests);
    bench.wait_until_done();
    let (took, cpu, foreign) = watch.stop(orders.len());
    let posted = bench.posted().since(&before);
    assert_eq!(posted.count(), orders.len() as u64, "every order was posted once");
    let ms = |histogram: &Histogram, percent| {
        histogram.percentile(percent).to_string().parse::<f64>().unwrap() * 1e3
    };
    Figures {
        acks_per_second: answered.per_second(),
        ack_p50_ms: answered.percentile_ms(50),
        ack_p99_ms: answered.percentile_ms(99),
        orders_per_second: orders.len() as f64 / took.as_secs_f64(),
        ledger_p50_ms: ms(&posted, 50),
        ledger_p99_ms: ms(&posted, 99),
        cpu_us_per_order: cpu,
        foreign_cores: foreign,
    }
}

fn naive(bench: &Bench, orders: &[check::Order], path: &str) -> Figures {
    let requests: Vec<Vec<u8>> =
        orders.iter().map(|order| request(path, &order.headers, &order.body)).collect();
    let watch = Watch::start(bench.server_pid(), Some(bench.naive_pid()));
    let load = Load { addr: bench.naive_address(), connections: bench.connections, pace: None };
    let answered = load.run(&requests);
    let (took, cpu, foreign) = watch.stop(orders.len());
    if path == "/ack" {
        bench.forget_naive_deliveries();
    }
    Figures {
        acks_per_second: answered.per_second(),
        ack_p50_ms: answered.percentile_ms(50),
        ack_p99_ms: answered.percentile_ms(99),
        orders_per_second: orders.len() as f64 / took.as_secs_f64(),
        ledger_p50_ms: answered.percentile_ms(50),
        ledger_p99_ms: answered.percentile_ms(99),
        cpu_us_per_order: cpu,
        foreign_cores: foreign,
    }
}

/// Processor time between two moments.
struct Watch {
    began: Instant,
    product: u32,
    naive: Option<u32>,
    before: (Duration, Duration),
}

impl Watch {
    fn start(product: u32, naive: Option<u32>) -> Self {
        let mut watch = Self { began: Instant::now(), product, naive, before: Default::default() };
        watch.before = watch.look();
        watch.began = Instant::now();
        watch
    }

    /// Ours (program and database), and the machine's without ours and the load's.
    fn look(&self) -> (Duration, Duration) {
        let product = process::spent(self.product);
        let naive = self.naive.map(|pid| process::spent(pid).own).unwrap_or_default();
        let ours = product.children + product.own + naive;
        (ours, process::machine().saturating_sub(ours + process::ourselves()))
    }

    /// Time taken, microseconds of processor per order, cores that others used.
    fn stop(self, orders: usize) -> (Duration, f64, f64) {
        let took = self.began.elapsed();
        let now = self.look();
        let ours = now.0.saturating_sub(self.before.0);
        let foreign = now.1.saturating_sub(self.before.1);
        (took, ours.as_secs_f64() * 1e6 / orders as f64, foreign.as_secs_f64() / took.as_secs_f64())
    }
}

/// The naive program: this very binary, as a process of its own.
pub struct Naive {
    child: Child,
    pub addr: SocketAddr,
}

impl Naive {
    fn start(url: &str, secret: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["naive", url, secret])
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the naive program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).expect("its address");
        Self { addr: line.trim().parse().expect("an address"), child }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Naive {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
