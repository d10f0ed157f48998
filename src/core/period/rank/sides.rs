//! How much each side of the placement tree has.

use super::super::PeriodInput;
use super::super::gathered::Measure;
use super::super::people::{NOBODY, index};
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::period::Condition;
use crate::core::plan::Plan;

/// By person: group volume of the weaker side under the uppermost position. Empty when nothing asks for it.
pub(super) fn weaker(plan: &Plan, input: PeriodInput<'_>) -> Result<Vec<Fixed>, TooLarge> {
    if !conditions(plan).any(|condition| condition.weaker_side.is_some()) {
        return Ok(vec![]);
    }
    let (people, positions) = (input.people, &input.people.positions);
    let volumes = input.sold.get(&Measure::of(plan.group.volume));
    let mut sides = vec![[Fixed::ZERO; 2]; positions.len()];
    for at in (0..u32::try_from(positions.len()).map_err(|_| TooLarge)?).rev() {
        let owner = positions.owner(at);
        let first = positions.of(owner).first() == Some(&at) && owner != NOBODY;
        let own = volumes.get(index(owner)).copied().filter(|_| first).unwrap_or_default();
        let [left, right] = sides.get(index(at)).copied().unwrap_or_default();
        let whole = left.add(right)?.add(own)?;
        let above = sides.get_mut(index(positions.parent(at)));
        if let Some(side) = above.and_then(|sides| sides.get_mut(usize::from(positions.side(at)))) {
            *side = side.add(whole)?;
        }
    }
    let weaker = |person: u32| {
        let top = positions.of(person).first()?;
        sides.get(index(*top)).map(|[left, right]| *left.min(right))
    };
    Ok((0u32..).take(people.len()).map(|person| weaker(person).unwrap_or_default()).collect())
}

/// Everything that the plan asks of somebody, wherever it stands.
fn conditions(plan: &Plan) -> impl Iterator<Item = &Condition> {
    let ranks = plan.rank_rules.rules.iter().flat_map(|rule| rule.conditions());
    let qualifications = plan.qualifications.iter().map(|one| &one.condition);
    let bonuses = plan.bonuses.iter().filter_map(|bonus| bonus.requires.as_ref());
    let gates = plan.limits.gates.iter().filter_map(|gate| gate.requires.as_ref());
    ranks.chain(qualifications).chain(bonuses).chain(gates)
}
