use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use crate::core::bonus::leaders::testing::{RANK_IDS, Somebody, check_told, company, fill, with_ranks};
use crate::core::period::testing::{Case, Ran};

const RATES: [Decimal; 4] = [dec!(0.05), dec!(0.08), dec!(0.12), dec!(0.2)];

fn plan(random: &mut fastrand::Rng, mode: &str, wall: bool) -> String {
    let rates: Vec<String> =
        RANK_IDS.iter().zip(RATES).map(|(rank, rate)| format!("{rank} = \"{rate}\"")).collect();
    let wall = if wall && random.bool() { "breakaway = \"gold\"\n" } else { "" };
    format!(
        "[[bonus]]\nid = \"steps\"\nfamily = \"differential\"\nbase = \"cv\"\nby = \"rank\"\n\
         when_inverted = \"{mode}\"\nrates = {{ {} }}\n{wall}",
        rates.join(", ")
    )
}

fn run(plan: &str, people: &[Somebody]) -> (Case, Ran) {
    let mut case = with_ranks(plan);
    fill(&mut case, people);
    let ran = case.run();
    (case, ran)
}

/// By person: what a volume pays in all at the first place above and at it, found by walking up from each.
fn by_hand(people: &[Somebody], mode: &str, walls: bool) -> BTreeMap<String, Decimal> {
    let mut paid = BTreeMap::new();
    for source in people {
        let (mut below, mut stands, mut here) = (Decimal::ZERO, Decimal::ZERO, Some(source));
        while let Some(who) = here {
            let own = who.rank.map_or(Decimal::ZERO, |rank| RATES[rank]);
            if who.active && own > below && (mode == "clamp" || own >= stands) {
                *paid.entry(who.id.clone()).or_default() += (own - below) * Decimal::new(source.sold, 2);
                below = own;
            }
            stands = stands.max(own);
            let wall = walls && who.rank.is_some_and(|rank| rank >= 2);
            here = who.sponsor.filter(|_| !wall).map(|at| &people[at]);
        }
    }
    paid
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The climb pays what walking up from every source for itself pays, in either mode.
    #[test]
    fn one_pass_is_the_sum_of_all_walks(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let mode = if random.bool() { "clamp" } else { "pass_up" };
        let people = company(random, false);
        let plan = plan(random, mode, true);
        let (case, ran) = run(&plan, &people);
        let mut wanted = by_hand(&people, mode, plan.contains("breakaway"));
        wanted.values_mut().for_each(|sum| *sum = crate::core::money::round(*sum, 2, crate::core::money::Rounding::HalfUp));
        wanted.retain(|_, sum| !sum.is_zero());
        let paid: BTreeMap<String, Decimal> = ran.paid().into_iter().map(|((_, who), sum)| (who, sum)).collect();
        prop_assert_eq!(paid, wanted);
        ran.check();
        check_told(&case, &ran);
    }

    /// Where everybody earns: what a group is paid in all is the highest rate on each volume's way. So somebody
    /// who stands above everybody below gets own % x group less what the downline got, and nobody is below zero.
    #[test]
    fn gross_less_downline_is_own_less_leg(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let people = company(random, true);
        let mode = if random.bool() { "clamp" } else { "pass_up" };
        let plan = plan(random, mode, false);
        let (case, ran) = run(&plan, &people);
        let raw = raw(&case, &ran);
        prop_assert!(raw.values().all(|sum| *sum >= Decimal::ZERO));
        for (at, head) in people.iter().enumerate() {
            let in_group = |of: usize| {
                let mut here = Some(of);
                while let Some(one) = here.filter(|one| *one != at) {
                    here = people[one].sponsor;
                }
                here.is_some()
            };
            let own = head.rank.map_or(Decimal::ZERO, |rank| RATES[rank]);
            let group: Vec<usize> = (0..people.len()).filter(|of| in_group(*of)).collect();
            let highest = |of: usize| {
                let (mut here, mut best) = (Some(of), Decimal::ZERO);
                while let Some(one) = here {
                    best = best.max(people[one].rank.map_or(Decimal::ZERO, |rank| RATES[rank]));
                    here = if one == at { None } else { people[one].sponsor };
                }
                best
            };
            let volume = |of: &usize| Decimal::new(people[*of].sold, 2);
            let paid: Decimal = group.iter().map(|of| raw.get(&people[*of].id).copied().unwrap_or_default()).sum();
            let gross: Decimal = group.iter().map(|of| highest(*of) * volume(of)).sum();
            prop_assert_eq!(paid, gross);
            if group.iter().all(|of| highest(*of) == own) {
                let legs = raw.get(&head.id).copied().unwrap_or_default();
                let downline = paid - legs;
                prop_assert_eq!(legs, own * group.iter().map(volume).sum::<Decimal>() - downline);
            }
        }
    }

    /// Brackets by group volume: nobody below has a higher one, so the top of a tree takes its rate of it all.
    #[test]
    fn brackets_pay_the_rate_of_the_top_on_all_of_it(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let people = company(random, true);
        let plan = "[[bonus]]\nid = \"steps\"\nfamily = \"differential\"\nbase = \"cv\"\n\
                    brackets = [{ from = \"1\", rate = \"0.05\" }, { from = \"500\", rate = \"0.1\" }, { from = \"1500\", rate = \"0.21\" }]\n";
        let (case, ran) = run(plan, &people);
        let raw = raw(&case, &ran);
        let mut wanted = Decimal::ZERO;
        for top in (0..people.len()).filter(|at| people[*at].sponsor.is_none()) {
            let of_top = |mut at: usize| {
                while let Some(sponsor) = people[at].sponsor {
                    at = sponsor;
                }
                at == top
            };
            let sold = (0..people.len()).filter(|at| of_top(*at)).map(|at| people[at].sold).sum::<i64>();
            let rate = match sold {
                ..100 => dec!(0),
                100..50_000 => dec!(0.05),
                50_000..150_000 => dec!(0.1),
                _ => dec!(0.21),
            };
            wanted += rate * Decimal::new(sold, 2);
        }
        prop_assert_eq!(raw.values().sum::<Decimal>(), wanted);
        ran.check();
        let mut reversed = with_ranks(plan);
        fill(&mut reversed, &people);
        prop_assert_eq!(reversed.reversed().run().hash(), ran.hash());
    }
}

fn raw(case: &Case, ran: &Ran) -> BTreeMap<String, Decimal> {
    crate::core::bonus::leaders::testing::exact(case, ran)
}
