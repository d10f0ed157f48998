//! Gates, caps and deductions on awards as they come.

use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use super::*;
use crate::core::period::run::Earnings;
use crate::core::period::standings::Standings;
use crate::core::period::testing::{Case, Ran};
use crate::core::period::{Carried, PeriodInput};

const BONUSES: &str = "[placement]\ntree = \"binary\"\n[[bonus]]\nid = \"alpha\"\nfamily = \"binary\"\nbase = \"cv\"\nmode = \"weak_leg\"\n\
                       rate = \"0.1\"\n[[bonus]]\nid = \"beta\"\nfamily = \"pool\"\nbase = \"cv\"\n\
                       share = \"0.01\"\npoints = { of = \"pv\", rate = \"1\" }\n[[bonus]]\nid = \"order\"\n\
                       family = \"direct\"\nbase = \"cv\"\nrates = \"0.1\"\n[[bonus]]\nid = \"trial\"\n\
                       family = \"direct\"\nbase = \"cv\"\nrates = \"0.1\"\nprovisional = true\n";
/// Who meets it is given by the tests.
const SHARE: &str = "customer_share = { least = \"1\", digits = 2, mode = \"down\" }";
const ALPHA: u16 = 0;
const BETA: u16 = 1;
const TRIAL: u16 = 3;

/// `people` persons d0, d1, .. in a chain.
fn company(limits: &str, people: usize) -> Case {
    let mut case = Case::new(&format!("{BONUSES}{limits}"));
    for at in 0..people {
        let sponsor = at.checked_sub(1).map_or(String::new(), |above| format!("d{above}"));
        case.person(&format!("d{at}"), &sponsor, "");
    }
    case
}

fn award(bonus: u16, person: u32, position: Option<u32>, cents: i64) -> PeriodAward {
    let amount = Fixed(cents * 100);
    PeriodAward { bonus, person, position, base: amount, earned: amount, amount }
}

struct Done {
    awards: Vec<PeriodAward>,
    pools: Vec<BonusPool>,
    cuts: Vec<Cut>,
}

impl Done {
    fn amounts(&self) -> Vec<Decimal> {
        self.awards.iter().map(|award| award.amount.decimal()).collect()
    }

    fn of(&self, of: impl Fn(&PeriodAward) -> bool) -> i64 {
        self.awards.iter().filter(|award| of(award)).map(|award| award.amount.0).sum()
    }

    /// Nothing is lost on the way.
    fn check(&self) {
        for pool in &self.pools {
            assert_eq!(pool.paid.0 + pool.breakage.0 + pool.rounding.0, pool.pool.0);
            assert_eq!(self.of(|award| award.bonus == pool.bonus), pool.paid.0, "of {}", pool.bonus);
        }
        for (at, award) in (0u32..).zip(&self.awards) {
            let cut: i64 = self.cuts.iter().filter(|cut| cut.award == at).map(|cut| cut.amount.0).sum();
            assert_eq!(award.earned.0 - cut, award.amount.0, "a cut says what is missing");
            assert_eq!(award.amount.0 % 100, 0, "no part of a cent");
        }
        assert!(self.cuts.iter().all(|cut| cut.amount > Fixed::ZERO));
    }
}

/// `shut` gates by their place among the gates, and who does not meet them.
fn run_cut(case: &Case, ran: &Ran, mut awards: Vec<PeriodAward>, shut: &[(usize, u32)]) -> Done {
    let mut standings: Standings = ran.result.standings.clone();
    for gate in 0..ran.plan.limits().gates.len() {
        let met = |person: &u32| !shut.contains(&(gate, *person));
        let met = (0u32..).take(ran.people.len()).map(|person| met(&person)).collect();
        standings.eligible.insert(ran.plan.gate_place(gate), met);
    }
    let mut pools: Vec<BonusPool> = [ALPHA, BETA, TRIAL]
        .into_iter()
        .map(|bonus| {
            let paid = Fixed(awards.iter().filter(|a| a.bonus == bonus).map(|a| a.amount.0).sum());
            BonusPool { bonus, pool: paid, paid, breakage: Fixed::ZERO, rounding: Fixed::ZERO }
        })
        .collect();
    let carried = Carried::default();
    let input = PeriodInput { span: &case.span, people: &ran.people, sold: &ran.sold, carried: &carried };
    let earnings = Earnings::of_orders(&ran.plan, input).unwrap();
    let stage = Stage { plan: &ran.plan, bonus: 0, input, standings: &standings, earnings: &earnings };
    let (cuts, _) = cut(&stage, None, &mut awards, &mut pools).unwrap();
    let done = Done { awards, pools, cuts };
    done.check();
    done
}

