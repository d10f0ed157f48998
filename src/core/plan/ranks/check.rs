//! Ranks that nobody can reach, and qualifications that wait for themselves.

use super::super::read::{Item, Table};
use super::{Qualification, RankRule};
use crate::core::bonus::Names;
use crate::core::period::Condition;

/// What only shows when all ranks and qualifications are known.
pub(in super::super) fn check(
    root: &Table<'_>,
    names: &Names<'_>,
    rules: &[RankRule],
    qualifications: &[Qualification],
) {
    if names.ranks.len() != rules.len() || names.qualifications.len() != qualifications.len() {
        return; // something of them could not be read, and that was told
    }
    let Some(order) = in_order(qualifications) else {
        tell_cycles(root, qualifications);
        return;
    };
    tell_waiting(root, names, rules, qualifications, &order);
    let reached = reached(rules, qualifications, &order);
    for (at, rule) in (0u16..).zip(rules) {
        let Some(condition) = rule.achieve.as_ref().filter(|_| !has(&reached, at)) else { continue };
        let Some(item) = part(root, "rank", at, "achieve") else { continue };
        let name = names.ranks.get(usize::from(at)).map_or("", String::as_str);
        let why = why_not(names, condition, at, &reached);
        item.problem(
            format!("nobody can reach {name:?}: {why}"),
            "ask for a lower rank, or leave achieve out so that the rank is given by hand",
        );
    }
}

/// Each after those that it asks for; `None` when one waits for itself.
pub(crate) fn in_order(qualifications: &[Qualification]) -> Option<Vec<u16>> {
    let mut order: Vec<u16> = vec![];
    loop {
        let ready = (0u16..).zip(qualifications).filter(|(at, one)| {
            !order.contains(at) && one.condition.qualified.iter().all(|asked| order.contains(asked))
        });
        let ready: Vec<u16> = ready.map(|(at, _)| at).collect();
        if ready.is_empty() {
            return (order.len() == qualifications.len()).then_some(order);
        }
        order.extend(ready);
    }
}

/// Those that ask for a rank of the same person, or for a qualification that does. `order` is theirs.
pub(crate) fn asking_for_rank(qualifications: &[Qualification], order: &[u16]) -> Vec<u16> {
    let mut asking: Vec<u16> = vec![];
    for at in order {
        let Some(one) = qualifications.get(usize::from(*at)) else { continue };
        if one.condition.rank.is_some() || one.condition.qualified.iter().any(|q| asking.contains(q)) {
            asking.push(*at);
        }
    }
    asking
}

fn tell_cycles(root: &Table<'_>, qualifications: &[Qualification]) {
    for (at, one) in (0u16..).zip(qualifications) {
        let mut asked = one.condition.qualified.clone();
        let mut next = 0;
        while let Some(place) = asked.get(next).copied() {
            let more = qualifications.get(usize::from(place)).map(|q| q.condition.qualified.as_slice());
            for place in more.unwrap_or_default() {
                if !asked.contains(place) {
                    asked.push(*place);
                }
            }
            next += 1;
        }
        if let Some(item) = part(root, "qualification", at, "condition").filter(|_| asked.contains(&at)) {
            item.problem(
                format!("{:?} waits for itself: it asks for a qualification that asks for it", one.id),
                "remove one of the two from qualified",
            );
        }
    }
}

/// Ranks are decided before whatever asks for one.
fn tell_waiting(
    root: &Table<'_>,
    names: &Names<'_>,
    rules: &[RankRule],
    qualifications: &[Qualification],
    order: &[u16],
) {
    let asking = asking_for_rank(qualifications, order);
    for (at, rule) in (0u16..).zip(rules) {
        for (key, condition) in [("achieve", &rule.achieve), ("maintain", &rule.maintain)] {
            let asked = condition.iter().flat_map(|condition| &condition.qualified);
            for qualification in asked.filter(|asked| asking.contains(asked)) {
                let Some(item) = part(root, "rank", at, key) else { continue };
                let id = names.qualifications.get(usize::from(*qualification)).map_or("", String::as_str);
                item.problem(
                    format!("the qualification {id:?} asks for a rank, and ranks are decided before it"),
                    "ask for what it asks here, or remove rank from the qualification",
                );
            }
        }
    }
}

/// Which ranks somebody can have: those given by hand, and those whose conditions ask for such.
fn reached(rules: &[RankRule], qualifications: &[Qualification], order: &[u16]) -> Vec<bool> {
    let mut reached: Vec<bool> = rules.iter().map(|rule| rule.achieve.is_none()).collect();
    loop {
        let mut met = vec![false; qualifications.len()];
        for at in order {
            let Some(one) = qualifications.get(usize::from(*at)) else { continue };
            let can = can_be_met(&one.condition, &reached, &met);
            if let Some(met) = met.get_mut(usize::from(*at)) {
                *met = can;
            }
        }
        let now: Vec<bool> = (0u16..)
            .zip(rules)
            .map(|(at, rule)| {
                rule.achieve.as_ref().is_none_or(|condition| {
                    can_be_met(condition, &reached, &met) && rank_before(condition, at, &reached)
                })
            })
            .collect();
        if now == reached {
            return reached;
        }
        reached = now;
    }
}

fn can_be_met(condition: &Condition, reached: &[bool], met: &[bool]) -> bool {
    condition.legs.iter().all(|rule| from(reached, rule.rank))
        && condition.qualified.iter().all(|at| met.get(usize::from(*at)).copied().unwrap_or(false))
}

/// A rank's own condition asks for the rank before: one that can be had, and that is lower.
fn rank_before(condition: &Condition, at: u16, reached: &[bool]) -> bool {
    condition.rank.is_none_or(|asked| (asked..at).any(|rank| has(reached, rank)))
}

fn why_not(names: &Names<'_>, condition: &Condition, at: u16, reached: &[bool]) -> String {
    let name = |rank: u16| names.ranks.get(usize::from(rank)).map_or("", String::as_str);
    if let Some(rule) = condition.legs.iter().find(|rule| !from(reached, rule.rank)) {
        return match rule.rank >= at {
            true => format!("it asks for a leg with {:?}, and nobody gets there first", name(rule.rank)),
            false => format!("it asks for a leg with {:?}, which nobody can reach", name(rule.rank)),
        };
    }
    match condition.rank.filter(|_| !rank_before(condition, at, reached)) {
        Some(rank) if rank >= at => {
            format!("it asks for {:?} before, which is not a lower rank", name(rank))
        }
        Some(rank) => format!("it asks for {:?} before, which nobody can reach", name(rank)),
        None => "it asks for a qualification that nobody can meet".to_owned(),
    }
}

fn has(reached: &[bool], rank: u16) -> bool {
    reached.get(usize::from(rank)).copied().unwrap_or(false)
}

/// Whether this rank or a higher one can be had.
fn from(reached: &[bool], rank: u16) -> bool {
    reached.get(usize::from(rank)..).unwrap_or_default().contains(&true)
}

/// A key of the entry at a place of `[[list]]`.
fn part<'d>(root: &Table<'d>, list: &'static str, at: u16, key: &'static str) -> Option<Item<'d>> {
    root.optional(list)?.list()?.into_iter().nth(usize::from(at))?.table()?.optional(key)
}
