//! Long windows: Shopify runs the search by itself and writes a file, which is read piece by piece.
//!
//! A place in a bulk reading is the operation and how much of its file was read, so a reading that was
//! interrupted goes on where it was, and no piece is loaded twice but after an interruption. The file is counted
//! while it is read: one that ends with fewer objects than the operation counted, and an operation that failed
//! and left a part, are errors, and whoever comes again begins with another operation. What refunds took back
//! cannot be in such a file; orders that have any are read one by one.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::Shopify;
use super::graphql::{Operation, lock};
use super::jsonl::{self, BulkOrder};
use super::orders::{Times, search};
use super::parts::read;
use super::queries::{BULK, RUN_BULK, bulk_orders};
use super::webhooks::{UserError, refused};
use crate::clients::http::{Request, Response};
use crate::clients::{ApiError, Page, PulledOrder, Window};

const ORDERS_A_PAGE: usize = 250;
const PIECE: u64 = 4 << 20;
/// No order is as large.
const LARGEST: usize = 48 << 20;
/// Somebody else's five operations have to end before ours begins.
const BUSY: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    bulk: String,
    /// When it was asked for: what it shows is no older.
    asked_at: DateTime<Utc>,
    bytes: u64,
    lines: u64,
    orders: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bulk {
    status: String,
    error_code: Option<String>,
    object_count: Value,
    root_object_count: Value,
    file_size: Option<Value>,
    url: Option<String>,
    partial_data_url: Option<String>,
}

/// A piece of the file that was loaded and not given yet.
pub struct Loaded {
    bulk: String,
    /// Where it begins.
    at: u64,
    bytes: Vec<u8>,
    /// How long the file is, once known.
    file: Option<u64>,
}

impl Loaded {
    fn is_to_the_end(&self) -> bool {
        let end = self.at.saturating_add(length(&self.bytes));
        self.file.is_some_and(|file| end >= file)
    }
}

