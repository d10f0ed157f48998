//! The one who appends: a lease with a fence, and batches that are whole or not at all.
//!
//! Every batch is one database transaction that first locks the row of the lease and looks whether owner and fence
//! are still its own. A holder that slept through the end of its lease finds another fence there and writes nothing.
//!
//! What it has seen is a snapshot: the number of the first transaction that had not begun, and those before it that
//! had not ended. Every batch takes what has ended since, by index, so that nothing that commits late is missed, no
//! row is read twice, and nobody who posts waits for anybody.

use uuid::Uuid;

use super::link::{Kind, Link, Reference};
use super::repo::sequence::{self, Row, Snapshot, State};
use crate::clock::new_id;
use crate::db::{Conn, Db, DbError, Lane, Tx};
use crate::ledger;

/// Rows of each table in one batch, but for the rows of one transaction, which stay together.
const BATCH: i32 = 1_000;
/// Old rows in one page of the walk.
const PAGE: i64 = 5_000;
/// Entries that the balances may be behind before they are brought forward between two batches.
const BEHIND: i64 = 1_000;
/// How long the lease holds without a batch.
pub const LEASE_SECONDS: i32 = 10;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Everything that is committed is chained.
    Idle,
    /// Somebody else holds the lease.
    Elsewhere,
    /// There may be more.
    Worked,
}

/// One candidate for the lease.
pub struct Sequencer {
    db: Db,
    owner: Uuid,
    fence: Option<i64>,
    /// Whether it has looked where this database is.
    looked: bool,
}

impl Sequencer {
    pub fn new(db: Db) -> Self {
        Self { db, owner: new_id(), fence: None, looked: false }
    }

    /// Chains one batch, if there is something to chain and nobody else does it.
    pub fn step(&mut self) -> Result<Step, DbError> {
        let looked = self.looked;
        let wanted = self.db.read(Lane::Pipeline, |conn| {
            Ok(sequence::has_pending(conn)? || (!looked && sequence::has_moved(conn)?))
        })?;
        self.looked = true;
        if !wanted {
            return Ok(Step::Idle);
        }
        self.work(|tx, state| {
            batch(tx.conn, state)?;
            if state.head_seq - state.balances_seq >= BEHIND {
                state.balances_seq = ledger::bring_forward(tx, state.balances_seq)?;
            }
            Ok(())
        })
    }

    /// Brings the balances forward by one portion; idle when they hold everything that is chained.
    pub fn bring_forward(&mut self) -> Result<Step, DbError> {
        let state = self.db.read(Lane::Pipeline, sequence::state)?;
        if state.balances_seq >= state.head_seq {
            return Ok(Step::Idle);
        }
        self.work(|tx, state| {
            state.balances_seq = ledger::bring_forward(tx, state.balances_seq)?;
            Ok(())
        })
    }

    /// Lets go of the lease, so that the next one need not wait for its end.
    pub fn release(&mut self) -> Result<(), DbError> {
        let Some(fence) = self.fence.take() else { return Ok(()) };
        let owner = self.owner;
        self.db.transact(Lane::Pipeline, |tx| sequence::release(tx.conn, owner, fence))
    }

