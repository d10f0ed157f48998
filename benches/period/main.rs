//! `cargo bench --bench period`: the close of a period as the engine calculates it, beside a recursive-SQL rollup of
//! the same group volumes on the same data in the same run.
//!
//! | part | what |
//! |---|---|
//! | order | one order with ten levels of upline, without a database |
//! | close | a company through volumes, ranks, unilevel with slot-fill, generations, binary with lots, matching and a pool |
//! | stored | a tenth of it in a database: the run as an operator starts it, and its posting |
//! | rollup | every group volume: one pass over arrays beside one recursive query |
//! | shapes | a chain and a star, each in two sizes: twice the people may cost about twice the time |
//!
//! Every close runs twice, the second time on shuffled input, and has to give the same hash.
//!
//! `UPLINE_BENCH_PEOPLE` (1,000,000), `UPLINE_BENCH_LINES` (10 for each of them), `UPLINE_BENCH_ROLLUP` (100,000).

// A benchmark that cannot go on stops, and its figures are no money.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic
)]

mod company;
mod order;
mod rollup;
mod stored;

use std::time::{Duration, Instant};

use company::{Company, Shape};
use upline::core::period::{Carried, PeriodInput, PeriodResult, Span, calculate_period};
use upline::core::plan::Plan;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let people = setting("UPLINE_BENCH_PEOPLE", 1_000_000);
    let lines = people * setting("UPLINE_BENCH_LINES", 10);
    order::run();
    close(people, lines);
    stored::run(people / 10, lines / 10);
    rollup::run(setting("UPLINE_BENCH_ROLLUP", 100_000));
    shapes();
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn close(people: usize, lines: usize) {
    println!("close of {people} distributors and {lines} order lines");
    let plan = plan();
    let company = timed("  tree and positions", || Company::of(Shape::Grown, people, &plan));
    let sold = timed("  volumes of the lines", || company.gather(&plan, lines, 1));
    let carried = timed("  carry of the period before", || {
        calculate_period(&plan, input(&company, &sold, &Carried::default())).expect("a period").next
    });
    let began = Instant::now();
    let result = calculate_period(&plan, input(&company, &sold, &carried)).expect("a period");
    let taken = began.elapsed();
    println!("  every bonus                      {:>8.0} ms", taken.as_secs_f64() * 1e3);
    println!("  peak memory                      {:>8.0} MiB", peak_memory());
    told(&plan, &result);
    let shuffled = company.gather(&plan, lines, 7);
    let again = calculate_period(&plan, input(&company, &shuffled, &carried)).expect("a period");
    assert_eq!(
        result.hash(&plan, &company.people),
        again.hash(&plan, &company.people),
        "another order of input"
    );
    println!("  same hash from shuffled lines");
}

fn input<'a>(
    company: &'a Company,
    sold: &'a upline::core::period::Gathered,
    carried: &'a Carried,
) -> PeriodInput<'a> {
    PeriodInput { span: &company.span, people: &company.people, sold, carried }
}

fn told(plan: &Plan, result: &PeriodResult) {
    println!(
        "  {} awards, {} lots, {} standings carried",
        result.awards.len(),
        result.next.lots.len(),
        result.next.standings.len()
    );
    for pool in &result.pools {
        let earners = result.awards.iter().filter(|award| award.bonus == pool.bonus).count();
        println!(
            "    {:<14} {:>9} earners   pool {:>16}   paid {:>16}",
            plan.award_name(pool.bonus),
            earners,
            pool.pool,
            pool.paid
        );
        assert_eq!(pool.paid.0 + pool.breakage.0 + pool.rounding.0, pool.pool.0);
    }
}

fn shapes() {
    let plan = plan();
    for (name, shape, half) in [("chain", Shape::Chain, 50_000), ("star", Shape::Star, 500_000)] {
        let took = [half, 2 * half].map(|people| {
            let company = Company::of(shape, people, &plan);
            let sold = company.gather(&plan, people, 1);
            let carried = Carried::default();
            (0..3)
                .map(|_| {
                    let began = Instant::now();
                    calculate_period(&plan, input(&company, &sold, &carried)).expect("a period");
                    began.elapsed()
                })
                .min()
                .expect("rounds")
        });
        let ratio = took[1].as_secs_f64() / took[0].as_secs_f64();
        println!("{name} of {}: {} ms, {ratio:.2} times a half of it", 2 * half, took[1].as_millis());
    }
}

/// Ranks by legs, and every family that a close has.
fn plan() -> Plan {
    Plan::parse(include_str!("plan.toml")).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let taken: Duration = began.elapsed();
    println!("{what:<34} {:>8.0} ms", taken.as_secs_f64() * 1e3);
    done
}

/// The most that this process ever held.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("VmHWM");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("KiB") / 1024.0
}

fn span() -> Span {
    let at = |text: &str| text.parse().expect("an instant");
    Span { start: at("2026-01-01T00:00:00Z"), end: at("2026-02-01T00:00:00Z"), name: "2026-01".to_owned() }
}
