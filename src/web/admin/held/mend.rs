//! What mends which reason: a mapping, a code, or something on another page.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::json;

use super::cause::{BindForm, Fix, MapForm, Preview, Said};
use super::net;
use crate::access::audit;
use crate::catalog::{self, NewMapping};
use crate::core::assess::Hold;
use crate::core::ids::{DistributorId, OrderId, StoreId};
use crate::core::sku::{CLASS_NONE, KeyKind};
use crate::db::{DbError, Tx};
use crate::distributors::{self, CodeProblem};
use crate::orders;
use crate::reports::skus::{self, Seen, Suggestion};
use crate::reports::{Conn, held as report};
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
    /// One for each platform that the fix reaches.
    Map(Vec<NewMapping>),
    /// The reference names this distributor from now on.
    Bind(DistributorId),
    /// This distributor earns on the orders, whatever they say.
    Assign(DistributorId),
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
        Hold::UnknownDistributor => name(conn, state, said, true),
        Hold::AmbiguousDistributor | Hold::TerminatedDistributor | Hold::SelfReferral => {
            name(conn, state, said, false)
        }
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
    let seen = skus::seen(conn, &said.cause)?;
    let Some(first) = seen.first() else {
        return Ok(Answer::form(elsewhere("No order waits for this any more.", None)));
    };
    let known = skus::suggestions(conn, &[key.to_owned()])?.into_iter().next();
    let form = map_form(said, key, first, known, places(&seen), classes(conn, state, now)?);
    if said.sku_id.is_empty() {
        return Ok(Answer::form(Fix::Map(form)));
    }
    let from = match date(&said.from) {
        Ok(from) => from,
        Err(problem) => return Ok(Answer { problem: Some(problem), ..Answer::form(Fix::Map(form)) }),
    };
    let reached = reached(&seen, &form.place);
    let problem = match () {
        () if !form.classes.contains(&form.class) => Some("Choose one of the commission classes."),
        () if reached.is_empty() => Some("Choose where it holds."),
        () => None,
    };
    if let Some(problem) = problem {
        return Ok(Answer { problem: Some(problem.to_owned()), ..Answer::form(Fix::Map(form)) });
    }
    let mappings = mappings(&form, &reached, kind, key, from);
    let preview = map_preview(conn, said, &form, &reached, from)?;
    Ok(Answer {
        fix: Fix::Map(form),
        preview: Some(preview),
        problem: None,
        change: Some(Change::Map(mappings)),
    })
}

/// What was said, or else what is known of the same key elsewhere.
fn map_form(
    said: &Said,
    key: &str,
    seen: &Seen,
    known: Option<Suggestion>,
    places: Vec<(String, String)>,
    classes: Vec<String>,
) -> MapForm {
    if !said.sku_id.is_empty() {
        return MapForm {
            sku_id: said.sku_id.trim().to_owned(),
            name: said.name.trim().to_owned(),
            category: said.category.trim().to_owned(),
            class: said.class.clone(),
            from: said.from.clone(),
            place: said.place.clone(),
            classes,
            places,
        };
    }
    let form = MapForm { classes, places, ..MapForm::default() };
    match known {
        Some(known) => MapForm {
            sku_id: known.sku_id,
            name: known.name,
            category: known.category,
            class: known.commission_class,
            ..form
        },
        None => MapForm { sku_id: key.to_owned(), name: seen.title.clone(), ..form },
    }
}

/// Everywhere, each platform, each store: as many as there are to choose between.
fn places(seen: &[Seen]) -> Vec<(String, String)> {
    let mut platforms: Vec<&str> = seen.iter().map(|seen| seen.platform.as_str()).collect();
    platforms.dedup();
    let mut places = vec![(String::new(), format!("everywhere: all {} stores", platforms.join(", ")))];
    if platforms.len() > 1 {
        places
            .extend(platforms.iter().map(|name| (format!("platform:{name}"), format!("all {name} stores"))));
    }
    places.extend(
        seen.iter().map(|seen| (format!("store:{}", seen.store), format!("only store {}", seen.store))),
    );
    places
}

/// The sightings that a chosen place reaches.
fn reached<'s>(seen: &'s [Seen], place: &str) -> Vec<&'s Seen> {
    let chosen = |seen: &&Seen| match place.split_once(':') {
        None => place.is_empty(),
        Some(("platform", name)) => seen.platform == name,
        Some(("store", slug)) => seen.store == slug,
        Some(_) => false,
    };
    seen.iter().filter(chosen).collect()
}

