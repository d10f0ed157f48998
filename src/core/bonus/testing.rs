//! What the tests of bonuses ask of a period besides its awards: sources, ways, random companies.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use super::{Bonus, Finding, Pays};
use crate::core::fixed::{Exact, Fixed};
use crate::core::genealogy::Status;
use crate::core::ids::DistributorId;
use crate::core::period::testing::{Case, Ran};
use crate::core::period::{Earnings, PeriodInput, Source, Stage, Standings, TraceStep};
use crate::core::plan::Plan;

/// A result with everything that explains it.
pub(super) struct Told<'a> {
    ran: &'a Ran,
    input: PeriodInput<'a>,
    earnings: Earnings,
}

impl<'a> Told<'a> {
    pub fn of(case: &'a Case, ran: &'a Ran) -> Self {
        let input =
            PeriodInput { span: &case.span, people: &ran.people, sold: &ran.sold, carried: &case.carried };
        let earnings =
            Earnings::before(&ran.plan, input, &ran.result, crate::core::bonus::Phase::Pool).unwrap();
        Self { ran, input, earnings }
    }

    pub fn input(&self) -> PeriodInput<'a> {
        self.input
    }

    pub fn person(&self, id: &str) -> u32 {
        self.ran.people.find(&DistributorId::new(id)).unwrap()
    }

    pub fn stage<'s>(&'s self, id: &str, standings: &'s Standings) -> (&'s Bonus, Stage<'s>) {
        let at = self.ran.plan.bonus_ids().position(|known| known == id).unwrap();
        let (plan, bonus) = (&self.ran.plan, u16::try_from(at).unwrap());
        let stage = Stage { plan, bonus, input: self.input, standings, earnings: &self.earnings };
        (&plan.bonuses()[at], stage)
    }

    pub fn sources(&self, id: &str, who: &str) -> Vec<Source> {
        let (bonus, stage) = self.stage(id, &self.ran.result.standings);
        bonus.period_rules().sources(bonus, &stage, self.person(who)).unwrap()
    }

    pub fn trace(&self, id: &str, who: &str) -> Vec<TraceStep> {
        let (bonus, stage) = self.stage(id, &self.ran.result.standings);
        bonus.period_rules().trace(bonus, &stage, self.person(who))
    }

    /// `level:distributor` of everybody who earns on what somebody sold; nobody's level is `-`.
    pub fn way(&self, id: &str, who: &str) -> Vec<String> {
        let step = |step: TraceStep| {
            let level = step.level.map_or("-".to_owned(), |level| level.to_string());
            format!("{level}:{}:{}", step.distributor, step.finding.name())
        };
        self.trace(id, who).into_iter().map(step).collect()
    }

    /// The parts of every award make up the award, and what a way says of a source is what its earners got.
    pub fn check(&self) {
        let mut earned: BTreeMap<(u16, u32), Exact> = BTreeMap::new();
        for (at, bonus) in
            (0u16..).zip(self.ran.plan.bonuses()).filter(|(_, bonus)| bonus.pays == Pays::Period)
        {
            let (bonus, stage) = self.stage(&bonus.id, &self.ran.result.standings);
            let raw = bonus.period_rules().calculate(bonus, &stage).unwrap();
            for award in &raw.awards {
                let of = bonus.period_rules().sources(bonus, &stage, award.person).unwrap();
                let of = of.iter().filter(|source| source.position == award.position);
                let (mut base, mut exact) = (Fixed::ZERO, Exact::ZERO);
                for source in of {
                    base = base.add(source.base).unwrap();
                    exact = exact.add(source.exact).unwrap();
                    assert!(self.earns_at(&bonus.id, source, award.person), "{source:?} of {award:?}");
                }
                assert_eq!((base, exact), (award.base, award.exact), "{award:?} of {}", bonus.id);
                let sum = earned.entry((at, award.person)).or_default();
                *sum = sum.add(exact).unwrap();
            }
            let paid: BTreeMap<u32, Exact> = earned
                .iter()
                .filter(|((of, _), _)| *of == at)
                .map(|((_, who), exact)| (*who, *exact))
                .collect();
            for person in (0u32..).take(self.ran.people.len()).filter(|person| !paid.contains_key(person)) {
                let sources = bonus.period_rules().sources(bonus, &stage, person).unwrap();
                let sum = sources.iter().try_fold(Exact::ZERO, |sum, s| sum.add(s.exact)).unwrap();
                assert_eq!(sum, Exact::ZERO, "{sources:?}");
            }
        }
    }

    fn earns_at(&self, id: &str, source: &Source, earner: u32) -> bool {
        let (of, by) = (self.ran.people.id(source.person).unwrap(), self.ran.people.id(earner).unwrap());
        self.trace(id, of.as_str()).iter().any(|step| {
            step.distributor == *by
                && step.level == Some(source.level)
                && matches!(step.finding, Finding::Earns { .. })
        })
    }
}

/// Somebody of a random company; `sponsor` is before it.
#[derive(Clone, Debug)]
pub(super) struct Somebody {
    pub sponsor: Option<usize>,
    pub status: Status,
    pub rank: &'static str,
    pub sold: Decimal,
}

pub(super) const RANKS: &str = "rank = [{ id = \"bronze\" }, { id = \"silver\" }, { id = \"gold\" }]\n";

pub(super) fn any_company(most: usize) -> impl Strategy<Value = Vec<Somebody>> {
    let person = (
        0usize..64,
        0u8..4,
        select(vec!["", "bronze", "silver", "gold", "gold"]),
        prop_oneof![Just(0i64), 1i64..100_000],
    );
    prop::collection::vec(person, 1..most).prop_map(|persons| {
        let somebody =
            |(at, (sponsor, status, rank, sold)): (usize, (usize, u8, &'static str, i64))| Somebody {
                // Deep trees rather than broad ones.
                sponsor: (at > 0 && sponsor != 63).then(|| at - 1 - (sponsor % 3).min(at - 1)),
                status: if status == 0 { Status::Suspended } else { Status::Active },
                rank,
                sold: Decimal::new(sold, 2),
            };
        persons.into_iter().enumerate().map(somebody).collect()
    })
}

pub(super) fn name(at: usize) -> String {
    format!("d{at:02}")
}

pub(super) fn company(rest: &str, persons: &[Somebody]) -> Case {
    let mut case = Case::new(rest);
    for (at, person) in persons.iter().enumerate() {
        let sponsor = person.sponsor.map(name).unwrap_or_default();
        case.person_with(&name(at), &sponsor, person.rank, person.status, None);
        if !person.sold.is_zero() {
            case.sells(&name(at), person.sold);
        }
    }
    case
}

/// The head of [`Case`]'s plans reads top-level keys no more, so whatever is no table comes first.
pub(super) fn problems(rest: &str) -> Vec<String> {
    let text = format!("{}{rest}", crate::core::period::testing::HEAD);
    Plan::parse(&text).unwrap_err().iter().map(ToString::to_string).collect()
}
