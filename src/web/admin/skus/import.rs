//! A catalogue as CSV: see what it would do, then do it. The file travels with the form, so nothing is kept
//! between the two.

use std::collections::{BTreeMap, HashMap};

use actix_web::HttpResponse;
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::super::desk::Desk;
use super::super::format::{self, Pill, Tone};
use super::super::held::mend::classes;
use super::super::shell::Shell;
use super::PLATFORMS;
use crate::access::audit;
use crate::catalog::import::{Import, Known, preview};
use crate::catalog::{CurrentMapping, NewMapping};
use crate::core::assess::Hold;
use crate::core::ids::StoreId;
use crate::core::sheet::RowProblem;
use crate::db::DbError;
use crate::orders;
use crate::reports::{Conn, held};
use crate::web::AppState;
use crate::web::session::{Denied, Form, Operator};

/// Changes that are listed; the rest is only counted.
const LISTED: usize = 200;

#[derive(Template)]
#[template(path = "admin/sku_import.html")]
pub struct ImportPage {
    pub shell: Shell,
    pub csv: String,
    pub staged: Option<Staged>,
}

/// What a file would do, before it does it.
pub struct Staged {
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Held orders that wait for products of this file.
    pub releases: String,
    pub rows: Vec<StagedRow>,
    /// Changes beyond those that are listed.
    pub more: usize,
    /// Any of them keeps the whole file out.
    pub errors: Vec<RowError>,
    /// Not wrong, but worth a look.
    pub notes: Vec<String>,
}

impl Staged {
    fn can_apply(&self) -> bool {
        self.errors.is_empty() && self.added + self.changed > 0
    }
}

pub struct StagedRow {
    pub key: String,
    pub what: Pill,
    pub was: String,
    pub is: String,
}

/// The same fault of many rows, told once.
pub struct RowError {
    pub column: String,
    pub problem: String,
    pub lines: String,
}

pub async fn page(operator: Operator, desk: Desk) -> Result<HttpResponse, Denied> {
    let (shell, ()) = desk.read(&operator, "skus", |_| Ok(())).await?;
    desk.show(&ImportPage { shell, csv: String::new(), staged: None })
}

#[derive(Deserialize)]
pub struct Sent {
    csv: String,
    #[serde(default)]
    apply: String,
}

pub async fn stage(operator: Operator, desk: Desk, form: Form<Sent>) -> Result<HttpResponse, Denied> {
    let Sent { csv, apply } = form.0;
    if apply == "yes" {
        return apply_file(&operator, &desk, csv).await;
    }
    let (text, state, now) = (csv.clone(), desk.state.clone(), desk.now());
    let (shell, staged) = desk.read(&operator, "skus", move |conn| staged(conn, &state, &text, now)).await?;
    desk.show(&ImportPage { shell, csv, staged: Some(staged) })
}

async fn apply_file(operator: &Operator, desk: &Desk, csv: String) -> Result<HttpResponse, Denied> {
    let (state, now, by) = (desk.state.clone(), desk.now(), operator.email.clone());
    let (added, released) = desk
        .write(move |tx| {
            let import = read(tx.conn, &state, &csv, now)?;
            if !import.is_clean() {
                return Ok((0, 0));
            }
            let added = import.record(tx, &by, now)?;
            let counts = json!({"new": import.new, "changed": import.changed, "unchanged": import.unchanged});
            audit::record(tx, &by, "sku.import", "csv", counts, now)?;
            Ok((added, orders::review_all_of(tx, &[Hold::UnmappedSku, Hold::UnknownClass], now)?))
        })
        .await?;
    Ok(desk
        .done("/admin/skus", &format!("{added} versions added; {released} held orders are looked at again.")))
}

fn read(conn: &mut Conn, state: &AppState, csv: &str, now: DateTime<Utc>) -> Result<Import, DbError> {
    let stores = state.stores.all(conn)?;
    let stores: HashMap<String, (StoreId, String)> =
        stores.iter().map(|store| (store.slug.clone(), (store.id, store.platform.clone()))).collect();
    preview(conn, &Known { stores: &stores, platforms: &PLATFORMS }, csv.as_bytes(), now)
}

fn staged(conn: &mut Conn, state: &AppState, csv: &str, now: DateTime<Utc>) -> Result<Staged, DbError> {
    let import = read(conn, state, csv, now)?;
    let known = classes(conn, state, now)?;
    let mut notes: Vec<String> = import
        .classes
        .iter()
        .filter(|class| !known.contains(class))
        .map(|class| {
            format!("Commission class {class} is not in the plan of today: its orders would be held.")
        })
        .collect();
    if !import.ignored_columns.is_empty() {
        notes.push(format!("Columns that are not used: {}.", import.ignored_columns.join(", ")));
    }
    let waiting = held::causes(conn, Hold::UnmappedSku.name())?;
    let mapped: Vec<String> =
        import.changes().map(|(new, _)| format!("{}:{}", new.kind.name(), new.key)).collect();
    let releases: i64 = waiting.iter().filter(|row| mapped.contains(&row.cause)).map(|row| row.orders).sum();
    Ok(Staged {
        added: import.new,
        changed: import.changed,
        unchanged: import.unchanged,
        releases: format::count(releases),
        rows: import.changes().take(LISTED).map(|(new, was)| row(new, was)).collect(),
        more: (import.new + import.changed).saturating_sub(LISTED),
        errors: errors(&import.problems),
        notes,
    })
}

fn row(new: &NewMapping, was: Option<&CurrentMapping>) -> StagedRow {
    let told = |sku: &str, name: &str, class: &str| format!("{sku}, class {class} {name}").trim().to_owned();
    StagedRow {
        key: format!("{} {}:{}", new.platform, new.kind.name(), new.key),
        what: if was.is_some() { Pill::new(Tone::Info, "changed") } else { Pill::new(Tone::Ok, "added") },
        was: was.map_or_else(String::new, |was| told(&was.sku_id, &was.name, &was.commission_class)),
        is: told(&new.sku_id, &new.name, &new.commission_class),
    }
}

/// Grouped by what has to be mended.
fn errors(problems: &[RowProblem]) -> Vec<RowError> {
    let mut grouped: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for problem in problems {
        grouped.entry((&problem.column, &problem.message)).or_default().push(problem.line.to_string());
    }
    let told = |((column, message), lines): ((&str, &str), Vec<String>)| RowError {
        column: column.to_owned(),
        problem: message.to_owned(),
        lines: lines.join(", "),
    };
    grouped.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fault_of_many_rows_is_told_once() {
        let problem =
            |line, message: &str| RowProblem { line, column: "class".into(), message: message.into() };
        let told = errors(&[problem(4, "is empty"), problem(5, "is odd"), problem(9, "is empty")]);
        let shown: Vec<_> = told.iter().map(|error| (error.problem.as_str(), error.lines.as_str())).collect();
        assert_eq!(shown, [("is empty", "4, 9"), ("is odd", "5")]);
    }
}
