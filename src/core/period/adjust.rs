//! What a closed period should have paid, now that more is known of its orders.
//!
//! Nothing that was posted is rewritten: [`adjusted`] says what the period pays by the plan's refund policy with
//! the newest facts, and [`difference`] what has to be posted so that it becomes true. A period that comes
//! after is adjusted with the [`Carried`](super::Carried) that the adjusted one leaves.

use std::collections::BTreeMap;

use super::cut::deduct;
use super::result::{BonusPool, PeriodAward, PeriodResult};
use super::{People, PeriodInput, PeriodRefusal, Recalculation, recalculate_period};
use crate::core::bonus::Pays;
use crate::core::engine::EventKind;
use crate::core::fixed::{Fixed, TooLarge};
use crate::core::ids::DistributorId;
use crate::core::money::round;
use crate::core::plan::{Plan, RefundPolicy};

/// An award by names, as it is posted: it outlives the arrays of its period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedAward {
    pub bonus: String,
    pub distributor: DistributorId,
    /// Empty for what is not earned by a position.
    pub position: String,
    pub base: Fixed,
    pub earned: Fixed,
    pub amount: Fixed,
}

/// A commission event to be posted. `amount` is signed: what it adds to the distributor's earnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodEvent {
    pub bonus: String,
    pub distributor: DistributorId,
    pub position: String,
    pub amount: Fixed,
    pub kind: EventKind,
}

/// What the period pays by the plan's policy. `closed` is the result that was posted when it was closed, `newest`
/// has the people that it was calculated with and what is known of the orders now.
pub fn adjusted(
    plan: &Plan,
    closed: &PeriodResult,
    newest: PeriodInput<'_>,
) -> Result<PeriodResult, PeriodRefusal> {
    let frozen = || recalculate_period(plan, newest, Recalculation::Frozen(&closed.standings));
    match plan.refunds() {
        RefundPolicy::SamePeriod => recalculate_period(plan, newest, Recalculation::Full),
        RefundPolicy::Now => frozen(),
        RefundPolicy::AverageRate => at_average(plan, closed, newest, frozen()?),
    }
}

/// Every award in proportion to what is left of its base: what it was paid on average for a unit of it, cuts and
/// all. What was not paid before has no average and stays as the frozen standings pay it. Deductions are taken
/// of what comes of it.
fn at_average(
    plan: &Plan,
    closed: &PeriodResult,
    newest: PeriodInput<'_>,
    mut frozen: PeriodResult,
) -> Result<PeriodResult, PeriodRefusal> {
    let scale = plan.currency().exponent().ok_or(PeriodRefusal::UnknownCurrency(plan.currency()))?;
    let key = |award: &PeriodAward| (award.bonus, award.person, award.position);
    let paid: BTreeMap<_, _> = closed.awards.iter().map(|award| (key(award), award)).collect();
    let is_bonus = |bonus: u16| usize::from(bonus) < plan.bonuses.len();
    frozen.awards.retain(|award| is_bonus(award.bonus));
    frozen.pools.retain(|pool| is_bonus(pool.bonus));
    for award in &mut frozen.awards {
        // Of cuts nothing is known any more.
        award.earned = award.amount;
        let Some(before) = paid.get(&key(award)).filter(|before| !before.base.is_zero()) else { continue };
        let paid = before.amount.decimal().checked_mul(award.base.decimal()).ok_or(TooLarge)?;
        let average = paid.checked_div(before.base.decimal()).ok_or(TooLarge)?;
        award.amount = Fixed::of(round(average, scale, plan.rounding.mode))?;
        award.earned = award.amount;
    }
    frozen.cuts.clear();
    for pool in &mut frozen.pools {
        let paid = frozen.awards.iter().filter(|award| award.bonus == pool.bonus);
        *pool = with_paid(pool, Fixed::sum(paid.map(|award| award.amount))?)?;
    }
    let deducted = deduct(plan, newest, &mut frozen.awards)?;
    frozen.pools.extend(deducted);
    Ok(frozen.sorted(newest.people))
}

/// The same pool with another sum paid from it; it grows where that is more than it holds.
fn with_paid(pool: &BonusPool, paid: Fixed) -> Result<BonusPool, TooLarge> {
    let (bonus, rounding) = (pool.bonus, pool.rounding);
    let breakage = pool.pool.sub(rounding)?.sub(paid)?.max(Fixed::ZERO);
    let pool = paid.add(breakage)?.add(rounding)?;
    Ok(BonusPool { bonus, pool, paid, breakage, rounding })
}

