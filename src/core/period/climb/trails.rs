//! The ways of many sources, one after the other: who is paid on each.

use std::collections::HashMap;

use super::Climb;
use crate::core::fixed::Rate;
use crate::core::period::people::{NOBODY, index};

/// How many who are not paid may follow each other before the way past them is remembered.
const LONG: usize = 16;

/// Remembers where long stretches without anybody who is paid end, so that walking up from everybody takes time
/// in proportion to people and levels, however deep the tree is.
pub(crate) struct Trails<'a> {
    rules: &'a dyn Climb,
    parents: &'a [u32],
    /// From somebody in a state to the next who is paid; [`NOBODY`] when there is none.
    known: HashMap<(u32, u16), (u32, u16)>,
}

/// Somebody who is paid on the way of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paid {
    pub person: u32,
    pub level: u16,
    pub rate: Rate,
}

impl<'a> Trails<'a> {
    pub fn new(rules: &'a dyn Climb, parents: &'a [u32]) -> Self {
        Self { rules, parents, known: HashMap::new() }
    }

    /// Everybody who is paid on the volume of `source`, from the bottom up.
    pub fn paid(&mut self, source: u32) -> Vec<Paid> {
        let mut paid = vec![];
        let mut passed = vec![];
        let mut here = self.rules.start(source).map(|state| (source, state));
        while let Some(at) = here.filter(|(person, _)| *person != NOBODY) {
            if let Some(next) = self.known.get(&at) {
                here = Some(*next);
                continue;
            }
            let (person, state) = at;
            let step = self.rules.step(person, state);
            match step.pays {
                Some((level, rate)) => {
                    self.remember(&mut passed, at);
                    paid.push(Paid { person, level, rate });
                }
                None => passed.push(at),
            }
            let parent = self.parents.get(index(person)).copied().unwrap_or(NOBODY);
            here = step.next.map(|next| (parent, next));
        }
        self.remember(&mut passed, (NOBODY, 0));
        paid
    }

    fn remember(&mut self, passed: &mut Vec<(u32, u16)>, to: (u32, u16)) {
        if passed.len() >= LONG {
            self.known.extend(passed.iter().map(|from| (*from, to)));
        }
        passed.clear();
    }
}
