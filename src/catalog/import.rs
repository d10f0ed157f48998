//! SKU mappings from a CSV file: read, compared with what holds now, then all or nothing.
//!
//! Nothing is written by a file with a single problem. Whoever records an [`Import`] also sends the orders that
//! waited for a mapping through assessment again; that is not done here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{CurrentMapping, NewMapping, current, record};
use crate::clock::new_id;
use crate::core::ids::StoreId;
use crate::core::sheet::{Row, RowProblem, Sheet};
use crate::core::sku::KeyKind;
use crate::db::{Conn, DbError, Tx};

pub const REQUIRED: [&str; 6] =
    ["sku_id", "platform", "platform_sku", "name", "category", "commission_class"];
pub const OPTIONAL: [&str; 2] = ["store", "key_kind"];

/// What a file would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Import {
    pub new: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Any of them keeps the whole file out.
    pub problems: Vec<RowProblem>,
    pub ignored_columns: Vec<String>,
    /// The commission classes that the file uses.
    pub classes: BTreeSet<String>,
    #[serde(skip)]
    mappings: Vec<NewMapping>,
    /// What each of them takes the place of.
    #[serde(skip)]
    replaced: Vec<Option<CurrentMapping>>,
}

/// The stores that a row may name, and the platforms there are.
pub struct Known<'k> {
    /// By slug: id and platform.
    pub stores: &'k HashMap<String, (StoreId, String)>,
    pub platforms: &'k [&'k str],
}

/// Which product of which store.
type Key = (Option<i32>, String, &'static str, String);

/// `effective`: from when a changed mapping holds. A mapping that is new has held since ever.
pub fn preview(
    conn: &mut Conn,
    known: &Known<'_>,
    csv: &[u8],
    effective: DateTime<Utc>,
) -> Result<Import, DbError> {
    let sheet = match Sheet::read(csv, &REQUIRED, &OPTIONAL) {
        Ok(sheet) => sheet,
        Err(problems) => return Ok(Import { problems, ..Import::default() }),
    };
    let holds: HashMap<Key, CurrentMapping> = current(conn)?
        .into_iter()
        .filter_map(|mapping| {
            let kind = KeyKind::parse(&mapping.key_kind)?.name();
            Some(((mapping.store_id, mapping.platform.clone(), kind, mapping.platform_sku.clone()), mapping))
        })
        .collect();
    let mut import = Import { ignored_columns: sheet.ignored.clone(), ..Import::default() };
    let mut lines: BTreeMap<Key, u64> = BTreeMap::new();
    for row in sheet.rows() {
        let Some(mapping) = read(&row, known, &mut import.problems) else { continue };
        let key = key(&mapping);
        if let Some(first) = lines.insert(key.clone(), row.line) {
            let message = format!("{} is mapped in line {first} already; keep one of them", mapping.key);
            import.problems.push(row.problem("platform_sku", message));
            continue;
        }
        import.classes.insert(mapping.commission_class.clone());
        import.add(mapping, holds.get(&key), effective);
    }
    Ok(import)
}

impl Import {
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// What would be recorded, each with what holds now.
    pub fn changes(&self) -> impl Iterator<Item = (&NewMapping, Option<&CurrentMapping>)> {
        self.mappings.iter().zip(self.replaced.iter().map(Option::as_ref))
    }

    /// Writes what [`preview`] has found, under one import id.
    pub fn record(&self, tx: &mut Tx<'_>, by: &str, now: DateTime<Utc>) -> Result<usize, DbError> {
        if self.mappings.is_empty() { Ok(0) } else { record(tx, &self.mappings, Some(new_id()), by, now) }
    }

    fn add(&mut self, mut mapping: NewMapping, holds: Option<&CurrentMapping>, effective: DateTime<Utc>) {
        match holds {
            None => self.new += 1,
            Some(holds) if is_same(&mapping, holds) => {
                self.unchanged += 1;
                return;
            }
            Some(_) => {
                self.changed += 1;
                mapping.from = Some(effective);
            }
        }
        self.mappings.push(mapping);
        self.replaced.push(holds.cloned());
    }
}

fn key(mapping: &NewMapping) -> Key {
    (mapping.store.map(|store| store.0), mapping.platform.clone(), mapping.kind.name(), mapping.key.clone())
}

fn is_same(told: &NewMapping, holds: &CurrentMapping) -> bool {
    told.sku_id == holds.sku_id
        && told.name == holds.name
        && told.category == holds.category
        && told.commission_class == holds.commission_class
}

fn read(row: &Row<'_>, known: &Known<'_>, problems: &mut Vec<RowProblem>) -> Option<NewMapping> {
    let before = problems.len();
    let platform = row.required("platform", problems).to_ascii_lowercase();
    if !platform.is_empty() && !known.platforms.contains(&platform.as_str()) {
        let message = format!("{platform:?} is no platform; use one of {}", known.platforms.join(", "));
        problems.push(row.problem("platform", message));
    }
    let kind = row.get("key_kind").map_or(Some(KeyKind::Sku), KeyKind::parse);
    if kind.is_none() {
        problems.push(row.problem("key_kind", "is none of variant, sku, product"));
    }
    let store = row.get("store").and_then(|slug| store(row, slug, &platform, known, problems));
    let required = |column: &str, problems: &mut Vec<RowProblem>| row.required(column, problems).to_owned();
    let mapping = NewMapping {
        store,
        kind: kind.unwrap_or(KeyKind::Sku),
        key: required("platform_sku", problems),
        sku_id: required("sku_id", problems),
        commission_class: required("commission_class", problems),
        name: row.get("name").unwrap_or_default().to_owned(),
        category: row.get("category").unwrap_or_default().to_owned(),
        platform,
        from: None,
    };
    (problems.len() == before).then_some(mapping)
}

fn store(
    row: &Row<'_>,
    slug: &str,
    platform: &str,
    known: &Known<'_>,
    problems: &mut Vec<RowProblem>,
) -> Option<StoreId> {
    match known.stores.get(slug) {
        Some((id, of)) if of == platform => return Some(*id),
        Some((_, of)) => {
            problems.push(row.problem("store", format!("{slug} is a {of} store, not {platform}")))
        }
        None => problems
            .push(row.problem("store", format!("there is no store {slug:?}; see `upline store list`"))),
    }
    None
}
