//! What every position of the placement tree has on its two sides.

use std::collections::{HashMap, HashSet};

use super::queue::Queue;
use super::settle::{Owner, Settled};
use super::sides::{Side, Sides};
use super::{Binary, CYCLED, Worth};
use crate::core::bonus::Bonus;
use crate::core::fixed::{Fixed, Rate, TooLarge};
use crate::core::period::{Lot, NOBODY, Positions, Stage, index};

pub(super) struct Tree<'a> {
    pub binary: &'a Binary,
    pub bonus: &'a Bonus,
    pub stage: &'a Stage<'a>,
    /// By position: the volume that its owner brings into the tree.
    pub brought: Vec<Fixed>,
    legs: Vec<Sides<Fixed>>,
    /// By position; only looked up.
    lots: HashMap<&'a str, Vec<&'a Lot>>,
}

impl<'a> Tree<'a> {
    pub fn new(binary: &'a Binary, bonus: &'a Bonus, stage: &'a Stage<'a>) -> Result<Self, TooLarge> {
        let positions = &stage.input.people.positions;
        let sold = stage.input.sold.get(&bonus.measure(binary.classes.clone()));
        let brought = brought(positions, sold);
        let legs = legs(positions, &brought)?;
        let mut lots: HashMap<&str, Vec<&Lot>> = HashMap::new();
        for lot in stage.input.carried.lots.iter().filter(|lot| lot.bonus == bonus.id) {
            lots.entry(&lot.position).or_default().push(lot);
        }
        Ok(Self { binary, bonus, stage, brought, legs, lots })
    }

    pub fn positions(&self) -> &'a Positions {
        &self.stage.input.people.positions
    }

    /// Everything there is on both sides before anything is matched; `None` where there never was anything.
    pub fn opening(&self, position: u32) -> Option<Sides<Queue<'a>>> {
        let legs = self.legs.get(index(position)).copied().unwrap_or_default();
        let lots = self.lots_at(position);
        if legs == Sides::default() && lots.is_empty() {
            return None;
        }
        let queue = |side: Side| {
            let lots = lots.iter().copied().filter(move |lot| lot.side == side.number());
            Queue::new(lots, *legs.get(side))
        };
        Some(Sides { left: queue(Side::Left), right: queue(Side::Right) })
    }

    pub fn settled(&self, position: u32) -> Result<Option<Settled<'a>>, TooLarge> {
        let Some(opening) = self.opening(position) else { return Ok(None) };
        self.binary.settle(self.owner(position), opening).map(Some)
    }

    pub fn owner(&self, position: u32) -> Owner {
        let person = self.positions().owner(position);
        let rate = match &self.binary.worth {
            Worth::Cycle(_) => Rate::ZERO,
            Worth::Rate(rate) => *rate,
            Worth::ByRank(_) | Worth::ByPv(_) => Rate(self.stage.standings.own(self.stage.bonus, person)),
        };
        let worth = matches!(self.binary.worth, Worth::Cycle(_)) || !rate.is_zero();
        Owner {
            earns: person != NOBODY && worth && self.stage.earns(self.bonus, person),
            rate,
            cycled: self.first_cycle(position).is_some(),
        }
    }

    /// What notes that the position has made its first cycle.
    pub fn first_cycle(&self, position: u32) -> Option<&'a Lot> {
        self.lots_at(position).iter().copied().find(|lot| lot.side == CYCLED)
    }

    /// Lots of positions that are not in the tree of this period.
    pub fn elsewhere(&self) -> impl Iterator<Item = &'a Lot> {
        let positions = self.positions();
        let here: HashSet<&str> = (0u32..)
            .take(positions.len())
            .filter_map(|position| positions.id(position))
            .filter(|id| self.lots.contains_key(id))
            .collect();
        let carried = &self.stage.input.carried.lots;
        let id = &self.bonus.id;
        carried.iter().filter(move |lot| lot.bonus == *id && !here.contains(lot.position.as_str()))
    }

    fn lots_at(&self, position: u32) -> &[&'a Lot] {
        let id = self.positions().id(position).filter(|_| !self.lots.is_empty());
        id.and_then(|id| self.lots.get(id)).map_or(&[], Vec::as_slice)
    }
}

/// Everybody's volume enters at the uppermost of their positions, and only there.
fn brought(positions: &Positions, sold: &[Fixed]) -> Vec<Fixed> {
    let mut entered = vec![false; sold.len()];
    let mut enter = |owner: &u32| {
        let entered = entered.get_mut(index(*owner)).filter(|entered| !**entered)?;
        *entered = true;
        sold.get(index(*owner)).copied()
    };
    positions.owners().iter().map(|owner| enter(owner).unwrap_or_default()).collect()
}

/// Whoever is below a position stands after it, so one pass from the back sums up every side.
fn legs(positions: &Positions, brought: &[Fixed]) -> Result<Vec<Sides<Fixed>>, TooLarge> {
    let mut legs: Vec<Sides<Fixed>> = vec![Sides::default(); positions.len()];
    for position in (0..u32::try_from(positions.len()).map_err(|_| TooLarge)?).rev() {
        let own = brought.get(index(position)).copied().unwrap_or_default();
        let here = legs.get(index(position)).copied().unwrap_or_default();
        let total = own.add(here.left)?.add(here.right)?;
        let Some(side) = Side::of(positions.side(position)).filter(|_| !total.is_zero()) else { continue };
        if let Some(above) = legs.get_mut(index(positions.parent(position))) {
            let sum = above.get_mut(side);
            *sum = sum.add(total)?;
        }
    }
    Ok(legs)
}
