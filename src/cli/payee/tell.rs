//! What is said of a payee: masked, or revealed.

use anyhow::anyhow;
use serde_json::{Value, json};

use crate::app::Backend;
use crate::cli::{Outcome, output};
use crate::clock::Clock;
use crate::core::ids::DistributorId;
use crate::db::Lane;
use crate::payees::{self, Revealed, Version};

pub fn show(backend: &Backend, clock: &Clock, id: &str, json: bool) -> anyhow::Result<Outcome> {
    let (key, now) = (DistributorId::new(id), clock.now());
    let (head, tax, versions) = backend.db.read(Lane::Admin, |conn| {
        let head = payees::heads(conn, &[id])?.remove(&key);
        Ok((head, payees::tax_heads(conn, &[id])?.remove(&key), payees::versions(conn, id)?))
    })?;
    let tax = tax.ok_or_else(|| anyhow!("there is no distributor {id}"))?;
    let held = head.as_ref().and_then(|head| head.held_until.filter(|_| head.is_held(now)));
    if json {
        let payee = head.as_ref().map(|head| {
            json!({"version_no": head.version_no, "rail": head.rail, "currency": head.currency, "masked": head.masked,
                   "changed_at": head.changed_at, "changed_by": head.changed_by, "held_until": held})
        });
        let tax =
            json!({"kind": tax.kind, "status": tax.status, "masked": tax.masked, "withhold": tax.withhold});
        output::json(&json!({"distributor": id, "payee": payee, "tax": tax, "versions": versions}))?;
        return Ok(Outcome::Done);
    }
    match &head {
        None => output::line(format_args!("{id} cannot be paid: nothing is recorded, or it was forgotten."))?,
        Some(head) => output::line(format_args!(
            "{id} is paid to {} {}, {}.",
            head.rail.name(),
            head.currency,
            head.masked
        ))?,
    }
    if let Some(until) = held {
        output::line(format_args!(
            "Held until {}, or until somebody else releases it.",
            until.format("%Y-%m-%d %H:%M")
        ))?;
    }
    let number = if tax.masked.is_empty() { "no number" } else { &tax.masked };
    let withheld = if tax.withhold { "; backup withholding applies" } else { "" };
    output::line(format_args!("Tax: {number} ({}), {}{withheld}.", tax.kind.name(), tax.status.name()))?;
    if !versions.is_empty() {
        output::table(
            &["version", "paid to", "recorded", "by", "held until", "released by"],
            &versions.iter().map(row).collect::<Vec<_>>(),
        )?;
    }
    Ok(Outcome::Done)
}

fn row(version: &Version) -> Vec<String> {
    let minute = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M").to_string();
    let masked = if version.masked.is_empty() { "forgotten" } else { &version.masked };
    vec![
        version.version_no.to_string(),
        format!("{} {}, {masked}", version.rail, version.currency),
        minute(version.recorded_at),
        version.recorded_by.clone(),
        version.held_until.map(minute).unwrap_or_default(),
        version.released_by.clone().unwrap_or_default(),
    ]
}

/// Every field that is filled, in JSON as it is sealed.
pub fn revealed(revealed: &Revealed, json: bool) -> anyhow::Result<()> {
    let told = match (&revealed.details, &revealed.tax) {
        (Some(details), _) => {
            json!({"rail": details.rail, "currency": details.currency, "payee": details.payee})
        }
        (None, Some(tax)) => json!(tax),
        (None, None) => Value::Null,
    };
    if json {
        return output::json(&told);
    }
    let mut rows = vec![];
    fields("", &told, &mut rows);
    for (name, value) in rows {
        output::line(format_args!("{name}: {value}"))?;
    }
    Ok(())
}

fn fields(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(below) => below.iter().for_each(|(name, value)| fields(name, value, rows)),
        Value::Null => {}
        Value::String(text) => rows.push((name.replace('_', " "), text.clone())),
        other => rows.push((name.replace('_', " "), other.to_string())),
    }
}
