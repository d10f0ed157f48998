//! SKU mapping: which product of which store is which SKU, in which commission class. Unmapped products first.

pub mod import;
pub mod key;

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::desk::Desk;
use super::format::{self, Amount, Pager, Pill, Tone, When};
use super::held::cause_address;
use super::held::mend::{classes, date, product};
use super::products;
use super::shell::Shell;
use super::words;
use crate::access::audit;
use crate::catalog::{self, NewMapping};
use crate::core::assess::Hold;
use crate::core::ids::StoreId;
use crate::core::sku::KeyKind;
use crate::db::{DbError, Tx};
use crate::orders;
use crate::reports::skus::{self as report, Filter, Suggestion};
use crate::reports::{Conn, held};
use crate::web::session::{Denied, Form, Operator, Viewer};

const PLATFORMS: [&str; 4] = ["shopify", "woocommerce", "magento", "direct"];

#[derive(Template)]
#[template(path = "admin/skus.html")]
pub struct SkusPage {
    pub shell: Shell,
    pub filter: Filter,
    pub classes: Vec<String>,
    pub platforms: Vec<&'static str>,
    pub unmapped: Vec<Unmapped>,
    pub in_stores: products::Panel,
    pub rows: Vec<Row>,
    pub pager: Pager,
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

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Asked {
    q: String,
    class: String,
    platform: String,
    /// The key that the page goes on after: value, platform, kind, store.
    value: String,
    of: String,
    kind: String,
    store: i32,
}

pub async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let Asked { q, class, platform, value, of, kind, store } = asked.into_inner();
    let filter = Filter { q, class, platform };
    let after = (!value.is_empty()).then_some((value, of, kind, store));
    let begun = after.is_some();
    let (wanted, state, now) = (filter.clone(), desk.state.clone(), desk.now());
    let (shell, (unmapped, in_stores, classes, found)) = desk
        .read(&viewer, "skus", move |conn| {
            let first = after.is_none() && wanted.is_empty();
            let unmapped = if first { unmapped(conn)? } else { vec![] };
            let in_stores = if first { products::find(conn)? } else { vec![] };
            let classes = classes(conn, &state, now)?;
            Ok((unmapped, in_stores, classes, report::list(conn, &wanted, after, now)?))
        })
        .await?;
    let Filter { q, class, platform } = &filter;
    let own = [("q", q.as_str()), ("class", class), ("platform", platform)];
    let next = found.next.map(|(value, of, kind, store)| {
        let store = store.to_string();
        let key = [("value", value.as_str()), ("of", &of), ("kind", &kind), ("store", &store)];
        words::address("/admin/skus", &[own.as_slice(), &key].concat())
    });
    let page = SkusPage {
        shell,
        in_stores: products::panel(&in_stores, classes.clone(), &viewer),
        classes,
        platforms: PLATFORMS.to_vec(),
        unmapped,
        pager: Pager {
            shown: found.rows.len(),
            first: begun.then(|| words::address("/admin/skus", &own)),
            next,
        },
        rows: found.rows.iter().map(row).collect(),
        filter,
    };
    desk.show(&page)
}

/// One row a product and store, the money of all currencies together.
fn unmapped(conn: &mut Conn) -> Result<Vec<Unmapped>, DbError> {
    let causes = held::causes(conn, Hold::UnmappedSku.name())?;
    let keys: Vec<String> = causes.iter().filter_map(|row| Some(product(&row.cause)?.1.to_owned())).collect();
    let known: BTreeMap<String, Suggestion> =
        report::suggestions(conn, &keys)?.into_iter().map(|known| (known.key_value.clone(), known)).collect();
    let mut rows: Vec<(Unmapped, i64)> = vec![];
    for cause in causes {
        let amount = words::amount(cause.net, cause.currency.as_deref().unwrap_or("?"));
        match rows.last_mut() {
            Some((row, orders)) if row.cause == cause.cause => {
                *orders += cause.orders;
                row.amounts.push(amount);
            }
            _ => rows.push((one_unmapped(&cause, amount, &known), cause.orders)),
        }
    }
    Ok(rows.into_iter().map(|(row, orders)| Unmapped { orders: format::count(orders), ..row }).collect())
}

fn one_unmapped(cause: &held::Cause, amount: Amount, known: &BTreeMap<String, Suggestion>) -> Unmapped {
    let key = product(&cause.cause).map(|(_, key)| key);
    let suggestion = key.and_then(|key| known.get(key)).map(|known| {
        format!("mapped on {} as {}, class {}", known.platform, known.sku_id, known.commission_class)
    });
    Unmapped {
        value: if key.is_some() { cause.cause.clone() } else { String::new() },
        cause: cause.cause.clone(),
        title: cause.detail.clone(),
        store: cause.stores.join(", "),
        orders: String::new(),
        amounts: vec![amount],
        suggestion: suggestion.unwrap_or_default(),
        href: cause_address(Hold::UnmappedSku.name(), &cause.cause),
    }
}

fn row(found: &report::Row) -> Row {
    Row {
        mapping_id: found.mapping_id,
        key: found.key_value.clone(),
        kind: found.key_kind.clone(),
        place: place(found),
        sku_id: found.sku_id.clone(),
        name: found.name.clone(),
        category: found.category.clone(),
        class: words::class(&found.commission_class),
        from: found.effective_from.map(When),
        versions: format::count(found.versions),
    }
}