fn done(case: &Case, awards: Vec<PeriodAward>, shut: &[(usize, u32)]) -> Done {
    run_cut(case, &case.run(), awards, shut)
}

/// The worked example of the reference.
#[test]
fn an_earner_gives_in_proportion_and_what_orders_paid_counts() {
    let limits = "[[cap]]\nid = \"most\"\nper = \"earner\"\namount = \"1000\"\n";
    let mut case = company(limits, 2);
    let awards =
        || vec![award(ALPHA, 0, Some(0), 90_000), award(BETA, 0, None, 30_000), award(BETA, 1, None, 30_000)];
    assert_eq!(done(&case, awards(), &[]).amounts(), [dec!(750), dec!(250), dec!(300)]);
    case.emitted("order", "d0", dec!(400));
    assert_eq!(done(&case, awards(), &[]).amounts(), [dec!(450), dec!(150), dec!(300)]);
    case.emitted("order", "d0", dec!(700));
    assert_eq!(done(&case, awards(), &[]).amounts(), [dec!(0), dec!(0), dec!(300)]);
}

#[test]
fn a_cap_is_of_the_bonuses_that_it_names() {
    let limits = "[[cap]]\nid = \"most\"\nof = [\"beta\"]\nper = \"earner\"\namount = \"100\"\n";
    let awards = vec![award(ALPHA, 0, Some(0), 90_000), award(BETA, 0, None, 30_000)];
    assert_eq!(done(&company(limits, 1), awards, &[]).amounts(), [dec!(900), dec!(100)]);
}

#[test]
fn caps_go_from_the_position_to_the_company() {
    let limits = "[[cap]]\nid = \"a\"\nper = \"company\"\nshare_of_cv = \"0.5\"\n\
                  [[cap]]\nid = \"b\"\nper = \"earner\"\namount = \"100\"\n\
                  [[cap]]\nid = \"c\"\nper = \"position\"\namount = \"80\"\n";
    let mut case = company(limits, 2);
    case.position("d0", "d0", "", 0).position("x", "d0", "d0", 0).position("d1", "d1", "d0", 1);
    case.sells("d1", dec!(301));
    let awards = vec![
        award(ALPHA, 0, Some(0), 12_000),
        award(ALPHA, 0, Some(1), 8_000),
        award(ALPHA, 1, Some(2), 10_000),
    ];
    let done = done(&case, awards, &[]);
    // Positions: 80, 80, 80; earners: 50 and 50, 80; the company: 150.50 of 180.
    assert_eq!(done.amounts(), [dec!(41.81), dec!(41.80), dec!(66.89)]);
    let by: Vec<(u32, &str)> = done.cuts.iter().map(|cut| (cut.award, cut.by.as_str())).collect();
    assert_eq!(by, [(0, "c"), (2, "c"), (0, "b"), (1, "b"), (0, "a"), (1, "a"), (2, "a")]);
}

#[test]
fn a_closed_gate_leaves_its_share() {
    let limits = &format!("[[gate]]\nid = \"g\"\nof = [\"alpha\"]\nelse_pays = \"0.333\"\n{SHARE}\n");
    let awards =
        || vec![award(ALPHA, 0, Some(0), 1_001), award(BETA, 0, None, 500), award(ALPHA, 1, None, 700)];
    let case = company(limits, 2);
    assert_eq!(done(&case, awards(), &[(0, 0)]).amounts(), [dec!(3.33), dec!(5), dec!(7)]);
    assert_eq!(done(&case, awards(), &[]).amounts(), [dec!(10.01), dec!(5), dec!(7)]);
}

/// What orders were paid provisionally is taken back as an award below zero.
#[test]
fn a_gate_takes_back_what_was_provisional() {
    let limits = format!(
        "[[gate]]\nid = \"g\"\nelse_pays = \"0.5\"\n{SHARE}\n\
         [[gate]]\nid = \"h\"\nof = [\"trial\"]\n{SHARE}\n"
    );
    let mut case = company(&limits, 2);
    case.emitted("trial", "d0", dec!(40)).emitted("trial", "d0", dec!(20)).emitted("order", "d0", dec!(9));
    let one = done(&case, vec![], &[(0, 0)]);
    assert_eq!((one.amounts(), one.awards[0].bonus), (vec![dec!(-30)], TRIAL));
    let both = done(&case, vec![], &[(0, 0), (1, 0)]);
    assert_eq!(both.amounts(), [dec!(-60)]);
    assert_eq!(both.cuts.iter().map(|cut| cut.amount.decimal()).collect::<Vec<_>>(), [dec!(30), dec!(30)]);
}

