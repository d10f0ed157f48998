//! Where newcomers go: the rule of the plan, one after another in the order in which they enrolled.
//!
//! Everybody goes under the position of their sponsor, or spills over below it. Each rule remembers how far it
//! has come below a position, because a place that is taken stays taken; so a million newcomers cost little
//! more than a million steps. What nobody could be given is told, not lost.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use chrono::{DateTime, Utc};

use super::ground::Ground;
use super::way::Way;
use super::{NONE, Node, Placement, PlacementVersion, at, from_micros, to_micros};
use crate::core::ids::DistributorId;
use crate::core::plan::PlacementRule;

/// Somebody without a position. The one they get has their own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    pub id: DistributorId,
    /// Of the time of the enrolment. Nobody: the position is the top of a tree.
    pub sponsor: Option<DistributorId>,
    /// `None`: since ever.
    pub enrolled_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// In the order in which they were placed. They stand from their enrolment on, or from when their place is
    /// there and free.
    pub placed: Vec<PlacementVersion>,
    /// By id.
    pub unplaced: Vec<Unplaced>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unplaced {
    #[error("{id} has no place: nothing is free below the position of the sponsor {sponsor}")]
    Full { id: DistributorId, sponsor: DistributorId },
    #[error("{id} has no place: the sponsor {sponsor} has no position")]
    NoSponsor { id: DistributorId, sponsor: DistributorId },
    #[error("{id} has no place: a position with this id belongs to {owner}; place {id} under another id")]
    IdTaken { id: DistributorId, owner: DistributorId },
}

/// Places everybody who has no position yet, first come first served: by enrolment, then by id, and nobody
/// before their sponsor.
pub fn fill(
    known: &Placement,
    rule: &PlacementRule,
    mut newcomers: Vec<Newcomer>,
    instant: DateTime<Utc>,
) -> Filled {
    newcomers.sort_unstable_by(|a, b| (a.enrolled_at, &a.id).cmp(&(b.enrolled_at, &b.id)));
    let filler = Filler::new(known, rule, instant);
    newcomers.retain(|newcomer| !filler.homes.contains_key(newcomer.id.as_str()));
    filler.place_all(&newcomers)
}

impl Placement {
    /// Where one newcomer would go below a position; `None` when nothing is free there.
    pub fn free_place(
        &self,
        rule: &PlacementRule,
        under: &str,
        instant: DateTime<Utc>,
    ) -> Option<(String, u16)> {
        let mut filler = Filler::new(self, rule, instant);
        let under = self.node(under)?.0;
        let number = (0u32..).zip(&filler.ground.spots).find(|(_, spot)| spot.known_as == under)?.0;
        let (parent, side) = filler.way.find(&filler.ground, number)?;
        let parent = filler.ground.spots.get(at(parent))?.known_as;
        Some((self.positions.get(parent).to_owned(), side))
    }
}

struct Filler<'p> {
    known: &'p Placement,
    ground: Ground,
    way: Way,
    /// By distributor: the uppermost position.
    homes: HashMap<String, u32>,
    /// Those who were placed, numbered on from the known ones.
    placed: Vec<DistributorId>,
}

impl<'p> Filler<'p> {
    fn new(known: &'p Placement, rule: &PlacementRule, instant: DateTime<Utc>) -> Self {
        let ground = Ground::of(known, instant, rule.tree);
        let way = Way::new(rule.spillover, &ground);
        let mut homes: HashMap<String, u32> = HashMap::new();
        // Numbered level by level, so the first is the uppermost.
        for (number, spot) in (0u32..).zip(&ground.spots) {
            for owner in known.owners_from(Node(spot.known_as), instant) {
                homes.entry(owner.to_owned()).or_insert(number);
            }
        }
        Self { known, ground, way, homes, placed: vec![] }
    }

