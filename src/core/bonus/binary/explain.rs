//! Where the matched volume of a position came from, and what became of somebody's volume.

use super::queue::Chunk;
use super::settle::{Owner, Settled};
use super::sides::{Side, Sides};
use super::tree::Tree;
use crate::core::bonus::proportion::proportion;
use crate::core::bonus::{Finding, Visited};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
use crate::core::period::{NOBODY, Source, TraceStep, index};

impl Tree<'_> {
    /// Of all positions of `earner`. The pay is shown with the volume of the weaker side, which it was
    /// calculated on; the volume of the stronger side stands beside it without pay.
    pub fn sources(&self, earner: u32) -> Result<Vec<Source>, TooLarge> {
        let mut sources = vec![];
        for position in self.positions().of(earner) {
            if let Some(settled) = self.settled(*position)? {
                self.sources_at(*position, &settled, &mut sources)?;
            }
        }
        Ok(sources)
    }

    fn sources_at(&self, at: u32, settled: &Settled<'_>, sources: &mut Vec<Source>) -> Result<(), TooLarge> {
        let opening = self.opening(at).unwrap_or_default();
        let pay = split(settled.paid, [settled.sides.left.small, settled.sides.right.small])?;
        let owner = self.owner(at);
        let below = self.below(at);
        for ((side, pay), below) in Side::BOTH.into_iter().zip(pay).zip([&below.left, &below.right]) {
            let closed = settled.sides.get(side);
            let mut expired = Fixed::ZERO;
            let mut queue = self.binary.opened(opening.get(side).clone(), &mut expired)?;
            let parts = self.by_person(queue.take(closed.consumed)?, below)?;
            let pays = split(pay, parts.iter().map(|(_, chunk)| chunk.volume))?;
            let rate = if closed.small.is_zero() { Rate::ZERO } else { owner.rate };
            for ((person, chunk), exact) in parts.into_iter().zip(pays) {
                let period = chunk.lot.map(|lot| lot.period.clone());
                let (position, level, base) = (Some(at), side.number(), chunk.volume);
                sources.push(Source { person, position, level, base, rate, exact, period });
            }
        }
        Ok(())
    }

    /// This period's volume, by whose it was; a lot is nobody's any more.
    fn by_person<'l>(
        &self,
        taken: Vec<Chunk<'l>>,
        below: &[(u32, Fixed)],
    ) -> Result<Vec<(u32, Chunk<'l>)>, TooLarge> {
        let mut parts = vec![];
        for chunk in taken {
            if chunk.lot.is_some() {
                parts.push((NOBODY, chunk));
                continue;
            }
            let mut missing = chunk.volume;
            for (person, volume) in below {
                let part = missing.min(*volume);
                if part > Fixed::ZERO {
                    parts.push((*person, Chunk { volume: part, ..chunk }));
                    missing = missing.sub(part)?;
                }
            }
        }
        Ok(parts)
    }

    /// Whose volume is below a position, by side and in the order of the ids.
    fn below(&self, top: u32) -> Sides<Vec<(u32, Fixed)>> {
        let positions = self.positions();
        let mut under: Vec<Option<Side>> = vec![None; positions.len()];
        let mut below: Sides<Vec<(u32, Fixed)>> = Sides::default();
        for (position, volume) in (0u32..).zip(&self.brought).skip(index(top).saturating_add(1)) {
            let own = Side::of(positions.side(position));
            let parent = positions.parent(position);
            let side = match parent == top {
                true => own,
                false => own.and_then(|_| under.get(index(parent)).copied().flatten()),
            };
            let Some(side) = side else { continue };
            if let Some(under) = under.get_mut(index(position)) {
                *under = Some(side);
            }
            if !volume.is_zero() {
                below.get_mut(side).push((positions.owner(position), *volume));
            }
        }
        for side in Side::BOTH {
            below.get_mut(side).sort_by_key(|(person, _)| self.stage.input.people.id(*person));
        }
        below
    }

    /// Every position above the one at which the volume of `source` enters the tree.
    pub fn trace(&self, source: u32) -> Result<Vec<TraceStep>, TooLarge> {
        let positions = self.positions();
        let Some(first) = positions.of(source).first() else { return Ok(vec![]) };
        let volume = self.brought.get(index(*first)).copied().unwrap_or_default();
        let path = self.path(*first);
        let mut before = Fixed::ZERO;
        let mut steps = vec![];
        let earlier = self.earlier(source, &path)?;
        for (((child, at), earlier), distance) in
            path.iter().zip(path.iter().skip(1)).zip(earlier).zip(1u32..)
        {
            before = before.add(earlier)?;
            let side = Side::of(positions.side(*child)).unwrap_or(Side::Left);
            let Some(distributor) = self.stage.input.people.id(positions.owner(*at)) else { continue };
            let Some(settled) = self.settled(*at)? else { continue };
            let finding = self.leg(*at, side, &settled, before, volume)?;
            let level = Some(u16::try_from(distance).unwrap_or(u16::MAX));
            steps.push(Visited { distributor: distributor.clone(), distance, level, finding });
        }
        Ok(steps)
    }

    /// From a position to the top, as far as sides of a binary go.
    fn path(&self, from: u32) -> Vec<u32> {
        let positions = self.positions();
        let mut path = vec![from];
        let mut at = from;
        while Side::of(positions.side(at)).is_some() && positions.parent(at) != NOBODY {
            at = positions.parent(at);
            path.push(at);
        }
        path
    }

    /// For each position of the path: volume of persons with smaller ids that joins the way of `source` there.
    fn earlier(&self, source: u32, path: &[u32]) -> Result<Vec<Fixed>, TooLarge> {
        let (positions, people) = (self.positions(), self.stage.input.people);
        let mut joins: Vec<Option<usize>> = vec![None; positions.len()];
        for (step, position) in path.iter().enumerate() {
            if let Some(joins) = joins.get_mut(index(*position)) {
                *joins = Some(step);
            }
        }
        let mut earlier = vec![Fixed::ZERO; path.len()];
        for (position, volume) in (0u32..).zip(&self.brought) {
            let own = joins.get(index(position)).copied().flatten();
            let side = Side::of(positions.side(position));
            let step = own.or_else(|| {
                side.and_then(|_| joins.get(index(positions.parent(position))).copied().flatten())
            });
            if let Some(joins) = joins.get_mut(index(position)) {
                *joins = step;
            }
            let smaller = people.id(positions.owner(position)) < people.id(source);
            if let Some(sum) = step.filter(|_| smaller).and_then(|step| earlier.get_mut(step)) {
                *sum = sum.add(*volume)?;
            }
        }
        Ok(earlier)
    }

    /// What a position did with the `volume` of one person: on its side it is behind what was carried in and
    /// behind this period's volume of those `before`, and a side is used from the front.
    fn leg(
        &self,
        at: u32,
        side: Side,
        settled: &Settled<'_>,
        before: Fixed,
        volume: Fixed,
    ) -> Result<Finding, TooLarge> {
        let closed = settled.sides.get(side);
        let mut late = Fixed::ZERO;
        let opening = self.opening(at).unwrap_or_default().get(side).clone();
        let start = self.binary.opened(opening, &mut late)?.carried()?.add(before)?;
        let end = start.add(volume)?;
        let within = |from: Fixed, to: Fixed| -> Result<Fixed, TooLarge> {
            Ok(end.min(to).sub(start.max(from))?.max(Fixed::ZERO))
        };
        let front = closed.consumed.add(closed.flushed)?.add(closed.expired.sub(late)?)?;
        let matched = within(Fixed::ZERO, closed.consumed)?;
        let carried = within(front, front.add(closed.rest.total()?)?)?;
        let flushed = volume.sub(matched)?.sub(carried)?;
        let Owner { earns, .. } = self.owner(at);
        Ok(Finding::Leg {
            position: self.positions().id(at).unwrap_or_default().to_owned(),
            side: side.number(),
            earns,
            matched: matched.decimal(),
            carried: carried.decimal(),
            flushed: flushed.decimal(),
        })
    }
}

/// `total` in parts by `weights`, exactly; nothing where there is no weight.
fn split(total: Exact, weights: impl IntoIterator<Item = Fixed>) -> Result<Vec<Exact>, TooLarge> {
    let weights: Vec<i128> = weights.into_iter().map(|weight| i128::from(weight.0)).collect();
    let sum: i128 = weights.iter().sum();
    let (mut seen, mut given) = (0i128, 0i128);
    let part = |weight: i128| {
        seen += weight;
        let until = if sum == 0 { 0 } else { proportion(seen, total.0, sum)?.0 };
        let part = until - given;
        given = until;
        Ok(Exact(part))
    };
    weights.into_iter().map(part).collect()
}
