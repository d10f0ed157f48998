//! Everybody of a period in arrays, each after its sponsor: one pass from the back goes up the whole tree.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::positions::{PositionAt, Positions};
use crate::core::genealogy::{Genealogy, Node, Status};
use crate::core::ids::DistributorId;

/// Where an index is expected and there is nobody.
pub const NOBODY: u32 = u32::MAX;

/// The sponsor tree as of an instant, and the positions of the placement tree.
#[derive(Debug)]
pub struct People {
    persons: Vec<Person>,
    ids: Vec<DistributorId>,
    /// By id: which person.
    by_id: Vec<u32>,
    /// Where the children of a person begin; they stand side by side, and the next one's begin where they end.
    children: Vec<u32>,
    pub positions: Positions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// A person before this one, or [`NOBODY`].
    pub sponsor: u32,
    pub status: Status,
    pub enrolled: bool,
    /// `None`: since ever.
    pub enrolled_at: Option<DateTime<Utc>>,
    /// The rank of the distributor's version, as a place in `ranks`; [`NO_RANK`] when it has none or the plan
    /// does not know it.
    pub rank: u16,
}

pub const NO_RANK: u16 = u16::MAX;

impl People {
    /// Everybody who had a version at `at`. `ranks` are the plan's. A sponsor who had none yet is nobody.
    pub fn at(
        genealogy: &Genealogy,
        at: DateTime<Utc>,
        ranks: &[String],
        placed: impl IntoIterator<Item = PositionAt>,
    ) -> Self {
        let mut order: Vec<Node> = genealogy
            .nodes()
            .filter(|node| {
                let sponsor = genealogy.sponsor_at(*node, at);
                genealogy.standing_at(*node, at).is_some()
                    && sponsor.is_none_or(|sponsor| genealogy.standing_at(sponsor, at).is_none())
            })
            .collect();
        let mut next = 0;
        while let Some(node) = order.get(next).copied() {
            order.extend(genealogy.children_at(node, at));
            next += 1;
        }
        let mut place = vec![NOBODY; genealogy.len()];
        for (person, node) in order.iter().enumerate() {
            if let Some(place) = place.get_mut(index(node.0)) {
                *place = u32::try_from(person).unwrap_or(NOBODY);
            }
        }
        let person = |node: &Node| {
            let standing = genealogy.standing_at(*node, at);
            let sponsor = genealogy.sponsor_at(*node, at);
            let rank = standing.and_then(|s| s.rank).and_then(|name| ranks.iter().position(|r| r == name));
            Person {
                sponsor: sponsor.and_then(|s| place.get(index(s.0))).copied().unwrap_or(NOBODY),
                status: standing.map_or(Status::Terminated, |s| s.status),
                enrolled: standing.is_some_and(|s| s.enrolled),
                enrolled_at: genealogy.enrolled_at(*node),
                rank: rank.and_then(|r| u16::try_from(r).ok()).unwrap_or(NO_RANK),
            }
        };
        let persons: Vec<Person> = order.iter().map(person).collect();
        let ids = order.iter().map(|node| DistributorId::new(genealogy.id(*node))).collect();
        let mut people =
            Self { persons, ids, by_id: vec![], children: vec![], positions: Positions::default() };
        people.children = people.first_children();
        // Nodes are numbered by id, so their places in that order are sorted by id.
        people.by_id = place.into_iter().filter(|person| *person != NOBODY).collect();
        people.positions = Positions::build(placed, |owner| people.find(owner));
        people
    }

    /// These have no rank of their own: theirs was decided by a close, and is carried.
    pub fn forget_ranks(&mut self, ids: &HashSet<DistributorId>) {
        for (person, id) in self.persons.iter_mut().zip(&self.ids) {
            if ids.contains(id) {
                person.rank = NO_RANK;
            }
        }
    }

    pub fn len(&self) -> usize {
        self.persons.len()
    }

    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    pub fn get(&self, person: u32) -> Option<&Person> {
        self.persons.get(index(person))
    }

    pub fn all(&self) -> &[Person] {
        &self.persons
    }

    /// [`NOBODY`] for somebody who does not exist.
    pub fn sponsor(&self, person: u32) -> u32 {
        self.get(person).map_or(NOBODY, |person| person.sponsor)
    }

    pub fn id(&self, person: u32) -> Option<&DistributorId> {
        self.ids.get(index(person))
    }

    pub fn find(&self, id: &DistributorId) -> Option<u32> {
        let at = self.by_id.binary_search_by(|person| self.id(*person).cmp(&Some(id))).ok()?;
        self.by_id.get(at).copied()
    }

    /// In the order of the ids: the order of everything that is shown or hashed.
    pub fn sorted(&self) -> &[u32] {
        &self.by_id
    }

    /// Whom a person sponsors.
    pub fn children(&self, person: u32) -> std::ops::Range<u32> {
        let at = |place: usize| self.children.get(place).copied().unwrap_or(0);
        at(index(person))..at(index(person).saturating_add(1))
    }

    /// In the order of the sponsors, children follow each other without a gap, after those without a sponsor.
    fn first_children(&self) -> Vec<u32> {
        let tops = self.persons.iter().take_while(|person| person.sponsor == NOBODY).count();
        let mut starts = Vec::with_capacity(self.persons.len() + 1);
        let mut next = tops;
        for person in 0u32.. {
            if index(person) > self.persons.len() {
                break;
            }
            starts.push(u32::try_from(next).unwrap_or(NOBODY));
            while self.persons.get(next).is_some_and(|child| child.sponsor == person) {
                next += 1;
            }
        }
        starts
    }

    /// Parents of the tree, by person: for passes that only go up.
    pub fn sponsors(&self) -> Vec<u32> {
        self.persons.iter().map(|person| person.sponsor).collect()
    }
}

pub(crate) fn index(person: u32) -> usize {
    usize::try_from(person).unwrap_or(usize::MAX)
}
