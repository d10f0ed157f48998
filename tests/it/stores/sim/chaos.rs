//! What goes wrong between a shop and us, by chance but from a seed.

use fastrand::Rng;

use super::shop::Shop;

/// Chances are in a thousand.
#[derive(Clone, Debug, Default)]
pub struct Odds {
    /// 429 with `Retry-After`.
    pub throttled: u32,
    /// 500 or 503, as HTML of some proxy.
    pub failing: u32,
    /// The connection ends before or within the answer.
    pub cut: u32,
    /// A few milliseconds late.
    pub slow: u32,
    /// Something happens in the shop before the call is answered.
    pub meanwhile: u32,
    /// Webhooks that never leave.
    pub dropped: u32,
    /// Webhooks that leave twice.
    pub doubled: u32,
    /// A webhook may be overtaken by so many later ones.
    pub shuffled_over: u32,
}

impl Odds {
    /// A bad day: what the runs have to survive.
    pub fn bad_day() -> Self {
        Self {
            throttled: 60,
            failing: 30,
            cut: 30,
            slow: 50,
            meanwhile: 300,
            dropped: 300,
            doubled: 300,
            shuffled_over: 20,
        }
    }
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    Throttled {
        retry_after: u32,
    },
    Failing(u16),
    /// The answer ends after so many percent of its body.
    Cut {
        percent: u8,
    },
    Slow {
        millis: u8,
    },
    Unauthorized,
}

pub type Meanwhile = Box<dyn FnMut(&mut Shop, &mut Rng) + Send>;

pub struct Chaos {
    pub odds: Odds,
    /// Plays the shop on, between two answers.
    pub meanwhile: Option<Meanwhile>,
    /// Every call is answered with 503.
    pub down: bool,
    /// So many of the next calls are told that the credentials are wrong.
    pub unauthorized: u32,
    rng: Rng,
}

impl Chaos {
    pub fn new(seed: u64) -> Self {
        Self {
            odds: Odds::default(),
            meanwhile: None,
            down: false,
            unauthorized: 0,
            rng: Rng::with_seed(seed),
        }
    }

    pub fn chance(&mut self, in_a_thousand: u32) -> bool {
        self.rng.u32(0..1000) < in_a_thousand
    }

    pub fn fate(&mut self) -> Fate {
        if self.down {
            return Fate::Failing(503);
        }
        if self.unauthorized > 0 {
            self.unauthorized -= 1;
            return Fate::Unauthorized;
        }
        let odds = &self.odds;
        let mut drawn = self.rng.u32(0..1000);
        let mut is = |chance: u32| {
            let hit = drawn < chance;
            drawn = drawn.saturating_sub(chance);
            hit
        };
        if is(odds.throttled) {
            // Mostly at once again, as a second of waiting proves no more than none.
            return Fate::Throttled { retry_after: u32::from(self.rng.u8(0..10) == 0) };
        }
        if is(odds.failing) {
            return Fate::Failing(if self.rng.bool() { 500 } else { 503 });
        }
        if is(odds.cut) {
            return Fate::Cut { percent: self.rng.u8(0..100) };
        }
        if is(odds.slow) {
            return Fate::Slow { millis: self.rng.u8(1..40) };
        }
        Fate::Answered
    }

    /// Plays the shop on, if the odds want it.
    pub fn meanwhile(&mut self, shop: &mut Shop) {
        if self.chance(self.odds.meanwhile)
            && let Some(meanwhile) = &mut self.meanwhile
        {
            meanwhile(shop, &mut self.rng);
        }
    }

    /// How often a webhook leaves, and how far behind its place.
    pub fn delivery(&mut self) -> Vec<u64> {
        if self.chance(self.odds.dropped) {
            return vec![];
        }
        let times = if self.chance(self.odds.doubled) { 2 } else { 1 };
        (0..times).map(|_| self.rng.u64(0..=u64::from(self.odds.shuffled_over))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_fate() {
        let fates = |seed| {
            let mut chaos = Chaos::new(seed);
            chaos.odds = Odds::bad_day();
            (0..300).map(|_| (chaos.fate(), chaos.delivery())).collect::<Vec<_>>()
        };
        assert_eq!(fates(1), fates(1));
        assert_ne!(fates(1), fates(2));
        let lost = fates(1).iter().filter(|(_, sent)| sent.is_empty()).count();
        assert!((60..120).contains(&lost), "{lost} of 300 lost");
    }

    #[test]
    fn a_quiet_day_answers_everything_once() {
        let mut chaos = Chaos::new(7);
        assert!((0..100).all(|_| chaos.fate() == Fate::Answered && chaos.delivery() == [0]));
        chaos.unauthorized = 1;
        assert_eq!([chaos.fate(), chaos.fate()], [Fate::Unauthorized, Fate::Answered]);
    }
}
