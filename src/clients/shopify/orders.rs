//! Orders, page by page or one, each whole.
//!
//! An order's own time is its `processedAt`: when it was sold. `createdAt` is when Shopify wrote it down, which
//! for an imported order is another day. Orders of a day are therefore searched by `processed_at`, the time that
//! [`crate::stores`] reads as the order's, and an import of last year's orders belongs to last year.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Shopify;
use super::graphql::{Operation, Reply};
use super::paging::{List, Place, next_second, short_id, whole_second, written};
use super::parts::read;
use super::queries::{ORDER, ORDERS};
use crate::clients::{ApiError, Page, PulledOrder, Window, WindowBy};

/// Older orders are not shown to an app without the scope `read_all_orders`, and nothing in an answer says so.
const SHOWN_TO_ALL: TimeDelta = TimeDelta::days(60);
pub const ALL_ORDERS: &str = "read_all_orders";
const MOST_POINTS: u64 = 1000;
const LARGEST_PAGE: u32 = 100;
/// An order that changes while its parts are read is read again.
const TRIES: u32 = 3;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Orders {
    orders: List,
    orders_count: Count,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    precision: String,
}

/// The beginning of every order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    pub id: String,
    created_at: DateTime<Utc>,
    processed_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

impl Times {
    fn ordered_at(&self) -> DateTime<Utc> {
        self.processed_at.unwrap_or(self.created_at)
    }

    fn by(&self, by: WindowBy) -> DateTime<Utc> {
        match by {
            WindowBy::Changed => self.updated_at,
            WindowBy::Ordered => self.ordered_at(),
        }
    }

    /// By whole seconds, as no finer ones are told.
    pub fn is_in(&self, window: &Window) -> bool {
        let (from, to) = (whole_second(window.from), next_second(window.to));
        Window { from, to, ..*window }.contains(self.by(window.by))
    }

    pub fn pulled(self, read_at: DateTime<Utc>, body: Vec<u8>) -> PulledOrder {
        let external_id = short_id(&self.id);
        PulledOrder { external_id, ordered_at: self.ordered_at(), changed_at: self.updated_at, read_at, body }
    }
}

/// The search for a window's orders, from a time on that may be later than its beginning.
pub fn search(window: &Window, from: DateTime<Utc>) -> String {
    let field = match window.by {
        WindowBy::Changed => "updated_at",
        WindowBy::Ordered => "processed_at",
    };
    let to = next_second(window.to);
    format!("{field}:>='{}' {field}:<'{}'", written(from), written(to))
}

/// A node, and when it was asked for.
type Dated = (Box<RawValue>, DateTime<Utc>);

impl Shopify {
    pub(super) fn orders_page(
        &self,
        window: &Window,
        cursor: Option<&str>,
    ) -> Result<Page<PulledOrder>, ApiError> {
        self.may_read_back_to(window.from)?;
        let place = Place::start(Some(window.from), cursor)?;
        let sort_key = match window.by {
            WindowBy::Changed => "UPDATED_AT",
            WindowBy::Ordered => "PROCESSED_AT",
        };
        let query = search(window, place.from.unwrap_or(window.from));
        let (answer, read_at) = self.sized(|first| Operation {
            name: "Orders",
            query: &ORDERS,
            variables: json!({ "query": query, "sortKey": sort_key, "first": first, "after": place.after }),
        }, |answer: Orders| complete(answer, &place))?;
        let rows = answer.orders.nodes.len();
        let mut items = vec![];
        let mut last = None;
        for node in answer.orders.nodes {
            let times: Times = read(&node)?;
            last = Some(times.by(window.by));
            if times.is_in(window) {
                items.push(self.whole_order(times, node, read_at)?);
            }
        }
        let next = place.next(rows, &answer.orders.page_info, last)?;
        let remaining = answer.orders_count.count.saturating_sub(place.given);
        Ok(Page { items, next, remaining: Some(remaining), wait: None })
    }

    pub(super) fn one_order(&self, external_id: &str) -> Result<Option<PulledOrder>, ApiError> {
        if external_id.is_empty() || !external_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        let gid = format!("gid://shopify/Order/{external_id}");
        match self.read_order(&gid)? {
            None => self.is_surely_gone(external_id).map(|()| None),
            Some((node, read_at)) => Ok(Some(self.whole_order(read(&node)?, node, read_at)?)),
        }
    }

