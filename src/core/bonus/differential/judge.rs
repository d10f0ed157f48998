//! Which bracket everybody is in.

use super::{Bracket, By};
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::period::{Stage, index};

/// By person: the number of its bracket, from 1; 0 below the first.
pub(super) fn brackets(by: By, brackets: &[Bracket], stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
    let number = |volume: Fixed| {
        let reached = brackets.partition_point(|bracket| bracket.from <= volume);
        i64::try_from(reached).map_err(|_| TooLarge)
    };
    let standings = stage.standings;
    let each = |volumes: &[Fixed]| volumes.iter().map(|volume| number(*volume)).collect();
    match by {
        By::Gv => each(&standings.gv),
        By::Pgv => each(&standings.pgv),
        By::Pv | By::Rank => each(&standings.pv),
        By::CumulativeGv => {
            let so_far = so_far(stage).into_iter().zip(&standings.gv);
            so_far.map(|(before, now)| before.add(*now).and_then(number)).collect()
        }
    }
}

/// By person: group volume of the periods before. Both are sorted by id, so one look at each is enough.
fn so_far(stage: &Stage<'_>) -> Vec<Fixed> {
    let people = stage.input.people;
    let mut sums = vec![Fixed::ZERO; people.len()];
    let mut carried = stage.input.carried.standings.iter().peekable();
    for person in people.sorted() {
        let Some(id) = people.id(*person) else { continue };
        while carried.next_if(|(other, _)| *other < id).is_some() {}
        let standing = carried.next_if(|(other, _)| *other == id);
        if let Some((sum, (_, standing))) = sums.get_mut(index(*person)).zip(standing) {
            *sum = standing.cumulative_gv;
        }
    }
    sums
}
