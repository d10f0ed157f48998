//! What a plan asks of somebody: for a rank, a qualification, a bonus.

use rust_decimal::Decimal;

use super::people::NO_RANK;
use crate::core::fixed::{Fixed, Rate, TooLarge};

/// All of it has to be met; what is not named is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    pub active: bool,
    pub pv: Option<Fixed>,
    pub customer_pv: Option<Fixed>,
    pub gv: Option<Fixed>,
    /// Of one leg at most this share of `gv` counts towards it.
    pub max_per_leg: Option<Rate>,
    pub pgv: Option<Fixed>,
    /// Volume outside of the strongest leg.
    pub outside_strongest: Option<Fixed>,
    /// So many legs, each with somebody of a rank.
    pub legs: Vec<LegRule>,
    /// So many legs of at least so much group volume.
    pub leg_volume: Option<(u16, Fixed)>,
    /// So many personally sponsored who are active.
    pub recruits: Option<u16>,
    /// Group volume of the weaker side of the placement tree.
    pub weaker_side: Option<Fixed>,
    /// Places in the plan's qualifications.
    pub qualified: Vec<u16>,
    /// At least this rank.
    pub rank: Option<u16>,
    /// Enrolled for at least so many days at the end of the period.
    pub days: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegRule {
    pub rank: u16,
    pub count: u16,
}

/// One leg: somebody who is sponsored and everybody below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeOfLeg {
    pub gv: Fixed,
    /// The highest rank in it; [`NO_RANK`] for none.
    pub best: u16,
}

/// What is known of somebody when a condition is asked.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub active: bool,
    pub pv: Fixed,
    pub customer_pv: Fixed,
    pub gv: Fixed,
    pub pgv: Fixed,
    pub legs: &'a [VolumeOfLeg],
    pub active_recruits: u16,
    pub weaker_side: Fixed,
    /// By qualification.
    pub qualified: &'a [bool],
    pub rank: u16,
    pub days: Option<i64>,
}

/// A part of a condition that is not met: what was asked and what there is, in the words of the document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unmet {
    pub what: String,
    pub asked: String,
    pub found: String,
}

impl Condition {
    pub fn is_met(&self, facts: &Facts<'_>) -> Result<bool, TooLarge> {
        let least = |asked: Option<Fixed>, found: Fixed| asked.is_none_or(|asked| found >= asked);
        Ok((!self.active || facts.active)
            && least(self.pv, facts.pv)
            && least(self.customer_pv, facts.customer_pv)
            && least(self.pgv, facts.pgv)
            && least(self.weaker_side, facts.weaker_side)
            && self.recruits.is_none_or(|asked| facts.active_recruits >= asked)
            && self.rank.is_none_or(|asked| facts.rank != NO_RANK && facts.rank >= asked)
            && self.days.is_none_or(|asked| facts.days.is_none_or(|days| days >= i64::from(asked)))
            && self.qualified.iter().all(|q| facts.qualified.get(usize::from(*q)).copied().unwrap_or(false))
            && self.legs.iter().all(|rule| facts.legs_with(rule.rank) >= usize::from(rule.count))
            && self.leg_volume.is_none_or(|(count, asked)| facts.legs_of(asked) >= usize::from(count))
            && least(self.gv, self.counted_gv(facts)?)
            && least(self.outside_strongest, facts.outside_strongest()?))
    }

    /// Group volume with no leg counting for more than its share of what is asked.
    pub fn counted_gv(&self, facts: &Facts<'_>) -> Result<Fixed, TooLarge> {
        let (Some(asked), Some(share)) = (self.gv, self.max_per_leg) else { return Ok(facts.gv) };
        let most = Fixed::of(asked.times(share).decimal()?)?;
        facts.legs.iter().try_fold(
            facts.gv,
            |gv, leg| {
                if leg.gv > most { gv.sub(leg.gv.sub(most)?) } else { Ok(gv) }
            },
        )
    }

    /// Everything that is asked and not met.
    pub fn unmet(&self, facts: &Facts<'_>) -> Result<Vec<Unmet>, TooLarge> {
        let mut unmet = vec![];
        let mut ask = |what: &str, asked: Option<Decimal>, found: Decimal| {
            if let Some(asked) = asked.filter(|asked| found < *asked) {
                let (asked, found) = (asked.normalize().to_string(), found.normalize().to_string());
                unmet.push(Unmet { what: what.to_owned(), asked, found });
            }
        };
        let count = |count: usize| Decimal::from(count);
        let volume = |asked: Option<Fixed>| asked.map(Fixed::decimal);
        ask("active", self.active.then_some(Decimal::ONE), Decimal::from(u8::from(facts.active)));
        ask("pv", volume(self.pv), facts.pv.decimal());
        ask("customer_pv", volume(self.customer_pv), facts.customer_pv.decimal());
        ask("gv", volume(self.gv), self.counted_gv(facts)?.decimal());
        ask("pgv", volume(self.pgv), facts.pgv.decimal());
        ask("outside_strongest", volume(self.outside_strongest), facts.outside_strongest()?.decimal());
        ask("weaker_side", volume(self.weaker_side), facts.weaker_side.decimal());
        ask("recruits", self.recruits.map(Decimal::from), Decimal::from(facts.active_recruits));
        ask("days", facts.days.and(self.days).map(Decimal::from), facts.days.unwrap_or(0).into());
        for rule in &self.legs {
            ask("legs", Some(rule.count.into()), count(facts.legs_with(rule.rank)));
        }
        if let Some((asked, least)) = self.leg_volume {
            ask("leg_volume", Some(asked.into()), count(facts.legs_of(least)));
        }
        let rank = if facts.rank == NO_RANK { -Decimal::ONE } else { facts.rank.into() };
        ask("rank", self.rank.map(Decimal::from), rank);
        for at in &self.qualified {
            let met = facts.qualified.get(usize::from(*at)).copied().unwrap_or(false);
            ask("qualified", Some(Decimal::ONE), Decimal::from(u8::from(met)));
        }
        Ok(unmet)
    }
}

impl Facts<'_> {
    fn legs_with(&self, rank: u16) -> usize {
        self.legs.iter().filter(|leg| leg.best != NO_RANK && leg.best >= rank).count()
    }

    fn legs_of(&self, least: Fixed) -> usize {
        self.legs.iter().filter(|leg| leg.gv >= least).count()
    }

    fn outside_strongest(&self) -> Result<Fixed, TooLarge> {
        let strongest = self.legs.iter().map(|leg| leg.gv).max().unwrap_or_default();
        self.gv.sub(strongest.max(Fixed::ZERO))
    }
}