    /// An order that is not shown is either gone or older than what we are shown; ids grow with time.
    fn is_surely_gone(&self, external_id: &str) -> Result<(), ApiError> {
        if self.has_scope(ALL_ORDERS)? {
            return Ok(());
        }
        let variables = json!({ "query": "", "sortKey": "CREATED_AT", "first": 1, "after": null });
        let operation = Operation { name: "Orders", query: &ORDERS, variables };
        let (oldest, _) = self.admin.ask(&operation, |answer: Orders| Ok(answer.orders.nodes))?;
        let oldest = oldest.first().map(|node| read::<Times>(node)).transpose()?;
        let shown = oldest.is_some_and(|oldest| {
            let number = |id: &str| id.parse::<u128>().ok();
            number(external_id) >= number(&short_id(&oldest.id))
        });
        match shown {
            true => Ok(()),
            false => Err(ApiError::Forbidden(format!(
                "the app lacks {ALL_ORDERS}, without which Shopify does not say whether the order {external_id}, \
                 which may be older than 60 days, is still there"
            ))),
        }
    }

    /// The order with all its lists; read anew when it changes meanwhile. One that never comes to its end is told as it
    /// is: its lists say that they go on, so that it is held, and the others are read.
    fn whole_order(
        &self,
        times: Times,
        node: Box<RawValue>,
        read_at: DateTime<Utc>,
    ) -> Result<PulledOrder, ApiError> {
        let (mut times, mut node, mut read_at) = (times, node, read_at);
        let mut tries = 1;
        loop {
            let beginning = node.clone();
            match self.whole(node) {
                Ok(body) => return Ok(times.pulled(read_at, body)),
                Err(ApiError::Incomplete(why)) if tries < TRIES => {
                    tracing::debug!(order = times.id, why, "an order is read again");
                    let again = self.read_order(&times.id)?.ok_or(ApiError::Incomplete(why))?;
                    (node, read_at) = again;
                    times = read(&node)?;
                    tries += 1;
                }
                Err(ApiError::Incomplete(why)) => {
                    tracing::warn!(order = times.id, why, "an order is told as far as it can be read");
                    return Ok(times.pulled(read_at, beginning.get().as_bytes().to_vec()));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn read_order(&self, gid: &str) -> Result<Option<Dated>, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            order: Option<Box<RawValue>>,
        }
        let operation = Operation { name: "Order", query: &ORDER, variables: json!({ "id": gid }) };
        let (order, read_at) = self.admin.ask(&operation, |answer: Answer| Ok(answer.order))?;
        Ok(order.map(|order| (order, read_at)))
    }

    /// As many rows as an operation may cost; the size is found by asking.
    pub(super) fn sized<'q, T, R>(
        &self,
        operation: impl Fn(u32) -> Operation<'q>,
        check: impl Fn(T) -> Result<R, ApiError>,
    ) -> Result<(R, DateTime<Utc>), ApiError>
    where
        T: serde::de::DeserializeOwned,
    {
        loop {
            let name = operation(0).name;
            let first = self.page_size(name);
            match self.admin.ask_sized(&operation(first), &check)? {
                (Reply::Data(data), at) => {
                    let twice = self.admin.cost(name).map(|cost| cost.saturating_mul(2));
                    if twice.is_some_and(|cost| cost <= MOST_POINTS) {
                        self.set_page_size(name, first.saturating_mul(2).min(LARGEST_PAGE));
                    }
                    return Ok((data, at));
                }
                (Reply::TooDear(why), _) if first <= 1 => return Err(ApiError::Refused(why)),
                (Reply::TooDear(_), _) => self.set_page_size(name, first / 2),
            }
        }
    }

    /// Refuses a window that Shopify would answer with a part of its orders.
    pub(super) fn may_read_back_to(&self, from: DateTime<Utc>) -> Result<(), ApiError> {
        if from >= self.admin.http.now() - SHOWN_TO_ALL || self.has_scope(ALL_ORDERS)? {
            return Ok(());
        }
        Err(ApiError::Forbidden(format!(
            "the app lacks read_all_orders, without which Shopify shows the orders of the last 60 days only: \
             begin later than {}, or ask for that scope in the app's settings and install the app again",
            written(from)
        )))
    }
}

/// The last page of a search must bring as many rows as the search has.
fn complete(answer: Orders, place: &Place) -> Result<Orders, ApiError> {
    let rows = u64::try_from(answer.orders.nodes.len()).unwrap_or(u64::MAX);
    let came = place.given.saturating_add(rows);
    let count = &answer.orders_count;
    if !answer.orders.page_info.has_next_page && count.precision == "EXACT" && came < count.count {
        return Err(ApiError::Incomplete(format!("{came} of {} orders came", count.count)));
    }
    Ok(answer)
}