fn place(found: &report::Row) -> String {
    match &found.store {
        Some(slug) => format!("store {slug}"),
        None => format!("all {} stores", found.platform),
    }
}

/// A ticked list and what to do with it.
#[derive(Debug, Default)]
struct Ticked {
    ticked: Vec<String>,
    class: String,
    from: String,
}

impl Ticked {
    /// From a form whose boxes are called `name`.
    fn of(fields: Vec<(String, String)>, name: &str) -> Self {
        let mut form = Self::default();
        for (field, value) in fields {
            match field.as_str() {
                "class" => form.class = value,
                "from" => form.from = value,
                field if field == name => form.ticked.push(value),
                _ => {}
            }
        }
        form
    }

    fn problem(&self) -> Option<&'static str> {
        match () {
            () if self.ticked.is_empty() => Some("Tick at least one row."),
            () if self.class.is_empty() => Some("Choose a commission class."),
            () => None,
        }
    }
}

/// Maps every ticked product to its own SKU in the given class.
pub async fn map(
    operator: Operator,
    desk: Desk,
    form: Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Denied> {
    let form = Ticked::of(form.0, "product");
    let from = date(&form.from);
    if let Some(problem) = form.problem().map(str::to_owned).or_else(|| from.clone().err()) {
        return Ok(desk.go("/admin/skus", Tone::Bad, &problem));
    }
    let (now, by, from) = (desk.now(), operator.email.clone(), from.unwrap_or_default());
    let (mapped, released) = desk
        .write(move |tx| {
            let mut mappings = vec![];
            for cause in &form.ticked {
                mappings.extend(mappings_of(tx.conn, cause, &form.class, from)?);
            }
            record(tx, &mappings, &form.class, &by, now)
        })
        .await?;
    Ok(desk.done("/admin/skus", &format!("{mapped} mapped; {released} held orders are looked at again.")))
}

/// One mapping for each platform that the product was seen on.
fn mappings_of(
    conn: &mut Conn,
    cause: &str,
    class: &str,
    from: Option<DateTime<Utc>>,
) -> Result<Vec<NewMapping>, DbError> {
    let Some((kind, key)) = product(cause) else { return Ok(vec![]) };
    let mut mappings: Vec<NewMapping> = vec![];
    for seen in report::seen(conn, cause)? {
        if mappings.iter().any(|known| known.platform == seen.platform) {
            continue;
        }
        mappings.push(NewMapping {
            store: None,
            platform: seen.platform,
            kind,
            key: key.to_owned(),
            sku_id: key.to_owned(),
            name: seen.title,
            category: String::new(),
            commission_class: class.to_owned(),
            from,
        });
    }
    Ok(mappings)
}

/// Returns how many versions were added and how many held orders are looked at again.
fn record(
    tx: &mut Tx<'_>,
    mappings: &[NewMapping],
    class: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(usize, usize), DbError> {
    if mappings.is_empty() {
        return Ok((0, 0));
    }
    let added = catalog::record(tx, mappings, None, by, now)?;
    let keys: Vec<&str> = mappings.iter().map(|mapping| mapping.key.as_str()).collect();
    audit::record(tx, by, "sku.map", class, json!({"keys": keys}), now)?;
    let released = orders::review_all_of(tx, &[Hold::UnmappedSku, Hold::UnknownClass], now)?;
    Ok((added, released))
}

/// Moves every ticked mapping to another class, as a version more.
pub async fn reclass(
    operator: Operator,
    desk: Desk,
    form: Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Denied> {
    let form = Ticked::of(form.0, "mapping");
    let from = date(&form.from);
    if let Some(problem) = form.problem().map(str::to_owned).or_else(|| from.clone().err()) {
        return Ok(desk.go("/admin/skus", Tone::Bad, &problem));
    }
    let (now, by) = (desk.now(), operator.email.clone());
    let from = from.unwrap_or_default().unwrap_or(now);
    let (moved, _) = desk
        .write(move |tx| {
            let ids: Vec<i64> = form.ticked.iter().filter_map(|id| id.parse().ok()).collect();
            let mut mappings = vec![];
            for known in report::by_id(tx.conn, &ids)? {
                let class = form.class.clone();
                mappings.push(NewMapping { commission_class: class, from: Some(from), ..again(&known)? });
            }
            record(tx, &mappings, &form.class, &by, now)
        })
        .await?;
    Ok(desk.done("/admin/skus", &format!("{moved} moved. Orders that are computed keep their version.")))
}

/// The same mapping as a version that can be changed.
fn again(known: &report::Row) -> Result<NewMapping, DbError> {
    let damaged = || DbError::Damaged(format!("key_kind of SKU mapping {}", known.mapping_id));
    Ok(NewMapping {
        store: known.store_id.map(StoreId),
        platform: known.platform.clone(),
        kind: KeyKind::parse(&known.key_kind).ok_or_else(damaged)?,
        key: known.key_value.clone(),
        sku_id: known.sku_id.clone(),
        name: known.name.clone(),
        category: known.category.clone(),
        commission_class: known.commission_class.clone(),
        from: known.effective_from,
    })
}
