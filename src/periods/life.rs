//! The life of a period: open, softly closed, frozen, closed.
//!
//! Every step says in `period_changes` and in the log of who changed what that it was done. The close itself is
//! the posting of the official run.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calculate::last_instant;
use super::calendar;
use super::problem::{PeriodProblem, refused};
use super::repo;
use super::repo::periods::{Period, Pins};
use super::words::{RunKind, Status};
use crate::access::audit;
use crate::commissions;
use crate::db::{Conn, DbError, Tx};
use crate::distributors;
use crate::events::{self, Topic};
use crate::plans::Published;

/// Makes every period that there has to be by now, and answers their names. Orders from before the first period
/// get periods too, as long as none was closed softly: a shop's past is often imported after its plan.
pub fn ensure(tx: &mut Tx<'_>, published: &Published, now: DateTime<Utc>) -> Result<Vec<String>, DbError> {
    repo::lock(tx.conn)?;
    let known = repo::periods::all(tx.conn)?;
    let first_order = repo::periods::first_order(tx.conn)?.unwrap_or(now).min(now);
    let mut wanted = match (known.first(), known.last()) {
        (Some(first), Some(last)) => {
            let untouched = known.iter().all(|period| period.status == Status::Open);
            let past = untouched && first_order < first.starts_at;
            let mut wanted =
                if past { calendar::before(published, first_order, first.starts_at) } else { vec![] };
            if last.ends_at <= now {
                wanted.extend(calendar::wanted(published, Some(last.ends_at), now, now));
            }
            wanted
        }
        _ => calendar::wanted(published, None, first_order, now),
    };
    if wanted.is_empty() {
        return Ok(vec![]);
    }
    let mut names: Vec<String> = known.into_iter().map(|period| period.name).collect();
    for period in &mut wanted {
        // Where a zone or a cadence has changed, two periods can begin in one month.
        let plain = period.name.clone();
        let mut twin = 2;
        while names.contains(&period.name) {
            period.name = format!("{plain}.{twin}");
            twin += 1;
        }
        names.push(period.name.clone());
    }
    repo::periods::insert(tx.conn, &wanted, "calendar", now)?;
    Ok(wanted.into_iter().map(|period| period.name).collect())
}

