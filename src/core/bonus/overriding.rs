//! Override: what leaders are paid on the groups that broke away from them.
//!
//! Everybody of the boundary's rank heads a group: their own volume and that of their downline, up to the next
//! head below. Overrides are paid above the head: to the first leader at its own rate, or at what that is above
//! the head's, then to further leaders at fixed rates.

mod climb;
mod guarantee;
mod read;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

use super::leaders::Scope;
use super::read::RankName;
use super::{Bonus, Finding, leaders};
use crate::core::fixed::{Exact, Fixed, TooLarge};
use crate::core::period::{
    Climbed, Measure, PeriodBonus, RawAward, RawBonus, Source, Stage, Step, TraceStep, climb as climb_up,
    index,
};
use crate::core::plan::{BonusDescription, Canonical, Grid, quoted};
use climb::{Leaders, Part};

#[derive(Clone, Debug)]
pub struct Override {
    scope: Scope,
    /// Who heads a group.
    boundary: RankName,
    rates: Vec<(RankName, Decimal)>,
    /// The first leader is paid what its rate is above the head's, and `floor` at least.
    differential: bool,
    floor: Decimal,
    /// Of the second leader, the third and so on; only of who heads a group.
    generations: Vec<Decimal>,
    /// A leader with less group volume leaves its rate on what is missing to the next leader.
    guarantee: Option<Fixed>,
}

impl Override {
    pub(super) fn covers(&self, class: &str) -> bool {
        self.scope.covers(class)
    }

    pub(super) fn canonical(&self, path: &str, out: &mut Canonical) {
        self.scope.canonical(path, out);
        out.text(&format!("{path}.boundary"), &self.boundary.id);
        for (rank, rate) in &self.rates {
            out.number(&format!("{path}.rates.{}", quoted(&rank.id)), *rate);
        }
        if self.differential {
            out.text(&format!("{path}.differential"), "true");
        }
        if !self.floor.is_zero() {
            out.number(&format!("{path}.floor"), self.floor);
        }
        if !self.generations.is_empty() {
            out.numbers(&format!("{path}.generations"), &self.generations);
        }
        if let Some(guarantee) = self.guarantee {
            out.number(&format!("{path}.guarantee"), guarantee.decimal());
        }
    }

    pub(super) fn describe(&self, bonus: &Bonus) -> BonusDescription {
        let mut sentences =
            vec![format!("Paid on every group whose head has at least rank {}.", self.boundary.id)];
        sentences.push(match self.differential {
            true => "The first leader above is paid its own rate less the head's.".to_owned(),
            false => "The first leader above is paid its own rate.".to_owned(),
        });
        if !self.floor.is_zero() {
            sentences.push(format!("It is paid at least {} of the volume.", self.floor));
        }
        for (rate, leader) in self.generations.iter().zip(2u32..) {
            sentences.push(format!("Leader {leader} above is paid {rate} of the volume, whatever its rank."));
        }
        if let Some(guarantee) = self.guarantee {
            sentences.push(format!(
                "A leader with less than {guarantee} of own group volume leaves its rate on what is missing to the next leader above."
            ));
        }
        self.scope.describe(&mut sentences);
        let row = |(rank, rate): &(RankName, Decimal)| (rank.id.clone(), vec![Some(*rate)]);
        let rates = Grid {
            corner: "Rank".to_owned(),
            columns: vec!["Rate".to_owned()],
            rows: self.rates.iter().map(row).collect(),
        };
        BonusDescription { sentences, rates, ..BonusDescription::of(bonus, "override") }
    }

    /// What a volume can be paid in all.
    fn most(&self) -> Decimal {
        let first = self.rates.iter().map(|(_, rate)| *rate).max().unwrap_or_default().max(self.floor);
        self.generations.iter().sum::<Decimal>() + first
    }

    fn climb(&self, bonus: &Bonus, stage: &Stage<'_>, part: Part) -> Result<Vec<Climbed>, TooLarge> {
        let leaders = Leaders::of(self, bonus, stage, part);
        climb_up(&leaders, &stage.input.people.sponsors(), self.scope.volumes(bonus, stage))
    }

    /// First leaders apart from further ones: only what the first are paid is guaranteed.
    fn with_guarantee(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<Vec<RawAward>, TooLarge> {
        let nobody = RawAward { person: 0, position: None, base: Fixed::ZERO, exact: Exact::ZERO };
        let mut awards = leaders::everybody(stage.input.people, |person| RawAward { person, ..nobody });
        let first = self.climb(bonus, stage, Part::First)?;
        let moved = self.withheld(bonus, stage, &first)?;
        for got in first.iter().chain(&self.climb(bonus, stage, Part::Further)?) {
            if let Some(award) = awards.get_mut(index(got.person)) {
                award.base = award.base.add(got.base)?;
                award.exact = award.exact.add(got.exact)?;
            }
        }
        for part in &moved {
            if let Some(award) = awards.get_mut(index(part.from)) {
                award.exact = award.exact.sub(part.exact)?;
            }
            if let Some(award) = part.to.and_then(|to| awards.get_mut(index(to))) {
                award.exact = award.exact.add(part.exact)?;
            }
        }
        awards.retain(|award| award.exact != Exact::ZERO);
        Ok(awards)
    }

    fn find(
        &self,
        leaders: &Leaders,
        (bonus, stage): (&Bonus, &Stage<'_>),
        (person, state, step): (u32, u16, Step),
    ) -> (Option<u16>, Finding) {
        if let Some((level, rate)) = step.pays {
            return (Some(level), leaders::earns(rate));
        }
        let Some(level) = leaders.generation(state) else {
            let finding = if leaders.is_head(person) { Finding::HeadsGroup } else { Finding::InGroup };
            return (None, finding);
        };
        if let Some(finding) = leaders::why_not(bonus, stage, person) {
            return (None, finding);
        }
        match leaders.head_rate(state) {
            // A leader, but the head's rate leaves nothing.
            Some(rate) if leaders.leads(person, state) && self.differential => {
                (Some(level), Finding::PaidBelow { rate: rate.decimal() })
            }
            _ => (leaders.leads(person, state).then_some(level), leaders::no_rate(stage, person)),
        }
    }
}

impl PeriodBonus for Override {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![self.scope.measure(bonus)]
    }

    /// The own group volume of everybody, where less than so much leaves something to the next leader.
    fn judge(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
        if self.guarantee.is_none() {
            return Ok(vec![]);
        }
        let heads = Leaders::heads(self, stage);
        let groups = leaders::groups(stage.input.people, self.scope.volumes(bonus, stage), &heads)?;
        Ok(groups.into_iter().map(|volume| volume.0).collect())
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let awards = match self.guarantee {
            Some(_) => self.with_guarantee(bonus, stage)?,
            None => leaders::awards(self.climb(bonus, stage, Part::All)?),
        };
        self.scope.raw(bonus, stage, Some(self.most()), awards)
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        let leaders = Leaders::of(self, bonus, stage, Part::All);
        let volumes = self.scope.volumes(bonus, stage);
        let mut sources = leaders::sources(&leaders, stage.input.people, volumes, earner)?;
        if self.guarantee.is_some() {
            let moved = self.withheld(bonus, stage, &self.climb(bonus, stage, Part::First)?)?;
            for part in moved {
                sources.extend(part.source_of(earner)?);
            }
        }
        Ok(sources)
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        let leaders = Leaders::of(self, bonus, stage, Part::All);
        leaders::tell(stage, &leaders, source, |person, state, step| {
            self.find(&leaders, (bonus, stage), (person, state, step))
        })
    }
}
