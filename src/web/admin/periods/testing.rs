//! A period and a run for the tests of these pages.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::reports::periods::{Period, Run};

pub fn ana() -> &'static str {
    "ana@example.test"
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn period(status: &str) -> Period {
    let frozen = !matches!(status, "open" | "soft_closed");
    Period {
        period_id: Uuid::nil(),
        name: "2026-01".to_owned(),
        starts_at: at("2026-01-01T00:00:00Z"),
        ends_at: at("2026-02-01T00:00:00Z"),
        status: status.to_owned(),
        cutoff_seq: frozen.then_some(41),
        known_at: frozen.then(|| at("2026-02-03T08:00:00Z")),
        plan_hash: frozen.then(|| vec![7; 32]),
        run_id: (status == "closed").then(Uuid::nil),
        summary: None,
        summary_plan: None,
    }
}

/// An official one.
pub fn run(status: &str) -> Run {
    let decided = |by: &str, when: &[&str]| when.contains(&status).then(|| by.to_owned());
    Run {
        run_id: Uuid::nil(),
        period_id: Uuid::nil(),
        period: "2026-01".to_owned(),
        period_status: "frozen".to_owned(),
        starts_at: at("2026-01-01T00:00:00Z"),
        ends_at: at("2026-02-01T00:00:00Z"),
        kind: "official".to_owned(),
        status: status.to_owned(),
        stage: "calculating".to_owned(),
        done: 250,
        total: 1000,
        cutoff_seq: Some(41),
        known_at: Some(at("2026-02-03T08:00:00Z")),
        plan_hash: Some(vec![7; 32]),
        result_hash: Some(vec![9; 32]),
        summary: Some(json!({"orders": 4, "cv": Decimal::from(1000), "paid": Decimal::from(380)})),
        problem: (status == "failed").then(|| "the plan's currency XTS is not in ISO 4217".to_owned()),
        created_by: ana().to_owned(),
        created_at: at("2026-02-03T09:00:00Z"),
        started_at: Some(at("2026-02-03T09:00:10Z")),
        finished_at: Some(at("2026-02-03T09:01:10Z")),
        approved_by: decided("ben@example.test", &["approved", "posted"]),
        approved_at: decided("", &["approved", "posted"]).map(|_| at("2026-02-03T10:00:00Z")),
        posted_by: decided("ben@example.test", &["posted"]),
        posted_at: decided("", &["posted"]).map(|_| at("2026-02-03T10:05:00Z")),
    }
}