    /// Under the lease, in one database transaction: `work` changes the state, and what becomes of it is stored.
    fn work(
        &mut self,
        mut work: impl FnMut(&mut Tx<'_>, &mut State) -> Result<(), DbError>,
    ) -> Result<Step, DbError> {
        let (owner, seconds) = (self.owner, LEASE_SECONDS);
        let fence = match self.fence {
            Some(fence) => fence,
            None => {
                let acquired = self.db.transact(Lane::Pipeline, |tx| {
                    let fence = sequence::acquire(tx.conn, owner, seconds)?;
                    if fence.is_some() && sequence::settle_in(tx.conn)? {
                        tracing::warn!("this database was moved to another cluster: the chain looks through all rows once");
                    }
                    Ok(fence)
                })?;
                let Some(fence) = acquired else { return Ok(Step::Elsewhere) };
                self.fence = Some(fence);
                fence
            }
        };
        let held = self.db.transact(Lane::Pipeline, |tx| {
            let Some(mut state) = sequence::hold(tx.conn, owner, fence, seconds)? else { return Ok(false) };
            work(tx, &mut state)?;
            sequence::save(tx.conn, &state)?;
            Ok(true)
        })?;
        if held {
            return Ok(Step::Worked);
        }
        self.fence = None;
        Ok(Step::Elsewhere)
    }
}

fn batch(conn: &mut Conn, state: &mut State) -> Result<(), DbError> {
    let rows = match state.walk_kind.as_deref().and_then(Kind::parse) {
        Some(kind) => walk(conn, state, kind)?,
        None => next(conn, state)?,
    };
    let mut links: Vec<Link> = Vec::with_capacity(rows.len());
    for Row { reference, digest, .. } in rows {
        let link = Link::after(&state.head_hash, state.head_seq.saturating_add(1), reference, digest);
        (state.head_seq, state.head_hash) = (link.seq, link.hash.clone());
        links.push(link);
    }
    sequence::append(conn, &links)
}

/// The next page of old rows; first all entries, then the audit log.
fn walk(conn: &mut Conn, state: &mut State, kind: Kind) -> Result<Vec<Row>, DbError> {
    let (rows, last) = sequence::walk(conn, kind, state, PAGE)?;
    match (last, kind) {
        (Some((source, number)), _) => (state.walk_source, state.walk_number) = (source, number),
        (None, Kind::Entry) => {
            state.walk_kind = Some(Kind::Audit.name().to_owned());
            (state.walk_source, state.walk_number) = (Uuid::nil(), 0);
        }
        (None, Kind::Audit) => state.walk_kind = None,
    }
    Ok(rows)
}

/// What has ended since: first of those that were running at the last look, then of those that came after.
fn next(conn: &mut Conn, state: &mut State) -> Result<Vec<Row>, DbError> {
    let now = sequence::snapshot(conn)?;
    let ended: Vec<i64> = state.missing.iter().copied().filter(|txid| !now.running.contains(txid)).collect();
    let mut rows = if ended.is_empty() { vec![] } else { sequence::written_by(conn, &ended)? };
    let (entries, audits) = sequence::written_since(conn, state.seen_before, &now, BATCH)?;
    let upto = [last_of_full(&entries), last_of_full(&audits)].into_iter().flatten().min();
    rows.extend(entries.into_iter().chain(audits).filter(|row| upto.is_none_or(|upto| row.txid <= upto)));
    rows.sort_by_key(|row| (row.txid, order(&row.reference)));
    see(state, &now, upto);
    Ok(rows)
}

fn order(reference: &Reference) -> (Kind, Uuid, i32) {
    (reference.kind, reference.source, reference.number)
}

/// The transaction that a page ends with, if there may be more behind it.
fn last_of_full(rows: &[Row]) -> Option<i64> {
    let full = usize::try_from(BATCH).is_ok_and(|full| rows.len() >= full);
    if full { rows.last().map(|row| row.txid) } else { None }
}

/// Everything that had ended at the snapshot is chained, as far as up to a transaction.
fn see(state: &mut State, now: &Snapshot, upto: Option<i64>) {
    let seen = upto.map_or(now.before, |upto| upto.saturating_add(1));
    state.seen_before = seen.max(state.seen_before);
    state.missing = now.running.iter().copied().filter(|txid| *txid < state.seen_before).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            head_seq: 0,
            head_hash: vec![],
            base: 0,
            seen_before: 10,
            missing: vec![7],
            walk_kind: None,
            walk_source: Uuid::nil(),
            walk_number: 0,
            balances_seq: 0,
        }
    }

    #[test]
    fn who_was_running_stays_missing_until_its_end() {
        let mut seen = state();
        see(&mut seen, &Snapshot { before: 20, running: vec![7, 15] }, None);
        assert_eq!((seen.seen_before, seen.missing.as_slice()), (20, [7, 15].as_slice()));
        see(&mut seen, &Snapshot { before: 30, running: vec![15, 25] }, None);
        assert_eq!((seen.seen_before, seen.missing.as_slice()), (30, [15, 25].as_slice()));
    }

    #[test]
    fn a_full_batch_has_seen_as_far_as_it_came() {
        let mut seen = state();
        see(&mut seen, &Snapshot { before: 20, running: vec![7, 11, 15] }, Some(12));
        assert_eq!((seen.seen_before, seen.missing.as_slice()), (13, [7, 11].as_slice()));
    }
}
