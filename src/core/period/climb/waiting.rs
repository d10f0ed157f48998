//! What has come to somebody from below and waits there until it is that one's turn.

use crate::core::fixed::TooLarge;
use crate::core::period::people::{NOBODY, index};

/// Loads in one arena, a list for each person; a place that was taken is used again. There are never more
/// loads than sources below, however many states there could be.
pub(super) struct Waiting<T> {
    /// By person: the first load, or [`NOBODY`].
    first: Vec<u32>,
    loads: Vec<Load<T>>,
    /// The first place that can be used again.
    free: u32,
    /// By state: which of those who have arrived it is, while somebody's loads are gathered.
    seen: Vec<u32>,
}

struct Load<T> {
    next: u32,
    state: u16,
    what: T,
}

impl<T: Copy> Waiting<T> {
    pub fn new(states: u16, people: usize) -> Self {
        let seen = vec![NOBODY; usize::from(states)];
        Self { first: vec![NOBODY; people], loads: vec![], free: NOBODY, seen }
    }

    /// Nothing happens above the top, or in a state that does not exist.
    pub fn put(&mut self, person: u32, state: u16, what: T) {
        let Some(first) = self.first.get_mut(index(person)) else { return };
        let load = Load { next: *first, state, what };
        match self.loads.get_mut(index(self.free)) {
            Some(place) => {
                *first = self.free;
                self.free = std::mem::replace(place, load).next;
            }
            None => {
                *first = u32::try_from(self.loads.len()).unwrap_or(NOBODY);
                self.loads.push(load);
            }
        }
    }

    /// Everything that waits at a person, and its own, one load for each state, by state.
    pub fn take(
        &mut self,
        person: u32,
        own: Option<(u16, T)>,
        into: &mut Vec<(u16, T)>,
        mut merge: impl FnMut(&mut T, T) -> Result<(), TooLarge>,
    ) -> Result<(), TooLarge> {
        into.clear();
        if let Some((state, what)) = own {
            self.gather(state, what, into, &mut merge)?;
        }
        let mut at = self.first.get_mut(index(person)).map_or(NOBODY, |at| std::mem::replace(at, NOBODY));
        while let Some(load) = self.loads.get_mut(index(at)) {
            let (state, what) = (load.state, load.what);
            let next = std::mem::replace(&mut load.next, self.free);
            self.free = at;
            at = next;
            self.gather(state, what, into, &mut merge)?;
        }
        for (state, _) in into.iter() {
            if let Some(seen) = self.seen.get_mut(usize::from(*state)) {
                *seen = NOBODY;
            }
        }
        into.sort_unstable_by_key(|(state, _)| *state);
        Ok(())
    }

    fn gather(
        &mut self,
        state: u16,
        what: T,
        into: &mut Vec<(u16, T)>,
        merge: &mut impl FnMut(&mut T, T) -> Result<(), TooLarge>,
    ) -> Result<(), TooLarge> {
        let Some(seen) = self.seen.get_mut(usize::from(state)) else { return Ok(()) };
        if let Some((_, sum)) = into.get_mut(index(*seen)) {
            return merge(sum, what);
        }
        *seen = u32::try_from(into.len()).unwrap_or(NOBODY);
        into.push((state, what));
        Ok(())
    }
}
