//! A catalogue as CSV: see what it would do, then do it.

use askama::Template;

use super::super::format::Pill;
use super::super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/sku_import.html")]
pub struct ImportPage {
    pub shell: Shell,
    pub csv: String,
    pub problem: Option<String>,
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
    /// Rows beyond those that are shown.
    pub more: usize,
    pub errors: Vec<RowError>,
}

pub struct StagedRow {
    pub line: u64,
    pub key: String,
    pub what: Pill,
    pub was: String,
    pub is: String,
}

/// The same fault of many rows, told once.
pub struct RowError {
    pub problem: String,
    pub lines: String,
}