fn mappings(
    form: &MapForm,
    reached: &[&Seen],
    kind: KeyKind,
    key: &str,
    from: Option<DateTime<Utc>>,
) -> Vec<NewMapping> {
    let one_store = form.place.starts_with("store:");
    let mut mappings: Vec<NewMapping> = vec![];
    for seen in reached {
        if mappings.iter().any(|known| known.platform == seen.platform) {
            continue;
        }
        mappings.push(NewMapping {
            store: one_store.then_some(StoreId(seen.store_id)),
            platform: seen.platform.clone(),
            kind,
            key: key.to_owned(),
            sku_id: form.sku_id.clone(),
            name: form.name.clone(),
            category: form.category.clone(),
            commission_class: form.class.clone(),
            from,
        });
    }
    mappings
}

fn map_preview(
    conn: &mut Conn,
    said: &Said,
    form: &MapForm,
    reached: &[&Seen],
    from: Option<DateTime<Utc>>,
) -> Result<Preview, DbError> {
    let place = form.places.iter().find(|(value, _)| *value == form.place).map_or("", |(_, text)| text);
    let since = if form.from.is_empty() { "always".to_owned() } else { format!("from {}", form.from) };
    let text = format!(
        "{} becomes {} of commission class {}, {place}, {since}.",
        said.cause, form.sku_id, form.class
    );
    let stores: Vec<String> = reached.iter().map(|seen| seen.store.clone()).collect();
    let effect = report::effect(conn, &said.reason, &said.cause, &stores, from)?;
    let fields = vec![
        ("sku_id", form.sku_id.clone()),
        ("name", form.name.clone()),
        ("category", form.category.clone()),
        ("class", form.class.clone()),
        ("from", form.from.clone()),
        ("place", form.place.clone()),
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

/// Who is meant: for a reference that names nobody by a code, else for these orders alone.
fn name(conn: &mut Conn, state: &AppState, said: &Said, by_code: bool) -> Result<Answer, DbError> {
    let to = DistributorId::new(said.distributor.trim());
    let about = match by_code {
        true => {
            format!("Say who {} is. The code names that distributor in every store from now on.", said.cause)
        }
        false => "Say who earns on these orders instead. Other orders are not touched.".to_owned(),
    };
    let form = Fix::Bind(BindForm { about, distributor: to.0.clone() });
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
    let text = match by_code {
        true => format!("{} names distributor {to}{name}, on the orders below and from now on.", said.cause),
        false => format!("Distributor {to}{name} earns on the orders below."),
    };
    let effect = report::effect(conn, &said.reason, &said.cause, &[], None)?;
    let preview = preview(text, &effect, vec![("distributor", to.0.clone())]);
    let change = if by_code { Change::Bind(to) } else { Change::Assign(to) };
    Ok(Answer { fix: form, preview: Some(preview), problem: None, change: Some(change) })
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
    let mut released = None;
    let detail = match &answer.change {
        Some(Change::Map(mappings)) => {
            catalog::record(tx, mappings, None, by, now)?;
            json!({"sku_id": said.sku_id, "commission_class": said.class, "place": said.place})
        }
        Some(Change::Bind(to)) => {
            match distributors::bind_codes(tx, &[(&said.cause, to)], by, now) {
                Ok(()) => {}
                Err(CodeProblem::Db(error)) => return Err(error),
                Err(problem) => return Ok(Err(problem.to_string())),
            }
            json!({"distributor": to.as_str()})
        }
        Some(Change::Assign(to)) => {
            released = Some(assign(tx, said, to, by, now)?);
            json!({"distributor": to.as_str()})
        }
        None => json!({}),
    };
    let released = match released {
        Some(orders) => orders,
        None => orders::release(tx, reason, &said.cause, now)?,
    };
    audit::record(tx, by, &format!("held.{}", said.reason), &said.cause, detail, now)?;
    Ok(Ok(released))
}

/// One decision for each order that waits for the cause.
fn assign(
    tx: &mut Tx<'_>,
    said: &Said,
    to: &DistributorId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    let (mut after, mut orders) = (None, 0);
    loop {
        let page = report::orders(tx.conn, &said.reason, &said.cause, after)?;
        for row in &page.rows {
            orders::attribute_manually(tx, OrderId(row.order_id), to, by, now)?;
        }
        orders += page.rows.len();
        after = page.next;
        if after.is_none() {
            return Ok(orders);
        }
    }
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
