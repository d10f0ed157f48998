//! What is said of an award and of a volume adds up to what was calculated.

use super::*;
use crate::core::bonus::{Bonus, Finding};
use crate::core::fixed::{Exact, Fixed};
use crate::core::ids::DistributorId;
use crate::core::period::{Carried, Earnings, PeriodInput, Source, Span, Stage, TraceStep, index};

fn staged<T>(ran: &Ran, span: &Span, carried: &Carried, ask: impl Fn(&Bonus, &Stage<'_>) -> T) -> T {
    let input = PeriodInput { span, people: &ran.people, sold: &ran.sold, carried };
    let earnings = Earnings::default();
    let standings = &ran.result.standings;
    let stage = Stage { plan: &ran.plan, bonus: 0, input, standings, earnings: &earnings };
    ask(&ran.plan.bonuses()[0], &stage)
}

pub(super) fn sources(ran: &Ran, case: &Case, earner: u32) -> Vec<Source> {
    staged(ran, &case.span, &case.carried, |bonus, stage| {
        bonus.period_rules().sources(bonus, stage, earner).unwrap()
    })
}

pub(super) fn trace(ran: &Ran, case: &Case, source: u32) -> Vec<TraceStep> {
    staged(ran, &case.span, &case.carried, |bonus, stage| bonus.period_rules().trace(bonus, stage, source))
}

fn person(ran: &Ran, id: &str) -> u32 {
    ran.people.find(&DistributorId::new(id)).unwrap()
}

#[test]
fn sources_name_lots_by_their_period_and_people_in_the_order_of_their_ids() {
    let keys = "mode = \"weak_leg\"\nrate = \"0.10\"";
    let mut case = top(keys);
    let ran = case.sells("L", dec!(100)).run();
    let mut second = next(&case, &ran, keys, "2026-02");
    second.person("LB", "L", "").place("LB", "L", 0).person("LA", "L", "").place("LA", "L", 1);
    second.sells("LB", dec!(70)).sells("LA", dec!(20)).sells("L", dec!(5)).sells("R", dec!(150));
    let ran = second.run();
    assert_eq!(ran.pays("team", "TOP"), dec!(15));
    let told: Vec<(u16, Option<String>, String, Decimal, Decimal)> =
        sources(&ran, &second, person(&ran, "TOP"))
            .into_iter()
            .map(|source| {
                let who = ran.people.id(source.person).map(ToString::to_string).unwrap_or_default();
                let exact = source.exact.decimal().unwrap().normalize();
                (source.level, source.period, who, source.base.decimal(), exact)
            })
            .collect();
    let period = || Some("2026-01".to_owned());
    assert_eq!(
        told,
        [
            (0, period(), String::new(), dec!(100), dec!(0)),
            (0, None, "L".to_owned(), dec!(5), dec!(0)),
            (0, None, "LA".to_owned(), dec!(20), dec!(0)),
            (0, None, "LB".to_owned(), dec!(25), dec!(0)),
            (1, None, "R".to_owned(), dec!(150), dec!(15)),
        ]
    );
    let told = trace(&ran, &second, person(&ran, "LB"));
    let leg = |matched, carried| (matched, carried, dec!(0));
    let found: Vec<(String, (Decimal, Decimal, Decimal))> = told
        .into_iter()
        .map(|step| match step.finding {
            Finding::Leg { position, matched, carried, flushed, .. } => {
                (position, (matched, carried, flushed))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [("L".to_owned(), leg(dec!(20), dec!(50))), ("TOP".to_owned(), leg(dec!(25), dec!(45)))]
    );
}

/// Whatever was settled, the parts are the whole.
pub(super) fn check(ran: &Ran, case: &Case) {
    for earner in (0u32..).take(ran.people.len()) {
        let told = sources(ran, case, earner);
        let exact = told.iter().fold(Exact::ZERO, |sum, source| sum.add(source.exact).unwrap());
        let earned: Exact = ran
            .result
            .awards
            .iter()
            .filter(|award| award.person == earner && award.bonus == 0)
            .fold(Exact::ZERO, |sum, award| sum.add(Exact::from_fixed(award.earned)).unwrap());
        let positions = i128::try_from(ran.people.positions.of(earner).len().max(1)).unwrap();
        let half_a_cent = 5_000_000_000i128;
        assert!((exact.0 - earned.0).abs() <= half_a_cent * positions, "sources add up to the award");
    }
    let mut matched = std::collections::BTreeMap::new();
    for source in (0u32..).take(ran.people.len()) {
        for step in trace(ran, case, source) {
            if let Finding::Leg { position, side, matched: part, carried, flushed, .. } = step.finding {
                let own = ran.sold.get(&ran.plan.bonuses()[0].measure(None))[index(source)];
                assert_eq!(part + carried + flushed, own.decimal(), "all of a volume is somewhere");
                *matched.entry((position, side)).or_insert(Decimal::ZERO) += part;
            }
        }
    }
    let mut consumed = std::collections::BTreeMap::new();
    for earner in (0u32..).take(ran.people.len()) {
        for source in sources(ran, case, earner).into_iter().filter(|source| source.period.is_none()) {
            let position = ran.people.positions.id(source.position.unwrap()).unwrap().to_owned();
            let sum = consumed.entry((position, source.level)).or_insert(Fixed::ZERO);
            *sum = sum.add(source.base).unwrap();
        }
    }
    matched.retain(|_, sum| !sum.is_zero());
    let consumed: std::collections::BTreeMap<_, _> =
        consumed.into_iter().map(|(at, sum)| (at, sum.decimal())).collect();
    assert_eq!(matched, consumed, "what a position used is what those below hear of it");
}
