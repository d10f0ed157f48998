//! What one plan says other than another, value by value.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Plan;

/// A value that is not the same in both plans. What only one of them has is `None` in the other; a value at its
/// default is in neither.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanChange {
    /// Such as `bonus.team.rates.gold`.
    pub path: String,
    pub was: Option<String>,
    pub is: Option<String>,
}

impl Plan {
    /// By path. Nothing exactly when both have the same hash.
    pub fn diff(&self, other: &Self) -> Vec<PlanChange> {
        let (was, is) = (lines(&self.canonical), lines(&other.canonical));
        let mut changes: Vec<PlanChange> = was
            .iter()
            .filter(|(path, value)| is.get(*path) != Some(*value))
            .map(|(path, value)| change(path, Some(value), is.get(path)))
            .collect();
        changes.extend(
            is.iter().filter(|(path, _)| !was.contains_key(*path)).map(|(p, v)| change(p, None, Some(v))),
        );
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }
}

fn change(path: &str, was: Option<&&str>, is: Option<&&str>) -> PlanChange {
    PlanChange {
        path: readable(path),
        was: was.map(|value| (*value).to_owned()),
        is: is.map(|value| (*value).to_owned()),
    }
}

fn lines(canonical: &str) -> BTreeMap<&str, &str> {
    canonical.lines().filter_map(|line| line.split_once(" = ")).collect()
}

/// Names without quotes where TOML needs none, places counted as people write them.
fn readable(path: &str) -> String {
    let mut parts: Vec<String> = vec![];
    let mut rest = path;
    while !rest.is_empty() {
        // No name has a quote in it.
        let end = match rest.strip_prefix('"').and_then(|name| name.find('"')) {
            Some(quote) => quote + 2,
            None => rest.find('.').unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at(end);
        parts.push(bare(part));
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    parts.join(".")
}

fn bare(part: &str) -> String {
    if let Some(name) = part.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        let fine =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        return if fine { name.to_owned() } else { part.to_owned() };
    }
    match part.split_once('[').and_then(|(list, at)| Some((list, at.strip_suffix(']')?.parse::<u16>().ok()?)))
    {
        Some((list, at)) => format!("{list}[{at}]"),
        None => part.to_owned(),
    }
}
