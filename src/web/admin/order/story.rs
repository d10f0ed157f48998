//! What happened to an order, in the order of time.

use chrono::{DateTime, Utc};

use super::{Step, report};
use crate::web::admin::format::{Link, Pill, Tone, When};
use crate::web::admin::words;

pub fn timeline(order: &report::Order) -> Vec<Step> {
    let mut steps = vec![];
    for told in order.revisions.iter().rev() {
        steps.push(step(Tone::Info, "webhook", told.received_at, "Delivery received"));
        with(&mut steps, told.topic.as_str(), Some(words::delivery_link(told.delivery_id, "look at it")));
        let (tone, text) = match told.absorbed.as_str() {
            "applied" => (Tone::Ok, format!("Revision {} recorded", told.number)),
            other => (Tone::Muted, format!("Revision {} kept as evidence: {other}", told.number)),
        };
        steps.push(step(tone, "shopping-cart", told.recorded_at, &text));
        with(&mut steps, &took(told.received_at, told.recorded_at, &told.kind), None);
    }
    if let Some(first) = order.holds.iter().map(|hold| hold.held_at).min() {
        steps.push(step(Tone::Warn, "player-pause", first, "Held"));
        let reasons: Vec<&str> = order.holds.iter().map(|hold| words::hold(&hold.reason).0).collect();
        with(&mut steps, &reasons.join(", "), None);
    }
    for (calculation, _) in &order.calculations {
        let at = calculation.calculated_at;
        steps.push(step(Tone::Ok, "calculator", at, &format!("Calculation {}", calculation.calculation_no)));
        let paid = words::amount(calculation.paid, &calculation.currency);
        with(&mut steps, &format!("{paid} to be paid in sum"), None);
    }
    for entry in &order.entries {
        steps.push(step(
            Tone::Ok,
            "book-2",
            entry.posted_at,
            &format!("Posted to the ledger: {}", entry.kind),
        ));
        let href = format!("/admin/ledger/entries/{}/{}", entry.source, entry.number);
        let received =
            order.revisions.iter().map(|told| told.received_at).filter(|at| *at <= entry.posted_at).max();
        let detail = received.map_or_else(String::new, |received| took(received, entry.posted_at, ""));
        with(&mut steps, &detail, Some(Link::new(href, "look at it")));
    }
    steps.sort_by_key(|step| step.at.0);
    steps
}

fn step(tone: Tone, icon: &'static str, at: DateTime<Utc>, text: &str) -> Step {
    Step {
        pill: Pill::new(tone, text),
        icon,
        at: When(at),
        text: text.to_owned(),
        detail: String::new(),
        link: None,
    }
}

/// What the last step has to say besides.
fn with(steps: &mut [Step], detail: &str, link: Option<Link>) {
    if let Some(last) = steps.last_mut() {
        last.detail = detail.to_owned();
        last.link = link;
    }
}

fn took(from: DateTime<Utc>, until: DateTime<Utc>, what: &str) -> String {
    let milliseconds = (until - from).num_milliseconds().max(0);
    let took = match milliseconds {
        short if short < 10_000 => format!("{short} ms after receipt"),
        long if long < 7_200_000 => format!("{} minutes after receipt", long / 60_000),
        longer => format!("{} hours after receipt", longer / 3_600_000),
    };
    if what.is_empty() { took } else { format!("{what}, {took}") }
}
