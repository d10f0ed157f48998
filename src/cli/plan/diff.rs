//! Two plans side by side: documents, or published ones by their hash.

use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use serde_json::json;

use crate::app::{Backend, Opening};
use crate::cli::{Global, Outcome, output};
use crate::core::plan::{Plan, PlanChange};
use crate::db::Lane;
use crate::plans::Plans;

/// Fewer digits of a hash could be anything.
const LEAST_DIGITS: usize = 8;

pub fn diff(global: &Global, names: [&str; 2], json: bool) -> anyhow::Result<Outcome> {
    let of_files = names.iter().all(|name| !is_hash(name));
    let [old, new] = match of_files {
        true => [document(names[0])?, document(names[1])?],
        false => global.with_backend(Opening::Ready, |backend, _| {
            Ok([find(backend, names[0])?, find(backend, names[1])?])
        })?,
    };
    let changes = old.diff(&new);
    if json {
        let hashes = [old.hash().to_string(), new.hash().to_string()];
        output::json(&json!({"old": hashes[0], "new": hashes[1], "changes": changes}))?;
    } else if changes.is_empty() {
        output::line("Both plans mean the same.")?;
    } else {
        let rows: Vec<_> = changes.iter().map(row).collect();
        output::table(&["", "what", "old", "new"], &rows)?;
    }
    Ok(if changes.is_empty() { Outcome::Done } else { Outcome::Difference })
}

fn row(change: &PlanChange) -> Vec<String> {
    let sign = match (&change.was, &change.is) {
        (None, _) => "+",
        (_, None) => "-",
        _ => "~",
    };
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![sign.to_owned(), change.path.clone(), value(&change.was), value(&change.is)]
}

/// A file of that name is meant before a hash is.
fn is_hash(name: &str) -> bool {
    !Path::new(name).exists()
        && (LEAST_DIGITS..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn document(name: &str) -> anyhow::Result<Arc<Plan>> {
    super::parse(Path::new(name)).map(Arc::new)
}

fn find(backend: &Backend, name: &str) -> anyhow::Result<Arc<Plan>> {
    if !is_hash(name) {
        return document(name);
    }
    let published = backend.db.read(Lane::Admin, |conn| Plans::default().get(conn))?;
    let begins = name.to_ascii_lowercase();
    let mut found = published.all().filter(|plan| plan.hash().to_string().starts_with(&begins));
    let plan = found.next().ok_or_else(|| {
        anyhow!("no published plan has the hash {name}; `upline plan list` shows all of them")
    })?;
    if found.next().is_some() {
        bail!("more than one published plan has a hash that begins with {name}; write more of it");
    }
    Ok(plan.clone())
}
