//! What mends which reason: a mapping, a code, or something on another page.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::json;

use super::cause::{BindForm, Fix, MapForm, Preview, Said};
use super::net;
use crate::access::audit;
use crate::catalog::{self, NewMapping};
use crate::core::assess::Hold;
use crate::core::ids::{DistributorId, StoreId};
use crate::core::sku::{CLASS_NONE, KeyKind};
use crate::db::{DbError, Tx};
use crate::distributors;
use crate::orders;
use crate::reports::{Conn, held as report, skus};
use crate::web::AppState;
use crate::web::admin::format::{self, Link};

/// What the form looks like, what it would do, and the change itself once it is complete.
pub struct Answer {
    pub fix: Fix,
    pub preview: Option<Preview>,
    pub problem: Option<String>,
    change: Option<Change>,
}

enum Change {
    Map(NewMapping),
    Bind(DistributorId),
}

impl Answer {
    fn form(fix: Fix) -> Self {
        Self { fix, preview: None, problem: None, change: None }
    }
}

pub fn ask(
    conn: &mut Conn,
    state: &AppState,
    reason: Hold,
    said: &Said,
    now: DateTime<Utc>,
) -> Result<Answer, DbError> {
    match reason {
        Hold::UnmappedSku => match product(&said.cause) {
            Some((kind, key)) => map(conn, state, said, kind, key, now),
            None => Ok(Answer::form(elsewhere(
                "The store sent neither a product id nor a SKU. Give the product one there; the next update of the \
                 order brings it along.",
                None,
            ))),
        },
        Hold::UnknownDistributor => bind(conn, state, said),
        other => Ok(Answer::form(instead(other, &said.cause))),
    }
}

/// `sku:KIT-9`, as `core::sku::cause` writes it.
pub fn product(cause: &str) -> Option<(KeyKind, &str)> {
    let (kind, key) = cause.split_once(':')?;
    Some((KeyKind::parse(kind)?, key))
}

/// The classes that a mapping may name now.
pub fn classes(conn: &mut Conn, state: &AppState, now: DateTime<Utc>) -> Result<Vec<String>, DbError> {
    let mut classes = state.plans.get(conn)?.at(now).map(|plan| plan.class_ids()).unwrap_or_default();
    classes.retain(|class| class != CLASS_NONE);
    classes.push(CLASS_NONE.to_owned());
    Ok(classes)
}

