//! Orders, each with its refunds, and those in the trash.
//!
//! A shop lists an order with no more of its refunds than their sums: the refunds of every order that has any are
//! read after it. The trash is a list of its own and is read after the other; an order found there is told with its
//! status `trash`, which [`crate::stores::woocommerce::pulled`] takes for cancelled.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::answer::{self, Answer};
use super::api::{Api, Read};
use super::feed::{Feed, Raw, instant};
use super::paging::{Place, Span};
use crate::clients::{ApiError, Page, PulledOrder, Window, WindowBy};
use crate::stores::woocommerce::DRAFT;

/// How often an order is read again that was refunded while it was read.
const TRIES: usize = 4;
const TRASH: &str = "trash";

#[derive(Serialize, Deserialize)]
struct Cursor {
    trash: bool,
    #[serde(flatten)]
    place: Place,
}

#[derive(Deserialize)]
struct Head {
    id: u64,
    #[serde(default)]
    status: String,
    #[serde(default, deserialize_with = "instant")]
    date_created_gmt: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    date_modified_gmt: Option<DateTime<Utc>>,
    #[serde(default)]
    refunds: Option<Vec<Id>>,
    /// Only of a subscription, whose renewals are orders of their own.
    #[serde(default)]
    billing_period: Option<String>,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

impl Head {
    fn is_an_order(&self) -> bool {
        let unfinished = [DRAFT, "auto-draft", "draft"];
        self.billing_period.is_none() && !unfinished.contains(&self.status.as_str())
    }

    fn refund_ids(&self) -> Vec<u64> {
        sorted(self.refunds.iter().flatten())
    }
}

pub fn page(api: &Api, window: &Window, cursor: Option<&str>) -> Result<Page<PulledOrder>, ApiError> {
    let span = Span { from: window.from, to: Some(window.to) };
    let mut cursor = match cursor {
        Some(cursor) => serde_json::from_str(cursor).map_err(|_| {
            ApiError::Refused("this is no place in this window; begin the window again".into())
        })?,
        None => Cursor { trash: false, place: Place::beginning(Some(span)) },
    };
    let mut page = Page { items: vec![], next: None, remaining: Some(0), wait: None };
    loop {
        let status = [("status", if cursor.trash { TRASH } else { "any" })];
        let feed = Feed { path: "orders", fixed: &status, by: window.by, strict: true };
        let step = feed.page(api, Some(span), cursor.place)?;
        for row in step.rows {
            page.items.extend(whole(api, row.what)?);
        }
        page.remaining = page.remaining.zip(step.remaining).map(|(before, now)| before + now);
        let next = match (step.next, cursor.trash) {
            (Some(place), trash) => Some(Cursor { trash, place }),
            (None, true) => None,
            (None, false) => {
                cursor = Cursor { trash: true, place: Place::beginning(Some(span)) };
                continue;
            }
        };
        page.next = next.map(|next| serde_json::to_string(&next)).transpose().map_err(unwritable)?;
        return Ok(page);
    }
}

fn unwritable(error: serde_json::Error) -> ApiError {
    ApiError::Unsupported(format!("a cursor that cannot be written: {error}"))
}

pub fn one(api: &Api, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
    if !is_an_id(external_id) {
        return Ok(None);
    }
    match read(api, external_id)? {
        // One in the trash is told as the list tells it: two answers about one order would contradict each other.
        Some(raw) => whole(api, raw),
        None => Ok(None),
    }
}

/// Everything else could become another path.
fn is_an_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `None`: the shop does not know it.
fn read(api: &Api, id: &str) -> Result<Option<Raw>, ApiError> {
    let Read { at, what } = api.get(&format!("orders/{id}"), &[], |answer| match answer {
        Answer::Refused(told) if told.is_unknown_id() => Ok(None),
        answer => {
            let response = answer.fine()?;
            let text: Box<RawValue> = answer::json(&response.body)?;
            answer::json::<Head>(text.get().as_bytes())?;
            Ok(Some(text))
        }
    })?;
    Ok(what.map(|text| Raw { text, read_at: at }))
}

/// The order with its refunds. They are two answers: when they do not name the same refunds, the order moved in
/// between and is read again. One that never agrees is told as it is: it is held, and the others go on. `None`: it is
/// gone, or no order.
fn whole(api: &Api, mut raw: Raw) -> Result<Option<PulledOrder>, ApiError> {
    let mut tries = 1;
    loop {
        let head: Head = answer::json(raw.text.get().as_bytes())?;
        if !head.is_an_order() {
            return Ok(None);
        }
        let wanted = head.refund_ids();
        if wanted.is_empty() || head.status == TRASH {
            return pulled(&head, &raw, &[]).map(Some);
        }
        let refunds = refunds(api, head.id)?;
        let mut came = vec![];
        for refund in &refunds {
            came.push(answer::json::<Id>(refund.text.get().as_bytes())?);
        }
        let came = sorted(came.iter());
        if came == wanted || tries == TRIES {
            return pulled(&head, &raw, &refunds).map(Some);
        }
        tries += 1;
        match read(api, &head.id.to_string())? {
            Some(again) => raw = again,
            None => return Ok(None),
        }
    }
}

fn refunds(api: &Api, order: u64) -> Result<Vec<Raw>, ApiError> {
    let path = format!("orders/{order}/refunds");
    Feed { path: &path, fixed: &[], by: WindowBy::Ordered, strict: true }.all(api)
}

fn sorted<'a>(ids: impl Iterator<Item = &'a Id>) -> Vec<u64> {
    let mut ids: Vec<u64> = ids.map(|id| id.id).collect();
    ids.sort_unstable();
    ids
}

fn pulled(head: &Head, raw: &Raw, refunds: &[Raw]) -> Result<PulledOrder, ApiError> {
    let dated = head.date_created_gmt.or(head.date_modified_gmt);
    let ordered_at = dated.ok_or_else(|| ApiError::Unreadable(format!("order {} has no date", head.id)))?;
    let refunds: Vec<&str> = refunds.iter().map(|refund| refund.text.get()).collect();
    let body = format!("{{\"order\":{},\"refunds\":[{}]}}", raw.text.get(), refunds.join(","));
    Ok(PulledOrder {
        external_id: head.id.to_string(),
        ordered_at,
        changed_at: head.date_modified_gmt.unwrap_or(ordered_at),
        read_at: raw.read_at,
        body: body.into_bytes(),
    })
}
