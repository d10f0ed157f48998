//! What a run would pay, against the limit, the periods before and the earners of the last one.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::super::format::{self, Amount, Link, Pill, Tone};
use super::super::words;
use super::one::Figure;
use super::told::{Told, summary};
use super::{plural, run_address, share_of};
use crate::db::DbError;
use crate::distributors;
use crate::periods::Summary;
use crate::reports::Conn;
use crate::reports::periods::Run;
use crate::reports::periods::review::{self as report, Moved, Pool, RankFlow};

pub struct Review {
    pub figures: Vec<Figure>,
    /// Payout against the stop-loss limit; said in words too.
    pub limit: Option<Limit>,
    /// What somebody should know before approving.
    pub notes: Vec<String>,
    /// Of an adjustment.
    pub corrected: Vec<CorrectedRow>,
    pub before: Vec<Before>,
    /// The run that movers and ranks are against.
    pub against: Option<Link>,
    pub movers: Vec<Mover>,
    pub pools: Vec<PoolRow>,
    pub ranks: Vec<RankRow>,
}

pub struct Limit {
    pub verdict: Pill,
    pub text: String,
    /// An approval has to say that it knows.
    pub is_over: bool,
}

/// A closed period as an adjustment corrects it.
pub struct CorrectedRow {
    pub period: Link,
    pub policy: String,
    pub awards: String,
    pub amount: Amount,
}

/// This run first, then posted runs of earlier periods.
pub struct Before {
    pub period: Link,
    pub paid: Amount,
    pub cv: String,
    pub share: String,
    /// How much this run pays more or less than that one.
    pub change: String,
    pub current: bool,
}

pub struct Mover {
    pub distributor: Link,
    pub name: String,
    pub was: Amount,
    pub now: Amount,
    pub change: Amount,
}

pub struct PoolRow {
    pub period: String,
    pub bonus: String,
    pub pool: Amount,
    pub paid: Amount,
    pub breakage: Amount,
    pub rounding: Amount,
    pub closes: bool,
}

pub struct RankRow {
    pub was: String,
    pub now: String,
    pub distributors: String,
}

/// Rank changes by kind that are shown.
const FLOWS: usize = 12;

/// `None` while the run has no result.
pub fn read(conn: &mut Conn, run: &Run, most: Decimal) -> Result<Option<Review>, DbError> {
    let Some(found) = summary(run.summary.as_ref()) else { return Ok(None) };
    let last = found.variance.first();
    let flows = match last {
        Some(last) => report::rank_flows(conn, last.run_id, run.run_id)?,
        None => vec![],
    };
    let ids: Vec<String> = found.movers.iter().map(|mover| mover.distributor_id.clone()).collect();
    let names = super::super::order::names(distributors::profiles(conn, &ids)?);
    let pools = report::pools(conn, run.run_id)?;
    let currency = found.currency.as_str();
    Ok(Some(Review {
        figures: figures(run, &found),
        limit: limit(run, &found, most),
        notes: notes(&found),
        corrected: corrected(&found),
        before: against(run, &found),
        against: last.map(|last| Link::new(run_address(last.run_id), last.period.as_str())),
        movers: movers(&found, &names),
        pools: pools.iter().map(|pool| pool_row(pool, currency)).collect(),
        ranks: flows.into_iter().take(FLOWS).map(rank_row).collect(),
    }))
}

fn figures(run: &Run, found: &Summary) -> Vec<Figure> {
    let figure = |label: &str, value: String, under: String, href: String| Figure {
        label: label.to_owned(),
        value,
        under,
        href,
    };
    let money = |amount| words::amount(amount, &found.currency).to_string();
    let (totals, told) = (&found.totals, Told::from(found));
    let earners = figure(
        "Earners",
        format::count(many(found.earners)),
        format!("{} of {} active ones get nothing", found.zero_earners, found.active),
        format!("{}/earners", run_address(run.run_id)),
    );
    let breakage = format!("and {} breakage", money(totals.breakage.decimal()));
    if run.kind == "adjustment" {
        let pays = figure("The adjustment pays", money(totals.paid.decimal()), breakage, String::new());
        return vec![pays, Figure { under: String::new(), ..earners }];
    }
    let at_once = format!("{} of it at once, with the orders", money(totals.paid_by_orders.decimal()));
    vec![
        figure("Commissions", money(told.paid), at_once, String::new()),
        figure("The run pays", money(totals.paid.decimal()), breakage, String::new()),
        figure("Payout share", shown(told.share), "commissions of CV".to_owned(), String::new()),
        figure("CV", format::grouped(&format::plain(told.cv)), plural(told.orders, "order"), String::new()),
        earners,
        held(found),
    ]
}

fn held(found: &Summary) -> Figure {
    let amounts: Vec<String> = found
        .held
        .iter()
        .map(|held| words::amount(held.net, held.currency.as_deref().unwrap_or("?")).to_string())
        .collect();
    let orders: i64 = found.held.iter().map(|held| held.orders).sum();
    Figure {
        label: "Held value".to_owned(),
        value: if amounts.is_empty() { "none".to_owned() } else { amounts.join(", ") },
        under: format!("{} of its time; released later they count later", plural(orders, "order")),
        href: "/admin/held".to_owned(),
    }
}

fn shown(share: Option<Decimal>) -> String {
    share.map_or_else(|| "–".to_owned(), format::percent)
}

/// Only an official run is held against it.
fn limit(run: &Run, found: &Summary, most: Decimal) -> Option<Limit> {
    if run.kind == "adjustment" {
        return None;
    }
    let told = Told::from(found);
    let is_over = match told.share {
        Some(share) => share > most,
        None => !found.totals.paid.is_zero(),
    };
    let (tone, tag) = if is_over { (Tone::Bad, "above the limit") } else { (Tone::Ok, "within the limit") };
    let text = format!("{} of CV; the stop-loss is {}.", shown(told.share), format::percent(most));
    Some(Limit { verdict: Pill::new(tone, tag), text, is_over })
}