impl PeriodResult {
    /// The awards by names, in their order.
    pub fn named(&self, plan: &Plan, people: &People) -> Vec<NamedAward> {
        let named = |award: &PeriodAward| {
            let position = award.position.and_then(|position| people.positions.id(position));
            Some(NamedAward {
                bonus: plan.award_name(award.bonus).to_owned(),
                distributor: people.id(award.person)?.clone(),
                position: position.unwrap_or_default().to_owned(),
                base: award.base,
                earned: award.earned,
                amount: award.amount,
            })
        };
        self.awards.iter().filter_map(named).collect()
    }
}

type Key<'a> = (&'a str, &'a DistributorId, &'a str);

#[derive(Default)]
struct Sums {
    was_posted: bool,
    posted: Fixed,
    wanted: Fixed,
}

/// What brings the posted awards of a period to the wanted ones, by bonus, distributor and position. `posted` is
/// everything that was posted for the period so far, of one award as often as there were runs; nothing for its
/// first run.
pub fn difference(
    plan: &Plan,
    posted: &[NamedAward],
    wanted: &[NamedAward],
) -> Result<Vec<PeriodEvent>, TooLarge> {
    let mut sums: BTreeMap<Key<'_>, Sums> = BTreeMap::new();
    for award in posted {
        let sum = sums.entry(key(award)).or_default();
        sum.was_posted = true;
        sum.posted = sum.posted.add(award.amount)?;
    }
    for award in wanted {
        let sum = sums.entry(key(award)).or_default();
        sum.wanted = sum.wanted.add(award.amount)?;
    }
    let mut events = vec![];
    for ((bonus, distributor, position), sum) in sums {
        let amount = sum.wanted.sub(sum.posted)?;
        if amount.is_zero() {
            continue;
        }
        let kind = kind(plan, bonus, &sum);
        let (bonus, distributor, position) = (bonus.to_owned(), distributor.clone(), position.to_owned());
        events.push(PeriodEvent { bonus, distributor, position, amount, kind });
    }
    Ok(events)
}

fn key(award: &NamedAward) -> Key<'_> {
    (&award.bonus, &award.distributor, &award.position)
}