#[test]
fn deductions_take_no_more_than_there_is() {
    let limits =
        "[[deduction]]\nid = \"fee\"\namount = \"2.00\"\n[[deduction]]\nid = \"tithe\"\nrate = \"0.05\"\n";
    let mut case = company(limits, 4);
    case.emitted("order", "d3", dec!(1));
    let awards = vec![
        award(ALPHA, 0, Some(0), 10_010),
        award(BETA, 0, None, 90),
        award(BETA, 1, None, 203),
        award(BETA, 2, None, 50),
    ];
    let done = done(&case, awards, &[]);
    let taken: Vec<(u16, u32, Decimal)> =
        done.awards[4..].iter().map(|award| (award.bonus, award.person, award.amount.decimal())).collect();
    assert_eq!(
        taken,
        [
            (4, 0, dec!(-2)),
            (4, 1, dec!(-2)),
            (4, 2, dec!(-0.50)),
            (4, 3, dec!(-1)),
            (5, 0, dec!(-5.05)),
            (5, 1, dec!(-0.03)),
        ]
    );
    let pools: Vec<(Decimal, Decimal)> =
        done.pools[3..].iter().map(|pool| (pool.pool.decimal(), pool.paid.decimal())).collect();
    assert_eq!(pools, [(dec!(-5.50), dec!(-5.50)), (dec!(-5.08), dec!(-5.08))]);
}

/// A gate can ask what a rank can ask.
#[test]
fn a_gate_asks_a_condition() {
    let mut case = company("[[gate]]\nid = \"g\"\nof = [\"beta\"]\nrequires = { pv = \"50\" }\n", 2);
    let ran = case.sells("d0", dec!(150)).sells("d1", dec!(50)).run();
    ran.check();
    assert_eq!((ran.pays("beta", "d0"), ran.pays("beta", "d1")), (dec!(1.50), dec!(0.50)));
    let ran = case.sells("d0", dec!(-1)).sells("d1", dec!(-1)).run();
    ran.check();
    assert_eq!((ran.pays("beta", "d0"), ran.pays("beta", "d1")), (dec!(1.49), dec!(0)));
    assert_eq!(ran.result.cuts[0].by, "g");
}

fn met(share: &str, sold: &[(&str, Decimal, bool)]) -> Vec<bool> {
    let mut case = company(&format!("[[gate]]\nid = \"g\"\ncustomer_share = {{ {share} }}\n"), 3);
    for (who, net, own) in sold {
        case.sells_at(who, "goods", *net, *own, "2026-01-10T00:00:00Z");
    }
    let ran = case.run();
    ran.result.standings.eligible[&ran.plan.gate_place(0)].clone()
}

/// 69.5 % are 69 % rounded down and 70 % rounded half up.
#[test]
fn the_share_of_customers_has_a_rounding_of_its_own() {
    let sold = [("d0", dec!(139), false), ("d0", dec!(61), true), ("d1", dec!(10), false)];
    let share = |digits: u16, mode: &str, group: bool| {
        met(&format!("least = \"0.7\", digits = {digits}, mode = \"{mode}\", group = {group}"), &sold)
    };
    assert_eq!(share(2, "down", false), [false, true, false], "who sold nothing has no customers");
    assert_eq!(share(2, "half_up", false), [true, true, false]);
    assert_eq!(share(3, "half_up", false), [false, true, false]);
    assert_eq!(share(3, "half_up", true), [true, true, false], "149 of 210 in the group");
}

