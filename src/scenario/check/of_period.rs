//! Compares what is expected of a closed period with what came of it.

use rust_decimal::Decimal;

use super::{Difference, same};
use crate::core::fixed::Fixed;
use crate::core::ids::DistributorId;
use crate::core::period::{NO_RANK, index};
use crate::core::plan::Plan;
use crate::scenario::book::Book;
use crate::scenario::close::Closed;
use crate::scenario::expect::{Earner, OfPeriod, Part, StandingVolume};

pub(super) fn check(book: &Book<'_>, expected: &OfPeriod) -> Result<(), Difference> {
    let plan = &book.scenario.plan;
    let closed = |name: Option<&str>| {
        let expected = name.map_or("a closed period".to_owned(), |name| format!("{name} to be closed"));
        book.periods.find(name).ok_or_else(|| (expected, "it is not".to_owned()))
    };
    match expected {
        OfPeriod::Pays { period, bonus, earner, amount } => closed(Some(period))?.pays(
            &format!("{period}: {bonus} to pay {earner}"),
            Some((bonus, earner)),
            *amount,
        ),
        OfPeriod::PaysInAll { period, amount } => {
            closed(Some(period))?.pays(&format!("{period}: commissions of"), None, *amount)
        }
        OfPeriod::Share { period, part, bonus, amount } => {
            let pools = closed(Some(period))?.result.pools.iter();
            let found = pools.filter(|pool| plan.award_name(pool.bonus) == bonus).map(|pool| match part {
                Part::Pool => pool.pool,
                Part::Paid => pool.paid,
                Part::Breakage => pool.breakage,
                Part::Rounding => pool.rounding,
            });
            same(&format!("{period}: the {part:?} of {bonus} to be").to_lowercase(), *amount, sum(found))
        }
        OfPeriod::Cut { period, bonus, earner, amount, by } => {
            let what = format!("{period}: {by} to take from {earner}, of {bonus},");
            same(&what, *amount, closed(Some(period))?.cut(plan, bonus, earner, by))
        }
        OfPeriod::Events { period, counts } => {
            let closed = closed(Some(period))?;
            counts.iter().try_for_each(|(kind, count)| {
                let found = closed.kinds.iter().filter(|known| *known == kind).count();
                let told = |count: usize| format!("{period}: {count} {} posted", kind.name());
                if found == *count { Ok(()) } else { Err((told(*count), told(found))) }
            })
        }
        OfPeriod::Rank { distributor, rank, period } => {
            let closed = closed(period.as_deref())?;
            of_rank("paid as", closed, plan, distributor, rank, &closed.result.standings.paid_as)
        }
        OfPeriod::Title { distributor, rank, period } => {
            let closed = closed(period.as_deref())?;
            of_rank("titled", closed, plan, distributor, rank, &closed.result.standings.title)
        }
        OfPeriod::Active { distributor, active, period } => {
            let closed = closed(period.as_deref())?;
            let found = closed.of(distributor, &closed.result.standings.active)?.unwrap_or(false);
            let told = |active: bool| if active { "active" } else { "not active" }.to_owned();
            if found == *active {
                return Ok(());
            }
            Err((format!("{}: {distributor} to be {}", closed.span.name, told(*active)), told(found)))
        }
        OfPeriod::Standing { distributor, volume, amount, period } => {
            let closed = closed(period.as_deref())?;
            let what = format!("{}: a {} of {distributor} of", closed.span.name, volume.name());
            same(&what, *amount, closed.volume(distributor, *volume)?.decimal())
        }
        OfPeriod::Carry { bonus, position, side, amount } => {
            let closed = closed(None)?;
            let lots = closed.next.lots.iter();
            let lots = lots.filter(|lot| (&lot.bonus, &lot.position, &lot.side) == (bonus, position, side));
            let what = format!("{}: {bonus} to carry at {position}, side {side},", closed.span.name);
            same(&what, *amount, sum(lots.map(|lot| lot.volume)))
        }
        OfPeriod::Advanced { distributor, bonus, rank, count } => {
            let closed = closed(None)?;
            let paid = closed.next.standing(distributor).and_then(|standing| standing.advanced.get(bonus));
            let found = paid.and_then(|ranks| ranks.get(rank)).copied().unwrap_or(0);
            let what = format!("{}: times that {bonus} paid {distributor} for {rank}", closed.span.name);
            same(&what, Decimal::from(*count), Decimal::from(found))
        }
    }
}

