//! How often a pair of units can be taken from two sides.
//!
//! For every cycle the weaker side is decided anew: it gives the smaller unit, the stronger gives the larger one.
//! Nothing here goes cycle by cycle: the gap between the sides shrinks by the same step until the other side is
//! the weaker one, and from then on they take turns.

use super::sides::{Side, Sides};
use crate::core::fixed::Fixed;

/// Both above zero. Where they are equal it makes no difference which side is the weaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub small: Fixed,
    pub large: Fixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cycled {
    pub cycles: i64,
    pub used: Sides<Fixed>,
    /// The smaller units in `used`: what a rate is applied to.
    pub small: Sides<Fixed>,
}

/// At most `most` cycles. `first` is what the first of them takes, where that is another pair.
pub(super) fn cycle(sides: Sides<Fixed>, pair: Pair, first: Option<Pair>, most: i64) -> Cycled {
    let mut legs = Legs::new(sides);
    if let Some(first) = first.filter(|_| most > 0) {
        let weaker = legs.weaker();
        if legs.fit(first, weaker) == 0 {
            return legs.cycled(sides);
        }
        legs.take(first, weaker, 1);
    }
    legs.close_the_gap(pair, most);
    legs.take_turns(pair, most);
    legs.cycled(sides)
}

/// Products of units and cycles never exceed what a side holds, so nothing here can overflow.
struct Legs {
    left: Sides<i64>,
    small: Sides<i64>,
    cycles: i64,
    /// Which side counts as the weaker when they are equal: the one that was weaker in the beginning.
    tie: Side,
}

impl Legs {
    fn new(sides: Sides<Fixed>) -> Self {
        let tie = if sides.right < sides.left { Side::Right } else { Side::Left };
        let left = Sides { left: sides.left.0, right: sides.right.0 };
        Self { left, small: Sides::default(), cycles: 0, tie }
    }

    fn weaker(&self) -> Side {
        match self.left.left.cmp(&self.left.right) {
            std::cmp::Ordering::Less => Side::Left,
            std::cmp::Ordering::Greater => Side::Right,
            std::cmp::Ordering::Equal => self.tie,
        }
    }

    /// How often `pair` fits, with the smaller unit always from the same side.
    fn fit(&self, pair: Pair, weaker: Side) -> i64 {
        let (weak, strong) = (*self.left.get(weaker), *self.left.get(weaker.other()));
        (weak / pair.small.0.max(1)).min(strong / pair.large.0.max(1)).max(0)
    }

    fn take(&mut self, pair: Pair, weaker: Side, times: i64) {
        *self.left.get_mut(weaker) -= pair.small.0 * times;
        *self.left.get_mut(weaker.other()) -= pair.large.0 * times;
        *self.small.get_mut(weaker) += pair.small.0 * times;
        self.cycles += times;
    }

    /// As long as the same side stays the weaker one.
    fn close_the_gap(&mut self, pair: Pair, most: i64) {
        let weaker = self.weaker();
        let gap = self.left.get(weaker.other()) - self.left.get(weaker);
        let times = match pair.large.0 - pair.small.0 {
            0 => i64::MAX,
            step if weaker == self.tie => gap / step + 1,
            step => gap / step + i64::from(gap % step != 0),
        };
        let times = times.min(self.fit(pair, weaker)).min(most - self.cycles);
        self.take(pair, weaker, times.max(0));
    }

    /// The gap is smaller than a step: every cycle makes the other side the weaker one, so two of them take the
    /// same from both.
    fn take_turns(&mut self, pair: Pair, most: i64) {
        let weaker = self.weaker();
        let both = pair.small.0 + pair.large.0;
        let fit = self.left.left.min(self.left.right) / both.max(1);
        let times = fit.min((most - self.cycles) / 2).max(0);
        self.take(pair, weaker, times);
        self.take(pair, weaker.other(), times);
        while self.cycles < most && self.fit(pair, self.weaker()) > 0 {
            self.take(pair, self.weaker(), 1);
        }
    }

