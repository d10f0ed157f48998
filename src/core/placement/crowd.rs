//! How many are below each position while the tree grows, asked and told in a few steps.
//!
//! A position belongs to the chain of its parent if it stands on the same side of it as the chain does, else it
//! begins one. Newcomers go to the outer edges of sides, so they lengthen chains; what hangs beside a chain is
//! counted at the place where it hangs, in a Fenwick tree. The way to the top changes chains seldom, however
//! deep the tree is.

use super::{NONE, at};

#[derive(Default)]
pub struct Crowd {
    chains: Vec<Chain>,
    /// By position: its chain and its place in it, from 1.
    seats: Vec<(u32, u32)>,
}

struct Chain {
    side: u16,
    /// The position that the chain hangs at.
    hangs_at: u32,
    counts: Vec<u32>,
    total: u32,
}

impl Crowd {
    /// The next position, numbered on. Its parent came before.
    pub fn add(&mut self, parent: u32, side: u16) {
        let (of_parent, _) = self.seat(parent);
        let joined = self.chains.get_mut(at(of_parent)).filter(|chain| chain.side == side);
        let (chain, hangs_at) = match joined {
            Some(joined) => (of_parent, joined.hangs_at),
            None => {
                let begun = u32::try_from(self.chains.len()).unwrap_or(NONE);
                self.chains.push(Chain { side, hangs_at: parent, counts: vec![], total: 0 });
                (begun, parent)
            }
        };
        let place = self.chains.get_mut(at(chain)).map_or(0, Chain::append);
        self.seats.push((chain, place));
        let mut above = hangs_at;
        while above != NONE {
            let (chain, place) = self.seat(above);
            let Some(chain) = self.chains.get_mut(at(chain)) else { return };
            chain.count(place);
            above = chain.hangs_at;
        }
    }

    /// The position and everybody below it; nobody for no position.
    pub fn size(&self, position: u32) -> u32 {
        let (chain, place) = self.seat(position);
        self.chains.get(at(chain)).map_or(0, |chain| chain.total - chain.sum(place.saturating_sub(1)))
    }

    fn seat(&self, position: u32) -> (u32, u32) {
        self.seats.get(at(position)).copied().unwrap_or((NONE, 0))
    }
}

impl Chain {
    fn append(&mut self) -> u32 {
        let place = u32::try_from(self.counts.len() + 1).unwrap_or(NONE);
        let mut count = 1;
        let (mut below, end) = (place - 1, place - lowest(place));
        while below > end {
            count += self.counts.get(at(below - 1)).copied().unwrap_or(0);
            below -= lowest(below);
        }
        self.counts.push(count);
        self.total += 1;
        place
    }

    fn count(&mut self, mut place: u32) {
        self.total += 1;
        while let Some(count) = place.checked_sub(1).and_then(|index| self.counts.get_mut(at(index))) {
            *count += 1;
            place += lowest(place);
        }
    }

    fn sum(&self, mut place: u32) -> u32 {
        let mut sum = 0;
        while place > 0 {
            sum += self.counts.get(at(place - 1)).copied().unwrap_or(0);
            place -= lowest(place);
        }
        sum
    }
}

fn lowest(place: u32) -> u32 {
    place & place.wrapping_neg()
}