/// Counts are written as text.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Shopify {
    pub(super) fn bulk_page(
        &self,
        window: &Window,
        cursor: Option<&str>,
    ) -> Result<Page<PulledOrder>, ApiError> {
        self.may_read_back_to(window.from)?;
        let Some(cursor) = cursor else { return self.begin_bulk(window) };
        let place: Place = serde_json::from_str(cursor)
            .map_err(|_| ApiError::Refused(format!("{cursor:?} is no place in a bulk reading")))?;
        match self.read_bulk(window, &place) {
            Ok(page) => {
                lock(&self.begun).insert(place.bulk);
                Ok(page)
            }
            // Found broken by whoever comes again: nothing of it is worth waiting for.
            Err(ApiError::Incomplete(why)) if !lock(&self.begun).contains(&place.bulk) => {
                tracing::warn!(bulk = place.bulk, why, "another bulk operation is begun");
                self.begin_bulk(window)
            }
            Err(error) => Err(error),
        }
    }

    fn begin_bulk(&self, window: &Window) -> Result<Page<PulledOrder>, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            bulk_operation_run_query: Run,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Run {
            bulk_operation: Option<Started>,
            #[serde(default)]
            user_errors: Vec<UserError>,
        }
        #[derive(Deserialize)]
        struct Started {
            id: String,
        }
        let asked_at = self.admin.http.now();
        let query = bulk_orders(&search(window, window.from));
        let operation =
            Operation { name: "BulkOrders", query: RUN_BULK, variables: json!({ "query": query }) };
        let run = self.admin.change::<Answer>(&operation)?.bulk_operation_run_query;
        let busy = |error: &UserError| error.code.as_deref() == Some("OPERATION_IN_PROGRESS");
        if run.user_errors.iter().any(busy) {
            return Err(ApiError::Throttled { retry_after: Some(BUSY) });
        }
        let started = run.bulk_operation.filter(|_| run.user_errors.is_empty());
        let started = started.ok_or_else(|| refused(&run.user_errors))?;
        lock(&self.begun).insert(started.id.clone());
        waiting(&Place { bulk: started.id, asked_at, bytes: 0, lines: 0, orders: 0 }, asked_at)
    }

    fn read_bulk(&self, window: &Window, place: &Place) -> Result<Page<PulledOrder>, ApiError> {
        let bulk = self.bulk(&place.bulk)?;
        let left_out =
            |what: String| ApiError::Incomplete(format!("the bulk operation {}: {what}", place.bulk));
        match bulk.status.as_str() {
            "CREATED" | "RUNNING" | "CANCELING" => return waiting(place, self.admin.http.now()),
            "COMPLETED" if bulk.partial_data_url.is_none() && bulk.error_code.is_none() => {}
            status => {
                let code = bulk.error_code.unwrap_or_default();
                return Err(left_out(format!("{status} {code}").trim_end().to_owned()));
            }
        }
        let counted = count(&bulk.object_count).zip(count(&bulk.root_object_count));
        let Some((objects, orders)) = counted else { return Err(left_out("tells no counts".to_owned())) };
        let Some(url) = bulk.url else {
            return match objects {
                0 => Ok(Page { items: vec![], next: None, remaining: Some(0), wait: None }),
                _ => Err(left_out("has no file".to_owned())),
            };
        };
        let url = Url::parse(&url).map_err(|error| ApiError::Unreadable(format!("{url}: {error}")))?;
        let size = bulk.file_size.as_ref().and_then(count);
        let (piece, read) = self.load(place, &url, size).map_err(|error| match error {
            // The file is kept for a week.
            ApiError::NotFound(why) | ApiError::Forbidden(why) | ApiError::Refused(why) => left_out(why),
            error => error,
        })?;
        let next = Place {
            bytes: place.bytes.saturating_add(u64::try_from(read.bytes).unwrap_or(u64::MAX)),
            lines: place.lines.saturating_add(read.lines),
            orders: place.orders.saturating_add(u64::try_from(read.orders.len()).unwrap_or(u64::MAX)),
            ..place.clone()
        };
        let ended = piece.is_to_the_end() && piece.file == Some(next.bytes);
        if ended && (next.lines, next.orders) != (objects, orders) {
            let (lines, came) = (next.lines, next.orders);
            return Err(left_out(format!("{came} of {orders} orders, {lines} of {objects} objects came")));
        }
        let items = self.bulk_orders(window, place.asked_at, read.orders)?;
        self.keep(piece, read.bytes);
        let next = if ended { None } else { Some(written(&next)?) };
        Ok(Page { items, next, remaining: Some(orders.saturating_sub(place.orders)), wait: None })
    }

    fn bulk(&self, id: &str) -> Result<Bulk, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            bulk_operation: Option<Bulk>,
        }
        let operation = Operation { name: "BulkOperation", query: BULK, variables: json!({ "id": id }) };
        let (bulk, _) = self.admin.ask(&operation, |answer: Answer| Ok(answer.bulk_operation))?;
        bulk.ok_or_else(|| ApiError::Incomplete(format!("the store has no bulk operation {id} any more")))
    }

    /// As much of the file as holds a page of orders.
    fn load(&self, place: &Place, url: &Url, size: Option<u64>) -> Result<(Loaded, jsonl::Read), ApiError> {
        let kept = lock(&self.loaded).take();
        let kept = kept.filter(|kept| kept.bulk == place.bulk && kept.at == place.bytes);
        let mut piece = kept.unwrap_or_else(|| Loaded {
            bulk: place.bulk.clone(),
            at: place.bytes,
            bytes: vec![],
            file: None,
        });
        loop {
            let read = jsonl::read(&piece.bytes, piece.is_to_the_end(), ORDERS_A_PAGE)?;
            if piece.is_to_the_end() || read.orders.len() == ORDERS_A_PAGE {
                return Ok((piece, read));
            }
            if piece.bytes.len() > LARGEST {
                return Err(ApiError::Unreadable("an order that does not end".to_owned()));
            }
            let from = piece.at.saturating_add(length(&piece.bytes));
            let (bytes, file) = self.fetch(url, from)?;
            if size.is_some_and(|size| size != file) {
                let size = size.unwrap_or_default();
                return Err(ApiError::Incomplete(format!("a file of {file} bytes that should have {size}")));
            }
            if bytes.is_empty() && from < file {
                return Err(ApiError::Incomplete(format!("{from} of {file} bytes of a file came")));
            }
            piece.bytes.extend_from_slice(&bytes);
            piece.file = Some(file);
        }
    }

    /// A piece of the file from there on, and how long the file is. It lies on another host, which is told nothing
    /// of our token.
    fn fetch(&self, url: &Url, from: u64) -> Result<(Vec<u8>, u64), ApiError> {
        let range = format!("bytes={from}-{}", from.saturating_add(PIECE - 1));
        let request = || Ok(Request::get(url.clone()).header("Range", range.clone()));
        self.admin.http.read(request, |response| ranged(response, from))
    }

    fn bulk_orders(
        &self,
        window: &Window,
        asked_at: DateTime<Utc>,
        orders: Vec<BulkOrder>,
    ) -> Result<Vec<PulledOrder>, ApiError> {
        let mut items = vec![];
        for order in orders {
            let times: Times = read(&order.node)?;
            if !times.is_in(window) {
                continue;
            }
            match order.has_refunds {
                false => items.push(times.pulled(asked_at, order.node.get().as_bytes().to_vec())),
                // Deleted since, if it is not there any more.
                true => items.extend(self.one_order(&super::paging::short_id(&times.id))?),
            }
        }
        Ok(items)
    }

    /// What is behind the orders that were given stays for the next page.
    fn keep(&self, mut piece: Loaded, given: usize) {
        piece.at = piece.at.saturating_add(u64::try_from(given).unwrap_or(u64::MAX));
        piece.bytes.drain(..given.min(piece.bytes.len()));
        *lock(&self.loaded) = Some(piece);
    }
}

fn ranged(response: Response, from: u64) -> Result<(Vec<u8>, u64), ApiError> {
    let response = response.ok()?;
    if response.status != 206 {
        // All of it.
        let file = length(&response.body);
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(response.body.len());
        return Ok((response.body.get(from..).unwrap_or_default().to_vec(), file));
    }
    let told = response.header("content-range").and_then(|range| {
        let (range, file) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, file.parse::<u64>().ok()?))
    });
    let size = length(&response.body);
    match told {
        Some((first, last, file))
            if first == from && last.saturating_sub(first).saturating_add(1) == size =>
        {
            Ok((response.body, file))
        }
        _ => Err(ApiError::Unreadable("a piece of a file that is not the one asked for".to_owned())),
    }
}

/// Not done yet: asked again after a fifth of the time that it took so far.
fn waiting(place: &Place, now: DateTime<Utc>) -> Result<Page<PulledOrder>, ApiError> {
    let since = u64::try_from((now - place.asked_at).num_seconds()).unwrap_or(0);
    let wait = Duration::from_secs((since / 5).clamp(1, 30));
    Ok(Page { items: vec![], next: Some(written(place)?), remaining: None, wait: Some(wait) })
}

fn written(place: &Place) -> Result<String, ApiError> {
    serde_json::to_string(place).map_err(|error| ApiError::Unsupported(error.to_string()))
}
