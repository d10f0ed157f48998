//! What holds for every tree, whoever is active and whatever the ladder.

use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::core::bonus::testing::{Somebody, any_company, company, name};
use crate::core::bonus::{Family, Terms};
use crate::core::engine::UplineMember;
use crate::core::ids::DistributorId;
use crate::core::money::{Rounding, round};

#[derive(Clone, Debug)]
struct Parts {
    start_level: u16,
    mode: &'static str,
    max_skips: Option<u16>,
    stop_at: Option<&'static str>,
    of_pool: bool,
    default_rank: bool,
    /// Per thousand, by rank and level.
    rates: Vec<Vec<u32>>,
}

impl Parts {
    fn plan(&self) -> String {
        let row = |(rank, rates): (&str, &Vec<u32>)| {
            let cells: Vec<String> =
                rates.iter().map(|rate| format!("\"{}\"", Decimal::new(i64::from(*rate), 3))).collect();
            format!("{rank} = [{}]", cells.join(", "))
        };
        let rows: Vec<String> = ["bronze", "silver", "gold"].into_iter().zip(&self.rates).map(row).collect();
        let skips = self.max_skips.map(|most| format!(", max_skips = {most}")).unwrap_or_default();
        let stop = self.stop_at.map(|rank| format!("stop_at = \"{rank}\"")).unwrap_or_default();
        let pool = if self.of_pool { "pool = \"0.75\"\nrates_of = \"pool\"" } else { "" };
        let standing = if self.default_rank { "[standing]\ndefault_rank = \"bronze\"\n" } else { "" };
        let ranks = "[[rank]]\nid = \"bronze\"\n[[rank]]\nid = \"silver\"\n[[rank]]\nid = \"gold\"\n";
        format!(
            "{standing}{ranks}{}",
            team(&format!(
                "start_level = {}\ncompression = {{ mode = \"{}\"{skips} }}\n{stop}\n{pool}\nrates = {{ {} }}",
                self.start_level,
                self.mode,
                rows.join(", ")
            ))
        )
    }
}

fn any_parts() -> impl Strategy<Value = Parts> {
    let rates = prop::collection::vec(prop::collection::vec(prop_oneof![Just(0u32), 1u32..150], 0..5), 3)
        .prop_filter("somebody is paid", |rows| rows.iter().flatten().any(|rate| *rate > 0));
    let mode = (select(vec!["none", "inactive_skip", "slot_fill", "structural"]), prop::option::of(0u16..4));
    let stop_at = prop::option::weighted(0.3, select(vec!["silver", "gold"]));
    (0u16..3, mode, stop_at, any::<bool>(), any::<bool>(), rates).prop_map(
        |(start_level, (mode, skips), stop_at, of_pool, default_rank, rates)| {
            let max_skips = skips.filter(|_| mode == "inactive_skip" || mode == "slot_fill");
            Parts { start_level, mode, max_skips, stop_at, of_pool, default_rank, rates }
        },
    )
}

/// What every seller's upline is paid by the order road, summed up and rounded once.
fn by_orders(ran: &Ran, persons: &[Somebody]) -> BTreeMap<String, Decimal> {
    let bonus = &ran.plan.bonuses()[0];
    let Family::Unilevel(unilevel) = &bonus.family else { panic!("{bonus:?}") };
    let terms = Terms {
        active: bonus.active_rule(&ran.plan),
        ranks: ran.plan.ranks(),
        default_rank: ran.plan.default_rank.as_deref(),
        ordered_at: DateTime::UNIX_EPOCH,
    };
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for (seller, sold) in persons.iter().enumerate() {
        let mut upline = vec![];
        let mut at = Some(seller);
        while let Some(here) = at {
            upline.push(UplineMember {
                distributor: DistributorId::new(name(here)),
                status: persons[here].status,
                rank: Some(persons[here].rank).filter(|rank| !rank.is_empty()).map(str::to_owned),
                pv: Decimal::ZERO,
                enrolled: true,
                enrolled_at: None,
            });
            at = persons[here].sponsor;
        }
        let pool = if unilevel.rates_of_pool { dec!(0.75) } else { dec!(1) };
        for place in unilevel.ladder.walk(&terms, &upline).places {
            let who = upline[place.member].distributor.to_string();
            *sums.entry(who).or_default() += sold.sold * place.rate * pool;
        }
    }
    sums.retain(|_, sum| {
        *sum = round(*sum, 2, Rounding::HalfUp);
        !sum.is_zero()
    });
    sums
}

/// Rates of everybody who earns on what somebody sold.
fn rates(told: &Told<'_>, who: &str) -> Decimal {
    let rate = |finding: &Finding| match finding {
        Finding::Earns { rate } => rate.unwrap_or_default(),
        _ => Decimal::ZERO,
    };
    told.trace("team", who).iter().map(|step| rate(&step.finding)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_close_pays_what_the_orders_one_by_one_would(parts in any_parts(), persons in any_company(14)) {
        let case = company(&parts.plan(), &persons);
        let ran = case.run();
        ran.check();
        Told::of(&case, &ran).check();
        let paid: BTreeMap<String, Decimal> =
            ran.paid().into_iter().map(|((_, who), amount)| (who, amount)).collect();
        prop_assert_eq!(paid, by_orders(&ran, &persons));
    }

    #[test]
    fn the_order_of_the_facts_changes_no_hash(parts in any_parts(), persons in any_company(14)) {
        let mut case = company(&parts.plan(), &persons);
        let hash = case.run().hash();
        prop_assert_eq!(case.reversed().run().hash(), hash);
    }

    #[test]
    fn levels_rise_and_compression_lowers_nothing_where_rates_do_not_rise(
        parts in any_parts(), persons in any_company(14),
    ) {
        let mut parts = parts;
        parts.rates.iter_mut().for_each(|row| row.sort_unstable_by_key(|rate| std::cmp::Reverse(*rate)));
        let compressed = company(&parts.plan(), &persons);
        let none = company(&Parts { mode: "none", max_skips: None, ..parts.clone() }.plan(), &persons);
        let (ran, ran_none) = (compressed.run(), none.run());
        let (told, told_none) = (Told::of(&compressed, &ran), Told::of(&none, &ran_none));
        for (at, person) in persons.iter().enumerate() {
            let way = told.trace("team", &name(at));
            let levels: Vec<u16> = way.iter().filter_map(|step| step.level).collect();
            prop_assert!(levels.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", way);
            // The tree without its inactive members is another tree, in which a seller may stand elsewhere.
            let comparable = parts.mode != "structural"
                || (person.status == Status::Active && parts.start_level <= 1);
            if comparable {
                prop_assert!(rates(&told, &name(at)) >= rates(&told_none, &name(at)), "{:?}", way);
            }
        }
    }
}
