//! Figures that are given out: recorded once, recognised when they are the same, and followed when they are not.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::repo::published::{self as repo, New, Stored};
use super::sheet::Sheet;
use crate::access::audit;
use crate::chain;
use crate::db::{DbError, Tx};

/// What can be given out.
pub struct Figure {
    pub name: &'static str,
    /// What was asked for.
    pub parameters: Value,
    pub query: &'static str,
    pub sheet: Sheet,
    /// Its sums: an object.
    pub summary: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    First,
    /// Given out before, with the same rows.
    Same,
    /// Given out before, and not the same.
    Changed,
}

#[derive(Clone, Debug, Serialize)]
pub struct Published {
    pub news: News,
    #[serde(flatten)]
    pub figure: Stored,
}

/// Records the figure, unless the last one of its name and parameters is the same.
pub fn publish(tx: &mut Tx<'_>, figure: &Figure, by: &str, now: DateTime<Utc>) -> Result<Published, DbError> {
    let sha256 = figure.sheet.sha256()?;
    repo::hold(tx.conn, figure.name)?;
    let before = repo::newest(tx.conn, figure.name, &figure.parameters)?;
    let change = before.as_ref().map(|before| change(before, figure, &sha256));
    if let Some((before, _)) = before.clone().zip(change.as_ref()).filter(|(_, change)| is_nothing(change)) {
        return Ok(Published { news: News::Same, figure: before });
    }
    let new = New {
        name: figure.name,
        parameters: &figure.parameters,
        query: figure.query,
        data_sha256: &sha256,
        data_rows: i64::try_from(figure.sheet.rows.len()).unwrap_or(i64::MAX),
        summary: &figure.summary,
        follows: before.as_ref().map(|before| before.figure_no),
        change,
        head: chain::standing(tx.conn)?.head,
    };
    let stored = repo::insert(tx.conn, &new, by, now)?;
    let detail = json!({"figure": stored.figure_no, "parameters": stored.parameters, "rows": stored.data_rows,
                        "sha256": stored.data_sha256, "follows": stored.follows});
    audit::record(tx, by, "figure.published", &format!("figure {}", stored.figure_no), detail, now)?;
    let news = if before.is_some() { News::Changed } else { News::First };
    Ok(Published { news, figure: stored })
}

fn is_nothing(change: &Value) -> bool {
    change.as_object().is_some_and(Map::is_empty)
}

/// In what a figure differs from the one before it; empty where it does not.
fn change(before: &Stored, figure: &Figure, sha256: &[u8; 32]) -> Value {
    let mut change = Map::new();
    if before.query != figure.query {
        change.insert("query".into(), json!("another one"));
    }
    let sha256 = hex::encode(sha256);
    if before.data_sha256 != sha256 {
        change.insert("data_sha256".into(), json!({"before": before.data_sha256, "now": sha256}));
    }
    let rows = figure.sheet.rows.len();
    if usize::try_from(before.data_rows) != Ok(rows) {
        change.insert("rows".into(), json!({"before": before.data_rows, "now": rows}));
    }
    let nothing = Map::new();
    let (was, is) = (before.summary.as_object().unwrap_or(&nothing), figure.summary.as_object());
    for (name, now) in is.unwrap_or(&nothing) {
        let before = was.get(name).unwrap_or(&Value::Null);
        if before != now {
            change.insert(name.clone(), json!({"before": before, "now": now}));
        }
    }
    Value::Object(change)
}
