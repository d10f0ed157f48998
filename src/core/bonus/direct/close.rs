//! A direct bonus at the close of a period: on everything a distributor sold in it.

use super::{Direct, Rates, Tier, Tiers, TiersBy};
use crate::core::bonus::{Bonus, Finding, Visited};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
use crate::core::period::{Measure, PeriodBonus, RawAward, RawBonus, Source, Stage, TraceStep, index};

impl PeriodBonus for Direct {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        match &self.rates {
            Rates::ByClass(rates) => rates.iter().map(|(class, _)| of_class(bonus, class)).collect(),
            Rates::Tiered(tiers) => vec![bonus.measure(tiers.classes.clone())],
        }
    }

    /// Which tier somebody has reached, from 1; 0 below the first.
    fn judge(&self, _bonus: &Bonus, stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
        let Rates::Tiered(tiers) = &self.rates else { return Ok(vec![]) };
        let reached = |volume: &Fixed| tiers.tiers.partition_point(|tier| tier.from <= *volume);
        let volumes = tiers.by.volumes(stage);
        volumes.iter().map(|volume| i64::try_from(reached(volume)).map_err(|_| TooLarge)).collect()
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let sold = self.sold(bonus, stage);
        let mut awards = vec![];
        let mut total = Fixed::ZERO;
        for person in (0u32..).take(stage.input.people.len()) {
            let mut award = RawAward { person, position: None, base: Fixed::ZERO, exact: Exact::ZERO };
            for (volume, rate) in self.of(&sold, stage, person) {
                total = total.add(volume)?;
                award.base = award.base.add(volume)?;
                award.exact = award.exact.add(volume.times(rate))?;
            }
            if award.exact != Exact::ZERO && stage.earns(bonus, person) {
                awards.push(award);
            }
        }
        bonus.raw(awards, total, None)
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        if !stage.earns(bonus, earner) {
            return Ok(vec![]);
        }
        let sold = self.sold(bonus, stage);
        let parts = self.of(&sold, stage, earner).filter(|(base, rate)| !base.is_zero() && !rate.is_zero());
        let source = |(base, rate): (Fixed, Rate)| Source {
            person: earner,
            position: None,
            level: 0,
            base,
            rate,
            exact: base.times(rate),
            period: None,
        };
        Ok(parts.map(source).collect())
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        let Some(distributor) = stage.input.people.id(source).cloned() else { return vec![] };
        let finding = if !stage.is_active(bonus, source) {
            stage.why_inactive(bonus, source)
        } else if !stage.standings.is_eligible(stage.bonus, source) {
            Finding::NotEligible
        } else {
            self.paid_at(stage, source)
        };
        vec![Visited { distributor, distance: 0, level: Some(0), finding }]
    }
}

impl Direct {
    /// What was sold of each measure, with the rate for it where that is the same for everybody.
    fn sold<'a>(&self, bonus: &Bonus, stage: &Stage<'a>) -> Vec<(&'a [Fixed], Option<Rate>)> {
        let sums = |measure| stage.input.sold.get(&measure);
        match &self.rates {
            Rates::ByClass(rates) => rates
                .iter()
                .map(|(class, rate)| (sums(of_class(bonus, class)), Some(Rate::of(*rate))))
                .collect(),
            Rates::Tiered(tiers) => vec![(sums(bonus.measure(tiers.classes.clone())), None)],
        }
    }

    /// What somebody sold, with its rates.
    fn of<'s>(
        &self,
        sold: &'s [(&[Fixed], Option<Rate>)],
        stage: &Stage<'_>,
        person: u32,
    ) -> impl Iterator<Item = (Fixed, Rate)> + 's {
        let tier = self.tier(stage, person).map_or(Rate::ZERO, |tier| tier.rate);
        sold.iter().map(move |(volumes, rate)| {
            (volumes.get(index(person)).copied().unwrap_or_default(), rate.unwrap_or(tier))
        })
    }

    fn paid_at(&self, stage: &Stage<'_>, person: u32) -> Finding {
        let Rates::Tiered(tiers) = &self.rates else { return Finding::Earns { rate: None } };
        if let Some(tier) = self.tier(stage, person) {
            return Finding::Earns { rate: Some(tier.share) };
        }
        let volume = tiers.by.volumes(stage).get(index(person)).copied().unwrap_or_default();
        let least = tiers.tiers.first().map(|tier| tier.from).unwrap_or_default();
        Finding::BelowTier { volume: volume.decimal(), least: least.decimal() }
    }

    /// The tier that was noted; `None` below the first, and where there are none.
    fn tier(&self, stage: &Stage<'_>, person: u32) -> Option<Tier> {
        let Rates::Tiered(Tiers { tiers, .. }) = &self.rates else { return None };
        let reached = usize::try_from(stage.standings.own(stage.bonus, person)).ok()?;
        tiers.get(reached.checked_sub(1)?).copied()
    }
}

impl TiersBy {
    fn volumes<'a>(self, stage: &Stage<'a>) -> &'a [Fixed] {
        match self {
            Self::CustomerPv => &stage.standings.customer_pv,
            Self::Pv => &stage.standings.pv,
        }
    }
}

fn of_class(bonus: &Bonus, class: &str) -> Measure {
    bonus.measure(Some(vec![class.to_owned()]))
}
