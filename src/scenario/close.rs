//! The periods of a scenario: closed with what is known, adjusted with what is learned later.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::book::Book;
use super::facts::{Fact, Window, gather};
use super::positions;
use super::span::span_at;
use crate::core::bonus::Pays;
use crate::core::engine::EventKind;
use crate::core::fixed::{Exact, Fixed, TooLarge};
use crate::core::genealogy::Genealogy;
use crate::core::ids::DistributorId;
use crate::core::period::{
    Carried, CarriedStanding, Earnings, Lot, NamedAward, People, PeriodInput, PeriodResult, Span, Stage,
    adjusted, calculate_period, difference,
};
use crate::core::plan::Plan;

#[derive(Default)]
pub(super) struct Periods {
    /// What was before the first.
    opening: Carried,
    pub closed: Vec<Closed>,
}

pub(super) struct Closed {
    pub span: Span,
    window: Window,
    pub people: People,
    /// Of the run that closed it.
    pub result: PeriodResult,
    /// What it leaves to the next, adjustments included.
    pub next: Carried,
    /// By all runs.
    pub posted: Vec<NamedAward>,
    pub kinds: Vec<EventKind>,
}

/// What a period was calculated from, apart from the people.
struct Source<'a> {
    plan: &'a Plan,
    span: &'a Span,
    carried: &'a Carried,
    facts: Vec<&'a Fact>,
}

impl Periods {
    pub fn open_with(
        &mut self,
        distributor: &DistributorId,
        standing: &CarriedStanding,
    ) -> Result<(), String> {
        self.is_untouched()?;
        self.opening.standings.insert(distributor.clone(), standing.clone());
        Ok(())
    }

    pub fn open_with_lot(&mut self, lot: &Lot) -> Result<(), String> {
        self.is_untouched()?;
        self.opening.lots.push(lot.clone());
        self.opening.lots.sort();
        Ok(())
    }

    fn is_untouched(&self) -> Result<(), String> {
        match self.closed.first() {
            Some(first) => Err(format!("{} is closed; opening values come before", first.span.name)),
            None => Ok(()),
        }
    }

    pub fn find(&self, name: Option<&str>) -> Option<&Closed> {
        match name {
            Some(name) => self.closed.iter().find(|closed| closed.span.name == name),
            None => self.closed.last(),
        }
    }

    pub fn posted(&self) -> impl Iterator<Item = &NamedAward> {
        self.closed.iter().flat_map(|closed| &closed.posted)
    }
}

/// Calculates the period with everything that is known and posts it. Fails where the result depends on the order
/// of the facts.
pub(super) fn close(book: &mut Book<'_>, span: &Span) -> Result<(), String> {
    let plan = &book.scenario.plan;
    let last = book.periods.closed.last();
    if let Some(next) = last.and_then(|last| span_at(plan.period(), last.span.end))
        && next.start != span.start
    {
        return Err(format!("{} comes next; close it first", next.name));
    }
    if last.is_none() && book.facts().any(|fact| fact.ordered_at < span.start) {
        return Err(format!("there are orders from before {}; close their period first", span.name));
    }
    let window = Window { after: last.map_or(0, |last| last.window.cutoff), cutoff: book.seq };
    let carried = last.map_or(&book.periods.opening, |last| &last.next);
    let facts = book.facts().filter(|fact| window.has(fact, span)).collect();
    let mut source = Source { plan, span, carried, facts };
    let people = people_of(book, span, false)?;
    let result = source.calculate(&people)?;
    source.explain(&people, &result)?;
    let hash = result.hash(plan, &people);
    if source.calculate(&people)?.hash(plan, &people) != hash {
        return Err(format!("{} calculated twice has two results", span.name));
    }
    source.facts.reverse();
    let turned = people_of(book, span, true)?;
    if source.calculate(&turned)?.hash(plan, &turned) != hash {
        return Err(format!("the result of {} depends on the order of its facts", span.name));
    }
    closes(plan, span, &result)?;
    let next = result.next.clone();
    let mut closed =
        Closed { span: span.clone(), window, people, result, next, posted: vec![], kinds: vec![] };
    let wanted = closed.result.named(plan, &closed.people);
    closed.post(plan, wanted)?;
    book.periods.closed.push(closed);
    Ok(())
}

