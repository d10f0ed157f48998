//! The notice of a day that is not as it should be.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Report;
use crate::core::ids::StoreId;
use crate::core::reconcile::State;
use crate::db::{DbError, Tx};
use crate::notices::{self, Notice, Severity};

/// Raises the notice of the day, or resolves it.
pub fn tell(tx: &mut Tx<'_>, store: StoreId, report: &Report, now: DateTime<Utc>) -> Result<(), DbError> {
    let key = format!("day-not-ok:{}:{}", report.store, report.day);
    if report.state != State::NotOk {
        return notices::resolve(tx, &key, now).map(drop);
    }
    let severity = if report.incomplete.is_some() { Severity::Warning } else { Severity::Alarm };
    let (subject, body) = words(report);
    let notice = Notice { key: &key, severity, subject: &subject, body: &body, store: Some(store) };
    notices::raise(tx, &notice, now).map(drop)
}

fn words(report: &Report) -> (String, String) {
    let Report { store, day, .. } = report;
    let look = format!(
        "Look at /admin/reconciliation/{store}/{day}, or run: upline reconcile {store} --date {day} --details"
    );
    if let Some(why) = &report.incomplete {
        let subject = format!("{store}: {day} could not be reconciled");
        return (subject, format!("The store could not be read to the end of the day: {why}. {look}"));
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for found in &report.differences {
        *kinds.entry(found.kind.name()).or_default() += 1;
    }
    let kinds: Vec<String> =
        kinds.iter().map(|(kind, number)| format!("{number} {}", kind.replace('_', " "))).collect();
    let drift: Vec<String> =
        report.drift().iter().map(|(currency, drift)| format!("{drift} {currency}")).collect();
    let drift = if drift.is_empty() { "0".to_owned() } else { drift.join(", ") };
    let subject = format!("{store}: {day} is not ok");
    (subject, format!("Differences: {}. Drift: {drift}. {look}", kinds.join(", ")))
}
