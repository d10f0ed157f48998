//! Reading a day of a store to its end, healing on the way, and reading again what was healed.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::ours::{self, CompareProblem, Told, Truth};
use super::pass::Pass;
use super::repo::{self, orders::Placed};
use super::tally::{Stop, Tally};
use super::{Heal, ReconcileProblem, Reconciler, StoreDay};
use crate::clients::StoreApi;
use crate::core::reconcile::{Compared, Day, Difference, Seam};
use crate::db::{DbError, Lane};
use crate::events::{self, Topic};
use crate::ingest::Store;
use crate::pulls;

/// What is known of a day at the end.
pub struct Found {
    pub day: Day,
    /// Differences that were there first and are not any more.
    pub healed: Vec<Difference>,
    /// Why not everything was read.
    pub incomplete: Option<String>,
    pub asked: bool,
}

impl Found {
    /// The store could not even be asked.
    pub fn nothing(why: &str) -> Self {
        Self { day: Day::default(), healed: vec![], incomplete: Some(why.to_owned()), asked: true }
    }

    /// `before` are the differences that were there first.
    fn of(tally: Tally, before: Vec<Difference>, asked: bool) -> Self {
        let day = tally.finish();
        let left: BTreeSet<_> = day.differences.iter().map(Difference::thing).collect();
        let healed = before.into_iter().filter(|one| !left.contains(&one.thing())).collect();
        Self { day, healed, incomplete: None, asked }
    }
}

/// Orders that are asked for one by one after healing; if there are more, the day is read again.
const ONE_BY_ONE: usize = 200;
/// Orders of ours in one batch.
pub const BATCH: i64 = 250;

pub fn of_store(
    room: &Reconciler,
    api: &dyn StoreApi,
    store: &Store,
    day: StoreDay,
    heal: Heal,
) -> Result<Found, ReconcileProblem> {
    let mut pass = Pass { room, api, store, day, heal, tally: Tally::default() };
    if let Err(stop) = pass.read() {
        return pass.tally.stopped(room, store, stop);
    }
    let found = pass.tally.noted();
    let is_mended = pass.heal()?;
    let again = if is_mended { pass.tally.suspected() } else { pass.tally.to_reread() };
    if is_mended {
        settle(room, store)?;
    }
    pass.heal = Heal::No;
    let reread = if again.len() <= ONE_BY_ONE {
        pass.reread(&again)
    } else {
        pass.tally = Tally::default();
        pass.read()
    };
    if let Err(stop) = reread {
        return pass.tally.stopped(room, store, stop);
    }
    room.note(store.id, Ok(()))?;
    Ok(Found::of(pass.tally, found, true))
}

/// What we hold alone: evidence, head and ledger.
pub fn of_ours(
    room: &Reconciler,
    store: &Store,
    day: StoreDay,
    heal: Heal,
) -> Result<Found, ReconcileProblem> {
    let mut tally = Tally::default();
    let mut read = ours_alone(room, store, day, &mut tally);
    let found = tally.noted();
    if read.is_ok() && heal == Heal::Yes && review(room, &tally)? {
        settle(room, store)?;
        tally = Tally::default();
        read = ours_alone(room, store, day, &mut tally);
    }
    match read {
        Ok(()) => Ok(Found::of(tally, found, false)),
        Err(stop) => Ok(Found { asked: false, ..tally.stopped(room, store, stop)? }),
    }
}

fn ours_alone(room: &Reconciler, store: &Store, day: StoreDay, tally: &mut Tally) -> Result<(), Stop> {
    each_of_ours(room, store, day, |page| {
        let told: Vec<Told> = page.iter().map(|order| (order.external_id.clone(), Truth::Nothing)).collect();
        tally.seen.extend(told.iter().map(|(order, _)| order.clone()));
        tally.take(compare(room, store, &told)?);
        Ok(())
    })
}

pub fn each_of_ours<E: From<DbError>>(
    room: &Reconciler,
    store: &Store,
    day: StoreDay,
    mut work: impl FnMut(&[Placed]) -> Result<(), E>,
) -> Result<(), E> {
    let mut after: Option<Placed> = None;
    loop {
        let page = room.db.read(Lane::Pipeline, |conn| {
            repo::orders::placed(conn, store.id, (day.from, day.to), after.as_ref(), BATCH)
        })?;
        let Some(last) = page.last().cloned() else { return Ok(()) };
        work(&page)?;
        after = Some(last);
    }
}

/// All of a batch as of one instant.
pub fn compare(room: &Reconciler, store: &Store, told: &[Told]) -> Result<Vec<Compared>, CompareProblem> {
    if told.is_empty() {
        return Ok(vec![]);
    }
    room.db.transact_or(Lane::Pipeline, |tx| {
        repo::freeze(tx.conn)?;
        ours::compare_all(tx.conn, &room.books, store, told)
    })
}

/// Waits until what was healed has been worked on. What is not by then, is named as in flight.
fn settle(room: &Reconciler, store: &Store) -> Result<(), DbError> {
    for _ in 0..room.patience.looks {
        if room.db.read(Lane::Pipeline, |conn| pulls::settled(conn, store.id))? {
            return Ok(());
        }
        if room.stop.is_said() {
            return Ok(());
        }
        (room.patience.pause)();
    }
    Ok(())
}

/// Sends orders that stand other than their evidence or their ledger say through assessment and calculation again.
pub fn review(room: &Reconciler, tally: &Tally) -> Result<bool, DbError> {
    let books = |found: &&Difference| found.seam != Seam::Evidence && found.can_be_healed();
    let all = tally.suspects.values().flat_map(|compared| &compared.differences);
    let orders: HashSet<Uuid> = all.filter(books).filter_map(|found| Some(found.order_id?.0)).collect();
    let now = room.clock.now();
    let asked: Vec<(Uuid, DateTime<Utc>)> = orders.into_iter().map(|order| (order, now)).collect();
    room.db.transact(Lane::Pipeline, |tx| events::publish(tx, Topic::OrderReview, &asked))?;
    Ok(!asked.is_empty())
}