    fn cycled(&self, before: Sides<Fixed>) -> Cycled {
        let used = Sides {
            left: Fixed(before.left.0 - self.left.left),
            right: Fixed(before.right.0 - self.left.right),
        };
        let small = Sides { left: Fixed(self.small.left), right: Fixed(self.small.right) };
        Cycled { cycles: self.cycles, used, small }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair(small: i64, large: i64) -> Pair {
        Pair { small: Fixed(small), large: Fixed(large) }
    }

    fn sides(left: i64, right: i64) -> Sides<Fixed> {
        Sides { left: Fixed(left), right: Fixed(right) }
    }

    /// The rule itself, one cycle after the other.
    fn one_by_one(sides: Sides<Fixed>, pair: Pair, first: Option<Pair>, most: i64) -> Cycled {
        let mut legs = Legs::new(sides);
        while legs.cycles < most {
            let pair = first.filter(|_| legs.cycles == 0).unwrap_or(pair);
            let weaker = legs.weaker();
            if legs.left.get(weaker) < &pair.small.0 || legs.left.get(weaker.other()) < &pair.large.0 {
                break;
            }
            legs.take(pair, weaker, 1);
        }
        legs.cycled(sides)
    }

    #[test]
    fn one_to_one_and_one_to_two() {
        let cycled = cycle(sides(1000, 400), pair(200, 200), None, i64::MAX);
        assert_eq!((cycled.cycles, cycled.used, cycled.small), (2, sides(400, 400), sides(0, 400)));
        let cycled = cycle(sides(1000, 400), pair(100, 200), None, i64::MAX);
        assert_eq!((cycled.cycles, cycled.used), (4, sides(800, 400)));
        let cycled = cycle(sides(300, 300), pair(100, 200), None, i64::MAX);
        assert_eq!((cycled.cycles, cycled.used, cycled.small), (2, sides(300, 300), sides(100, 100)));
    }

    #[test]
    fn the_first_pair_is_another() {
        let first = Some(pair(100, 200));
        let cycled = cycle(sides(400, 300), pair(100, 100), first, i64::MAX);
        assert_eq!((cycled.cycles, cycled.used), (3, sides(400, 300)));
        let cycled = cycle(sides(100, 150), pair(100, 100), first, i64::MAX);
        assert_eq!(cycled.cycles, 0, "without the first there is no second");
    }

    #[test]
    fn a_billion_cycles_cost_nothing() {
        let cycled = cycle(sides(3_000_000_000, 3_000_000_000), pair(1, 2), None, i64::MAX);
        assert_eq!(cycled.cycles, 2_000_000_000);
    }

    fn pairs() -> impl Strategy<Value = Pair> {
        (1i64..40, 0i64..60).prop_map(|(small, more)| pair(small, small + more))
    }

    fn firsts() -> impl Strategy<Value = Option<Pair>> {
        prop_oneof![Just(None), pairs().prop_map(Some)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn all_at_once_is_one_by_one(
            left in 0i64..3000, right in 0i64..3000, unit in pairs(), first in firsts(), limit in 0i64..90,
        ) {
            let at_once = cycle(sides(left, right), unit, first, i64::MAX);
            prop_assert_eq!(at_once, one_by_one(sides(left, right), unit, first, i64::MAX));
            let limited = cycle(sides(left, right), unit, first, limit);
            prop_assert_eq!(limited, one_by_one(sides(left, right), unit, first, limit));
            prop_assert_eq!(limited.cycles, at_once.cycles.min(limit));
            prop_assert!(at_once.used.left.0 <= left && at_once.used.right.0 <= right);
        }

        #[test]
        fn no_other_choice_of_sides_would_give_more(
            left in 0i64..120, right in 0i64..120, small in 1i64..12, more in 0i64..12,
        ) {
            let large = small + more;
            let fits = |cycles: i64| (0..=cycles).any(|larges| {
                small * (cycles - larges) + large * larges <= left
                    && small * larges + large * (cycles - larges) <= right
            });
            let most = (0..).take_while(|cycles| fits(*cycles)).last().unwrap_or(0);
            prop_assert_eq!(cycle(sides(left, right), pair(small, large), None, i64::MAX).cycles, most);
        }

        #[test]
        fn more_volume_never_makes_fewer_cycles(
            left in 0i64..2000, right in 0i64..2000, more in 0i64..300, unit in pairs(), first in firsts(),
        ) {
            let cycles = |left, right| cycle(sides(left, right), unit, first, i64::MAX).cycles;
            prop_assert!(cycles(left + more, right) >= cycles(left, right));
            prop_assert!(cycles(left, right + more) >= cycles(left, right));
        }

        #[test]
        fn swapping_the_sides_swaps_what_is_used(
            left in 0i64..2000, right in 0i64..2000, unit in pairs(), first in firsts(),
        ) {
            let here = cycle(sides(left, right), unit, first, i64::MAX);
            let there = cycle(sides(right, left), unit, first, i64::MAX);
            prop_assert_eq!(here.cycles, there.cycles);
            if left != right {
                prop_assert_eq!(here.used, Sides { left: there.used.right, right: there.used.left });
                prop_assert_eq!(here.small, Sides { left: there.small.right, right: there.small.left });
            }
        }
    }
}
