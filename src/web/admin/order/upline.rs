//! Who earns on an order, bonus by bonus up the line, and who was passed over and why.

use rust_decimal::Decimal;

use super::{Bonus, Calculation, Names, Rung, report};
use crate::commissions::CalcSnapshot;
use crate::core::bonus::{Finding, Visited, WalkEnd};
use crate::core::engine::{self, Award, BonusWalk, UplineMember};
use crate::db::DbError;
use crate::web::admin::format::{self, Link, When};
use crate::web::admin::words;

/// Everybody whose name the page shows.
pub fn everybody(order: &report::Order) -> Result<Vec<String>, DbError> {
    let Some(snapshot) = latest(order)? else { return Ok(vec![]) };
    Ok(snapshot.context.upline.into_iter().map(|member| member.distributor.0).collect())
}

fn latest(order: &report::Order) -> Result<Option<CalcSnapshot>, DbError> {
    let snapshot = order.calculations.last().map(|(_, snapshot)| serde_json::from_value(snapshot.clone()));
    Ok(snapshot.transpose()?)
}

/// `None` when nothing was calculated, or the order stands at zero.
pub fn calculation(order: &report::Order, names: &Names, plan: String) -> Option<Calculation> {
    let (stored, _) = order.calculations.last()?;
    let snapshot = latest(order).ok()??;
    let made = snapshot.calculation?;
    let hash = hex::encode(&stored.plan_hash);
    let bonus = |walk: &BonusWalk| Bonus {
        name: walk.bonus.clone(),
        about: about(walk),
        rungs: rungs(walk, &snapshot.context.upline, &made, names, &stored.currency),
    };
    Some(Calculation {
        plan: Link::new(format!("/admin/plans/{hash}"), plan),
        hash: hash.chars().take(12).collect(),
        at: When(stored.calculated_at),
        bonuses: made.walks.iter().map(bonus).collect(),
        breakage: (!stored.breakage.is_zero()).then(|| words::amount(stored.breakage, &stored.currency)),
    })
}

fn about(walk: &BonusWalk) -> String {
    let skipped = walk.visited.iter().filter(|visited| visited.level.is_none()).count();
    let end = match walk.ended {
        WalkEnd::Top => "reached the top of the tree",
        WalkEnd::Depth => "reached its full depth",
    };
    match skipped {
        0 => end.to_owned(),
        1 => format!("{end}; one was passed over"),
        more => format!("{end}; {more} were passed over"),
    }
}

/// One rung for each ancestor that the bonus visited; what a person earns is summed over the lines.
pub fn rungs(
    walk: &BonusWalk,
    upline: &[UplineMember],
    made: &engine::Calculation,
    names: &Names,
    currency: &str,
) -> Vec<Rung> {
    let rung = |visited: &Visited| {
        let awards = awards(walk, visited, made);
        let member = upline.iter().find(|member| member.distributor == visited.distributor);
        let sum: Decimal = awards.iter().map(|award| award.amount).sum();
        Rung {
            level: visited.level.map_or_else(|| "–".to_owned(), |level| level.to_string()),
            distributor: named(visited.distributor.as_str(), names),
            standing: member.map_or_else(|| words::status_named("?"), |member| words::status(member.status)),
            skipped: words::skipped(&visited.finding),
            rate: rate(visited, &awards, member, currency),
            amount: (!awards.is_empty()).then(|| words::amount(sum, currency)),
        }
    };
    walk.visited.iter().map(rung).collect()
}

fn awards<'c>(walk: &BonusWalk, visited: &Visited, made: &'c engine::Calculation) -> Vec<&'c Award> {
    let mine = |award: &&Award| {
        award.bonus == walk.bonus
            && Some(award.level) == visited.level
            && award.distributor == visited.distributor
    };
    made.awards.iter().filter(mine).collect()
}

/// The arithmetic in one line; the sum of bases where all lines have one rate.
fn rate(visited: &Visited, awards: &[&Award], member: Option<&UplineMember>, currency: &str) -> String {
    let rank = member.and_then(|member| member.rank.as_deref());
    let rank = rank.map_or_else(String::new, |rank| format!(", rank {rank}"));
    let of = |rate: Decimal, base: Decimal| {
        format!("{} of {}", format::percent(rate), words::amount(base, currency))
    };
    match (awards.first(), &visited.finding) {
        (Some(first), _) if awards.iter().all(|award| award.rate == first.rate) => {
            let base: Decimal = awards.iter().map(|award| award.base).sum();
            format!("{}{rank}", of(first.rate, base))
        }
        (Some(_), _) => {
            let parts: Vec<String> = awards.iter().map(|award| of(award.rate, award.base)).collect();
            format!("{}{rank}", parts.join(" + "))
        }
        (None, Finding::Earns { .. }) => format!("nothing on these lines{rank}"),
        (None, _) => String::new(),
    }
}

pub fn named(id: &str, names: &Names) -> Link {
    let link = words::distributor_link(id);
    match names.get(id) {
        Some(name) => Link { text: format!("{id} · {name}"), ..link },
        None => link,
    }
}
