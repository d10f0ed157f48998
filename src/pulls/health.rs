//! What failing and answering mean for the store: when to try again, and when a person is told.

use chrono::{DateTime, Utc};

use super::rhythm::back_off;
use super::{Kind, repo};
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

/// The store's API failed: the next try is put off, and a person is told once that is enough.
pub fn failed(tx: &mut Tx<'_>, of: Of<'_>, problem: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    let failures = put_off(tx, of, now)?;
    connections::note_outcome(tx, of.store, Some(problem), now)?;
    if failures >= ENOUGH {
        let Of { slug, kind, .. } = of;
        let notice = Notice {
            key: &key(slug),
            severity: Severity::Alarm,
            subject: &format!("The {kind} of {slug} cannot be read"),
            body: &format!(
                "Reading the {kind} of {slug} over its API has failed {failures} times in a row, last with: {problem}. \
                 What the store sends by webhook is still taken; what it does not send is missing until its API can \
                 be read again. Try it with `upline pull {slug}`."
            ),
            store: Some(of.store),
        };
        notices::raise(tx, &notice, now)?;
    }
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
    let others = repo::marks::answered(tx.conn, of.key())?;
    if others == 0 {
        connections::note_outcome(tx, of.store, None, now)?;
    }
    if others < ENOUGH {
        notices::resolve(tx, &key(of.slug), now)?;
    }
    Ok(())
}

fn key(slug: &str) -> String {
    format!("store-unreachable:{slug}")
}