/// Brings every closed period to what is known of its orders now, the oldest first: what one leaves is what the
/// next begins with.
pub(super) fn adjust(book: &mut Book<'_>) -> Result<(), String> {
    if book.periods.closed.is_empty() {
        return Err("no period is closed yet".to_owned());
    }
    adjust_once(book)?;
    let posted = book.periods.posted().count();
    adjust_once(book)?;
    if book.periods.posted().count() != posted {
        return Err("a second adjustment posts more, though nothing happened in between".to_owned());
    }
    for closed in &book.periods.closed {
        let facts = book.facts().filter(|fact| closed.window.has(fact, &closed.span));
        let awards: Vec<_> = facts.flat_map(|fact| &fact.awards).collect();
        let of_orders = |bonus: &str, who: &DistributorId| -> Decimal {
            let theirs = awards.iter().filter(|award| award.bonus == bonus && award.distributor == *who);
            theirs.map(|award| award.amount).sum()
        };
        closed.nobody_is_charged(&book.scenario.plan, of_orders)?;
    }
    Ok(())
}

fn adjust_once(book: &mut Book<'_>) -> Result<(), String> {
    let plan = &book.scenario.plan;
    let mut carried = book.periods.opening.clone();
    let mut all = std::mem::take(&mut book.periods.closed);
    for closed in &mut all {
        let facts = book.facts().filter(|fact| closed.window.has(fact, &closed.span)).collect();
        let source = Source { plan, span: &closed.span, carried: &carried, facts };
        let result = source.adjust(closed)?;
        closes(plan, &closed.span, &result)?;
        let wanted = result.named(plan, &closed.people);
        carried = result.next;
        closed.next = carried.clone();
        closed.post(plan, wanted)?;
    }
    book.periods.closed = all;
    Ok(())
}

impl Source<'_> {
    fn calculate(&self, people: &People) -> Result<PeriodResult, String> {
        self.with(people, |input| calculate_period(self.plan, input).map_err(|refusal| refusal.to_string()))
    }

    fn adjust(&self, closed: &Closed) -> Result<PeriodResult, String> {
        let again = |input: PeriodInput<'_>| adjusted(self.plan, &closed.result, input);
        self.with(&closed.people, |input| again(input).map_err(|refusal| refusal.to_string()))
    }

    /// What an earner's volumes are told to have given comes to what it was awarded.
    fn explain(&self, people: &People, result: &PeriodResult) -> Result<(), String> {
        let cent = Decimal::new(1, self.plan.currency().exponent().unwrap_or(2));
        self.with(people, |input| {
            let at_close =
                self.plan.bonuses().iter().zip(0u16..).filter(|(bonus, _)| bonus.pays == Pays::Period);
            for (bonus, at) in at_close {
                let earnings =
                    Earnings::before(self.plan, input, result, bonus.phase()).map_err(too_large)?;
                let (plan, standings) = (self.plan, &result.standings);
                let stage = Stage { plan, bonus: at, input, standings, earnings: &earnings };
                let awards: Vec<_> = result.awards.iter().filter(|award| award.bonus == at).collect();
                let earners: BTreeSet<u32> = awards.iter().map(|award| award.person).collect();
                for earner in earners {
                    let sources = bonus.period_rules().sources(bonus, &stage, earner).map_err(too_large)?;
                    let exact = sources.iter().try_fold(Exact::ZERO, |sum, source| sum.add(source.exact));
                    let told = exact.and_then(Exact::decimal).map_err(too_large)?;
                    let theirs = awards.iter().filter(|award| award.person == earner);
                    let earned: Decimal = theirs.clone().map(|award| award.earned.decimal()).sum();
                    if (told - earned).abs() > cent * Decimal::from(theirs.count()) {
                        let who = people.id(earner).map_or("", DistributorId::as_str);
                        let name = &self.span.name;
                        return Err(format!(
                            "{name}: {} awards {who} {earned}, and explains {told}",
                            bonus.id
                        ));
                    }
                }
            }
            Ok(())
        })
    }

    fn with<T>(
        &self,
        people: &People,
        work: impl FnOnce(PeriodInput<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let sold = gather(self.plan, people, self.facts.iter().copied())?;
        work(PeriodInput { span: self.span, people, sold: &sold, carried: self.carried })
    }
}

