//! Pools: a share of the company's volume, divided among those who qualify.
//!
//! How many shares everybody has is noted in `judge`; how much a share is worth follows the volume. The pool is
//! rounded to the currency once and divided without a remainder.

mod read;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

use super::{Bonus, Finding, Visited, word};
use crate::core::fixed::{DIGITS, Exact, Fixed, Rate, TooLarge};
use crate::core::money::{Rounding, allocate};
use crate::core::period::{
    Measure, NOBODY, PeriodBonus, RawAward, RawBonus, Source, Stage, TraceStep, index,
};
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted};
pub(crate) use read::check_shares;

#[derive(Clone, Debug)]
pub struct Pool {
    /// All classes when there is none.
    classes: Option<Vec<String>>,
    /// Of the company's volume.
    share: Rate,
    by: Shares,
    /// The most that one share is worth.
    per_share_cap: Option<Fixed>,
}

/// Shares and points have four digits, as volumes have.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shares {
    /// In the order of the plan's ranks; none for ranks that are not named.
    ByRank(Vec<(String, Fixed)>),
    /// So many for each unit of a volume.
    Points { of: PointsOf, rate: Rate },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PointsOf {
    Pv,
    Gv,
    Pgv,
}

const POINTS_OF: [(&str, PointsOf); 3] = [("pv", PointsOf::Pv), ("gv", PointsOf::Gv), ("pgv", PointsOf::Pgv)];

/// A pool and who has a part in it, in the order of the ids.
struct Divided {
    sold: Fixed,
    pool: Fixed,
    shares: Vec<(u32, Fixed)>,
    parts: Vec<Fixed>,
}

impl Pool {
    pub(super) fn covers(&self, class: &str) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.iter().any(|known| known == class))
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        if let Some(classes) = &self.classes {
            out.texts(&format!("{path}.classes"), classes);
        }
        out.number(&format!("{path}.share"), self.share.decimal());
        match &self.by {
            Shares::ByRank(ranks) => {
                for (rank, shares) in ranks.iter().filter(|(_, shares)| !shares.is_zero()) {
                    out.number(&format!("{path}.shares.{}", quoted(rank)), shares.decimal());
                }
            }
            Shares::Points { of, rate } => {
                out.text(&format!("{path}.points.of"), word(&POINTS_OF, of));
                out.number(&format!("{path}.points.rate"), rate.decimal());
            }
        }
        if let Some(cap) = self.per_share_cap {
            out.number(&format!("{path}.per_share_cap"), cap.decimal());
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let share = (self.share.decimal() * Decimal::ONE_HUNDRED).normalize();
        let mut sentences =
            vec![format!("{share} % of the company's volume is divided among those who qualify.")];
        let rates = match &self.by {
            Shares::ByRank(ranks) => {
                sentences.push("By shares, according to rank.".to_owned());
                let named = ranks.iter().filter(|(_, shares)| !shares.is_zero());
                let rows = named.map(|(rank, shares)| (rank.clone(), vec![Some(shares.decimal())])).collect();
                Grid { corner: "Rank".to_owned(), columns: vec!["Shares".to_owned()], rows }
            }
            Shares::Points { of, rate } => {
                let of = word(&POINTS_OF, of).to_uppercase();
                sentences.push(format!("By points: {} for each unit of {of}.", rate.decimal()));
                Grid::default()
            }
        };
        sentences.extend(self.per_share_cap.map(|cap| format!("One share is worth at most {cap}.")));
        if let Some(classes) = &self.classes {
            sentences.push(format!("Only for the classes {}.", classes.join(", ")));
        }
        BonusDescription { sentences, rates, ..BonusDescription::of(bonus, "pool") }
    }

    fn divide(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<Divided, TooLarge> {
        let scale = stage.plan.currency().exponent().unwrap_or(DIGITS);
        let sold = Fixed::sum(stage.input.sold.get(&bonus.measure(self.classes.clone())).iter().copied())?;
        let pool = sold.times(self.share).round(scale, stage.plan.rounding.mode)?;
        let share = |person: u32| Fixed(stage.standings.own(stage.bonus, person));
        let everybody = stage.input.people.sorted().iter().copied();
        let shares: Vec<(u32, Fixed)> = everybody
            .map(|person| (person, share(person)))
            .filter(|(person, share)| *share > Fixed::ZERO && stage.earns(bonus, *person))
            .collect();
        let divided = match self.per_share_cap {
            Some(cap) => pool.min(most(cap, &shares, scale)?),
            None => pool,
        };
        let weights: Vec<Decimal> = shares.iter().map(|(_, share)| share.decimal()).collect();
        let parts = allocate(divided.decimal(), &weights, scale);
        let parts = parts.into_iter().map(Fixed::of).collect::<Result<_, _>>()?;
        Ok(Divided { sold, pool, shares, parts })
    }
}

