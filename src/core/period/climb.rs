//! Volume that climbs a tree, in one pass however deep the tree is.
//!
//! A bonus that pays uplines is a small machine: volume arrives at somebody in a state (which level it has
//! reached, which rate was paid below), is paid or not, and goes on to the parent in another state. Volume of
//! the same state is interchangeable, so it is summed before it goes on: the work is people times states, for a
//! chain as for a star, and what waits is never more than there are sources. [`Climb::step`] is asked for the
//! pass and for the explanation of one source alike, so both can only say the same.

mod trails;
mod waiting;

use super::people::{NOBODY, index};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
pub(crate) use trails::{Paid, Trails};
use waiting::Waiting;

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
    let mut waiting = Waiting::new(rules.states(), parents.len());
    let mut arrived = vec![];
    let mut paid = vec![];
    for (person, parent) in from_the_back(parents)? {
        let own = volumes.get(index(person)).copied().filter(|own| !own.is_zero());
        let own = own.and_then(|own| Some((rules.start(person)?, own)));
        waiting.take(person, own, &mut arrived, |sum, more| {
            *sum = sum.add(more)?;
            Ok(())
        })?;
        let mut got = Climbed { person, base: Fixed::ZERO, exact: Exact::ZERO };
        for (state, volume) in arrived.iter().filter(|(_, volume)| !volume.is_zero()) {
            let step = rules.step(person, *state);
            if let Some((_, rate)) = step.pays {
                got.base = got.base.add(*volume)?;
                got.exact = got.exact.add(volume.times(rate))?;
            }
            if let Some(next) = step.next {
                waiting.put(parent, next, *volume);
            }
        }
        if got.exact != Exact::ZERO {
            paid.push(got);
        }
    }
    Ok(paid)
}

/// Whose volume comes to `person`, and in which state; the person's own volume too. One pass, like [`climb`]:
/// here sources in the same state are strung together where volumes are summed there.
pub(crate) fn arrivals(
    rules: &dyn Climb,
    parents: &[u32],
    volumes: &[Fixed],
    person: u32,
) -> Result<Vec<(u32, u16)>, TooLarge> {
    let mut waiting = Waiting::new(rules.states(), parents.len());
    // By source: which one is next on the same string.
    let mut strings = vec![NOBODY; parents.len()];
    let mut arrived: Vec<(u16, Strung)> = vec![];
    for (at, parent) in from_the_back(parents)?.take_while(|(at, _)| *at >= person) {
        let sold = volumes.get(index(at)).is_some_and(|own| !own.is_zero());
        let own = rules.start(at).filter(|_| sold).map(|state| (state, Strung { first: at, last: at }));
        waiting.take(at, own, &mut arrived, |string, more| {
            if let Some(link) = strings.get_mut(index(string.last)) {
                *link = more.first;
            }
            string.last = more.last;
            Ok(())
        })?;
        if at == person {
            break;
        }
        for (state, string) in &arrived {
            if let Some(next) = rules.step(at, *state).next {
                waiting.put(parent, next, *string);
            }
        }
    }
    let mut found = vec![];
    for (state, string) in arrived {
        let mut source = string.first;
        while source != NOBODY {
            found.push((source, state));
            source = strings.get(index(source)).copied().unwrap_or(NOBODY);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Sources that are in the same state.
#[derive(Clone, Copy)]
struct Strung {
    first: u32,
    last: u32,
}

/// Everybody with their parent, children before parents.
fn from_the_back(parents: &[u32]) -> Result<impl Iterator<Item = (u32, u32)>, TooLarge> {
    let len = u32::try_from(parents.len()).map_err(|_| TooLarge)?;
    Ok((0..len).rev().zip(parents.iter().rev().copied()))
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

#[cfg(test)]
mod tests;
