//! Posting: an approved run becomes commission events and balanced journal entries, once, in one database
//! transaction with the close of its period.
//!
//! An entry holds awards of one bonus, not more than ten thousand; the first of a bonus also takes its breakage
//! and rounding. The id of an event follows from the run and the number of the award: made again it is the same.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::life::{changed, locked};
use super::problem::{PeriodProblem, refused};
use super::repo::periods::Period;
use super::repo::rows::{StoredAward, StoredPool};
use super::repo::runs::{Run, RunPeriod};
use super::repo::{self, rows};
use super::run::{builds_on_what_holds, known};
use super::single::find;
use super::words::{RunKind, RunStatus, Status};
use crate::access::audit;
use crate::commissions::{self, StoredCalculation, StoredEvent, evidence};
use crate::core::journal::{EntryKind, JournalEntry};
use crate::core::money::{Currency, Money};
use crate::core::plan::PlanHash;
use crate::db::{DbError, Tx};
use crate::distributors;
use crate::ledger::{self, NewEntry};
use crate::plans::Published;

/// With the three postings of the house, an entry has ten thousand.
const MOST_AWARDS: i64 = 9_997;

/// Posts an approved run. The second time it is refused.
pub fn post(
    tx: &mut Tx<'_>,
    published: &Published,
    run_id: Uuid,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Run, PeriodProblem> {
    let periods = locked(tx)?;
    let run = known(tx, run_id)?;
    let (period, _) = find(&periods, run.period_id)?;
    let post_no = repo::runs::last_posted(tx.conn)?;
    may_post(&run, period, post_no)?;
    builds_on_what_holds(tx, &run, &periods)?;
    let of = repo::runs::run_periods(tx.conn, run_id)?;
    let mut posting = PostingRun::new(&run, &periods, &of, published, now)?;
    posting.write(tx)?;
    let entries = posting.entries;
    repo::runs::set_posted(tx.conn, run_id, (post_no + 1, entries), by, now)?;
    match run.kind {
        RunKind::Official => close(tx, published, &run, period, by, now)?,
        _ => adjust(tx, published, &run, (&periods, &of), by, now)?,
    }
    let detail =
        json!({"run": run_id, "kind": run.kind.name(), "entries": entries, "result_hash": run.result_hash});
    audit::record(tx, by, "run.post", &period.name, detail, now)?;
    known(tx, run_id)
}

fn may_post(run: &Run, period: &Period, posted: i32) -> Result<(), PeriodProblem> {
    match run.status {
        RunStatus::Approved => {}
        RunStatus::Posted => {
            let by = run.posted_by.as_deref().unwrap_or_default();
            let at = run.posted_at.map(|at| at.to_rfc3339()).unwrap_or_default();
            return refused(format!("the run was posted by {by} at {at}; a run is posted once"));
        }
        RunStatus::Review => {
            return refused(format!(
                "the run is not approved; a second person runs `upline period approve {}`",
                run.run_id
            ));
        }
        other => return refused(format!("the run is {other}; only an approved one can be posted")),
    }
    let is_pinned = Some(run.cutoff_seq) == period.cutoff_seq
        && Some(run.known_at) == period.known_at
        && Some(&run.plan_hash) == period.plan_hash.as_ref();
    if run.kind == RunKind::Official && (period.status != Status::Frozen || !is_pinned) {
        return refused(format!(
            "period {} is not frozen as it was when the run was calculated; discard the run and start another",
            period.name
        ));
    }
    if run.kind == RunKind::Adjustment && period.status.is_frozen() {
        return refused(format!(
            "period {} is {} by now; discard the run and adjust into the open period",
            period.name,
            period.status.told()
        ));
    }
    if run.kind == RunKind::Adjustment && run.based_on != posted {
        return refused("another run was posted since this one was calculated; discard it and start another");
    }
    Ok(())
}

/// The period ends here; its ranks hold from its end on.
fn close(
    tx: &mut Tx<'_>,
    published: &Published,
    run: &Run,
    period: &Period,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), PeriodProblem> {
    repo::periods::close(tx.conn, period.period_id, run.run_id)?;
    let ranks = ranks(tx, published, run, period, (run.plan()?, run.known_at), now)?;
    let detail = json!({"run": run.run_id, "result_hash": run.result_hash, "ranks": ranks});
    Ok(changed(tx, period, "closed", detail, by, now)?)
}

/// What the run says with which rank everybody ends the period holds from its end on, where its plan decides ranks.
fn ranks(
    tx: &mut Tx<'_>,
    published: &Published,
    run: &Run,
    period: &Period,
    (plan, known_at): (PlanHash, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<usize, DbError> {
    if !published.by_hash(plan).is_some_and(|plan| plan.rank_rules().decide()) {
        return Ok(0);
    }
    let decided = repo::carried::ranks(tx.conn, run.run_id, period.period_id)?;
    distributors::record_ranks(
        tx,
        &decided,
        (period.ends_at, known_at),
        &format!("period {}", period.name),
        now,
    )
}

/// The periods in the order of time: what one leaves is replaced before the next says its own.
fn adjust(
    tx: &mut Tx<'_>,
    published: &Published,
    run: &Run,
    (periods, of): (&[Period], &[RunPeriod]),
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), PeriodProblem> {
    for row in of {
        let (period, _) = find(periods, row.period_id)?;
        let ranks = match row.carries {
            true => ranks(tx, published, run, period, (row.plan()?, row.known_at), now)?,
            false => 0,
        };
        let detail =
            json!({"run": run.run_id, "into": run.period, "cutoff_seq": row.cutoff_seq, "ranks": ranks});
        changed(tx, period, "adjusted", detail, by, now)?;
    }
    Ok(())
}

/// The entries of a run on their way.
struct PostingRun<'a> {
    run: &'a Run,
    /// By period: its name, its plan and the plan's currency.
    terms: HashMap<Uuid, (&'a str, [u8; 32], Currency)>,
    now: DateTime<Utc>,
    /// How many there are so far.
    entries: i32,
    pools: Vec<Open>,
}

/// A pool, and what of it is posted so far.
struct Open {
    pool: StoredPool,
    paid: Decimal,
    begun: bool,
}

impl<'a> PostingRun<'a> {
    fn new(
        run: &'a Run,
        periods: &'a [Period],
        of: &[RunPeriod],
        published: &Published,
        now: DateTime<Utc>,
    ) -> Result<Self, DbError> {
        let mut terms = HashMap::new();
        for row in of {
            let hash = row.plan()?;
            let missing = || DbError::Damaged(format!("plan {hash} is not stored"));
            let currency = published.by_hash(hash).ok_or_else(missing)?.currency();
            terms.insert(row.period_id, (find(periods, row.period_id)?.0.name.as_str(), hash.0, currency));
        }
        Ok(Self { run, terms, now, entries: 0, pools: vec![] })
    }

    fn write(&mut self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let pools = rows::pools(tx.conn, self.run.run_id)?;
        self.pools = pools.into_iter().map(|pool| Open { pool, paid: Decimal::ZERO, begun: false }).collect();
        let mut after = 0;
        loop {
            let page = rows::awards(tx.conn, self.run.run_id, after, MOST_AWARDS)?;
            let Some(last) = page.last() else { break };
            after = last.award_no;
            for awards in page.chunk_by(|a, b| (a.period_id, &a.bonus) == (b.period_id, &b.bonus)) {
                self.entry(tx, awards)?;
            }
        }
        self.finish(tx)
    }

    /// An entry of some awards of one bonus.
    fn entry(&mut self, tx: &mut Tx<'_>, awards: &[StoredAward]) -> Result<(), DbError> {
        let Some(first) = awards.first() else { return Ok(()) };
        let broken = || DbError::Invariant(format!("the bonus {} of a run has no pool", first.bonus));
        let at = self.pools.iter().position(|open| open.is_of(first)).ok_or_else(broken)?;
        let paid: Decimal = awards.iter().map(|award| award.amount).sum();
        let open = self.pools.get_mut(at).ok_or_else(broken)?;
        open.paid += paid;
        let (breakage, rounding) = open.rest();
        let (period, bonus) = (open.pool.period_id, open.pool.bonus.clone());
        self.post(tx, (period, &bonus), [paid, breakage, rounding], awards)
    }

    /// Pools of which nobody is paid, and the proof that all others were paid as they say.
    fn finish(&mut self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        for at in 0..self.pools.len() {
            let Some(open) = self.pools.get_mut(at) else { continue };
            if open.paid != open.pool.paid {
                let bonus = &open.pool.bonus;
                let (paid, posted) = (open.pool.paid, open.paid);
                return Err(DbError::Invariant(format!("{bonus} pays {paid} and its awards are {posted}")));
            }
            let (breakage, rounding) = open.rest();
            let (period, bonus) = (open.pool.period_id, open.pool.bonus.clone());
            if !breakage.is_zero() || !rounding.is_zero() {
                self.post(tx, (period, &bonus), [Decimal::ZERO, breakage, rounding], &[])?;
            }
        }
        Ok(())
    }

    fn post(
        &mut self,
        tx: &mut Tx<'_>,
        (period, bonus): (Uuid, &str),
        [paid, breakage, rounding]: [Decimal; 3],
        awards: &[StoredAward],
    ) -> Result<(), DbError> {
        if awards.iter().all(|award| award.kind.is_none())
            && (breakage + rounding).is_zero()
            && breakage.is_zero()
        {
            return Ok(());
        }
        self.entries += 1;
        let broken = || DbError::Invariant("a run pays for a period that it has not calculated".into());
        let (name, plan_hash, currency) = *self.terms.get(&period).ok_or_else(broken)?;
        let (run_id, number) = (self.run.run_id, self.entries);
        let kind = match self.run.kind {
            RunKind::Adjustment => EntryKind::Adjustment,
            RunKind::Official | RunKind::Unofficial => EntryKind::Period,
        };
        let paying = awards.iter().filter(|award| award.kind.is_some());
        let events = paying.map(|award| self.event(award, currency)).collect::<Result<Vec<_>, _>>()?;
        let calculation = StoredCalculation {
            order_id: run_id,
            calculation_no: number,
            plan_hash: plan_hash.to_vec(),
            currency: currency.to_string(),
            distributor_id: None,
            pool: paid + breakage + rounding,
            paid,
            breakage,
            rounding,
            pv: Decimal::ZERO,
            cv: Decimal::ZERO,
            calculated_at: self.now,
        };
        let snapshot = json!({"run": run_id, "kind": self.run.kind.name(), "into": self.run.period,
            "period": name, "plan_hash": hex::encode(plan_hash), "bonus": bonus,
            "result_hash": self.run.result_hash});
        let evidence = evidence(&calculation, &snapshot, &events);
        let postings = commissions::postings(&events, [calculation.pool, breakage, rounding]);
        let entry = JournalEntry::new(run_id, number, kind, currency, self.now, postings)
            .map_err(|unbalanced| DbError::Invariant(unbalanced.to_string()))?;
        commissions::store(tx, &[(calculation, snapshot)], &events)?;
        ledger::post(tx, &[NewEntry::calculated(entry, evidence)])
    }

    fn event(&self, award: &StoredAward, currency: Currency) -> Result<StoredEvent, DbError> {
        let amount =
            Money::exact(award.amount, currency).map_err(|error| DbError::Invariant(error.to_string()))?;
        Ok(StoredEvent {
            order_id: self.run.run_id,
            event_id: event_id(self.run.run_id, award.award_no),
            calculation_no: self.entries,
            line: String::new(),
            bonus: award.bonus.clone(),
            level: 0,
            distributor_id: award.distributor_id.clone(),
            amount: amount.amount(),
            currency: currency.to_string(),
            kind: award.kind.clone().unwrap_or_default(),
            created_at: self.now,
        })
    }
}

impl Open {
    fn is_of(&self, award: &StoredAward) -> bool {
        self.pool.period_id == award.period_id && self.pool.bonus == award.bonus
    }

    /// Breakage and rounding, the first time that it is asked.
    fn rest(&mut self) -> (Decimal, Decimal) {
        let rest = if self.begun { Default::default() } else { (self.pool.breakage, self.pool.rounding) };
        self.begun = true;
        rest
    }
}

/// A UUID of version 8: the run's own time, so that events of a run lie together, the number of the award, so that
/// they are in its order, and a hash of both.
pub fn event_id(run_id: Uuid, award_no: i32) -> Uuid {
    let hash: [u8; 32] =
        Sha256::new().chain_update(run_id.as_bytes()).chain_update(award_no.to_be_bytes()).finalize().into();
    let [a, b, c, d, e, f, ..] = hash;
    let hash = u64::from_be_bytes([0, 0, a & 0x03, b, c, d, e, f]);
    let number = u128::from(award_no.unsigned_abs());
    let time = run_id.as_u128() >> 80;
    // Version and variant stand between the parts: twelve bits of the number, then twenty, then the hash.
    let first = time << 80 | 8 << 76 | (number >> 20) << 64;
    Uuid::from_u128(first | 2 << 62 | (number & 0xf_ffff) << 42 | u128::from(hash))
}

/// The number of the award that an event of a run was made of.
pub fn award_no(event_id: Uuid) -> i32 {
    let bits = event_id.as_u128();
    let number = ((bits >> 64) & 0xfff) << 20 | (bits >> 42) & 0xf_ffff;
    i32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_run_has_the_same_id_for_ever_and_leads_back_to_its_award() {
        let run = Uuid::parse_str("01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f").unwrap();
        let ids: Vec<Uuid> =
            [1, 2, 4_000, 1_048_575, 1_048_576, i32::MAX].map(|no| event_id(run, no)).to_vec();
        assert!(ids.is_sorted());
        assert_eq!(
            ids.iter().map(|id| award_no(*id)).collect::<Vec<_>>()[3..],
            [1_048_575, 1_048_576, i32::MAX]
        );
        assert_eq!(ids[0].to_string(), "01990c1e-5a4f-8000-8000-060ccc2ac19c");
        assert!(ids.iter().all(|id| id.get_version_num() == 8 && id.get_variant() == uuid::Variant::RFC4122));
        assert_ne!(event_id(Uuid::from_u128(run.as_u128() + 1), 1), ids[0]);
    }
}
