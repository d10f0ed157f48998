//! What a plan asks of somebody: for a rank, a qualification, a bonus.

use super::people::{NO_RANK, index};
use crate::core::fixed::{Fixed, Rate, TooLarge};
use crate::core::plan::Plan;

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

/// Which qualifications a person has.
#[derive(Clone, Copy, Debug)]
pub struct Qualified<'a> {
    /// By qualification, then by person.
    pub all: &'a [Vec<bool>],
    pub person: u32,
}

impl Qualified<'_> {
    pub fn has(&self, qualification: u16) -> bool {
        let who = self.all.get(usize::from(qualification));
        who.and_then(|who| who.get(index(self.person))).copied().unwrap_or(false)
    }
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
    pub qualified: Qualified<'a>,
    /// The rank that the person is paid as; while ranks are decided, the highest that it ever had.
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
            && self.qualified.iter().all(|at| facts.qualified.has(*at))
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

    /// Everything that is asked and not met, in the order of the reference.
    pub fn unmet(&self, facts: &Facts<'_>, plan: &Plan) -> Result<Vec<Unmet>, TooLarge> {
        let mut unmet = vec![];
        let mut tell = |what: String, asked: String, found: String| unmet.push(Unmet { what, asked, found });
        if self.active && !facts.active {
            tell("active".to_owned(), "active".to_owned(), "not active".to_owned());
        }
        let volumes = [
            ("pv", self.pv, facts.pv),
            ("customer_pv", self.customer_pv, facts.customer_pv),
            ("gv", self.gv, self.counted_gv(facts)?),
            ("pgv", self.pgv, facts.pgv),
            ("outside_strongest", self.outside_strongest, facts.outside_strongest()?),
            ("weaker_side", self.weaker_side, facts.weaker_side),
        ];
        for (what, asked, found) in volumes {
            if let Some(asked) = asked.filter(|asked| found < *asked) {
                tell(what.to_owned(), asked.to_string(), found.to_string());
            }
        }
        for rule in self.legs.iter().filter(|rule| facts.legs_with(rule.rank) < usize::from(rule.count)) {
            let what = format!("legs with {}", rank_name(plan, rule.rank));
            tell(what, rule.count.to_string(), facts.legs_with(rule.rank).to_string());
        }
        if let Some((count, least)) =
            self.leg_volume.filter(|(count, l)| facts.legs_of(*l) < usize::from(*count))
        {
            tell(format!("legs of at least {least}"), count.to_string(), facts.legs_of(least).to_string());
        }
        if let Some(asked) = self.recruits.filter(|asked| facts.active_recruits < *asked) {
            tell("recruits".to_owned(), asked.to_string(), facts.active_recruits.to_string());
        }
        for at in self.qualified.iter().filter(|at| !facts.qualified.has(**at)) {
            let name = plan.qualifications.get(usize::from(*at)).map_or("", |one| one.id.as_str());
            tell("qualified".to_owned(), name.to_owned(), "not met".to_owned());
        }
        if let Some(asked) = self.rank.filter(|asked| facts.rank == NO_RANK || facts.rank < *asked) {
            tell(
                "rank".to_owned(),
                rank_name(plan, asked).to_owned(),
                rank_name(plan, facts.rank).to_owned(),
            );
        }
        if let (Some(asked), Some(days)) = (self.days, facts.days)
            && days < i64::from(asked)
        {
            tell("days".to_owned(), asked.to_string(), days.to_string());
        }
        Ok(unmet)
    }
}

fn rank_name(plan: &Plan, rank: u16) -> &str {
    plan.ranks().get(usize::from(rank)).map_or("none", String::as_str)
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
