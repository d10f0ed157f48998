//! Volume that climbs a tree, in one pass however deep the tree is.
//!
//! A bonus that pays uplines is a small machine: volume arrives at somebody in a state (which level it has
//! reached, which rate was paid below), is paid or not, and goes on to the parent in another state. Volume of
//! the same state is interchangeable, so it is summed before it goes on: the work is people times states, for a
//! chain as for a star. [`Climb::step`] is asked for the pass and for the explanation of one source alike, so
//! both can only say the same.

use super::people::{NOBODY, index};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};

/// What somebody does with volume that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Level and rate, where it is paid.
    pub pays: Option<(u16, Rate)>,
    /// The state in which it goes on to the parent; `None` when it ends here.
    pub next: Option<u16>,
}

pub(crate) trait Climb {
    /// States are `0..states()`.
    fn states(&self) -> u16;

    /// The state of somebody's own volume when it arrives at that very person; `None`: it does not climb.
    fn start(&self, person: u32) -> Option<u16>;

    fn step(&self, person: u32, state: u16) -> Step;
}

/// What one person got out of a climb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Climbed {
    pub person: u32,
    pub base: Fixed,
    pub exact: Exact,
}

/// Everybody who is paid, from the last person to the first. `parents` come before their children; `volumes`
/// belong to the same places. Volumes that nobody has cost nothing.
pub(crate) fn climb(rules: &dyn Climb, parents: &[u32], volumes: &[Fixed]) -> Result<Vec<Climbed>, TooLarge> {
    let states = usize::from(rules.states());
    let mut waiting = vec![Fixed::ZERO; parents.len().saturating_mul(states)];
    let mut arrived = vec![Fixed::ZERO; states];
    let mut paid = vec![];
    for person in (0..u32::try_from(parents.len()).map_err(|_| TooLarge)?).rev() {
        let Some(parent) = parents.get(index(person)) else { continue };
        let at = index(person) * states;
        let Some(here) = waiting.get(at..at + states) else { continue };
        arrived.copy_from_slice(here);
        let own = volumes.get(index(person)).copied().unwrap_or_default();
        if let Some(first) = rules.start(person).and_then(|state| arrived.get_mut(usize::from(state))) {
            *first = first.add(own)?;
        }
        let mut got = Climbed { person, base: Fixed::ZERO, exact: Exact::ZERO };
        for (state, volume) in (0u16..).zip(&arrived) {
            if volume.is_zero() {
                continue;
            }
            let step = rules.step(person, state);
            if let Some((_, rate)) = step.pays {
                got.base = got.base.add(*volume)?;
                got.exact = got.exact.add(volume.times(rate))?;
            }
            let above = step.next.filter(|_| *parent != NOBODY);
            let above = above.map(|next| index(*parent) * states + usize::from(next));
            if let Some(sum) = above.and_then(|place| waiting.get_mut(place)) {
                *sum = sum.add(*volume)?;
            }
        }
        if got.exact != Exact::ZERO {
            paid.push(got);
        }
    }
    Ok(paid)
}

/// The way of one person's volume: who it came to, in which state, and what happened. From the bottom up, until
/// it ends or `visit` has seen enough and answers false.
pub(crate) fn climb_from(
    rules: &dyn Climb,
    parents: &[u32],
    source: u32,
    mut visit: impl FnMut(u32, u16, Step) -> bool,
) {
    let (mut person, mut state) = (source, rules.start(source));
    while let Some(at) = state.filter(|_| person != NOBODY) {
        let step = rules.step(person, at);
        if !visit(person, at, step) {
            return;
        }
        state = step.next;
        person = parents.get(index(person)).copied().unwrap_or(NOBODY);
    }
}