/// A gate that a refund would close stays open when the refund is calculated with standings as they were.
#[test]
fn a_refund_opens_and_closes_no_gate() {
    let sold = |customers: Decimal| {
        let share = "least = \"0.5\", digits = 2, mode = \"down\"";
        let mut case = company(&format!("[[gate]]\nid = \"g\"\ncustomer_share = {{ {share} }}\n"), 1);
        case.sells_at("d0", "goods", dec!(100), true, "2026-01-10T00:00:00Z").sells("d0", customers);
        case
    };
    let (before, after) = (sold(dec!(100)), sold(dec!(20)));
    let (paid, refunded) = (before.run(), after.run());
    assert_eq!((paid.pays("beta", "d0"), refunded.pays("beta", "d0")), (dec!(2), dec!(0)));
    let carried = Carried::default();
    let input =
        PeriodInput { span: &before.span, people: &paid.people, sold: &refunded.sold, carried: &carried };
    let frozen = crate::core::period::Recalculation::Frozen(&paid.result.standings);
    let again = crate::core::period::recalculate_period(&paid.plan, input, frozen).unwrap();
    assert_eq!(again.awards.iter().map(|award| award.amount.decimal()).collect::<Vec<_>>(), [dec!(1.20)]);
}

const SALES: &str =
    "[[bonus]]\nid = \"sales\"\nfamily = \"direct\"\nbase = \"cv\"\nrates = \"0.1\"\npays = \"period\"\n";

/// What d0, d1 and d2 are paid with standings of a period in which each had sold 100.10, after they are left
/// with `sold`.
fn refunded(limits: &str, sold: [Decimal; 3]) -> Vec<Decimal> {
    let selling = |sold: [Decimal; 3]| {
        let mut case = Case::new(&format!("{SALES}{limits}"));
        for (who, net) in ["d0", "d1", "d2"].into_iter().zip(sold) {
            case.person(who, "", "").sells(who, net);
        }
        case
    };
    let closed = selling([dec!(100.10); 3]).run();
    closed.check();
    let (case, newest) = (selling(sold), selling(sold).run());
    let (people, sold) = (&newest.people, &newest.sold);
    let input = PeriodInput { span: &case.span, people, sold, carried: &case.carried };
    let frozen = crate::core::period::Recalculation::Frozen(&closed.result.standings);
    let result = crate::core::period::recalculate_period(&case.plan, input, frozen).unwrap();
    let again = Ran { plan: case.plan.clone(), people: case.run().people, sold: case.run().sold, result };
    again.check();
    ["d0", "d1", "d2"].map(|who| again.pays("sales", who)).to_vec()
}

/// Of 30.03 are 15.01 left, of which d0 has the odd cent: whatever one of them gives back, the others keep theirs.
#[test]
fn a_refund_moves_nobody_elses_part_of_a_cap_of_the_company() {
    for most in ["share_of_cv = \"0.05\"", "amount = \"15.01\""] {
        let cap = format!("[[cap]]\nid = \"all\"\nper = \"company\"\n{most}\n");
        let left = |sold| refunded(&cap, sold);
        assert_eq!(left([dec!(100.10); 3]), [dec!(5.01), dec!(5), dec!(5)]);
        assert_eq!(left([dec!(100.10), dec!(100.10), dec!(0)]), [dec!(5.01), dec!(5), dec!(0)]);
        assert_eq!(left([dec!(0), dec!(100.10), dec!(100.10)]), [dec!(0), dec!(5), dec!(5)]);
        assert_eq!(left([dec!(100.10), dec!(50.10), dec!(100.10)]), [dec!(5.01), dec!(2.50), dec!(5)]);
        assert_eq!(left([dec!(0); 3]), [dec!(0); 3]);
    }
    let loose = "[[cap]]\nid = \"all\"\nper = \"company\"\nshare_of_cv = \"0.5\"\n";
    assert_eq!(refunded(loose, [dec!(100.10), dec!(0), dec!(0)])[0], dec!(10.01));
}

#[test]
fn a_refund_lowers_nobody_elses_share_of_the_companys_volume() {
    let cap = "[[cap]]\nid = \"each\"\nper = \"earner\"\nshare_of_cv = \"0.02\"\n";
    assert_eq!(refunded(cap, [dec!(100.10), dec!(0), dec!(50)]), [dec!(6), dec!(0), dec!(5)]);
}

#[derive(Clone, Debug)]
struct Given {
    awards: Vec<(bool, usize, Option<u32>, i64)>,
    emitted: Vec<(bool, usize, i64)>,
    caps: [i64; 3],
    shut: Vec<u32>,
}

const PEOPLE: usize = 6;

