//! What a scenario tells of positions, of what earlier periods left, and of the close of a period.

use super::words::Words;
use super::{Action, ScenarioProblem, span};
use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;
use crate::core::period::{CarriedStanding, Lot};
use crate::core::placement::PlacementVersion;
use crate::core::plan::Plan;

const STATEMENTS: [&str; 5] = ["place", "carry", "standing", "close", "adjust"];

/// `None` for a word that is none of these. All of them ask the plan.
pub(super) fn read(
    word: &str,
    words: &mut Words,
    plan: Option<&Plan>,
) -> Result<Option<Action>, ScenarioProblem> {
    if !STATEMENTS.contains(&word) {
        return Ok(None);
    }
    let Some(plan) = plan else {
        return Err(words.problem(format!("name the plan before the first {word}")));
    };
    let action = match word {
        "place" if !words.has_next() => Action::PlaceAll,
        "place" => Action::Place(place(words)?),
        "carry" => Action::Carry(carry(words, plan)?),
        "standing" => standing(words, plan)?,
        "close" => close(words, plan)?,
        _ => Action::Adjust,
    };
    Ok(Some(action))
}

/// `place POSITION [parent= side=] [owner=] [from=]`
fn place(words: &mut Words) -> Result<PlacementVersion, ScenarioProblem> {
    let position = words.next("the position's id")?;
    let owner = DistributorId::new(words.option("owner").unwrap_or_else(|| position.clone()));
    let (parent, side) = match (words.option("parent"), words.option("side")) {
        (Some(parent), Some(told)) => (Some(parent), side(words, &told)?),
        (None, None) => (None, 0),
        _ => return Err(words.problem("a place is a side of a parent; give parent= and side=, or neither")),
    };
    Ok(PlacementVersion { position, owner, parent, side, from: words.instant_option("from")? })
}

/// `carry BONUS POSITION side= volume= [period=] [age=]`
fn carry(words: &mut Words, plan: &Plan) -> Result<Lot, ScenarioProblem> {
    let bonus = known_bonus(words, plan)?;
    let position = words.next("the position's id")?;
    let side = required(words, "side")?;
    let side = self::side(words, &side)?;
    let volume = required(words, "volume")?;
    let volume = fixed(words, "volume", &volume)?;
    let period = words.option("period").unwrap_or_default();
    let age = words.option("age").map_or(Ok(0), |text| count(words, "age", &text))?;
    Ok(Lot { bonus, position, side, age, period, volume })
}

/// `standing DISTRIBUTOR [title=] [rank=] [cumulative_gv=] [streak=RANK:N,...] [qualified=ID:N,...]`
fn standing(words: &mut Words, plan: &Plan) -> Result<Action, ScenarioProblem> {
    let distributor = DistributorId::new(words.next("the distributor")?);
    let mut standing = CarriedStanding::default();
    for (key, place) in [("title", &mut standing.title), ("rank", &mut standing.rank)] {
        *place = words.option(key).map(|rank| known_rank(words, plan, rank)).transpose()?;
    }
    if let Some(volume) = words.option("cumulative_gv") {
        standing.cumulative_gv = fixed(words, "cumulative_gv", &volume)?;
    }
    for (key, counts) in [("streak", &mut standing.streaks), ("qualified", &mut standing.qualified)] {
        for pair in words.option(key).iter().flat_map(|text| text.split(',')) {
            let Some((name, periods)) = pair.split_once(':') else {
                return Err(words.problem(format!("{key}={pair}: write a name and a count, such as gold:2")));
            };
            counts.insert(name.to_owned(), count(words, key, periods)?);
        }
    }
    Ok(Action::Standing { distributor, standing })
}

/// `close PERIOD`
fn close(words: &mut Words, plan: &Plan) -> Result<Action, ScenarioProblem> {
    let name = words.next("the period")?;
    match span::named(plan.period(), &name) {
        Some(span) => Ok(Action::Close(span)),
        None => Err(words.problem(format!(
            "{name:?} is no {} of the plan; write 2026-01, 2026-Q1, 2026-W05 or 2026-01-31, as its cadence is",
            format!("{:?}", plan.period().cadence).to_lowercase()
        ))),
    }
}

/// `left`, `right`, or a place under the parent from 0.
pub(super) fn side(words: &Words, text: &str) -> Result<u16, ScenarioProblem> {
    match text {
        "left" => Ok(0),
        "right" => Ok(1),
        number => count(words, "side", number),
    }
}

pub(super) fn known_bonus(words: &mut Words, plan: &Plan) -> Result<String, ScenarioProblem> {
    let bonus = words.next("the bonus")?;
    match plan.bonus_ids().any(|known| known == bonus) {
        true => Ok(bonus),
        false => Err(words.problem(format!("the plan has no bonus {bonus:?}"))),
    }
}

fn known_rank(words: &Words, plan: &Plan, rank: String) -> Result<String, ScenarioProblem> {
    match plan.ranks().contains(&rank) {
        true => Ok(rank),
        false => Err(words.problem(format!("the plan has no rank {rank:?}"))),
    }
}

fn required(words: &mut Words, key: &str) -> Result<String, ScenarioProblem> {
    words.option(key).ok_or_else(|| words.problem(format!("{key}= is missing")))
}

fn fixed(words: &Words, what: &str, text: &str) -> Result<Fixed, ScenarioProblem> {
    let amount = words.amount(what, text)?;
    Fixed::of(amount).map_err(|_| words.problem(format!("{what}: {text} is too large")))
}

fn count(words: &Words, what: &str, text: &str) -> Result<u16, ScenarioProblem> {
    text.parse().map_err(|_| words.problem(format!("{what}: {text:?} is no count")))
}
