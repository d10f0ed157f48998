//! What failing and answering mean for the store: when to try again, and when a person is told.

use chrono::{DateTime, Utc};

use super::rhythm::back_off;
use super::{Kind, repo};
use crate::clients::ApiError;
use crate::connections;
use crate::core::ids::StoreId;
use crate::db::{DbError, Tx};
use crate::notices::{self, Notice, Severity};

/// So many failures in a row are no passing trouble.
const ENOUGH: i32 = 3;

/// The store whose reading this is about.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    pub store: StoreId,
    pub slug: &'a str,
    pub kind: Kind,
}

impl Of<'_> {
    fn key(self) -> (StoreId, Kind) {
        (self.store, self.kind)
    }
}

/// Whose trouble a failure is: a store that answers nobody, or one that refuses what we ask for.
#[derive(Clone, Copy)]
pub enum Trouble<'a> {
    Store(&'a str),
    Reading(&'a str),
}

impl<'a> Trouble<'a> {
    pub fn of(error: &ApiError, told: &'a str) -> Self {
        match error {
            ApiError::Unavailable(_)
            | ApiError::Throttled { .. }
            | ApiError::Unauthorized(_)
            | ApiError::PrivateAddress(_) => Self::Store(told),
            _ => Self::Reading(told),
        }
    }
}

/// Reading failed: the next try is put off, and a person is told once that is enough.
pub fn failed(tx: &mut Tx<'_>, of: Of<'_>, trouble: Trouble<'_>, now: DateTime<Utc>) -> Result<(), DbError> {
    let failures = put_off(tx, of, now)?;
    let (key, problem) = match trouble {
        Trouble::Store(problem) => {
            connections::note_outcome(tx, of.store, Some(problem), now)?;
            (unreachable(of.slug), problem)
        }
        Trouble::Reading(problem) => (failing(of.slug), problem),
    };
    if failures < ENOUGH {
        return Ok(());
    }
    let Of { slug, kind, .. } = of;
    let notice = Notice {
        key: &key,
        severity: Severity::Alarm,
        subject: &format!("The {kind} of {slug} cannot be read"),
        body: &format!(
            "Reading the {kind} of {slug} over its API has failed {failures} times in a row, last with: {problem}\n\n\
             What the store sends by webhook is still taken; what it does not send is missing until its API can be \
             read again. See for yourself: upline pull {slug}"
        ),
        store: Some(of.store),
    };
    notices::raise(tx, &notice, now)?;
    Ok(())
}

/// The next try waits; what failed was not the store.
pub fn put_off(tx: &mut Tx<'_>, of: Of<'_>, now: DateTime<Utc>) -> Result<i32, DbError> {
    let failures = repo::marks::failed(tx.conn, of.key())?;
    repo::marks::try_again_at(tx.conn, of.key(), now + back_off(failures))?;
    Ok(failures)
}

/// The store's API answered with a page. The store is well when nothing else of it fails.
pub fn answered(tx: &mut Tx<'_>, of: Of<'_>, now: DateTime<Utc>) -> Result<(), DbError> {
    if repo::marks::answered(tx.conn, of.key())? > 0 {
        return Ok(());
    }
    connections::note_outcome(tx, of.store, None, now)?;
    notices::resolve(tx, &unreachable(of.slug), now)?;
    notices::resolve(tx, &failing(of.slug), now)?;
    Ok(())
}

fn unreachable(slug: &str) -> String {
    format!("store-unreachable:{slug}")
}

fn failing(slug: &str) -> String {
    format!("pulls-failing:{slug}")
}