fn map(
    conn: &mut Conn,
    state: &AppState,
    said: &Said,
    kind: KeyKind,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Answer, DbError> {
    let stores = stores_of(conn, said)?;
    let Some(seen) = skus::seen(conn, &said.cause, &said.store)? else {
        return Ok(Answer::form(elsewhere("No order waits for this any more.", None)));
    };
    let known = skus::suggestions(conn, &[key.to_owned()])?.into_iter().next();
    let asked = !said.sku_id.is_empty();
    let said_or = |value: &str, known: Option<&String>, otherwise: &str| match (asked, known) {
        (true, _) => value.trim().to_owned(),
        (false, Some(known)) => known.clone(),
        (false, None) => otherwise.to_owned(),
    };
    let form = MapForm {
        sku_id: said_or(&said.sku_id, known.as_ref().map(|k| &k.sku_id), key),
        name: said_or(&said.name, known.as_ref().map(|k| &k.name), &seen.title),
        category: said_or(&said.category, known.as_ref().map(|k| &k.category), ""),
        class: said_or(&said.class, known.as_ref().map(|k| &k.commission_class), ""),
        classes: classes(conn, state, now)?,
        from: said.from.clone(),
        store: seen.store.clone(),
        stores,
        everywhere: if asked { !said.everywhere.is_empty() } else { true },
        platform: seen.platform.clone(),
    };
    if !asked {
        return Ok(Answer::form(Fix::Map(form)));
    }
    let from = match date(&said.from) {
        Ok(from) => from,
        Err(problem) => return Ok(Answer { problem: Some(problem), ..Answer::form(Fix::Map(form)) }),
    };
    if !form.classes.contains(&form.class) {
        let problem = Some("Choose one of the commission classes.".to_owned());
        return Ok(Answer { problem, ..Answer::form(Fix::Map(form)) });
    }
    let mapping = NewMapping {
        store: (!form.everywhere).then_some(StoreId(seen.store_id)),
        platform: seen.platform.clone(),
        kind,
        key: key.to_owned(),
        sku_id: form.sku_id.clone(),
        name: form.name.clone(),
        category: form.category.clone(),
        commission_class: form.class.clone(),
        from,
    };
    let preview = map_preview(conn, state, said, &form, from)?;
    Ok(Answer {
        fix: Fix::Map(form),
        preview: Some(preview),
        problem: None,
        change: Some(Change::Map(mapping)),
    })
}

fn stores_of(conn: &mut Conn, said: &Said) -> Result<Vec<String>, DbError> {
    let rows = report::causes(conn, &said.reason)?;
    let mut stores: Vec<String> =
        rows.into_iter().filter(|row| row.cause == said.cause).flat_map(|row| row.stores).collect();
    stores.sort();
    stores.dedup();
    Ok(stores)
}

fn map_preview(
    conn: &mut Conn,
    state: &AppState,
    said: &Said,
    form: &MapForm,
    from: Option<DateTime<Utc>>,
) -> Result<Preview, DbError> {
    let reached: Vec<String> = match form.everywhere {
        true => {
            let all = state.stores.all(conn)?;
            all.iter()
                .filter(|store| store.platform == form.platform)
                .map(|store| store.slug.clone())
                .collect()
        }
        false => vec![form.store.clone()],
    };
    let place = match form.everywhere {
        true => format!("all {} stores", form.platform),
        false => format!("store {}", form.store),
    };
    let since = if form.from.is_empty() { "always".to_owned() } else { format!("from {}", form.from) };
    let text = format!(
        "{} becomes {} of commission class {} in {place}, {since}.",
        said.cause, form.sku_id, form.class
    );
    let effect = report::effect(conn, &said.reason, &said.cause, &reached, from)?;
    let fields = vec![
        ("sku_id", form.sku_id.clone()),
        ("name", form.name.clone()),
        ("category", form.category.clone()),
        ("class", form.class.clone()),
        ("from", form.from.clone()),
        ("store", form.store.clone()),
        ("everywhere", if form.everywhere { "yes".to_owned() } else { String::new() }),
    ];
    Ok(preview(text, &effect, fields))
}

fn preview(text: String, effect: &[report::Effect], fields: Vec<(&'static str, String)>) -> Preview {
    Preview {
        text,
        orders: format::count(effect.iter().map(|row| row.orders).sum()),
        amounts: effect.iter().map(|row| net(row.net, &row.currency)).collect(),
        still_held: format::count(effect.iter().map(|row| row.still_held).sum()),
        fields,
    }
}

/// The start of a day (UTC); empty is "has always been so".
pub fn date(text: &str) -> Result<Option<DateTime<Utc>>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let day =
        text.trim().parse::<NaiveDate>().map_err(|_| format!("{text:?} is no date; write 2026-11-21."))?;
    Ok(Some(day.and_time(NaiveTime::MIN).and_utc()))
}

fn bind(conn: &mut Conn, state: &AppState, said: &Said) -> Result<Answer, DbError> {
    let to = DistributorId::new(said.distributor.trim());
    let form = Fix::Bind(BindForm { code: said.cause.clone(), distributor: to.0.clone() });
    if to.as_str().is_empty() {
        return Ok(Answer::form(form));
    }
    if state.networks.get(conn)?.genealogy.node(&to).is_none() {
        let problem = Some(format!("There is no distributor {to}."));
        return Ok(Answer { problem, ..Answer::form(form) });
    }
    let name =
        distributors::profiles(conn, std::slice::from_ref(&to.0))?.pop().and_then(|profile| profile.name);
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    let text = format!(
        "{} names distributor {to}{name}, in every store, from now on and on the orders below.",
        said.cause
    );
    let effect = report::effect(conn, &said.reason, &said.cause, &[], None)?;
    let preview = preview(text, &effect, vec![("distributor", to.0.clone())]);
    Ok(Answer { fix: form, preview: Some(preview), problem: None, change: Some(Change::Bind(to)) })
}

fn elsewhere(text: &str, link: Option<Link>) -> Fix {
    Fix::Elsewhere { text: text.to_owned(), link }
}

fn instead(reason: Hold, cause: &str) -> Fix {
    let plans = || Some(Link::new("/admin/plans", "Plans"));
    match reason {
        Hold::NoPlan => elsewhere(
            "Publish a plan that is effective at the orders' time; they go on by themselves then.",
            plans(),
        ),
        Hold::OtherCurrency | Hold::UnknownCurrency => elsewhere(
            "Commissions are paid in the plan's currency. Publish a plan in this one from before the orders' time.",
            plans(),
        ),
        Hold::UnknownClass => elsewhere(
            "Move the SKUs to a class that the plan knows, or publish a plan that knows this class.",
            Some(Link::new(
                format!("/admin/skus?class={}", crate::web::admin::words::encoded(cause)),
                "SKUs of this class",
            )),
        ),
        Hold::DoesNotClose | Hold::Unreadable | Hold::NegativeLine => elsewhere(
            "The figures are the store's own. Correct the order there: its next delivery is assessed anew. Nothing is \
             paid on figures that contradict each other.",
            None,
        ),
        Hold::AmbiguousDistributor | Hold::TerminatedDistributor | Hold::SelfReferral => {
            elsewhere("Open the order and decide by hand who earns on it.", None)
        }
        Hold::UnmappedSku | Hold::UnknownDistributor => elsewhere("", None),
    }
}

/// Returns how many orders are looked at again, or what is wrong with the form.
pub fn apply(
    tx: &mut Tx<'_>,
    answer: Answer,
    reason: Hold,
    said: &Said,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Result<usize, String>, DbError> {
    if let Some(problem) = answer.problem {
        return Ok(Err(problem));
    }
    let detail = match &answer.change {
        Some(Change::Map(mapping)) => {
            catalog::record(tx, std::slice::from_ref(mapping), None, by, now)?;
            json!({"sku_id": mapping.sku_id, "commission_class": mapping.commission_class, "platform": mapping.platform})
        }
        Some(Change::Bind(to)) => {
            distributors::bind_code(tx, &said.cause, to, by, now)?;
            json!({"distributor": to.as_str()})
        }
        None => json!({}),
    };
    let released = orders::release(tx, reason, &said.cause, now)?;
    audit::record(tx, by, &format!("held.{}", said.reason), &said.cause, detail, now)?;
    Ok(Ok(released))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_name_products() {
        assert_eq!(product("sku:KIT:9"), Some((KeyKind::Sku, "KIT:9")));
        assert_eq!(product("no product id, no variant id, no SKU"), None);
    }

    #[test]
    fn dates_are_days_or_nothing() {
        assert_eq!(date(" "), Ok(None));
        assert_eq!(date("2026-11-21").unwrap().unwrap().to_rfc3339(), "2026-11-21T00:00:00+00:00");
        assert!(date("21.11.2026").is_err());
    }
}
