//! `upline catalog`: what the stores sell, what is not mapped of it, and what it probably is.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::catalog::suggestions::{self, Asked, Unmapped};
use crate::catalog::{self, NewMapping};
use crate::clock::Clock;
use crate::core::assess::Hold;
use crate::core::suggest::Why;
use crate::db::{Conn, DbError, Lane};
use crate::orders;
use crate::reports::catalogue::{self, Filter, Row};

/// Products of the stores: stock, what is not mapped yet, and suggestions
#[derive(Args)]
#[command(after_help = "Examples:
  upline catalog list --store main --state gone
  upline catalog unmapped
  upline catalog suggest --accept same-sku")]
pub struct CatalogCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Every variant that the stores told of, with stock and mapping
    #[command(after_help = "Examples:
  upline catalog list
  upline catalog list --store main --state unmapped --search vitamin --json")]
    List {
        #[command(flatten)]
        which: Which,
        /// unmapped, mapped, gone or out (of stock)
        #[arg(long, value_parser = ["unmapped", "mapped", "gone", "out"])]
        state: Option<String>,
    },
    /// Variants that no mapping covers, each with its suggestion
    ///
    /// Exit code 3 if there are any.
    #[command(after_help = "Example:\n  upline catalog unmapped --store main --json")]
    Unmapped {
        #[command(flatten)]
        which: Which,
    },
    /// Suggestions for what is not mapped; with --accept they become mappings
    ///
    /// Only what is sure can be accepted: the same SKU mapped elsewhere, or siblings of one product that agree. A
    /// like name is a hint for a person. Orders that were held for the products are assessed again.
    #[command(after_help = "Examples:
  upline catalog suggest
  upline catalog suggest --accept same-sku --dry-run
  upline catalog suggest --accept siblings")]
    Suggest {
        #[command(flatten)]
        which: Which,
        /// Make mappings of the suggestions of this kind
        #[arg(long, value_name = "KIND", value_parser = ["same-sku", "siblings", "sure"])]
        accept: Option<String>,
        /// Only tell what would be mapped
        #[arg(long, requires = "accept")]
        dry_run: bool,
    },
}

#[derive(Args)]
struct Which {
    /// Slug [default: all stores]
    #[arg(long)]
    store: Option<String>,
    /// Part of a SKU or a title
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CatalogCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        global.with_backend(Opening::Ready, |backend, clock| match &self.action {
            Action::List { which, state } => list(backend, which, state.as_deref()),
            Action::Unmapped { which } => {
                let found = backend.db.read(Lane::Admin, |conn| all(conn, which))?;
                tell(&found, which.json)?;
                Ok(if found.is_empty() { Outcome::Done } else { Outcome::Difference })
            }
            Action::Suggest { which, accept, dry_run } => {
                suggest(backend, clock, which, accept.as_deref(), *dry_run)
            }
        })
    }
}

