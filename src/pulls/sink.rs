//! What is done with the pages of each kind.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Cause, Kind, Span, Taken, take};
use crate::catalog::{self, products::Effect};
use crate::clients::{ApiError, Page, StoreApi, Window};
use crate::db::{DbError, Tx};
use crate::ingest::Store;
use crate::orders;

/// One page, asked for from here on.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub span: &'a Span,
    pub cause: Cause,
    pub cursor: Option<&'a str>,
}

/// A page that was read, and how it is kept.
pub struct Sheet {
    pub seen: usize,
    /// `None` at the end of the window.
    pub next: Option<String>,
    /// What is left behind this page, if the store says so.
    pub remaining: Option<i64>,
    /// Ask for the next one only after that.
    pub wait: Option<Duration>,
    keep: Box<Keep>,
}

type Keep = dyn Fn(&mut Tx<'_>, &Store, DateTime<Utc>) -> Result<Taken, DbError>;

impl Sheet {
    pub fn of<T: 'static>(
        page: Page<T>,
        keep: impl Fn(&mut Tx<'_>, &Store, &[T], DateTime<Utc>) -> Result<Taken, DbError> + 'static,
    ) -> Self {
        let Page { items, next, remaining, wait } = page;
        let seen = items.len();
        let behind = u64::try_from(seen).unwrap_or(u64::MAX);
        let left = |all: u64| i64::try_from(all.saturating_sub(behind)).unwrap_or(i64::MAX);
        Self {
            seen,
            next,
            remaining: remaining.map(left),
            wait,
            keep: Box::new(move |tx, store, now| keep(tx, store, &items, now)),
        }
    }

    /// In the database transaction that moves the cursor behind the page. May run twice.
    pub fn keep(&self, tx: &mut Tx<'_>, store: &Store, now: DateTime<Utc>) -> Result<Taken, DbError> {
        (self.keep)(tx, store, now)
    }
}

/// Asks for one page. Talks to the network, so never to the database.
pub type Sink = fn(&dyn StoreApi, Asked<'_>) -> Result<Sheet, ApiError>;

/// `None` for what nobody takes.
pub fn sink(kind: Kind) -> Option<Sink> {
    match kind {
        Kind::Orders => Some(orders),
        Kind::Products => Some(products),
        Kind::Customers => Some(customers),
    }
}

fn orders(api: &dyn StoreApi, asked: Asked<'_>) -> Result<Sheet, ApiError> {
    let Span { by, from, to } = *asked.span;
    let window = Window { by, from: from.unwrap_or(DateTime::UNIX_EPOCH), to };
    let page = match asked.cause {
        Cause::Backfill => api.orders_in_bulk(&window, asked.cursor)?,
        _ => api.orders(&window, asked.cursor)?,
    };
    Ok(Sheet::of(page, take))
}

fn products(api: &dyn StoreApi, asked: Asked<'_>) -> Result<Sheet, ApiError> {
    let page = api.products(asked.span.from, asked.cursor)?;
    Ok(Sheet::of(page, |tx, store, products, now| {
        let effects = catalog::products::record(tx, store.id, products, now)?;
        Ok(taken(effects.into_iter().map(|effect| effect == Effect::News)))
    }))
}

fn customers(api: &dyn StoreApi, asked: Asked<'_>) -> Result<Sheet, ApiError> {
    let page = api.customers(asked.span.from, asked.cursor)?;
    Ok(Sheet::of(page, |tx, store, customers, now| {
        Ok(taken(orders::record_customers(tx, store, customers, now)?.into_iter()))
    }))
}

fn taken(news: impl Iterator<Item = bool>) -> Taken {
    let (told, same): (Vec<bool>, Vec<bool>) = news.partition(|news| *news);
    Taken { told: told.len(), same: same.len(), unknown: 0 }
}
