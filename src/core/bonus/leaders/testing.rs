//! What the tests of leadership bonuses share: a stage to ask questions on, and small companies at random.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::core::bonus::{Bonus, Family, Finding};
use crate::core::fixed::{Exact, Rate};
use crate::core::genealogy::Status;
use crate::core::period::testing::{Case, Ran};
use crate::core::period::{Earnings, PeriodInput, Stage, TraceStep};
use crate::core::plan::{Plan, PlanProblem};

/// Four ranks, the lowest first.
pub(crate) const RANKS: &str = r#"
[[rank]]
id = "member"
[[rank]]
id = "silver"
[[rank]]
id = "gold"
[[rank]]
id = "platinum"
"#;

pub(crate) fn with_ranks(rest: &str) -> Case {
    Case::new(&format!("{RANKS}{rest}"))
}

/// Everything that is wrong with `rest` after the usual head and ranks.
pub(crate) fn problems(rest: &str) -> Vec<PlanProblem> {
    let text = format!("{}{RANKS}{rest}", crate::core::period::testing::HEAD);
    Plan::parse(&text).err().unwrap_or_default()
}

/// Whether one of the problems says `what` and how to mend it.
pub(crate) fn says(problems: &[PlanProblem], what: &str, fix: &str) -> bool {
    problems.iter().any(|p| p.message.contains(what) && p.fix.contains(fix) && p.line > 1)
}

/// Whether two plans that end so have different hashes.
pub(crate) fn differs(one: &str, other: &str) -> bool {
    with_ranks(one).plan.hash() != with_ranks(other).plan.hash()
}

/// Every award is the sum of its sources and of the ways that lead to it, and the pool holds them all.
pub(crate) fn check_told(case: &Case, ran: &Ran) {
    let earnings = Earnings::default();
    let input =
        PeriodInput { span: &case.span, people: &ran.people, sold: &ran.sold, carried: &case.carried };
    for (bonus, at) in ran.plan.bonuses().iter().zip(0u16..) {
        let stage = Stage {
            plan: &ran.plan,
            bonus: at,
            input,
            standings: &ran.result.standings,
            earnings: &earnings,
        };
        let raw = bonus.period_rules().calculate(bonus, &stage).unwrap();
        let awarded: BTreeMap<u32, Exact> =
            raw.awards.iter().map(|award| (award.person, award.exact)).collect();
        for person in 0..u32::try_from(ran.people.len()).unwrap() {
            let sources = bonus.period_rules().sources(bonus, &stage, person).unwrap();
            let sum = sources.iter().map(|source| source.exact.0).sum::<i128>();
            let award = awarded.get(&person).copied().unwrap_or_default();
            assert_eq!(sum, award.0, "sources of {} in {}", ran.people.id(person).unwrap(), bonus.id);
        }
        // What is withheld goes from leader to leader and not up from a source. Levels tell rates as written.
        if !matches!(bonus.family, Family::Unilevel(_)) && !ran.plan.canonical().contains(".guarantee") {
            assert_eq!(told_by_ways(bonus, &stage), awarded, "ways of {}", bonus.id);
        }
        assert!(raw.pool.0 >= raw.awards.iter().map(|award| award.exact.0).sum::<i128>());
    }
}

/// By person: what the ways of all sources say that it earns. Nothing for a bonus on no volume.
fn told_by_ways(bonus: &Bonus, stage: &Stage<'_>) -> BTreeMap<u32, Exact> {
    let mut told = BTreeMap::new();
    let Some(measure) = bonus.period_rules().measures(bonus).pop() else {
        let raw = bonus.period_rules().calculate(bonus, stage).unwrap();
        return raw.awards.iter().map(|award| (award.person, award.exact)).collect();
    };
    for (source, volume) in (0u32..).zip(stage.input.sold.get(&measure)) {
        for step in bonus.period_rules().trace(bonus, stage, source) {
            let Finding::Earns { rate: Some(rate) } = step.finding else { continue };
            let sum = told.entry(stage.input.people.find(&step.distributor).unwrap()).or_insert(Exact::ZERO);
            *sum = sum.add(volume.times(Rate::of(rate))).unwrap();
        }
    }
    told.retain(|_, sum| *sum != Exact::ZERO);
    told
}

/// The way of the volume of `who`, as words: distributor, level, finding.
pub(crate) fn way(case: &Case, ran: &Ran, who: &str) -> Vec<(String, Option<u16>, &'static str)> {
    let told = trace(case, ran, who);
    told.iter().map(|step| (step.distributor.to_string(), step.level, step.finding.name())).collect()
}

pub(crate) fn trace(case: &Case, ran: &Ran, who: &str) -> Vec<TraceStep> {
    let earnings = Earnings::default();
    let input =
        PeriodInput { span: &case.span, people: &ran.people, sold: &ran.sold, carried: &case.carried };
    let stage =
        Stage { plan: &ran.plan, bonus: 0, input, standings: &ran.result.standings, earnings: &earnings };
    let bonus = ran.plan.bonuses().first().unwrap();
    let source = ran.people.find(&crate::core::ids::DistributorId::new(who)).unwrap();
    bonus.period_rules().trace(bonus, &stage, source)
}

/// Somebody of a small company at random.
#[derive(Clone, Debug)]
pub(crate) struct Somebody {
    pub id: String,
    pub sponsor: Option<usize>,
    pub rank: Option<usize>,
    pub active: bool,
    pub sold: i64,
}

pub(crate) const RANK_IDS: [&str; 4] = ["member", "silver", "gold", "platinum"];

/// Each after its sponsor. `active`: everybody is.
pub(crate) fn company(random: &mut fastrand::Rng, active: bool) -> Vec<Somebody> {
    let deep = random.bool();
    let somebody = |at: usize, random: &mut fastrand::Rng| Somebody {
        // Ids in another order than the tree.
        id: format!("{:02}-{at}", random.u8(0..100)),
        sponsor: match at {
            0 => None,
            _ if random.u8(0..12) == 0 => None,
            _ if deep => Some(at - 1),
            _ => Some(random.usize(0..at)),
        },
        rank: Some(random.usize(0..6)).filter(|rank| *rank < RANK_IDS.len()),
        active: active || random.u8(0..4) > 0,
        sold: if random.u8(0..3) == 0 { 0 } else { random.i64(1..100_000) },
    };
    (0..random.usize(1..14)).map(|at| somebody(at, random)).collect()
}

pub(crate) fn fill(case: &mut Case, people: &[Somebody]) {
    for who in people {
        let sponsor = who.sponsor.map_or("", |at| people[at].id.as_str());
        let rank = who.rank.map_or("", |rank| RANK_IDS[rank]);
        let status = if who.active { Status::Active } else { Status::Suspended };
        case.person_with(&who.id, sponsor, rank, status, None);
        if who.sold != 0 {
            case.sells(&who.id, Decimal::new(who.sold, 2));
        }
    }
}

/// What the first bonus pays before anything is rounded.
pub(crate) fn exact(case: &Case, ran: &Ran) -> BTreeMap<String, Decimal> {
    let earnings = Earnings::default();
    let input =
        PeriodInput { span: &case.span, people: &ran.people, sold: &ran.sold, carried: &case.carried };
    let stage =
        Stage { plan: &ran.plan, bonus: 0, input, standings: &ran.result.standings, earnings: &earnings };
    let bonus = ran.plan.bonuses().first().unwrap();
    let raw = bonus.period_rules().calculate(bonus, &stage).unwrap();
    let name = |person| ran.people.id(person).unwrap().to_string();
    raw.awards.iter().map(|award| (name(award.person), award.exact.decimal().unwrap())).collect()
}