fn list(backend: &Backend, which: &Which, state: Option<&str>) -> anyhow::Result<Outcome> {
    let filter = Filter {
        q: which.search.clone().unwrap_or_default(),
        store: which.store.clone().unwrap_or_default(),
        state: state.unwrap_or_default().to_owned(),
    };
    let mut rows: Vec<Row> = vec![];
    let mut after = None;
    loop {
        let page = backend.db.read(Lane::Admin, |conn| catalogue::list(conn, &filter, after.take()))?;
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if which.json {
        output::json(&rows)?;
        return Ok(Outcome::Done);
    }
    let row = |row: &Row| {
        let state = match (&row.gone_at, &row.commission_class) {
            (Some(at), _) => format!("gone {}", at.format("%Y-%m-%d")),
            (None, Some(class)) => class.clone(),
            (None, None) => "not mapped".to_owned(),
        };
        let stock = row.stock.map_or_else(String::new, |stock| stock.normalize().to_string());
        let title = [&row.product_title, &row.title].map(String::as_str).join(" ");
        let sku = row.sku.clone().unwrap_or_default();
        vec![row.store.clone(), key(&row.product_id, &row.variant_id), sku, stock, state, title]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    output::table(&["store", "product", "sku", "stock", "class", "title"], &rows)?;
    Ok(Outcome::Done)
}

fn key(product: &str, variant: &str) -> String {
    if variant.is_empty() { product.to_owned() } else { format!("{product}/{variant}") }
}

fn all(conn: &mut Conn, which: &Which) -> Result<Vec<Unmapped>, DbError> {
    const PAGE: i64 = 500;
    let mut found: Vec<Unmapped> = vec![];
    loop {
        let asked = Asked {
            store: which.store.as_deref().unwrap_or_default(),
            q: which.search.as_deref().unwrap_or_default(),
            after: found.last().map(|last| last.variant.key()),
            limit: PAGE,
        };
        let page = suggestions::unmapped(conn, &asked)?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

fn tell(found: &[Unmapped], json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(&found);
    }
    let row = |seen: &Unmapped| {
        let variant = &seen.variant;
        let stock = variant.stock.map_or_else(String::new, |stock| stock.normalize().to_string());
        let product = key(&variant.product_id, &variant.variant_id);
        let sku = variant.sku.clone().unwrap_or_default();
        vec![variant.store.clone(), product, sku, stock, variant.full_title(), words(seen)]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    Ok(output::table(&["store", "product", "sku", "stock", "title", "suggestion"], &rows)?)
}

fn words(seen: &Unmapped) -> String {
    let mut words = match (&seen.suggested.suggestion, &seen.suggested.conflict) {
        (Some(it), _) => format!("{}, class {}: {}", it.sku_id, it.commission_class, it.why),
        (None, Some(conflict)) => conflict.clone(),
        (None, None) => String::new(),
    };
    if !seen.shares_sku_with.is_empty() {
        words.push_str(&format!("; the SKU is also that of {}", seen.shares_sku_with.join(", ")));
    }
    words
}

fn suggest(
    backend: &Backend,
    clock: &Clock,
    which: &Which,
    accept: Option<&str>,
    dry_run: bool,
) -> anyhow::Result<Outcome> {
    let mut found = backend.db.read(Lane::Admin, |conn| all(conn, which))?;
    let fits = |seen: &Unmapped| match (&seen.suggested.suggestion, accept) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(it), Some("sure")) => it.why.is_sure(),
        (Some(it), Some("same-sku")) => matches!(it.why, Why::SameSku { .. }),
        (Some(it), Some(_)) => matches!(it.why, Why::Siblings { .. }),
    };
    found.retain(fits);
    if accept.is_none() || dry_run {
        tell(&found, which.json)?;
        if dry_run {
            output::note(format_args!("Dry run, nothing changed: {} would be mapped.", found.len()))?;
        }
        return Ok(Outcome::Done);
    }
    let mut mappings: Vec<NewMapping> = vec![];
    for mapping in found.iter().filter_map(Unmapped::accepted) {
        if !mappings.contains(&mapping) {
            mappings.push(mapping);
        }
    }
    let now = clock.now();
    let reviewed = backend.db.transact(Lane::Admin, |tx| {
        if mappings.is_empty() {
            return Ok(0);
        }
        catalog::record(tx, &mappings, None, "console", now)?;
        let keys: Vec<&str> = mappings.iter().map(|mapping| mapping.key.as_str()).collect();
        audit::record(tx, "console", "sku.map", "suggestions", json!({"accept": accept, "keys": keys}), now)?;
        orders::review_all_of(tx, &[Hold::UnmappedSku, Hold::UnknownClass], now)
    })?;
    if which.json {
        output::json(&json!({"mapped": mappings.len(), "orders_reviewed": reviewed}))?;
    } else {
        output::line(format_args!(
            "{} mapped; {reviewed} held order(s) are assessed again.",
            mappings.len()
        ))?;
    }
    Ok(Outcome::Done)
}
