//! One order through an upline of ten levels, without a database.

use std::hint::black_box;
use std::time::Instant;

use rust_decimal::dec;
use upline::core::engine::{CommissionLine, CommissionOrder, UplineMember, calculate_order};
use upline::core::genealogy::Status;
use upline::core::ids::DistributorId;
use upline::core::plan::Plan;

const PLAN: &str = r#"
[plan]
id = "ten"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[[class]]
id = "goods"
cv = { of_net = "1" }
[[bonus]]
id = "levels"
family = "unilevel"
base = "cv"
rates = ["0.10", "0.05", "0.04", "0.03", "0.02", "0.02", "0.01", "0.01", "0.01", "0.01"]
"#;

pub fn run() {
    let plan = Plan::parse(PLAN).expect("a plan");
    let upline: Vec<UplineMember> = (0..11)
        .map(|nth| UplineMember {
            distributor: DistributorId::new(format!("D{nth:07}")),
            status: Status::Active,
            rank: None,
            pv: dec!(0),
            enrolled: true,
            enrolled_at: None,
        })
        .collect();
    let lines = [CommissionLine {
        line: "1".to_owned(),
        class: "goods".to_owned(),
        net: dec!(89.90),
        sold: dec!(89.90),
        quantity: dec!(1),
    }];
    let ordered_at = "2026-01-15T00:00:00Z".parse().expect("an instant");
    let order = CommissionOrder { currency: plan.currency(), ordered_at, store: "shop", lines: &lines };
    let rounds = 200_000u32;
    let best = (0..5)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..rounds {
                black_box(
                    calculate_order(&plan, black_box(&order), black_box(&upline)).expect("a calculation"),
                );
            }
            began.elapsed() / rounds
        })
        .min()
        .expect("rounds");
    println!("calculate_order, one line, ten levels: {:.2} us", best.as_nanos() as f64 / 1e3);
}