    fn place_all(mut self, newcomers: &[Newcomer]) -> Filled {
        let ranks: HashMap<&str, usize> =
            newcomers.iter().enumerate().map(|(rank, newcomer)| (newcomer.id.as_str(), rank)).collect();
        let mut waiting: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut ready = BinaryHeap::new();
        let mut filled = Filled::default();
        for (rank, newcomer) in newcomers.iter().enumerate() {
            let sponsor =
                newcomer.sponsor.as_ref().filter(|sponsor| !self.homes.contains_key(sponsor.as_str()));
            match sponsor.map(|sponsor| ranks.get(sponsor.as_str())) {
                None => ready.push(Reverse(rank)),
                Some(Some(before)) => waiting.entry(*before).or_default().push(rank),
                Some(None) => filled.unplaced.extend(without_sponsor(newcomer)),
            }
        }
        while let Some(Reverse(rank)) = ready.pop() {
            let Some(newcomer) = newcomers.get(rank) else { continue };
            match self.place(newcomer) {
                Ok(version) => {
                    filled.placed.push(version);
                    ready.extend(waiting.remove(&rank).unwrap_or_default().into_iter().map(Reverse));
                }
                Err(unplaced) => filled.unplaced.push(unplaced),
            }
        }
        let left = waiting.into_values().flatten().filter_map(|rank| newcomers.get(rank));
        filled.unplaced.extend(left.filter_map(without_sponsor));
        filled.unplaced.sort_unstable_by(|a, b| a.id().cmp(b.id()));
        filled
    }

    fn place(&mut self, newcomer: &Newcomer) -> Result<PlacementVersion, Unplaced> {
        let id = newcomer.id.as_str();
        if let Some(taken) = self.known.node(id) {
            let owner =
                self.known.versions_of(taken).last().map_or("", |last| self.known.owners.get(last.owner));
            return Err(Unplaced::IdTaken { id: newcomer.id.clone(), owner: DistributorId::new(owner) });
        }
        let (parent, side) = match &newcomer.sponsor {
            None => (NONE, 0),
            Some(sponsor) => {
                let home = self.homes.get(sponsor.as_str()).copied().unwrap_or(NONE);
                let place = self.way.find(&self.ground, home);
                place.ok_or_else(|| Unplaced::Full { id: newcomer.id.clone(), sponsor: sponsor.clone() })?
            }
        };
        let number = self.ground.put(parent, side, to_micros(newcomer.enrolled_at));
        self.way.add(parent, side);
        self.homes.insert(id.to_owned(), number);
        self.placed.push(newcomer.id.clone());
        let from = self.ground.spots.get(at(number)).map_or(i64::MIN, |spot| spot.from);
        Ok(PlacementVersion {
            position: id.to_owned(),
            owner: newcomer.id.clone(),
            parent: (parent != NONE).then(|| self.name(parent)),
            side,
            from: from_micros(from),
        })
    }

    fn name(&self, number: u32) -> String {
        let known = at(number).checked_sub(self.ground.spots.len() - self.placed.len());
        match known {
            Some(placed) => self.placed.get(placed).map_or_else(String::new, |id| id.0.clone()),
            None => {
                let known_as = self.ground.spots.get(at(number)).map_or(NONE, |spot| spot.known_as);
                self.known.positions.get(known_as).to_owned()
            }
        }
    }
}

impl Placement {
    /// Who owns a position at an instant or later.
    fn owners_from(&self, node: Node, instant: DateTime<Utc>) -> impl Iterator<Item = &str> {
        let versions = self.versions_of(node);
        let current = versions.partition_point(|version| version.from <= instant.timestamp_micros());
        let from = versions.get(current.saturating_sub(1)..).unwrap_or(&[]);
        from.iter().map(|version| self.owners.get(version.owner))
    }
}

impl Unplaced {
    pub fn id(&self) -> &DistributorId {
        match self {
            Self::Full { id, .. } | Self::NoSponsor { id, .. } | Self::IdTaken { id, .. } => id,
        }
    }
}

fn without_sponsor(newcomer: &Newcomer) -> Option<Unplaced> {
    Some(Unplaced::NoSponsor { id: newcomer.id.clone(), sponsor: newcomer.sponsor.clone()? })
}
