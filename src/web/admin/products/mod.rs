//! The stores' catalogues: stock, what is not mapped, and suggestions that one click makes mappings of.

use actix_web::HttpResponse;
use actix_web::web::{self, Query};
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::desk::Desk;
use super::format::{self, Pager, Pill, Tone, When};
use super::shell::Shell;
use super::words;
use crate::access::{Role, Session, audit};
use crate::catalog::suggestions::{self, Key, Unmapped};
use crate::catalog::{self, NewMapping};
use crate::core::assess::Hold;
use crate::db::{Conn, DbError};
use crate::ingest;
use crate::orders;
use crate::reports::catalogue::{self as report, Filter};
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/products.html")]
pub struct ProductsPage {
    pub shell: Shell,
    pub filter: Filter,
    pub stores: Vec<String>,
    pub states: Vec<(&'static str, &'static str)>,
    pub shared: Vec<report::SharedSku>,
    pub unmapped: Panel,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub title: String,
    pub variant: String,
    pub key: String,
    pub sku: String,
    pub store: String,
    pub stock: String,
    pub out: bool,
    pub class: Pill,
    /// The mapping's page; empty without one.
    pub mapping: String,
    pub seen: When,
    pub gone: Option<When>,
}

/// Variants that nothing maps, and what they probably are. Also part of the page of SKU mappings.
#[derive(Template, Default)]
#[template(path = "admin/products_unmapped.html")]
pub struct Panel {
    pub csrf: String,
    pub may_map: bool,
    pub rows: Vec<Seen>,
    /// There are more than these.
    pub more: bool,
    pub classes: Vec<String>,
}

pub struct Seen {
    /// What the form sends back.
    pub value: String,
    pub title: String,
    pub sku: String,
    pub key: String,
    pub store: String,
    pub stock: String,
    /// Empty without one.
    pub suggestion: String,
    pub why: String,
    /// One click makes a mapping of it.
    pub sure: bool,
    pub warning: String,
}

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/products", web::get().to(list))
        .route("/products/accept", web::post().to(accept))
        .route("/products/map", web::post().to(map));
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    store: String,
    state: String,
    of: i32,
    product: String,
    variant: String,
}

async fn list(viewer: Viewer, desk: Desk, asked: Query<Asked>) -> Result<HttpResponse, Denied> {
    let Asked { q, store, state, of, product, variant } = asked.into_inner();
    let filter = Filter { q, store, state };
    let after = (!product.is_empty()).then_some((of, product, variant));
    let begun = after.is_some();
    let (wanted, state, now) = (filter.clone(), desk.state.clone(), desk.now());
    let (shell, (stores, shared, found, classes, unmapped)) = desk
        .read(&viewer, "products", move |conn| {
            let first = after.is_none() && wanted.is_empty();
            let shared = if first { report::shared_skus(conn)? } else { vec![] };
            let unmapped = if first { find(conn)? } else { vec![] };
            let classes = super::held::mend::classes(conn, &state, now)?;
            Ok((ingest::list_stores(conn)?, shared, report::list(conn, &wanted, after)?, classes, unmapped))
        })
        .await?;
    let own = [("q", filter.q.as_str()), ("store", &filter.store), ("state", &filter.state)];
    let next = found.next.map(|(of, product, variant)| {
        let of = of.to_string();
        let key = [("of", of.as_str()), ("product", &product), ("variant", &variant)];
        words::address("/admin/products", &[own.as_slice(), &key].concat())
    });
    let page = ProductsPage {
        stores: stores.into_iter().map(|store| store.slug).collect(),
        states: report::STATES.to_vec(),
        shared,
        unmapped: panel(&unmapped, classes, &viewer),
        pager: Pager {
            shown: found.rows.len(),
            first: begun.then(|| words::address("/admin/products", &own)),
            next,
        },
        rows: found.rows.iter().map(row).collect(),
        shell,
        filter,
    };
    desk.show(&page)
}

fn row(found: &report::Row) -> Row {
    let class = match (&found.gone_at, &found.commission_class) {
        (Some(_), _) => Pill::new(Tone::Muted, "sold no more"),
        (None, Some(class)) => words::class(class),
        (None, None) => Pill::new(Tone::Warn, "not mapped"),
    };
    Row {
        title: found.product_title.clone(),
        variant: found.title.clone(),
        key: key(&found.product_id, &found.variant_id),
        sku: found.sku.clone().unwrap_or_default(),
        store: found.store.clone(),
        stock: found.stock.map_or_else(String::new, format::plain),
        out: found.stock.is_some_and(|stock| stock <= rust_decimal::Decimal::ZERO),
        class,
        mapping: found.mapping_id.map_or_else(String::new, |id| format!("/admin/skus/{id}")),
        seen: When(found.first_seen_at),
        gone: found.gone_at.map(When),
    }
}

