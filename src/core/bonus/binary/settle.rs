//! One position in one period: what of its two sides is matched, what stays, what is lost.

use super::cycles::{Cycled, Pair, cycle};
use super::queue::Queue;
use super::sides::{Side, Sides};
use super::{AboveCap, Binary, Carry, Inactive, Mode, Worth};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};

/// Who owns the position, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// Active, eligible, and with something to earn.
    pub earns: bool,
    /// Zero where cycles are paid by the piece.
    pub rate: Rate,
    /// The position has made its first cycle.
    pub cycled: bool,
}

#[derive(Debug)]
pub(super) struct Settled<'a> {
    pub sides: Sides<Closed<'a>>,
    /// Of the weaker side: what a rate is applied to.
    pub base: Fixed,
    /// Before the cap.
    pub earned: Exact,
    pub paid: Exact,
    pub cycled: bool,
}

/// What became of a side: all of it that there was is `consumed + flushed + expired` and what is in `rest`.
#[derive(Debug)]
pub(super) struct Closed<'a> {
    pub consumed: Fixed,
    pub flushed: Fixed,
    pub expired: Fixed,
    pub rest: Queue<'a>,
    /// The part of `consumed` that was of the weaker side.
    pub small: Fixed,
}

struct Matched {
    cycled: Cycled,
    earned: Exact,
}

impl Binary {
    pub(super) fn settle<'a>(
        &self,
        owner: Owner,
        opening: Sides<Queue<'a>>,
    ) -> Result<Settled<'a>, TooLarge> {
        let mut expired = Sides::default();
        let opening = opening.try_map(|side, queue| self.opened(queue, expired.get_mut(side)))?;
        let volume = Sides { left: opening.left.total()?, right: opening.right.total()? };
        let matched = match owner.earns {
            true => self.matched(owner, volume)?,
            false => Matched { cycled: cycle_of_nothing(), earned: Exact::ZERO },
        };
        let cap = self.cap.map(Exact::from_fixed);
        let used = matched.cycled.used;
        let rest = volume.try_map(|side, volume| volume.sub(*used.get(side)))?;
        let lost = self.lost(owner, rest);
        let close = |side: Side, mut rest: Queue<'a>| {
            let (consumed, small) = (*used.get(side), *matched.cycled.small.get(side));
            rest.take(consumed)?;
            let mut flushed = *lost.get(side);
            rest.take(flushed)?;
            let late =
                self.expires_after.map_or(Ok(Fixed::ZERO), |after| rest.expire(after.saturating_sub(1)))?;
            if let Some(most) = self.max_carry {
                let above = rest.total()?.sub(most)?.max(Fixed::ZERO);
                rest.take(above)?;
                flushed = flushed.add(above)?;
            }
            Ok(Closed { consumed, flushed, expired: late.add(*expired.get(side))?, rest, small })
        };
        Ok(Settled {
            sides: opening.try_map(close)?,
            base: matched.cycled.small.left.add(matched.cycled.small.right)?,
            earned: matched.earned,
            paid: cap.map_or(matched.earned, |cap| matched.earned.min(cap)),
            cycled: owner.cycled || matched.cycled.cycles > 0,
        })
    }

    /// Without what is too old to be used in this period.
    pub(super) fn opened<'a>(
        &self,
        mut queue: Queue<'a>,
        expired: &mut Fixed,
    ) -> Result<Queue<'a>, TooLarge> {
        if let Some(after) = self.expires_after {
            *expired = queue.expire(after)?;
        }
        Ok(queue)
    }

    /// What is neither matched nor kept, of what was not matched.
    fn lost(&self, owner: Owner, rest: Sides<Fixed>) -> Sides<Fixed> {
        let both = rest.left.min(rest.right);
        match (self.carry, owner.earns) {
            (Carry::FullFlush, _) => rest,
            (_, false) if self.inactive == Inactive::Flush => rest,
            (Carry::NetOff, true) => Sides { left: both, right: both },
            (Carry::NetOff, false) | (Carry::Forward, _) => Sides::default(),
        }
    }

    fn matched(&self, owner: Owner, volume: Sides<Fixed>) -> Result<Matched, TooLarge> {
        let kept_above = self.cap.filter(|_| self.above_cap == AboveCap::Keep);
        match self.mode {
            Mode::WeakLeg => {
                let weak = volume.left.min(volume.right);
                let enough = kept_above.map_or(Ok(weak), |cap| volume_that_earns(cap, owner.rate))?;
                let matched = weak.min(enough);
                let earned = matched.times(owner.rate);
                let earned = kept_above.map_or(earned, |cap| earned.min(Exact::from_fixed(cap)));
                let zero = Fixed::ZERO;
                let small = match volume.right < volume.left {
                    true => Sides { left: zero, right: matched },
                    false => Sides { left: matched, right: zero },
                };
                let cycled = Cycled { cycles: 0, used: Sides { left: matched, right: matched }, small };
                Ok(Matched { cycled, earned })
            }
            Mode::Cycles { unit, first } => {
                let first = first.filter(|_| !owner.cycled);
                let worth = |pair: Pair| match &self.worth {
                    Worth::Cycle(pay) => Exact::from_fixed(*pay),
                    _ => pair.small.times(owner.rate),
                };
                let most = kept_above.map_or(i64::MAX, |cap| {
                    cycles_that_earn(Exact::from_fixed(cap), first.map(worth), worth(unit))
                });
                let cycled = cycle(volume, unit, first, most);
                let earned = match (&self.worth, cycled.small.left.add(cycled.small.right)?) {
                    (Worth::Cycle(pay), _) => times(*pay, cycled.cycles)?,
                    (_, small) => small.times(owner.rate),
                };
                Ok(Matched { cycled, earned })
            }
        }
    }
}

fn cycle_of_nothing() -> Cycled {
    Cycled { cycles: 0, used: Sides::default(), small: Sides::default() }
}

fn times(pay: Fixed, cycles: i64) -> Result<Exact, TooLarge> {
    Exact::from_fixed(pay).0.checked_mul(i128::from(cycles)).map(Exact).ok_or(TooLarge)
}

/// The least volume that is worth `cap`.
fn volume_that_earns(cap: Fixed, rate: Rate) -> Result<Fixed, TooLarge> {
    let (cap, rate) = (Exact::from_fixed(cap).0, i128::from(rate.0).max(1));
    // Beyond what a volume can be, there is always less than that.
    Ok(Fixed(i64::try_from(cap / rate + i128::from(cap % rate != 0)).unwrap_or(i64::MAX)))
}

/// The least number of cycles that are worth `cap`: one that reaches beyond it is made and paid up to it.
fn cycles_that_earn(cap: Exact, first: Option<Exact>, each: Exact) -> i64 {
    let left = cap.0 - first.map_or(0, |first| first.0);
    let each = each.0.max(1);
    let more = if left > 0 { left / each + i128::from(left % each != 0) } else { 0 };
    i64::try_from(more).unwrap_or(i64::MAX).saturating_add(i64::from(first.is_some()))
}
