//! What a run would pay, against the limit, the periods before and the earners of the last one.

use rust_decimal::Decimal;

use super::super::format::{self, Amount, Link, Pill, Tone};
use super::super::words;
use super::{Told, plural, run_address, share_of};
use crate::db::DbError;
use crate::reports::Conn;
use crate::reports::periods::review::{self as report, Moved, Pool, RankFlow};
use crate::reports::periods::{self, Placed, Run};

pub struct Review {
    pub figures: Vec<super::one::Figure>,
    /// Payout against the stop-loss limit; said in words too.
    pub limit: Option<Limit>,
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
}

/// This run first, then posted runs of earlier periods.
pub struct Before {
    pub period: Link,
    pub paid: Amount,
    pub cv: String,
    pub share: String,
    pub earners: String,
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

/// Movers that are shown; the comparison shows more.
const MOVERS: i64 = 10;
/// Rank changes by kind that are shown.
const FLOWS: usize = 12;

pub fn read(conn: &mut Conn, run: &Run, currency: &str) -> Result<Review, DbError> {
    let before = periods::posted_before(conn, run.starts_at, 3)?;
    let last = before.first().filter(|_| run.kind != "adjustment");
    let (movers, flows) = match last {
        Some(last) => (
            report::movers(conn, last.run_id, run.run_id, MOVERS)?,
            report::rank_flows(conn, last.run_id, run.run_id)?,
        ),
        None => (vec![], vec![]),
    };
    let placed = periods::placed(conn, run.starts_at, run.ends_at)?;
    let pools = report::pools(conn, run.run_id)?;
    let told = Told::of(run.summary.as_ref()).unwrap_or_default();
    Ok(Review {
        figures: figures(run, &told, &placed, currency),
        limit: limit(&told),
        before: against(run, &told, &before, currency),
        against: last.map(|last| Link::new(run_address(last.run_id), last.period.as_str())),
        movers: movers.into_iter().map(|moved| mover(moved, currency)).collect(),
        pools: pools.iter().map(|pool| pool_row(pool, currency)).collect(),
        ranks: flows.into_iter().take(FLOWS).map(rank_row).collect(),
    })
}

fn figures(run: &Run, told: &Told, placed: &Placed, currency: &str) -> Vec<super::one::Figure> {
    let figure = |label: &str, value: String, under: String, href: String| super::one::Figure {
        label: label.to_owned(),
        value,
        under,
        href,
    };
    let money = |amount| words::amount(amount, currency).to_string();
    let share = told.share().map_or_else(|| "–".to_owned(), format::percent);
    vec![
        figure(
            "Commissions",
            money(told.paid),
            format!("and {} breakage", money(told.breakage)),
            String::new(),
        ),
        figure("Payout share", share, "commissions of CV".to_owned(), String::new()),
        figure(
            "CV",
            format::grouped(&format::plain(told.cv)),
            format!("of {}", plural(told.orders, "order")),
            String::new(),
        ),
        figure(
            "Earners",
            format::count(told.earners),
            format!("{} active without any", format::count(told.zero_earners)),
            format!("{}/earners", run_address(run.run_id)),
        ),
        figure(
            "Held value",
            money(placed.held_net),
            format!("{} of its time", plural(placed.held, "order")),
            "/admin/held".to_owned(),
        ),
    ]
}

fn limit(told: &Told) -> Option<Limit> {
    let most = told.stop_loss?;
    let share = told.share()?;
    let (tone, tag) =
        if share > most { (Tone::Bad, "above the limit") } else { (Tone::Ok, "within the limit") };
    let text =
        format!("{} of CV is paid; the stop-loss is {}.", format::percent(share), format::percent(most));
    Some(Limit { verdict: Pill::new(tone, tag), text })
}

fn against(run: &Run, told: &Told, before: &[Run], currency: &str) -> Vec<Before> {
    let row = |of: &Run, its: &Told| Before {
        period: Link::new(run_address(of.run_id), of.period.as_str()),
        paid: words::amount(its.paid, currency),
        cv: format::grouped(&format::plain(its.cv)),
        share: its.share().map_or_else(|| "–".to_owned(), format::percent),
        earners: format::count(its.earners),
        change: if of.run_id == run.run_id { String::new() } else { change(told.paid, its.paid) },
        current: of.run_id == run.run_id,
    };
    let others = before.iter().map(|other| row(other, &Told::of(other.summary.as_ref()).unwrap_or_default()));
    std::iter::once(row(run, told)).chain(others).collect()
}

/// `+4.2 %`: how much more `now` is than `was`.
fn change(now: Decimal, was: Decimal) -> String {
    let Some(share) = now.checked_sub(was).and_then(|more| share_of(more, was)) else {
        return "–".to_owned();
    };
    let sign = if share.is_sign_negative() { "" } else { "+" };
    format!("{sign}{}", format::percent(share))
}

pub fn mover(moved: Moved, currency: &str) -> Mover {
    Mover {
        distributor: words::distributor_link(&moved.distributor_id),
        name: moved.name.unwrap_or_default(),
        was: words::amount(moved.before, currency),
        now: words::amount(moved.now, currency),
        change: words::amount(moved.now.checked_sub(moved.before).unwrap_or_default(), currency),
    }
}

fn pool_row(pool: &Pool, currency: &str) -> PoolRow {
    let money = |amount| words::amount(amount, currency);
    let sum = pool.paid.checked_add(pool.breakage).and_then(|sum| sum.checked_add(pool.rounding));
    PoolRow {
        period: pool.period.clone(),
        bonus: pool.bonus.clone(),
        pool: money(pool.pool),
        paid: money(pool.paid),
        breakage: money(pool.breakage),
        rounding: money(pool.rounding),
        closes: sum == Some(pool.pool),
    }
}

fn rank_row(flow: RankFlow) -> RankRow {
    let rank = |rank: Option<String>| rank.unwrap_or_else(|| "no rank".to_owned());
    RankRow { was: rank(flow.was), now: rank(flow.is_now), distributors: format::count(flow.distributors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_judged_in_words() {
        let of = |paid: i64, most: &str| {
            let stop_loss = Some(most.parse().unwrap());
            limit(&Told { cv: Decimal::from(1000), paid: paid.into(), stop_loss, ..Told::default() }).unwrap()
        };
        assert_eq!(of(400, "0.4").verdict.text, "within the limit");
        assert_eq!(of(401, "0.4").verdict.text, "above the limit");
        assert!(of(401, "0.4").text.contains("40.1 %"));
        assert!(limit(&Told::default()).is_none());
    }

    #[test]
    fn variance_has_its_sign() {
        let text = |now: i64, was: i64| change(now.into(), was.into());
        assert_eq!([text(110, 100), text(90, 100), text(5, 0)], ["+10 %", "-10 %", "–"]);
    }
}