/// What all shares together may be worth.
fn most(cap: Fixed, shares: &[(u32, Fixed)], scale: u32) -> Result<Fixed, TooLarge> {
    let all = Fixed::sum(shares.iter().map(|(_, share)| *share))?;
    let most = cap.decimal().checked_mul(all.decimal()).ok_or(TooLarge)?;
    Fixed::of(crate::core::money::round(most, scale, Rounding::Down))
}

impl Divided {
    fn awards(&self) -> impl Iterator<Item = RawAward> {
        let awards = self.shares.iter().zip(&self.parts).filter(|(_, part)| !part.is_zero());
        awards.map(|((person, _), part)| RawAward {
            person: *person,
            position: None,
            base: self.sold,
            exact: Exact::from_fixed(*part),
        })
    }

    /// What somebody gets as a share of the company's volume, to eight digits.
    fn rate(&self, part: Exact) -> Rate {
        let rate = part.0.checked_div(i128::from(self.sold.0)).unwrap_or(0);
        Rate(i64::try_from(rate).unwrap_or(0))
    }
}

impl PeriodBonus for Pool {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![bonus.measure(self.classes.clone())]
    }

    /// Shares or points of everybody, in ten-thousandths.
    fn judge(&self, _bonus: &Bonus, stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
        match &self.by {
            Shares::ByRank(ranks) => {
                let shares = |person| stage.rank(person).and_then(|rank| ranks.get(usize::from(rank)));
                let everybody = (0u32..).take(stage.input.people.len());
                Ok(everybody.map(|person| shares(person).map_or(0, |(_, shares)| shares.0)).collect())
            }
            Shares::Points { of, rate } => {
                let volumes = match of {
                    PointsOf::Pv => &stage.standings.pv,
                    PointsOf::Gv => &stage.standings.gv,
                    PointsOf::Pgv => &stage.standings.pgv,
                };
                let points = |volume: &Fixed| Ok(Fixed::of(volume.times(*rate).decimal()?)?.0);
                volumes.iter().map(points).collect()
            }
        }
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let divided = self.divide(bonus, stage)?;
        let pool = Exact::from_fixed(divided.pool);
        Ok(RawBonus { awards: divided.awards().collect(), pool, ..RawBonus::default() })
    }

    /// The volume of the whole company, which is nobody's own.
    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        let divided = self.divide(bonus, stage)?;
        let own = divided.awards().filter(|award| award.person == earner);
        let source = |award: RawAward| Source {
            person: NOBODY,
            position: None,
            level: 0,
            base: award.base,
            rate: divided.rate(award.exact),
            exact: award.exact,
            period: None,
        };
        Ok(own.map(source).collect())
    }

    /// Everybody who has a part: whoever sold something sold it for all of them.
    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        let sold = stage.input.sold.get(&bonus.measure(self.classes.clone()));
        let nothing = sold.get(index(source)).is_none_or(|volume| volume.is_zero());
        let Some(divided) = self.divide(bonus, stage).ok().filter(|_| !nothing) else { return vec![] };
        let step = |award: RawAward| {
            let distributor = stage.input.people.id(award.person)?.clone();
            let finding = Finding::Earns { rate: Some(divided.rate(award.exact).decimal()) };
            Some(Visited { distributor, distance: 0, level: None, finding })
        };
        divided.awards().filter_map(step).collect()
    }
}