/// From now on, orders that are told for the first time count in the next period. What is received and not
/// processed yet would be among them, so it is waited for; `with_backlog` does not.
pub fn soft_close(
    tx: &mut Tx<'_>,
    name: &str,
    with_backlog: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Period, PeriodProblem> {
    let periods = locked(tx)?;
    let (period, earlier) = named(&periods, name)?;
    if period.status != Status::Open {
        return refused(format!("period {name} is {} already", period.status.told()));
    }
    if now < period.ends_at {
        return refused(format!(
            "period {name} goes on until {}; close it then",
            period.ends_at.to_rfc3339()
        ));
    }
    if let Some(open) = earlier.iter().find(|earlier| earlier.status == Status::Open) {
        return refused(format!(
            "period {} before it is open; first run `upline period soft-close {}`",
            open.name, open.name
        ));
    }
    let backlog = backlog(tx.conn)?;
    if backlog > 0 && !with_backlog {
        return refused(format!(
            "{backlog} deliveries or orders are received and not processed yet, or parked for a person; what they say \
             would count in the next period. Wait for them, or close with --with-backlog"
        ));
    }
    let late_after = commissions::put_in_order(tx)?;
    repo::periods::soft_close(tx.conn, period.period_id, late_after)?;
    let detail = json!({"late_after_seq": late_after, "backlog": backlog});
    changed(tx, period, "soft_closed", detail, by, now)?;
    again(tx, name)
}

/// Deliveries and orders that wait to be processed or are parked: none of them has left its fact yet.
pub fn backlog(conn: &mut Conn) -> Result<i64, DbError> {
    let before_facts = [Topic::DeliveryAccepted, Topic::OrderReview, Topic::OrderRecorded].map(Topic::name);
    let waiting = events::backlog(conn)?;
    let waiting = waiting.iter().filter(|backlog| before_facts.contains(&backlog.topic.as_str()));
    Ok(waiting.map(|backlog| backlog.waiting + backlog.parked).sum())
}

/// Fixes what the official run is calculated from: facts, distributors, plan.
pub fn freeze(
    tx: &mut Tx<'_>,
    published: &Published,
    name: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Period, PeriodProblem> {
    let periods = locked(tx)?;
    let (period, earlier) = named(&periods, name)?;
    match period.status {
        Status::SoftClosed => {}
        Status::Open => {
            return refused(format!("period {name} is open; first run `upline period soft-close {name}`"));
        }
        Status::Frozen | Status::Closed => {
            return refused(format!("period {name} is {} already", period.status.told()));
        }
    }
    if let Some(loose) = earlier.iter().find(|earlier| !earlier.status.is_frozen()) {
        return refused(format!(
            "period {} before it is {}; first run `upline period freeze {}`",
            loose.name,
            loose.status.told(),
            loose.name
        ));
    }
    let pins = pins(tx, published, period, now)?;
    repo::periods::freeze(tx.conn, period.period_id, &pins)?;
    let detail = json!({"cutoff_seq": pins.cutoff_seq, "known_at": pins.known_at,
                        "plan_hash": hex::encode(pins.plan_hash)});
    changed(tx, period, "frozen", detail, by, now)?;
    again(tx, name)
}

/// What there is now: every fact, whoever is known, the plan that holds when the period ends.
pub(super) fn pins(
    tx: &mut Tx<'_>,
    published: &Published,
    period: &Period,
    now: DateTime<Utc>,
) -> Result<Pins, PeriodProblem> {
    let Some(plan) = published.at(last_instant(period)) else {
        return refused(format!(
            "no plan holds at the end of period {}; publish one: `upline plan publish FILE --from DATE`",
            period.name
        ));
    };
    let known_at = distributors::newest_knowledge(tx)?.unwrap_or(now);
    let cutoff_seq = commissions::put_in_order(tx)?;
    Ok(Pins { cutoff_seq, known_at, plan_hash: plan.hash().0 })
}

/// Back to softly closed; what was calculated for it is discarded. Not once a run is approved.
pub fn unfreeze(
    tx: &mut Tx<'_>,
    name: &str,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Period, PeriodProblem> {
    let periods = locked(tx)?;
    let (period, _) = named(&periods, name)?;
    if reason.trim().is_empty() {
        return refused("say why: an unfreeze needs a reason");
    }
    if period.status == Status::Closed {
        return refused(format!(
            "period {name} is closed and stays so; what has changed of it goes into the open period: \
             `upline period adjust`"
        ));
    }
    if period.status != Status::Frozen {
        return refused(format!("period {name} is {}, not frozen", period.status.told()));
    }
    let later = periods.iter().find(|p| p.starts_at > period.starts_at && p.status == Status::Frozen);
    if let Some(later) = later {
        return refused(format!(
            "period {} after it is frozen; first run `upline period unfreeze {}`",
            later.name, later.name
        ));
    }
    let runs = repo::runs::runs(tx.conn, Some(period.period_id), i64::MAX)?;
    let live: Vec<_> = runs.iter().filter(|r| r.kind == RunKind::Official && r.status.is_live()).collect();
    if let Some(run) = live.iter().find(|run| run.approved_by.is_some()) {
        return refused(format!(
            "run {} of it is approved; first run `upline period discard {}`",
            run.run_id, run.run_id
        ));
    }
    let discarded: Vec<Uuid> = live.iter().map(|run| run.run_id).collect();
    repo::runs::discard(tx.conn, &discarded)?;
    repo::periods::unfreeze(tx.conn, period.period_id)?;
    changed(tx, period, "unfrozen", json!({"reason": reason, "discarded": discarded}), by, now)?;
    again(tx, name)
}

/// Everything of periods, as long as this database transaction lasts.
pub(super) fn locked(tx: &mut Tx<'_>) -> Result<Vec<Period>, DbError> {
    repo::lock(tx.conn)?;
    repo::periods::all(tx.conn)
}

/// The period of a name, and all before it.
pub(super) fn named<'p>(
    periods: &'p [Period],
    name: &str,
) -> Result<(&'p Period, &'p [Period]), PeriodProblem> {
    let unknown = || PeriodProblem::UnknownPeriod(name.to_owned());
    let at = periods.iter().position(|period| period.name == name).ok_or_else(unknown)?;
    Ok((periods.get(at).ok_or_else(unknown)?, periods.get(..at).unwrap_or(&[])))
}

pub(super) fn changed(
    tx: &mut Tx<'_>,
    period: &Period,
    change: &str,
    detail: Value,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    repo::periods::insert_change(tx.conn, period.period_id, change, &detail, by, now)?;
    audit::record(tx, by, &format!("period.{change}"), &period.name, detail, now)
}

fn again(tx: &mut Tx<'_>, name: &str) -> Result<Period, PeriodProblem> {
    let periods = repo::periods::all(tx.conn)?;
    Ok(named(&periods, name)?.0.clone())
}