fn notes(found: &Summary) -> Vec<String> {
    let mut notes = vec![];
    if !found.carried {
        notes.push(
            "The period before is not closed yet: ranks held in a row, lots and lifetime volume begin at nothing."
                .to_owned(),
        );
    }
    let counts = &found.counts;
    if counts.other_currency > 0 {
        let orders = plural(counts.other_currency, "order");
        notes.push(format!("{orders} in another currency than the plan's count for nothing."));
    }
    if counts.unknown_distributor > 0 {
        let orders = plural(counts.unknown_distributor, "order");
        notes.push(format!("{orders} of distributors who were not known then count for nothing."));
    }
    notes
}

fn corrected(found: &Summary) -> Vec<CorrectedRow> {
    let row = |of: &crate::periods::Corrected| CorrectedRow {
        period: Link::new(super::address(&of.period), of.period.as_str()),
        policy: of.policy.replace('_', " "),
        awards: format::count(many(of.awards)),
        amount: words::amount(of.amount.decimal(), &found.currency),
    };
    found.corrected.iter().map(row).collect()
}

fn against(run: &Run, found: &Summary) -> Vec<Before> {
    if run.kind == "adjustment" {
        return vec![];
    }
    let own = Told::from(found);
    let this = Before {
        period: Link::new(run_address(run.run_id), run.period.as_str()),
        paid: words::amount(own.paid, &own.currency),
        cv: format::grouped(&format::plain(own.cv)),
        share: shown(own.share),
        change: String::new(),
        current: true,
    };
    let others = found.variance.iter().map(|other| {
        let paid = other.totals.paid.decimal() + other.totals.paid_by_orders.decimal();
        Before {
            period: Link::new(run_address(other.run_id), other.period.as_str()),
            paid: words::amount(paid, &own.currency),
            cv: format::grouped(&format::plain(other.totals.cv.decimal())),
            share: shown(other.totals.share),
            change: change(own.paid, paid),
            current: false,
        }
    });
    std::iter::once(this).chain(others).collect()
}

/// `+4.2 %`: how much more `now` is than `was`.
fn change(now: Decimal, was: Decimal) -> String {
    let Some(share) = now.checked_sub(was).and_then(|more| share_of(more, was)) else {
        return "–".to_owned();
    };
    let sign = if share.is_sign_negative() { "" } else { "+" };
    format!("{sign}{}", format::percent(share))
}

fn movers(found: &Summary, names: &HashMap<String, String>) -> Vec<Mover> {
    let mover = |of: &crate::periods::Mover| Moved {
        name: names.get(&of.distributor_id).cloned(),
        distributor_id: of.distributor_id.clone(),
        before: of.before,
        now: of.now,
    };
    found.movers.iter().map(|of| moved(mover(of), &found.currency)).collect()
}

pub fn moved(moved: Moved, currency: &str) -> Mover {
    Mover {
        distributor: words::distributor_link(&moved.distributor_id),
        name: moved.name.unwrap_or_default(),
        was: words::amount(moved.before, currency),
        now: words::amount(moved.now, currency),
        change: words::amount(moved.now - moved.before, currency),
    }
}

fn pool_row(pool: &Pool, currency: &str) -> PoolRow {
    let money = |amount| words::amount(amount, currency);
    PoolRow {
        period: pool.period.clone(),
        bonus: pool.bonus.clone(),
        pool: money(pool.pool),
        paid: money(pool.paid),
        breakage: money(pool.breakage),
        rounding: money(pool.rounding),
        closes: pool.paid + pool.breakage + pool.rounding == pool.pool,
    }
}

fn rank_row(flow: RankFlow) -> RankRow {
    let rank = |rank: Option<String>| rank.unwrap_or_else(|| "no rank".to_owned());
    RankRow { was: rank(flow.was), now: rank(flow.is_now), distributors: format::count(flow.distributors) }
}

fn many(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::testing::run;
    use super::*;
    use crate::core::fixed::Fixed;

    fn paid(amount: i64, cv: i64) -> Summary {
        let mut summary = Summary { currency: "USD".to_owned(), ..Summary::default() };
        summary.totals.cv = Fixed::of(cv.into()).unwrap();
        summary.totals.paid = Fixed::of(amount.into()).unwrap();
        summary.totals.share = share_of(amount.into(), cv.into());
        summary
    }

    #[test]
    fn the_limit_is_judged_in_words() {
        let most: Decimal = "0.4".parse().unwrap();
        let judged = |amount, cv| limit(&run("review"), &paid(amount, cv), most).unwrap();
        assert_eq!(judged(400, 1000).verdict.text, "within the limit");
        assert_eq!(judged(401, 1000).verdict.text, "above the limit");
        assert!(judged(401, 1000).text.contains("40.1 %") && judged(401, 1000).is_over);
        assert!(judged(1, 0).is_over, "anything is too much without CV");
        let adjustment = Run { kind: "adjustment".to_owned(), ..run("review") };
        assert!(limit(&adjustment, &paid(1, 0), most).is_none());
    }

    #[test]
    fn variance_has_its_sign() {
        let text = |now: i64, was: i64| change(now.into(), was.into());
        assert_eq!([text(110, 100), text(90, 100), text(5, 0)], ["+10 %", "-10 %", "–"]);
    }

    #[test]
    fn what_was_not_counted_is_said() {
        let mut summary = paid(1, 10);
        summary.counts.other_currency = 2;
        let notes = notes(&summary);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("not closed yet") && notes[1].starts_with("2 orders in another currency"));
    }
}
