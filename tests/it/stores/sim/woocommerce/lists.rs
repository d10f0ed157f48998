//! Lists in WordPress' manner: filtered, sorted, a page at a time, with the count of all in a header.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use super::{Answer, Call, Id, Shop, bodies, error};

pub struct Row {
    id: Id,
    created: DateTime<Utc>,
    changed: DateTime<Utc>,
    /// Of orders; `trash` is in no other list.
    status: &'static str,
    body: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Orders,
    Posts,
    Users,
    Webhooks,
}

pub fn orders(shop: &Shop) -> Vec<Row> {
    let orders = shop.orders.values().map(|order| Row {
        id: order.id,
        created: order.created_at,
        changed: order.changed_at,
        status: bodies::status_of(order),
        body: bodies::order(shop, order),
    });
    orders.collect()
}

pub fn refunds(shop: &Shop, order: Id) -> Vec<Row> {
    let Some(order) = shop.orders.get(&order) else { return vec![] };
    let refunds = order.live_refunds().map(|refund| Row {
        id: refund.id,
        created: refund.at,
        changed: refund.at,
        status: "completed",
        body: bodies::refund(shop, order, refund),
    });
    refunds.collect()
}

pub fn products(shop: &Shop) -> Vec<Row> {
    let products = shop.products.values().filter(|product| !product.deleted).map(|product| Row {
        id: product.id,
        created: product.created_at,
        changed: product.changed_at,
        status: "publish",
        body: bodies::product(shop, product),
    });
    products.collect()
}

pub fn variations(shop: &Shop, product: Id) -> Vec<Row> {
    let Some(product) = shop.products.get(&product).filter(|product| !product.simple) else { return vec![] };
    let variants = product.variants.iter().map(|variant| Row {
        id: variant.id,
        created: product.created_at,
        changed: product.changed_at,
        status: "publish",
        body: bodies::variation(shop, product, variant),
    });
    variants.collect()
}

pub fn customers(shop: &Shop) -> Vec<Row> {
    let customers = shop.customers.values().map(|customer| Row {
        id: customer.id,
        created: customer.created_at,
        changed: customer.changed_at,
        status: "customer",
        body: bodies::customer(shop, customer),
    });
    customers.collect()
}

pub fn webhooks(shop: &Shop) -> Vec<Row> {
    let webhooks = shop.subscriptions.values().map(|known| Row {
        id: known.id,
        created: shop.now,
        changed: shop.now,
        status: "active",
        body: bodies::webhook(known),
    });
    webhooks.collect()
}

pub fn answer(shop: &Shop, call: &Call, kind: Kind, mut rows: Vec<Row>, by_change: bool) -> Answer {
    if let Err(wrong) = narrow(shop, call, kind, &mut rows, by_change) {
        let message = format!("Invalid parameter(s): {wrong}");
        return error(400, "rest_invalid_param", &message);
    }
    let number = |name: &str, default: usize| match call.param(name) {
        None => Some(default),
        Some(text) => text.parse::<usize>().ok(),
    };
    let Some(per_page) = number("per_page", 10).filter(|size| (1..=100).contains(size)) else {
        return error(400, "rest_invalid_param", "Invalid parameter(s): per_page");
    };
    let Some(page) = number("page", 1).filter(|page| *page > 0) else {
        return error(400, "rest_invalid_param", "Invalid parameter(s): page");
    };
    let offset = match number("offset", 0) {
        // The list of webhooks drops an offset, and the page with it.
        Some(given) if given > 0 && kind == Kind::Webhooks => 0,
        Some(given) if given > 0 => given,
        _ => (page - 1) * per_page,
    };
    let total = rows.len();
    let shown: Vec<Value> = rows.into_iter().skip(offset).take(per_page).map(|row| row.body).collect();
    let shown = match call.param("_fields") {
        Some(fields) => shown.into_iter().map(|row| only(row, fields)).collect(),
        None => shown,
    };
    Answer::text(200, bodies::php(&Value::Array(shown)))
        .with("X-WP-Total", total)
        .with("X-WP-TotalPages", total.div_ceil(per_page))
}

