//! Fast start at the close of a period, where what one recruit pays can be capped.

use super::FastStart;
use crate::core::bonus::Bonus;
use crate::core::bonus::proportion::proportion;
use crate::core::bonus::unilevel::ascent::Ascent;
use crate::core::fixed::{Exact, Fixed, TooLarge};
use crate::core::period::{
    Measure, Paid, PeriodBonus, RawAward, RawBonus, Source, Stage, TraceStep, Trails, index,
};

impl PeriodBonus for FastStart {
    fn measures(&self, bonus: &Bonus) -> Vec<Measure> {
        vec![self.measure(bonus)]
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge> {
        let volumes = stage.input.sold.get(&self.measure(bonus));
        let ascent = Ascent::new(&self.ladder, bonus, stage);
        let awards = match self.cap_per_recruit {
            None => ascent.awards(volumes)?,
            Some(cap) => capped(&ascent, volumes, cap)?,
        };
        bonus.raw(awards, Fixed::sum(volumes.iter().copied())?, Some(self.ladder.most()))
    }

    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge> {
        let volumes = stage.input.sold.get(&self.measure(bonus));
        let ascent = Ascent::new(&self.ladder, bonus, stage);
        let mut sources = ascent.sources(volumes, earner)?;
        if let Some(cap) = self.cap_per_recruit {
            let mut trails = Trails::new(&ascent, ascent.parents());
            for source in &mut sources {
                let parts = parts(&mut trails, source.person, source.base, cap)?;
                let mine = parts.iter().find(|(paid, _)| paid.person == earner);
                source.exact = mine.map_or(Exact::ZERO, |(_, exact)| *exact);
            }
        }
        Ok(sources)
    }

    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep> {
        Ascent::new(&self.ladder, bonus, stage).trace(source)
    }
}

impl FastStart {
    fn measure(&self, bonus: &Bonus) -> Measure {
        Measure { window: self.window(), ..bonus.measure(self.classes.clone()) }
    }
}

/// Recruit by recruit, because each has a cap of its own.
fn capped(ascent: &Ascent<'_>, volumes: &[Fixed], cap: Fixed) -> Result<Vec<RawAward>, TooLarge> {
    let mut trails = Trails::new(ascent, ascent.parents());
    let mut got = vec![(Fixed::ZERO, Exact::ZERO); volumes.len()];
    for (recruit, volume) in (0u32..).zip(volumes).filter(|(_, volume)| !volume.is_zero()) {
        for (paid, exact) in parts(&mut trails, recruit, *volume, cap)? {
            let Some((base, sum)) = got.get_mut(index(paid.person)) else { continue };
            *base = base.add(*volume)?;
            *sum = sum.add(exact)?;
        }
    }
    let award = |(person, (base, exact))| RawAward { person, position: None, base, exact };
    Ok((0u32..).zip(got).map(award).filter(|award| award.exact != Exact::ZERO).collect())
}

/// What everybody above gets from one recruit.
fn parts(
    trails: &mut Trails<'_>,
    recruit: u32,
    volume: Fixed,
    cap: Fixed,
) -> Result<Vec<(Paid, Exact)>, TooLarge> {
    let paid = trails.paid(recruit);
    let mut exact: Vec<Exact> = paid.iter().map(|paid| volume.times(paid.rate)).collect();
    let total = exact.iter().try_fold(Exact::ZERO, |sum, part| sum.add(*part))?;
    let cap = Exact::from_fixed(cap);
    if total > cap {
        exact = in_proportion(&exact, total, cap)?;
    }
    Ok(paid.into_iter().zip(exact).collect())
}

/// `cap` in the shares that `parts` have of `total`; what does not divide goes to the largest remainders, of
/// equal ones to the lower level. The sum is `cap`, exactly.
pub(super) fn in_proportion(parts: &[Exact], total: Exact, cap: Exact) -> Result<Vec<Exact>, TooLarge> {
    let mut cut = vec![];
    let mut remainders = vec![];
    let mut left = cap.0;
    for (at, part) in parts.iter().enumerate() {
        let (share, rest) = proportion(part.0, cap.0, total.0)?;
        remainders.push((std::cmp::Reverse(rest), at));
        left = left.checked_sub(share).ok_or(TooLarge)?;
        cut.push(Exact(share));
    }
    remainders.sort_unstable();
    // Fewer units are left than there are parts.
    for (_, at) in remainders.into_iter().take(usize::try_from(left).map_err(|_| TooLarge)?) {
        if let Some(part) = cut.get_mut(at) {
            *part = part.add(Exact(1))?;
        }
    }
    Ok(cut)
}