fn given() -> impl Strategy<Value = Given> {
    let cents = || prop_oneof![1i64..300, 1i64..5_000_000];
    let award = (any::<bool>(), 0..PEOPLE, prop::option::of(0u32..9), cents());
    let awards = prop::collection::vec(award, 0..20);
    let emitted = prop::collection::vec((any::<bool>(), 0..PEOPLE, 1i64..200_000), 0..4);
    let cap = || prop_oneof![1i64..2_000, 1i64..3_000_000];
    let shut = prop::collection::vec(0u32..6, 0..3);
    (awards, emitted, [cap(), cap(), cap()], shut).prop_map(|(awards, emitted, caps, shut)| Given {
        awards,
        emitted,
        caps,
        shut,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nobody_is_above_a_cap(given in given()) {
        let cents = |cents: i64| Decimal::new(cents, 2);
        let [position_cap, earner, company_wide] = given.caps;
        let limits = format!(
            "[[gate]]\nid = \"gate\"\nelse_pays = \"0.25\"\n{SHARE}\n\
             [[cap]]\nid = \"p\"\nper = \"position\"\namount = \"{}\"\n\
             [[cap]]\nid = \"e\"\nper = \"earner\"\namount = \"{}\"\n\
             [[cap]]\nid = \"c\"\nper = \"company\"\namount = \"{}\"\n\
             [[deduction]]\nid = \"d\"\nrate = \"0.1\"\namount = \"0.99\"\n",
            cents(position_cap), cents(earner), cents(company_wide)
        );
        let mut case = company(&limits, PEOPLE);
        for (trial, who, amount) in &given.emitted {
            case.emitted(if *trial { "trial" } else { "order" }, &format!("d{who}"), cents(*amount));
        }
        let ran = case.run();
        let awards: Vec<PeriodAward> = given.awards.iter().map(|(alpha, who, position, cents)| {
            let person = ran.people.find(&crate::core::ids::DistributorId::new(format!("d{who}"))).unwrap();
            match alpha {
                // A position has one owner.
                true => award(ALPHA, position.map_or(person, |p| p % 6), *position, *cents),
                false => award(BETA, person, None, *cents),
            }
        }).collect();
        let shut: Vec<(usize, u32)> = given.shut.iter().map(|person| (0, *person)).collect();
        let done = run_cut(&case, &ran, awards, &shut);
        let bonuses = u16::try_from(ran.plan.bonuses().len()).unwrap();
        let emitted = |who: Option<u32>| -> i64 {
            ["order", "trial"].iter().flat_map(|bonus| ran.sold.emitted_of(bonus))
                .filter(|(person, _)| who.is_none_or(|who| who == *person)).map(|(_, amount)| amount.0).sum()
        };
        for position in 0..9 {
            let paid = done.of(|award| award.position == Some(position));
            prop_assert!(paid <= position_cap * 100);
        }
        for person in 0..6u32 {
            let own = |award: &PeriodAward| award.person == person && award.bonus < bonuses;
            let (paid, before) = (done.of(own), emitted(Some(person)));
            let positive = done.of(|award| own(award) && award.amount > Fixed::ZERO);
            prop_assert!(paid + before <= earner * 100 || positive == 0, "an earner above the cap");
            let all = done.of(|award| award.person == person) + before;
            prop_assert!(all >= 0, "nobody owes for a deduction");
        }
        let paid = done.of(|award| award.bonus < bonuses) + emitted(None);
        let positive = done.of(|award| award.bonus < bonuses && award.amount > Fixed::ZERO);
        prop_assert!(paid <= company_wide * 100 || positive == 0, "the company above the cap");
        if done.cuts.iter().any(|cut| cut.by == "c") && positive > 0 {
            prop_assert_eq!(paid, company_wide * 100, "a company that is cut pays the cap exactly");
        }
    }

    #[test]
    fn a_shared_cap_sums_to_the_cap(
        amounts in prop::collection::vec(1i64..9_000_000, 1..30), cap in 1i64..20_000_000,
    ) {
        let limits = format!("[[cap]]\nid = \"e\"\nper = \"earner\"\namount = \"{}\"\n", Decimal::new(cap, 2));
        let awards: Vec<PeriodAward> =
            amounts.iter().zip(0u32..).map(|(cents, at)| award(ALPHA, 0, Some(at), *cents)).collect();
        let all: i64 = amounts.iter().sum();
        let done = done(&company(&limits, 1), awards.clone(), &[]);
        prop_assert_eq!(done.of(|_| true), all.min(cap) * 100);
        for (after, before) in done.awards.iter().zip(&awards) {
            prop_assert!(after.amount >= Fixed::ZERO && after.amount <= before.amount);
        }
    }
}