/// A deduction is an adjustment: it takes nothing back.
fn kind(plan: &Plan, bonus: &str, sum: &Sums) -> EventKind {
    if sum.wanted > sum.posted {
        return if sum.was_posted { EventKind::Adjust } else { EventKind::Earn };
    }
    let is_of_orders = plan.bonuses().iter().any(|known| known.id == bonus && known.pays == Pays::Order);
    match (is_of_orders, sum.posted > Fixed::ZERO) {
        (true, _) => EventKind::Forfeit,
        (false, true) => EventKind::Clawback,
        (false, false) => EventKind::Adjust,
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::{Decimal, dec};

    use super::*;
    use crate::core::period::testing::{Case, HEAD, Ran};
    use crate::core::period::{Carried, Cut, Standings};

    const BONUSES: &str = r#"
[[bonus]]
id = "later"
family = "direct"
base = "net"
rates = "0.10"
pays = "period"
[[bonus]]
id = "soon"
family = "direct"
base = "net"
rates = "0.10"
provisional = true
"#;

    fn plan() -> Plan {
        Plan::parse(&format!("{HEAD}{BONUSES}")).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    fn award(bonus: &str, who: &str, amount: Decimal) -> NamedAward {
        let (amount, base) = (Fixed::of(amount).unwrap(), Fixed::ZERO);
        let (bonus, distributor) = (bonus.to_owned(), DistributorId::new(who));
        NamedAward { bonus, distributor, position: String::new(), base, earned: amount, amount }
    }

    #[track_caller]
    fn told(posted: &[NamedAward], wanted: &[NamedAward]) -> Vec<String> {
        let told = |event: &PeriodEvent| {
            format!("{} {} {} {}", event.kind.name(), event.bonus, event.distributor, event.amount)
        };
        difference(&plan(), posted, wanted).unwrap().iter().map(told).collect()
    }

    #[test]
    fn the_difference_brings_what_is_posted_to_what_is_wanted() {
        let first =
            [award("soon", "C", dec!(-3)), award("later", "A", dec!(10)), award("fee", "A", dec!(-2))];
        assert_eq!(told(&[], &first), ["adjust fee A -2", "earn later A 10", "forfeit soon C -3"]);
        assert!(told(&first, &first).is_empty());
        let less = [award("later", "A", dec!(4)), award("later", "B", dec!(1)), award("fee", "A", dec!(-2))];
        assert_eq!(told(&first, &less), ["clawback later A -6", "earn later B 1", "adjust soon C 3"]);
        let twice: Vec<NamedAward> = first.iter().cloned().chain([award("later", "A", dec!(-6))]).collect();
        assert_eq!(told(&twice, &less), ["earn later B 1", "adjust soon C 3"]);
        assert_eq!(told(&first, &[])[1], "clawback later A -10");
    }

    fn result(awards: &[(u32, Decimal, Decimal)], pool: Decimal) -> PeriodResult {
        let fixed = |value| Fixed::of(value).unwrap();
        let award = |(person, base, amount): &(u32, Decimal, Decimal)| {
            let (base, amount) = (fixed(*base), fixed(*amount));
            PeriodAward { bonus: 0, person: *person, position: None, base, earned: amount, amount }
        };
        let awards: Vec<PeriodAward> = awards.iter().map(award).collect();
        let paid = Fixed::sum(awards.iter().map(|award| award.amount)).unwrap();
        let breakage = fixed(pool).sub(paid).unwrap();
        let pools = vec![BonusPool { bonus: 0, pool: fixed(pool), paid, breakage, rounding: Fixed::ZERO }];
        let (standings, next, plan_hash) = (Standings::default(), Carried::default(), plan().hash());
        let cuts = vec![Cut { award: 0, by: "cap".to_owned(), amount: fixed(dec!(1)) }];
        PeriodResult { plan_hash, awards, pools, cuts, standings, next }
    }

    fn average(closed: &PeriodResult, frozen: PeriodResult) -> PeriodResult {
        let mut case = Case::new(BONUSES);
        for who in ["a", "b", "c", "d"] {
            case.person(who, "", "");
        }
        let Ran { people, sold, .. } = case.run();
        let input = PeriodInput { span: &case.span, people: &people, sold: &sold, carried: &case.carried };
        at_average(&plan(), closed, input, frozen).unwrap()
    }

    /// 1200 x 0.25 are 300, of which the cap leaves 270 and the fee takes 27. Of 800 the average leaves 180.
    #[test]
    fn a_deduction_is_of_what_is_paid_at_the_average() {
        let rules = "[refunds]\npolicy = \"average_rate\"\n[[bonus]]\nid = \"direct\"\nfamily = \"direct\"\n\
                     base = \"net\"\npays = \"period\"\nrates = \"0.25\"\n[[cap]]\nid = \"most\"\nper = \"earner\"\n\
                     amount = \"270\"\n[[deduction]]\nid = \"fee\"\nrate = \"0.1\"\n";
        let ran = |sold: Decimal| {
            let mut case = Case::new(rules);
            case.person("ann", "", "").sells("ann", sold);
            (case.run(), case)
        };
        let ((closed, _), (newest, case)) = (ran(dec!(1200)), ran(dec!(800)));
        assert_eq!((closed.pays("direct", "ann"), closed.pays("fee", "ann")), (dec!(270), dec!(-27)));
        let (people, sold) = (&newest.people, &newest.sold);
        let input = PeriodInput { span: &case.span, people, sold, carried: &case.carried };
        let result = adjusted(&closed.plan, &closed.result, input).unwrap();
        let again = Ran { result, ..closed };
        again.check();
        assert_eq!((again.pays("direct", "ann"), again.pays("fee", "ann")), (dec!(180), dec!(-18)));
        assert_eq!(again.result.pools.len(), 2);
    }

    /// 25.00 were paid on 300, whatever bracket it was in; 200 are left. What is new has no average.
    #[test]
    fn an_average_is_what_was_paid_for_a_unit_of_the_base() {
        let closed = result(&[(1, dec!(300), dec!(25)), (2, dec!(100), dec!(8))], dec!(40));
        let frozen = result(&[(1, dec!(200), dec!(24)), (3, dec!(50), dec!(5))], dec!(30));
        let found = average(&closed, frozen);
        let amounts: Vec<Decimal> = found.awards.iter().map(|award| award.amount.decimal()).collect();
        assert_eq!(amounts, [dec!(16.67), dec!(5)]);
        assert!(found.cuts.is_empty());
        let pool = &found.pools[0];
        assert_eq!(
            (pool.pool.decimal(), pool.paid.decimal(), pool.breakage.decimal()),
            (dec!(30), dec!(21.67), dec!(8.33))
        );
    }

    #[test]
    fn a_pool_grows_where_the_average_is_more_than_it_holds() {
        let closed = result(&[(1, dec!(100), dec!(20))], dec!(20));
        let found = average(&closed, result(&[(1, dec!(50), dec!(5))], dec!(5)));
        assert_eq!((found.pools[0].pool.decimal(), found.pools[0].breakage.decimal()), (dec!(10), dec!(0)));
    }
}
