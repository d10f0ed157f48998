//! The table at the end, and the same as JSON for whoever compares runs.

use serde_json::{Value, json};

use crate::Figures;

#[derive(Clone, Copy, Debug)]
pub enum Arm {
    Product,
    NaiveAck,
    NaiveAll,
    /// The product at a fixed pace below its limit.
    Paced,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Round {
    pub product: Figures,
    pub paced: Figures,
    pub naive_ack: Figures,
    pub naive_all: Figures,
}

/// What one compares with another, from the same round, and the goal for the median.
struct Ratio {
    name: &'static str,
    of: fn(&Round) -> f64,
    goal: &'static str,
}

const RATIOS: [Ratio; 4] = [
    Ratio {
        name: "durable acks/s, product : naive that only stores",
        of: |round| round.product.acks_per_second / round.naive_ack.acks_per_second,
        goal: ">= 4",
    },
    Ratio {
        name: "orders/s to the ledger, product : naive",
        of: |round| round.product.orders_per_second / round.naive_all.orders_per_second,
        goal: ">= 3",
    },
    Ratio {
        name: "processor per order, naive : product",
        of: |round| round.naive_all.cpu_us_per_order / round.product.cpu_us_per_order,
        goal: ">= 4",
    },
    Ratio {
        name: "ack p99 at full load, product : naive that only stores",
        of: |round| round.product.ack_p99_ms / round.naive_ack.ack_p99_ms,
        goal: "<= 1",
    },
];

pub fn print(rounds: &[Round], peak_memory: f64) {
    let arm = |of: fn(&Round) -> Figures| middle(&rounds.iter().map(of).collect::<Vec<_>>());
    let arms = [
        ("product", arm(|round| round.product)),
        ("product, 1,000/s", arm(|round| round.paced)),
        ("naive, stores only", arm(|round| round.naive_ack)),
        ("naive, everything", arm(|round| round.naive_all)),
    ];
    println!("\nmedians of {} rounds", rounds.len());
    println!(
        "{:<20}{:>9}{:>11}{:>11}{:>11}{:>14}{:>14}{:>13}{:>9}",
        "",
        "acks/s",
        "ack p50 ms",
        "ack p99 ms",
        "orders/s",
        "ledger p50 ms",
        "ledger p99 ms",
        "CPU us/order",
        "foreign"
    );
    for (name, figures) in &arms {
        println!(
            "{name:<20}{:>9.0}{:>11.2}{:>11.2}{:>11.0}{:>14.2}{:>14.2}{:>13.0}{:>9.2}",
            figures.acks_per_second,
            figures.ack_p50_ms,
            figures.ack_p99_ms,
            figures.orders_per_second,
            figures.ledger_p50_ms,
            figures.ledger_p99_ms,
            figures.cpu_us_per_order,
            figures.foreign_cores,
        );
    }
    println!("\n{:<58}{:>8}{:>8}{:>8}   goal", "ratios within a round", "median", "min", "max");
    let ratios: Vec<Value> = RATIOS.iter().map(|ratio| show(ratio, rounds)).collect();
    println!("\npeak memory of the server: {peak_memory:.0} MiB");
    let medians: serde_json::Map<String, Value> =
        arms.iter().map(|(name, figures)| ((*name).to_owned(), figures_json(figures))).collect();
    let each: Vec<Value> = rounds
        .iter()
        .map(|round| {
            json!({
                "product": figures_json(&round.product), "paced": figures_json(&round.paced),
                "naive_ack": figures_json(&round.naive_ack), "naive_all": figures_json(&round.naive_all),
            })
        })
        .collect();
    write(&json!({ "medians": medians, "ratios": ratios, "peak_memory_mib": peak_memory, "rounds": each }));
}

fn show(ratio: &Ratio, rounds: &[Round]) -> Value {
    let mut values: Vec<f64> = rounds.iter().map(ratio.of).collect();
    values.sort_by(f64::total_cmp);
    let (median, least, most) = (values[values.len() / 2], values[0], values[values.len() - 1]);
    println!("{:<58}{median:>8.2}{least:>8.2}{most:>8.2}   {}", ratio.name, ratio.goal);
    json!({ "name": ratio.name, "median": median, "min": least, "max": most, "goal": ratio.goal })
}

fn figures_json(figures: &Figures) -> Value {
    json!({
        "acks_per_second": figures.acks_per_second,
        "ack_p50_ms": figures.ack_p50_ms,
        "ack_p99_ms": figures.ack_p99_ms,
        "orders_per_second": figures.orders_per_second,
        "ledger_p50_ms": figures.ledger_p50_ms,
        "ledger_p99_ms": figures.ledger_p99_ms,
        "cpu_us_per_order": figures.cpu_us_per_order,
        "foreign_cores": figures.foreign_cores,
    })
}

/// Each figure's median on its own.
fn middle(all: &[Figures]) -> Figures {
    let median = |of: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = all.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figures {
        acks_per_second: median(|f| f.acks_per_second),
        ack_p50_ms: median(|f| f.ack_p50_ms),
        ack_p99_ms: median(|f| f.ack_p99_ms),
        orders_per_second: median(|f| f.orders_per_second),
        ledger_p50_ms: median(|f| f.ledger_p50_ms),
        ledger_p99_ms: median(|f| f.ledger_p99_ms),
        cpu_us_per_order: median(|f| f.cpu_us_per_order),
        foreign_cores: median(|f| f.foreign_cores),
    }
}

/// Beside the binaries: `target/pipeline-bench.json`.
fn write(report: &Value) {
    let target = std::env::current_exe()
        .ok()
        .and_then(|path| path.ancestors().nth(3).map(std::path::Path::to_path_buf));
    let path = target.unwrap_or_default().join("pipeline-bench.json");
    std::fs::write(&path, format!("{report:#}\n")).expect("write the report");
    println!("written to {}", path.display());
}
