//! SKU mapping: which product of which store is which SKU, in which commission class. Unmapped products first.

use askama::Template;

use super::format::{Amount, Pager, Pill, When};
use super::shell::Shell;

#[derive(Template)]
#[template(path = "admin/skus.html")]
pub struct SkusPage {
    pub shell: Shell,
    pub filter: Filter,
    pub classes: Vec<String>,
    pub platforms: Vec<&'static str>,
    pub unmapped: Vec<Unmapped>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

/// What the URL says; empty fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub q: String,
    pub class: String,
    pub platform: String,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && self.class.is_empty() && self.platform.is_empty()
    }
}

/// A product that holds orders.
pub struct Unmapped {
    /// What the bulk form sends back for this row.
    pub value: String,
    pub cause: String,
    pub title: String,
    pub store: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub suggestion: String,
    pub href: String,
}

/// The version of a mapping that holds now.
pub struct Row {
    pub mapping_id: i64,
    pub key: String,
    pub kind: String,
    pub place: String,
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: Pill,
    pub from: Option<When>,
    pub versions: String,
}

#[derive(Template)]
#[template(path = "admin/sku.html")]
pub struct SkuPage {
    pub shell: Shell,
    pub key: String,
    pub kind: String,
    pub place: String,
    pub mapping_id: i64,
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: String,
    pub classes: Vec<String>,
    pub versions: Vec<Version>,
}

pub struct Version {
    pub mapping_id: i64,
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: Pill,
    pub from: Option<When>,
    pub recorded_at: When,
    pub recorded_by: String,
    pub imported: bool,
    pub holds: bool,
}

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
