//! The phases of a period, one after the other.

use super::carried::Lot;
use super::cut;
use super::gathered::Measure;
use super::people::{NO_RANK, index};
use super::rank;
use super::result::{BonusPool, PeriodAward, PeriodResult};
use super::settle::{Cents, settle};
use super::standings::Standings;
use super::{PeriodInput, PeriodRefusal, Recalculation};
use crate::core::bonus::{Bonus, Pays, Phase, Visited};
use crate::core::fixed::{Exact, Fixed, Rate, TooLarge};
use crate::core::plan::Plan;

/// A bonus that is paid at the close of a period. It says what is earned, exactly; rounding, breakage, gates
/// and caps are the same for all.
pub trait PeriodBonus {
    /// The sums that it needs.
    fn measures(&self, bonus: &Bonus) -> Vec<Measure>;

    /// A number for everybody that decides what volume pays (a bracket, points), noted before anything is paid
    /// and kept when a refund is calculated. Nothing for most bonuses.
    fn judge(&self, _bonus: &Bonus, _stage: &Stage<'_>) -> Result<Vec<i64>, TooLarge> {
        Ok(vec![])
    }

    fn calculate(&self, bonus: &Bonus, stage: &Stage<'_>) -> Result<RawBonus, TooLarge>;

    /// What somebody's award of this bonus is made of, by whose volume (or earnings) it was.
    fn sources(&self, bonus: &Bonus, stage: &Stage<'_>, earner: u32) -> Result<Vec<Source>, TooLarge>;

    /// What became of the volume of `source`: everybody it came to and why that one was paid or not.
    fn trace(&self, bonus: &Bonus, stage: &Stage<'_>, source: u32) -> Vec<TraceStep>;
}

/// What a bonus is calculated from.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    pub plan: &'a Plan,
    /// The bonus' own place in the plan.
    pub bonus: u16,
    pub input: PeriodInput<'a>,
    pub standings: &'a Standings,
    /// Of the phases before.
    pub earnings: &'a Earnings,
}

/// What everybody has earned of each bonus so far, at the currency's digits; by bonus, then by person.
#[derive(Clone, Debug, Default)]
pub struct Earnings(Vec<Vec<Fixed>>);

/// What a bonus pays before rounding.
#[derive(Clone, Debug, Default)]
pub struct RawBonus {
    /// One for each earner (and position); in any order.
    pub awards: Vec<RawAward>,
    /// The most it could have paid, so at least the sum of the awards.
    pub pool: Exact,
    /// What a binary leaves to the next period.
    pub lots: Vec<Lot>,
    /// Rank advancements that this period pays or begins to owe.
    pub advanced: Vec<Advance>,
}

/// A rank advancement in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    pub person: u32,
    pub rank: u16,
    /// How many parts this period pays; none when it only begins to be due.
    pub parts: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawAward {
    pub person: u32,
    pub position: Option<u32>,
    pub base: Fixed,
    pub exact: Exact,
}

/// A part of an award.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Whose volume it was.
    pub person: u32,
    pub position: Option<u32>,
    pub level: u16,
    pub base: Fixed,
    pub rate: Rate,
    pub exact: Exact,
    /// The period that the volume is of, where it is not this one.
    pub period: Option<String>,
}

/// Somebody on the way of a volume, as [`Visited`] of an order's upline.
pub type TraceStep = Visited;

pub(super) fn run(
    plan: &Plan,
    input: PeriodInput<'_>,
    recalculation: Recalculation<'_>,
) -> Result<PeriodResult, PeriodRefusal> {
    let scale = plan.currency().exponent().ok_or(PeriodRefusal::UnknownCurrency(plan.currency()))?;
    let cents = Cents { scale, mode: plan.rounding.mode };
    let mut earnings = Earnings::of_orders(plan, input)?;
    let mut standings = match recalculation {
        Recalculation::Frozen(standings) => standings.clone(),
        Recalculation::Full => judge(plan, input, rank::stand(plan, input)?, &earnings)?,
    };
    let mut awards = vec![];
    let mut pools = vec![];
    let mut left = Left::default();
    for phase in Phase::ALL {
        for (bonus, at) in of_phase(plan, phase) {
            let stage = Stage { plan, bonus: at, input, standings: &standings, earnings: &earnings };
            let first = awards.len();
            pools.push(match bonus.pays {
                Pays::Period => {
                    let raw = bonus.period_rules().calculate(bonus, &stage)?;
                    let pool = settle(at, &raw, cents, &mut awards)?;
                    left.take(at, raw);
                    pool
                }
                Pays::Order => confirm(bonus, &stage, &mut awards)?,
            });
            earnings.add(at, awards.get(first..).unwrap_or(&[]))?;
        }
    }
    let stage = Stage { plan, bonus: 0, input, standings: &standings, earnings: &earnings };
    let noted = match recalculation {
        Recalculation::Frozen(before) => Some(&before.caps),
        Recalculation::Full => None,
    };
    let (cuts, caps) = cut::cut(&stage, noted, &mut awards, &mut pools)?;
    standings.caps = caps;
    let next = rank::carry(plan, input, &standings, left)?;
    Ok(PeriodResult { plan_hash: plan.hash(), awards, pools, cuts, standings, next }.sorted(input.people))
}

/// What the bonuses of a period leave to the next one.
#[derive(Default)]
pub(super) struct Left {
    pub lots: Vec<Lot>,
    /// With the place of the bonus.
    pub advanced: Vec<(u16, Advance)>,
}

impl Left {
    fn take(&mut self, bonus: u16, raw: RawBonus) {
        self.lots.extend(raw.lots);
        self.advanced.extend(raw.advanced.into_iter().map(|advance| (bonus, advance)));
    }
}

fn of_phase(plan: &Plan, phase: Phase) -> impl Iterator<Item = (&Bonus, u16)> {
    plan.bonuses
        .iter()
        .zip(0u16..)
        .filter(move |(bonus, _)| bonus.phase() == phase && (bonus.pays == Pays::Period || bonus.provisional))
}

/// Asks every bonus for the standings of its own.
fn judge(
    plan: &Plan,
    input: PeriodInput<'_>,
    mut standings: Standings,
    earnings: &Earnings,
) -> Result<Standings, TooLarge> {
    for (bonus, at) in plan.bonuses.iter().zip(0u16..).filter(|(bonus, _)| bonus.pays == Pays::Period) {
        let stage = Stage { plan, bonus: at, input, standings: &standings, earnings };
        let own = bonus.period_rules().judge(bonus, &stage)?;
        if !own.is_empty() {
            standings.own.insert(at, own);
        }
    }
    let stage = Stage { plan, bonus: 0, input, standings: &standings, earnings };
    let gates = cut::judge(&stage)?;
    standings.eligible.extend(gates);
    Ok(standings)
}

/// A provisional order bonus: whoever does not earn at the close forfeits what the orders had paid.
fn confirm(bonus: &Bonus, stage: &Stage<'_>, awards: &mut Vec<PeriodAward>) -> Result<BonusPool, TooLarge> {
    let mut taken = Fixed::ZERO;
    for person in (0u32..).take(stage.input.people.len()) {
        let emitted = stage.earnings.of(stage.bonus, person);
        if emitted.is_zero() || stage.earns(bonus, person) {
            continue;
        }
        taken = taken.add(emitted)?;
        let amount = Fixed::ZERO.sub(emitted)?;
        let (bonus, position) = (stage.bonus, None);
        awards.push(PeriodAward { bonus, person, position, base: emitted, earned: amount, amount });
    }
    let paid = Fixed::ZERO.sub(taken)?;
    Ok(BonusPool { bonus: stage.bonus, pool: Fixed::ZERO, paid, breakage: taken, rounding: Fixed::ZERO })
}

impl Stage<'_> {
    /// Active as this bonus counts it, and whatever else it asks is met.
    pub fn earns(&self, bonus: &Bonus, person: u32) -> bool {
        self.is_active(bonus, person) && self.standings.is_eligible(self.bonus, person)
    }