impl Closed {
    fn post(&mut self, plan: &Plan, wanted: Vec<NamedAward>) -> Result<(), String> {
        for event in difference(plan, &self.posted, &wanted).map_err(|error| error.to_string())? {
            self.kinds.push(event.kind);
            self.posted.push(NamedAward {
                bonus: event.bonus,
                distributor: event.distributor,
                position: event.position,
                base: Fixed::ZERO,
                earned: event.amount,
                amount: event.amount,
            });
        }
        Ok(())
    }

    /// By bonus, distributor and position; what is zero in sum is not here.
    pub fn sums(&self) -> BTreeMap<(&str, &str, &str), Decimal> {
        let mut sums = BTreeMap::new();
        for award in &self.posted {
            let key = (award.bonus.as_str(), award.distributor.as_str(), award.position.as_str());
            *sums.entry(key).or_insert(Decimal::ZERO) += award.amount.decimal();
        }
        sums.retain(|_, amount| !amount.is_zero());
        sums
    }

    /// Nobody is charged more than it got; a deduction takes from something else and may stand alone.
    fn nobody_is_charged(
        &self,
        plan: &Plan,
        of_orders: impl Fn(&str, &DistributorId) -> Decimal,
    ) -> Result<(), String> {
        for ((bonus, who, position), amount) in self.sums() {
            if !plan.bonus_ids().any(|known| known == bonus) || amount >= Decimal::ZERO {
                continue;
            }
            if amount + of_orders(bonus, &DistributorId::new(who)) < Decimal::ZERO {
                let period = &self.span.name;
                return Err(format!(
                    "{period}: {who} {position} was charged {amount} by {bonus}, more than it earned"
                ));
            }
        }
        Ok(())
    }
}

/// Everybody as of the end of the period; `turned` when the facts are told in the opposite order.
fn people_of(book: &Book<'_>, span: &Span, turned: bool) -> Result<People, String> {
    let at = span.end - chrono::TimeDelta::microseconds(1);
    let mut versions = book.versions.clone();
    if turned {
        versions.reverse();
    }
    let told = |problems: Vec<_>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let genealogy = Genealogy::build(versions).map_err(told)?;
    let mut positions = positions::tree(book)?.at(at);
    if turned {
        positions.reverse();
    }
    Ok(People::at(&genealogy, at, book.scenario.plan.ranks(), positions))
}

fn too_large(error: TooLarge) -> String {
    error.to_string()
}

/// Every pool went where it says, and the awards are what it paid.
fn closes(plan: &Plan, span: &Span, result: &PeriodResult) -> Result<(), String> {
    for pool in &result.pools {
        let parts = Fixed::sum([pool.paid, pool.breakage, pool.rounding]);
        let paid = result.awards.iter().filter(|award| award.bonus == pool.bonus).map(|award| award.amount);
        if parts != Ok(pool.pool) || Fixed::sum(paid) != Ok(pool.paid) {
            let (period, bonus) = (&span.name, plan.award_name(pool.bonus));
            return Err(format!("{period}: the pool of {bonus} does not add up: {pool:?}"));
        }
    }
    Ok(())
}