/// Filters and sorts, or names the parameter that is wrong.
fn narrow(
    shop: &Shop,
    call: &Call,
    kind: Kind,
    rows: &mut Vec<Row>,
    by_change: bool,
) -> Result<(), &'static str> {
    let posts = matches!(kind, Kind::Orders | Kind::Posts);
    if kind == Kind::Orders {
        by_status(call, rows)?;
    }
    let zone: Tz = shop.zone.parse().expect("a zone");
    let gmt = call.param("dates_are_gmt") == Some("true");
    for (name, later, of) in FILTERS {
        let ignored = !posts || (name.starts_with("modified") && !by_change);
        let Some(text) = call.param(name).filter(|_| !ignored) else { continue };
        let bound = php_time(text, zone).ok_or(name)?;
        let shown =
            |at: DateTime<Utc>| if gmt { at.naive_utc() } else { at.with_timezone(&zone).naive_local() };
        rows.retain(|row| if later { shown(of(row)) > bound } else { shown(of(row)) < bound });
    }
    match (kind, call.param("orderby").unwrap_or("default")) {
        (Kind::Orders | Kind::Posts, "modified") if by_change => {
            rows.sort_by_key(|row| (row.changed, row.id))
        }
        (Kind::Orders | Kind::Posts | Kind::Webhooks, "date" | "default") => {
            rows.sort_by_key(|row| (row.created, row.id));
        }
        (Kind::Users, "registered_date") => rows.sort_by_key(|row| (row.created, row.id)),
        (_, "id") | (Kind::Users, "default") => rows.sort_by_key(|row| row.id),
        _ => return Err("orderby"),
    }
    match call.param("order").unwrap_or(if kind == Kind::Users { "asc" } else { "desc" }) {
        "asc" => {}
        "desc" => rows.reverse(),
        _ => return Err("order"),
    }
    Ok(())
}

/// Exclusive on both sides.
type Filter = (&'static str, bool, fn(&Row) -> DateTime<Utc>);
const FILTERS: [Filter; 4] = [
    ("after", true, |row| row.created),
    ("before", false, |row| row.created),
    ("modified_after", true, |row| row.changed),
    ("modified_before", false, |row| row.changed),
];

const STATUSES: [&str; 9] = [
    "trash",
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
];

fn by_status(call: &Call, rows: &mut Vec<Row>) -> Result<(), &'static str> {
    let wanted: Vec<&str> = call.param("status").unwrap_or("any").split(',').collect();
    if wanted.iter().any(|status| *status != "any" && !STATUSES.contains(status)) {
        return Err("status");
    }
    // "Any" is whatever is neither in the trash nor a cart.
    match wanted.contains(&"any") {
        true => rows.retain(|row| !["trash", "checkout-draft"].contains(&row.status)),
        false => rows.retain(|row| wanted.contains(&row.status)),
    }
    Ok(())
}

/// A time as PHP reads it for the shop: without a zone it is local there, and one that the clocks leave out is an hour
/// later; with a zone it becomes local. The words are then compared, with a column in UTC as with a local one.
fn php_time(text: &str, zone: Tz) -> Option<NaiveDateTime> {
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&zone).naive_local());
    }
    let local: NaiveDateTime = text.parse().ok()?;
    match zone.from_local_datetime(&local) {
        LocalResult::None => {
            let before = zone.from_local_datetime(&(local - TimeDelta::hours(3))).earliest()?;
            let utc = local - TimeDelta::seconds(i64::from(before.offset().fix().local_minus_utc()));
            Some(zone.from_utc_datetime(&utc).naive_local())
        }
        _ => Some(local),
    }
}

pub fn only(body: Value, fields: &str) -> Value {
    let wanted: Vec<&str> = fields.split(',').map(|field| field.trim().split('.').next().unwrap()).collect();
    match body {
        Value::Object(all) => all.into_iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect(),
        other => other,
    }
}

#[test]
fn times_are_read_as_php_reads_them() {
    let read = |text: &str| php_time(text, Tz::Europe__Berlin).unwrap().to_string();
    assert_eq!(read("2026-03-29T01:59:59"), "2026-03-29 01:59:59");
    assert_eq!(read("2026-03-29T02:30:00"), "2026-03-29 03:30:00");
    assert_eq!(read("2026-03-29T02:30:00Z"), "2026-03-29 04:30:00");
    assert_eq!(read("2026-10-25T02:30:00"), "2026-10-25 02:30:00");
    assert!(php_time("yesterday", Tz::UTC).is_none());
}