    pub fn is_active(&self, bonus: &Bonus, person: u32) -> bool {
        let Some(rule) = &bonus.active else {
            return self.standings.active.get(index(person)).copied().unwrap_or(false);
        };
        let pv = self.standings.pv.get(index(person)).copied().unwrap_or_default();
        self.input.people.get(person).is_some_and(|who| rank::is_active(rule, who, pv))
    }

    /// The place of the rank that somebody is paid as; the plan's default for who has none.
    pub fn rank(&self, person: u32) -> Option<u16> {
        Some(self.standings.rank(person)).filter(|rank| *rank != NO_RANK)
    }
}

impl Earnings {
    /// What the orders of the period were paid at once.
    pub(super) fn of_orders(plan: &Plan, input: PeriodInput<'_>) -> Result<Self, TooLarge> {
        let mut earnings = Self(vec![vec![]; plan.bonuses.len()]);
        for (bonus, sums) in plan.bonuses.iter().zip(&mut earnings.0) {
            for (person, amount) in input.sold.emitted_of(&bonus.id) {
                add(sums, input.people.len(), person, amount)?;
            }
        }
        Ok(earnings)
    }

    fn add(&mut self, bonus: u16, awards: &[PeriodAward]) -> Result<(), TooLarge> {
        let Some(sums) = self.0.get_mut(usize::from(bonus)) else { return Ok(()) };
        let most = awards.iter().map(|award| index(award.person).saturating_add(1)).max().unwrap_or(0);
        let len = sums.len().max(most);
        awards.iter().try_for_each(|award| add(sums, len, award.person, award.amount))
    }

