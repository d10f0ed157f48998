//! The placement tree of a period: positions, each after its parent, each owned by somebody.
//!
//! A position is a place in a binary or a matrix. Most distributors own one, which has their own id; who owns
//! several has several incomes from the same tree.

use std::collections::HashMap;

use super::people::{NOBODY, index};
use crate::core::ids::DistributorId;

/// One position as of an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionAt {
    pub position: String,
    pub owner: DistributorId,
    pub parent: Option<String>,
    /// Which place under the parent, from 0: left and right of a binary are 0 and 1.
    pub side: u16,
}

#[derive(Clone, Debug, Default)]
pub struct Positions {
    ids: Vec<String>,
    owners: Vec<u32>,
    parents: Vec<u32>,
    sides: Vec<u16>,
    /// By person: its positions one after the other.
    owned: Vec<u32>,
    owned_starts: HashMap<u32, (u32, u32)>,
}

impl Positions {
    /// Positions of unknown owners, and everything below a parent that is not there, are left out: the
    /// placement tree checks itself when it is written.
    pub fn build(
        given: impl IntoIterator<Item = PositionAt>,
        person: impl Fn(&DistributorId) -> Option<u32>,
    ) -> Self {
        let mut given: Vec<PositionAt> = given.into_iter().collect();
        given.sort_by(|a, b| (a.side, &a.position).cmp(&(b.side, &b.position)));
        let mut children: HashMap<&str, Vec<&PositionAt>> = HashMap::new();
        for position in &given {
            children.entry(position.parent.as_deref().unwrap_or("")).or_default().push(position);
        }
        let mut roots = children.remove("").unwrap_or_default();
        roots.sort_by(|a, b| a.position.cmp(&b.position));
        let mut open: Vec<(&PositionAt, u32)> = roots.into_iter().map(|root| (root, NOBODY)).collect();
        let mut built = Self::default();
        let mut next = 0;
        while let Some((position, parent)) = open.get(next).copied() {
            let at = u32::try_from(built.ids.len()).unwrap_or(NOBODY);
            built.ids.push(position.position.clone());
            built.owners.push(person(&position.owner).unwrap_or(NOBODY));
            built.parents.push(parent);
            built.sides.push(position.side);
            let below = children.remove(position.position.as_str()).unwrap_or_default();
            open.extend(below.into_iter().map(|child| (child, at)));
            next += 1;
        }
        built.own();
        built
    }

    fn own(&mut self) {
        let mut pairs: Vec<(u32, u32)> =
            self.owners.iter().zip(0u32..).map(|(owner, at)| (*owner, at)).collect();
        pairs.sort_unstable();
        self.owned = pairs.iter().map(|(_, position)| *position).collect();
        for (at, (owner, _)) in (0u32..).zip(&pairs) {
            self.owned_starts.entry(*owner).or_insert((at, at)).1 = at + 1;
        }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub fn id(&self, position: u32) -> Option<&str> {
        self.ids.get(index(position)).map(String::as_str)
    }

    pub fn owner(&self, position: u32) -> u32 {
        self.owners.get(index(position)).copied().unwrap_or(NOBODY)
    }

    /// A position before this one, or [`NOBODY`].
    pub fn parent(&self, position: u32) -> u32 {
        self.parents.get(index(position)).copied().unwrap_or(NOBODY)
    }

    pub fn side(&self, position: u32) -> u16 {
        self.sides.get(index(position)).copied().unwrap_or(0)
    }

    pub fn parents(&self) -> &[u32] {
        &self.parents
    }

    pub fn owners(&self) -> &[u32] {
        &self.owners
    }

    /// The positions of a person, the uppermost first. Its volume enters the tree at the first.
    pub fn of(&self, person: u32) -> &[u32] {
        let (start, end) = self.owned_starts.get(&person).copied().unwrap_or((0, 0));
        self.owned.get(index(start)..index(end)).unwrap_or(&[])
    }
}
