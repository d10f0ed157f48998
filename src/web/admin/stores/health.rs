//! How a connection and its webhooks are, for the store's page and for the last steps of connecting one.

use chrono::{DateTime, TimeDelta, Utc};

use crate::connections::{Connection, Subscription};
use crate::web::admin::format::{Pill, Tone, When};

/// What is known of a connection.
pub struct Health {
    pub state: Pill,
    pub base_url: String,
    /// What the store calls itself; empty when it did not say.
    pub shop: String,
    pub facts: Vec<(&'static str, String)>,
    pub missing: Vec<String>,
    pub connected_at: When,
    pub answered_at: Option<When>,
    pub heard_at: Option<When>,
    /// Empty when there is none.
    pub problem: String,
    pub problem_since: Option<When>,
    pub paused: bool,
    /// We keep its webhooks.
    pub keeps: bool,
    pub checked_at: Option<When>,
    pub webhooks: Vec<Webhook>,
    /// A secret is being exchanged; the old one ends once nothing needs it.
    pub rotating: bool,
}

pub struct Webhook {
    pub topic: String,
    pub state: Pill,
    pub checked_at: When,
    /// How often it had to be made again or switched on.
    pub mended: i32,
    pub mended_at: Option<When>,
    pub problem: String,
}

impl Health {
    pub fn of(connection: &Connection, subscriptions: &[Subscription], now: DateTime<Utc>) -> Self {
        let probe = connection.probe();
        let told = [
            ("Currency", probe.currency),
            ("Version", probe.version),
            ("Its days begin in", Some(connection.zone.clone())),
        ];
        Self {
            state: state(connection),
            base_url: connection.base_url.clone(),
            shop: probe.name,
            facts: told.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            missing: probe.missing_scopes,
            connected_at: When(connection.connected_at),
            answered_at: connection.answered_at.map(When),
            heard_at: connection.heard_at.map(When),
            problem: connection.problem.clone().unwrap_or_default(),
            problem_since: connection.problem_since.map(When),
            paused: connection.paused,
            keeps: connection.webhooks,
            checked_at: connection.checked_at.map(When),
            webhooks: subscriptions.iter().map(|row| webhook(row, now)).collect(),
            rotating: connection.rotating_since.is_some(),
        }
    }

    /// Every webhook is there and works.
    pub fn is_subscribed(&self) -> bool {
        !self.webhooks.is_empty() && self.webhooks.iter().all(|webhook| webhook.problem.is_empty())
    }
}

fn state(connection: &Connection) -> Pill {
    match connection {
        Connection { paused: true, .. } => Pill::new(Tone::Warn, "paused"),
        Connection { problem: Some(_), .. } => Pill::new(Tone::Bad, "in trouble"),
        _ => Pill::new(Tone::Ok, "connected"),
    }
}

fn webhook(row: &Subscription, now: DateTime<Utc>) -> Webhook {
    let lately = row.mended_at.is_some_and(|at| now - at < TimeDelta::days(1));
    let state = match &row.problem {
        Some(_) => Pill::new(Tone::Bad, "broken"),
        None if lately => Pill::new(Tone::Warn, "mended"),
        None => Pill::new(Tone::Ok, "active"),
    };
    Webhook {
        topic: row.topic.clone(),
        state,
        checked_at: When(row.checked_at),
        mended: row.mended,
        mended_at: row.mended_at.map(When),
        problem: row.problem.clone().unwrap_or_default(),
    }
}