fn key(product: &str, variant: &str) -> String {
    if variant.is_empty() { product.to_owned() } else { format!("{product} / {variant}") }
}

const SHOWN: usize = 50;

/// The first that nothing maps, and one more if there are.
pub fn find(conn: &mut Conn) -> Result<Vec<Unmapped>, DbError> {
    let limit = i64::try_from(SHOWN + 1).unwrap_or(51);
    suggestions::unmapped(conn, &suggestions::Asked { limit, ..suggestions::Asked::default() })
}

pub fn panel(found: &[Unmapped], classes: Vec<String>, session: &Session) -> Panel {
    Panel {
        csrf: session.csrf.clone(),
        may_map: session.role >= Role::Operator,
        rows: found.iter().take(SHOWN).map(seen).collect(),
        more: found.len() > SHOWN,
        classes,
    }
}

fn seen(found: &Unmapped) -> Seen {
    let variant = &found.variant;
    let suggestion = found.suggested.suggestion.as_ref();
    let shares = match found.shares_sku_with.as_slice() {
        [] => String::new(),
        others => {
            format!("This SKU is also that of {}: it is mapped by the store's own id.", others.join(", "))
        }
    };
    Seen {
        value: value(&variant.key()),
        title: variant.full_title(),
        sku: variant.sku.clone().unwrap_or_default(),
        key: key(&variant.product_id, &variant.variant_id),
        store: variant.store.clone(),
        stock: variant.stock.map_or_else(String::new, format::plain),
        suggestion: suggestion
            .map(|it| format!("{}, class {}", it.sku_id, it.commission_class))
            .unwrap_or_default(),
        why: suggestion.map(|it| it.why.to_string()).unwrap_or_default(),
        sure: suggestion.is_some_and(|it| it.why.is_sure()),
        warning: found.suggested.conflict.clone().unwrap_or(shares),
    }
}

/// As JSON: ids of stores may hold any sign.
fn value(key: &Key) -> String {
    serde_json::to_string(key).unwrap_or_default()
}

fn keys(fields: &[(String, String)]) -> Vec<Key> {
    let ticked = fields.iter().filter(|(name, _)| name == "variant");
    ticked.filter_map(|(_, value)| serde_json::from_str(value).ok()).collect()
}

/// Makes mappings of the sure suggestions of the ticked variants.
async fn accept(
    operator: Operator,
    desk: Desk,
    form: Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Denied> {
    let keys = keys(&form.0);
    write(operator, desk, keys, |seen| seen.accepted()).await
}

/// Maps the ticked variants to their own SKUs in the given class.
async fn map(
    operator: Operator,
    desk: Desk,
    form: Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Denied> {
    let class = form.0.iter().find(|(name, _)| name == "class").map(|(_, class)| class.trim().to_owned());
    let Some(class) = class.filter(|class| !class.is_empty()) else {
        return Ok(desk.go("/admin/products", Tone::Bad, "Choose a commission class."));
    };
    let keys = keys(&form.0);
    write(operator, desk, keys, move |seen| {
        let variant = &seen.variant;
        let own = variant.sku().map_or_else(|| key(&variant.product_id, &variant.variant_id), str::to_owned);
        Some(seen.mapping(&own, &class, None))
    })
    .await
}

async fn write(
    operator: Operator,
    desk: Desk,
    keys: Vec<Key>,
    mapping: impl Fn(&Unmapped) -> Option<NewMapping> + Send + 'static,
) -> Result<HttpResponse, Denied> {
    const BACK: &str = "/admin/products";
    if keys.is_empty() {
        return Ok(desk.go(BACK, Tone::Bad, "Tick at least one product."));
    }
    let (by, now) = (operator.email.clone(), desk.now());
    let (mapped, released) = desk
        .write(move |tx| {
            let mut mappings: Vec<NewMapping> = vec![];
            for new in suggestions::unmapped_among(tx.conn, &keys)?.iter().filter_map(&mapping) {
                if !mappings.contains(&new) {
                    mappings.push(new);
                }
            }
            if mappings.is_empty() {
                return Ok((0, 0));
            }
            catalog::record(tx, &mappings, None, &by, now)?;
            let keys: Vec<&str> = mappings.iter().map(|mapping| mapping.key.as_str()).collect();
            audit::record(tx, &by, "sku.map", "catalogue", json!({"keys": keys}), now)?;
            Ok((mappings.len(), orders::review_all_of(tx, &[Hold::UnmappedSku, Hold::UnknownClass], now)?))
        })
        .await?;
    Ok(desk.done(BACK, &format!("{mapped} mapped; {released} held orders are looked at again.")))
}