fn of_rank(
    what: &str,
    closed: &Closed,
    plan: &Plan,
    who: &DistributorId,
    expected: &Option<String>,
    ranks: &[u16],
) -> Result<(), Difference> {
    let at = closed.of(who, ranks)?.unwrap_or(NO_RANK);
    let found = plan.ranks().get(usize::from(at));
    if found == expected.as_ref() {
        return Ok(());
    }
    let told = |rank: Option<&String>| rank.map_or("none", String::as_str).to_owned();
    Err((format!("{}: {who} to be {what} {}", closed.span.name, told(expected.as_ref())), told(found)))
}

fn sum(values: impl IntoIterator<Item = Fixed>) -> Decimal {
    values.into_iter().map(Fixed::decimal).sum()
}

impl Closed {
    fn pays(&self, what: &str, of: Option<(&String, &Earner)>, amount: Decimal) -> Result<(), Difference> {
        let sums = self.sums();
        let ours = sums.iter().filter(|((bonus, who, position), _)| {
            of.is_none_or(|(known, earner)| known == bonus && earner.is(who, position))
        });
        same(what, amount, ours.map(|(_, amount)| *amount).sum()).map_err(|(expected, found)| {
            let told = |((bonus, who, position), amount): (&(&str, &str, &str), &Decimal)| match position {
                &"" => format!("{bonus} {who} {amount}"),
                position => format!("{bonus} {position}@{who} {amount}"),
            };
            let all: Vec<String> = sums.iter().map(told).collect();
            let all = if all.is_empty() { "nothing is posted".to_owned() } else { all.join(", ") };
            (expected, format!("{found} ({all})"))
        })
    }

    fn cut(&self, plan: &Plan, bonus: &str, earner: &Earner, by: &str) -> Decimal {
        let ours = self.result.cuts.iter().filter(|cut| cut.by == by).filter(|cut| {
            let Some(award) = self.result.awards.get(index(cut.award)) else { return false };
            let position = award.position.and_then(|at| self.people.positions.id(at)).unwrap_or_default();
            let who = self.people.id(award.person).map_or("", DistributorId::as_str);
            plan.award_name(award.bonus) == bonus && earner.is(who, position)
        });
        sum(ours.map(|cut| cut.amount))
    }

    /// An error for somebody who was not there.
    fn of<T: Copy>(&self, who: &DistributorId, values: &[T]) -> Result<Option<T>, Difference> {
        let there = || (format!("{}: {who} to be there", self.span.name), "nobody of that id".to_owned());
        let person = self.people.find(who).ok_or_else(there)?;
        Ok(values.get(index(person)).copied())
    }

    fn volume(&self, who: &DistributorId, volume: StandingVolume) -> Result<Fixed, Difference> {
        let standings = &self.result.standings;
        let by_person = match volume {
            StandingVolume::Pv => &standings.pv,
            StandingVolume::CustomerPv => &standings.customer_pv,
            StandingVolume::Gv => &standings.gv,
            StandingVolume::Pgv => &standings.pgv,
            StandingVolume::CumulativeGv => {
                return Ok(self
                    .next
                    .standing(who)
                    .map(|standing| standing.cumulative_gv)
                    .unwrap_or_default());
            }
        };
        Ok(self.of(who, by_person)?.unwrap_or_default())
    }
}