    /// As a phase found them, from what came of the period.
    pub fn before(
        plan: &Plan,
        input: PeriodInput<'_>,
        result: &PeriodResult,
        phase: Phase,
    ) -> Result<Self, TooLarge> {
        let mut earnings = Self::of_orders(plan, input)?;
        let is_before = |bonus: u16| plan.bonuses.get(usize::from(bonus)).is_some_and(|b| b.phase() < phase);
        for award in result.awards.iter().filter(|award| is_before(award.bonus)) {
            if let Some(sums) = earnings.0.get_mut(usize::from(award.bonus)) {
                // Cuts came after all phases.
                add(sums, input.people.len(), award.person, award.earned)?;
            }
        }
        Ok(earnings)
    }

    pub fn of(&self, bonus: u16, person: u32) -> Fixed {
        self.0.get(usize::from(bonus)).and_then(|sums| sums.get(index(person))).copied().unwrap_or_default()
    }
}

fn add(sums: &mut Vec<Fixed>, len: usize, person: u32, amount: Fixed) -> Result<(), TooLarge> {
    if sums.len() < len {
        sums.resize(len, Fixed::ZERO);
    }
    if let Some(sum) = sums.get_mut(index(person)) {
        *sum = sum.add(amount)?;
    }
    Ok(())
}

impl PeriodResult {
    pub(super) fn sorted(mut self, people: &super::People) -> Self {
        let mut place = vec![0u32; people.len()];
        for (person, at) in people.sorted().iter().zip(0u32..) {
            if let Some(place) = place.get_mut(index(*person)) {
                *place = at;
            }
        }
        let key = |award: &PeriodAward| {
            (award.bonus, place.get(index(award.person)).copied().unwrap_or(0), award.position)
        };
        let mut order: Vec<usize> = (0..self.awards.len()).collect();
        order.sort_by_key(|at| self.awards.get(*at).map(key));
        let mut moved = vec![0u32; order.len()];
        for (old, new) in order.iter().zip(0u32..) {
            if let Some(moved) = moved.get_mut(*old) {
                *moved = new;
            }
        }
        for cut in &mut self.cuts {
            cut.award = moved.get(index(cut.award)).copied().unwrap_or(cut.award);
        }
        self.awards.sort_by_key(key);
        self.cuts.sort_by(|a, b| (a.award, &a.by).cmp(&(b.award, &b.by)));
        self.pools.sort_by_key(|pool| pool.bonus);
        self.next.lots.sort();
        self
    }
}
