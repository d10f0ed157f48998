//! The house stays as drawn: who may use whom, and what must not stand where.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A room uses only rooms before it; two rooms that import each other cannot exist.
const ROOMS: [&str; 38] = [
    "core",
    "pdf",
    "clock",
    "vault",
    "db",
    "events",
    "ledger",
    "stores",
    "rails",
    "settings",
    "telemetry",
    "clients",
    "notices",
    "ingest",
    "connections",
    "catalog",
    "distributors",
    "customers",
    "plans",
    "orders",
    "pulls",
    "commissions",
    "access",
    "chain",
    "payees",
    "settlements",
    "payouts",
    "periods",
    "reconcile",
    "proof",
    "scenario",
    "reports",
    "tax",
    "backups",
    "warehouse",
    "web",
    "app",
    "demo",
];
/// On top of everything.
const TOP: [&str; 3] = ["cli", "main", "lib"];

struct Source {
    path: String,
    /// Of each line of code, without tests and comments.
    code: Vec<(usize, String)>,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![];
    collect(&root.join("src"), &mut files);
    files.iter().map(|file| read(root, file)).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, files),
            false if path.extension().is_some_and(|e| e == "rs") => files.push(path),
            false => {}
        }
    }
}

fn read(root: &Path, file: &Path) -> Source {
    let path = file.strip_prefix(root.join("src")).unwrap().to_str().unwrap().to_owned();
    let text = fs::read_to_string(file).unwrap();
    let is_test = path.ends_with("tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs");
    let tests_begin =
        text.find("#[cfg(test)]\nmod tests {").or(text.find("#[cfg(test)]\npub(crate) mod tests {"));
    let code = if is_test { "" } else { &text[..tests_begin.unwrap_or(text.len())] };
    let code =
        code.lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or("").to_owned()));
    Source {
        code: code.filter(|(_, line)| !line.trim().is_empty()).collect(),
        lines: text.lines().count(),
        path,
    }
}

fn room(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

fn rank(room: &str) -> usize {
    let known = ROOMS.iter().position(|r| *r == room).or(TOP.contains(&room).then_some(ROOMS.len()));
    known.unwrap_or_else(|| panic!("src/{room} is a room without a place: give it one in ROOMS"))
}

/// Every line for which `breaks` says why it may not stand there.
fn complain(breaks: impl Fn(&Source, &str) -> Option<String>) {
    let mut broken = vec![];
    for source in sources() {
        for (number, line) in &source.code {
            if let Some(why) = breaks(&source, line) {
                broken.push(format!("src/{}:{number}: {why}\n    {}", source.path, line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// The rooms that a line names, however it names them: `crate::a::B`, `use crate::{a, b::C}` on one line.
fn named(line: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    line.match_indices("crate::")
        .flat_map(|(at, found)| {
            let rest = &line[at + found.len()..];
            match rest.strip_prefix('{') {
                Some(list) => list.split([',', '}']).map(|part| word(part.trim())).collect(),
                None => vec![word(rest)],
            }
        })
        .filter(|name| ROOMS.contains(&name.as_str()) || TOP.contains(&name.as_str()))
        .collect()
}

#[test]
fn rooms_use_only_what_is_below_them() {
    complain(|source, line| {
        let own = room(&source.path);
        let above = named(line).into_iter().find(|name| name != own && rank(name) >= rank(own))?;
        Some(format!("{own} must not use {above}"))
    });
}

#[test]
fn core_and_parsers_are_pure() {
    let impure = ["tokio", "diesel", "actix", "std::fs", "std::net", "std::env", "async ", "tracing::"];
    complain(|source, line| {
        let pure = ["core", "pdf", "stores", "rails"].contains(&room(&source.path));
        let found = impure.iter().find(|name| pure && line.contains(*name))?;
        Some(format!("{found} has no place in a pure room"))
    });
    complain(|source, line| {
        let own = room(&source.path);
        let parser = ["stores", "rails"].contains(&own);
        let other = named(line).into_iter().find(|name| parser && name != "core" && name != own)?;
        Some(format!("a parser uses core only, not {other}"))
    });
}

#[test]
fn only_sql_knows_the_driver_and_only_the_edge_the_web() {
    complain(|source, line| {
        let sql = ["db", "events", "reports"].contains(&room(&source.path))
            || source.path.ends_with("/repo.rs")
            || source.path.contains("/repo/");
        (!sql && line.contains("diesel"))
            .then(|| "diesel belongs into db, events, reports and repo files".to_owned())
    });
    complain(|source, line| {
        let edge = ["web", "app", "app.rs"].contains(&room(&source.path));
        (!edge && line.contains("actix_web")).then(|| "actix stays in web and app".to_owned())
    });
}

#[test]
fn a_repo_is_its_rooms_own() {
    complain(|source, line| {
        let own = room(&source.path);
        let other = ROOMS.iter().find(|r| **r != own && line.contains(&format!("crate::{r}::repo")))?;
        Some(format!("the SQL of {other} is asked through {other}"))
    });
}

#[test]
fn the_time_comes_from_one_place() {
    complain(|source, line| {
        let asks = ["Utc::now", "SystemTime::now", "Local::now", "Uuid::now_v7", "Uuid::new_v4"];
        let found = asks.iter().find(|call| source.path != "clock.rs" && line.contains(*call))?;
        Some(format!("{found} belongs into clock.rs"))
    });
}

#[test]
fn no_float_comes_near_money() {
    // Seconds for Prometheus and coordinates of a chart or of a page are no money.
    let drawn = ["pdf/page.rs", "telemetry.rs", "app/parts.rs", "web/metrics.rs", "demo/summary.rs"];
    complain(|source, line| {
        let float =
            ["f64", "f32"].iter().find(|t| line.split(|c: char| !c.is_alphanumeric()).any(|w| w == **t))?;
        (!drawn.contains(&source.path.as_str()) && !source.path.starts_with("web/admin/chart"))
            .then(|| format!("{float} outside of charts and metrics"))
    });
}

#[test]
fn files_stay_within_a_sitting() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|s| s.lines > 400)
        .map(|s| format!("src/{} has {} lines", s.path, s.lines))
        .collect();
    assert!(long.is_empty(), "over 400 lines; is each still one room?\n{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let silent: Vec<String> = sources()
        .iter()
        .map(|s| s.path.clone())
        .filter(|path| !path.contains("/tests") && !path.ends_with("tests.rs"))
        .filter(|path| !fs::read_to_string(root.join(path)).unwrap().starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "without a first line that says what the room is for: {silent:?}");
}
