//! What holds for every plan, upline and order.

use super::*;
use crate::core::money::Rounding;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::BTreeMap;

const MODES: [&str; 5] = ["half_up", "half_even", "half_down", "down", "up"];
const COMPRESSIONS: [&str; 5] = [
    "\"none\"",
    "\"inactive_skip\"",
    "\"slot_fill\"",
    "{ mode = \"inactive_skip\", max_skips = 2 }",
    "{ mode = \"slot_fill\", max_skips = 1 }",
];
const CURRENCIES: [&str; 3] = ["USD", "JPY", "KWD"];

#[derive(Clone, Debug)]
struct PlanParts {
    currency: &'static str,
    mode: &'static str,
    stage: &'static str,
    start_level: u16,
    compression: &'static str,
    pool: Option<&'static str>,
    of_pool: bool,
    direct: u32,
    /// Per thousand, by rank and level.
    rates: Vec<Vec<u32>>,
}

impl PlanParts {
    fn text(&self) -> String {
        let row = |rates: &Vec<u32>| {
            let cells: Vec<String> =
                rates.iter().map(|rate| format!("\"{}\"", Decimal::new(i64::from(*rate), 3))).collect();
            cells.join(", ")
        };
        let rows: Vec<String> = ["bronze", "silver", "gold"]
            .iter()
            .zip(&self.rates)
            .map(|(rank, r)| format!("{rank} = [{}]", row(r)))
            .collect();
        let pool = self.pool.map(|pool| format!("pool = \"{pool}\"")).unwrap_or_default();
        let of = if self.of_pool && self.pool.is_some() { "rates_of = \"pool\"" } else { "" };
        format!(
            r#"
plan = {{ id = "random", currency = "{currency}" }}
rounding = {{ mode = "{mode}", stage = "{stage}" }}
period = {{ cadence = "week", zone = "UTC" }}
rank = [{{ id = "bronze" }}, {{ id = "silver" }}, {{ id = "gold" }}]
class = [
  {{ id = "share", cv = {{ of_net = "0.735" }} }},
  {{ id = "unit", cv = {{ per_unit = "12.3" }} }},
  {{ id = "plain" }},
]
[[bonus]]
id = "own"
family = "direct"
base = "net"
rates = {{ share = "{direct}", plain = "0.333" }}
[[bonus]]
id = "team"
family = "unilevel"
base = "cv"
start_level = {start}
compression = {compression}
{pool}
{of}
rates = {{ {rows} }}
"#,
            currency = self.currency,
            mode = self.mode,
            stage = self.stage,
            direct = Decimal::new(i64::from(self.direct), 3),
            start = self.start_level,
            compression = self.compression,
            rows = rows.join(", "),
        )
    }

    fn plan(&self) -> Plan {
        Plan::parse(&self.text()).unwrap_or_else(|problems| panic!("{problems:#?}\n{}", self.text()))
    }
}

fn any_parts() -> impl Strategy<Value = PlanParts> {
    let rates = prop::collection::vec(prop::collection::vec(prop_oneof![Just(0u32), 1u32..150], 0..5), 3)
        .prop_filter("somebody is paid", |rows| rows.iter().flatten().any(|rate| *rate > 0));
    let rounding = (select(&MODES[..]), select(vec!["line", "order"]), select(&CURRENCIES[..]));
    (
        rounding,
        0u16..3,
        select(&COMPRESSIONS[..]),
        prop::option::of(select(vec!["0.75", "1"])),
        any::<bool>(),
        0u32..400,
        rates,
    )
        .prop_map(|((mode, stage, currency), start_level, compression, pool, of_pool, direct, rates)| {
            PlanParts { currency, mode, stage, start_level, compression, pool, of_pool, direct, rates }
        })
}

fn any_upline() -> impl Strategy<Value = Vec<UplineMember>> {
    let member = (
        select(&Status::ALL[..]),
        0..8u8,
        select(vec![None, Some("bronze"), Some("silver"), Some("gold"), Some("tin")]),
    );
    prop::collection::vec(member, 0..14).prop_map(|members| {
        let numbered = members.into_iter().enumerate();
        numbered
            .map(|(at, (status, chance, rank))| UplineMember {
                // Most are active, or nothing would ever be paid.
                status: if chance > 2 { Status::Active } else { status },
                enrolled: chance != 0,
                rank: rank.map(str::to_owned),
                ..member_named(at)
            })
            .collect()
    })
}

fn member_named(at: usize) -> UplineMember {
    member(&format!("d{at}"), "gold")
}

fn any_lines() -> impl Strategy<Value = Vec<CommissionLine>> {
    let line = (select(vec!["share", "unit", "plain"]), 0u32..1_000_000, 0u32..=100, 0u32..5);
    prop::collection::vec(line, 0..6).prop_map(|lines| {
        let numbered = lines.into_iter().enumerate();
        numbered
            .map(|(at, (class, sold, left, quantity))| {
                let sold = Decimal::new(i64::from(sold), 2);
                let net = sold * Decimal::new(i64::from(left), 2);
                CommissionLine {
                    line: at.to_string(),
                    class: class.into(),
                    net,
                    sold,
                    quantity: quantity.into(),
                }
            })
            .collect()
    })
}

fn posted(awards: &[Award]) -> Vec<PostedAward> {
    let posted = |award: &Award| PostedAward {
        line: award.line.clone(),
        bonus: award.bonus.clone(),
        level: award.level,
        distributor: award.distributor.clone(),
        amount: award.amount,
    };
    awards.iter().map(posted).collect()
}

fn applied(mut posted: Vec<PostedAward>, drafts: Vec<EventDraft>) -> Vec<PostedAward> {
    posted.extend(drafts.into_iter().map(|draft| PostedAward {
        line: draft.line,
        bonus: draft.bonus,
        level: draft.level,
        distributor: draft.distributor,
        amount: draft.amount,
    }));
    posted
}

type Sums = BTreeMap<(String, String, u16, String), Decimal>;

fn sums(posted: &[PostedAward]) -> Sums {
    let mut sums = Sums::new();
    for p in posted {
        *sums.entry((p.line.clone(), p.bonus.clone(), p.level, p.distributor.0.clone())).or_default() +=
            p.amount;
    }
    sums.retain(|_, amount| !amount.is_zero());
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn all_of_a_pool_is_paid_broken_or_rounded(parts in any_parts(), upline in any_upline(), lines in any_lines()) {
        let plan = parts.plan();
        let scale = plan.currency().exponent().unwrap();
        let calculation = calculate(&plan, &lines, &upline);
        for share in &calculation.pools {
            prop_assert_eq!(share.paid + share.breakage + share.rounding, share.pool);
            let of_line = calculation.awards.iter().filter(|a| a.line == share.line && a.bonus == share.bonus);
            let amounts: Vec<Decimal> = of_line.map(|award| award.amount).collect();
            prop_assert_eq!(amounts.iter().sum::<Decimal>(), share.paid);
            prop_assert!(share.breakage >= Decimal::ZERO && share.pool >= Decimal::ZERO, "{:?}", share);
            // Every rounded number is at most one unit off its exact one.
            let units = Decimal::from(upline.len() + 2);
            prop_assert!(share.rounding.abs() <= units * Decimal::new(1, scale), "{:?}", share);
            prop_assert!([share.pool, share.paid, share.breakage].iter().all(|part| part.normalize().scale() <= scale));
        }
        for award in &calculation.awards {
            prop_assert!(award.amount > Decimal::ZERO && award.amount.normalize().scale() <= scale, "{:?}", award);
            prop_assert!(calculation.pools.iter().any(|p| p.line == award.line && p.bonus == award.bonus));
            let mode: Rounding = serde_json::from_str(&format!("{:?}", parts.mode)).unwrap();
            let alone = crate::core::money::round(award.base * award.rate, scale, mode);
            if parts.stage == "line" {
                prop_assert_eq!(award.amount, alone);
            } else {
                prop_assert!((award.amount - alone).abs() <= Decimal::new(2, scale), "{:?}", award);
            }
        }
    }

    #[test]
    fn levels_rise_walking_up_and_nobody_is_paid_twice(parts in any_parts(), upline in any_upline()) {
        let plan = parts.plan();
        let lines = [CommissionLine { class: "share".into(), ..line("1", Decimal::from(1_000_000)) }];
        let calculation = calculate(&plan, &lines, &upline);
        let team: Vec<&Award> = calculation.awards.iter().filter(|award| award.bonus == "team").collect();
        let place = |award: &Award| upline.iter().position(|member| member.distributor == award.distributor).unwrap();
        for pair in team.windows(2) {
            prop_assert!(pair[0].level < pair[1].level && place(pair[0]) < place(pair[1]), "{:?}", pair);
        }
        let walk = calculation.walks.iter().find(|walk| walk.bonus == "team").unwrap();
        let earning = walk.visited.iter().filter(|v| matches!(v.finding, Finding::Earns { .. })).count();
        prop_assert_eq!(earning, team.len());
    }

    #[test]
    fn the_order_of_the_lines_changes_no_byte(
        parts in any_parts(), upline in any_upline(), lines in any_lines(), seed in any::<u64>(),
    ) {
        let plan = parts.plan();
        let mut shuffled = lines.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let bytes = |lines: &[CommissionLine]| serde_json::to_string(&calculate(&plan, lines, &upline)).unwrap();
        prop_assert_eq!(bytes(&lines), bytes(&shuffled));
    }

    #[test]
    fn compression_never_lowers_what_a_line_pays_where_rates_do_not_rise(
        parts in any_parts(), upline in any_upline(), lines in any_lines(), max in 0u16..4,
    ) {
        let mut parts = parts;
        parts.rates.iter_mut().for_each(|row| row.sort_unstable_by_key(|rate| std::cmp::Reverse(*rate)));
        parts.stage = "line";
        let limited = |mode: &str| &*format!("{{ mode = \"{mode}\", max_skips = {max} }}").leak();
        let paid = |compression: &'static str| -> BTreeMap<String, Decimal> {
            let plan = PlanParts { compression, ..parts.clone() }.plan();
            let pools = calculate(&plan, &lines, &upline).pools;
            pools.into_iter().filter(|pool| pool.bonus == "team").map(|pool| (pool.line, pool.paid)).collect()
        };
        let none = paid("\"none\"");
        for compression in ["\"inactive_skip\"", "\"slot_fill\"", limited("inactive_skip"), limited("slot_fill")] {
            let compressed = paid(compression);
            for (line, paid) in &none {
                prop_assert!(compressed.get(line) >= Some(paid), "{compression}: {none:?} {compressed:?}");
            }
        }
    }

    #[test]
    fn the_upline_that_is_kept_is_enough(parts in any_parts(), upline in any_upline(), lines in any_lines()) {
        let plan = parts.plan();
        let kept = take_upline(&plan, DateTime::UNIX_EPOCH, upline.iter().cloned());
        prop_assert!(kept.len() <= upline.len());
        prop_assert_eq!(calculate(&plan, &lines, &kept), calculate(&plan, &lines, &upline));
    }

    #[test]
    fn posting_the_difference_makes_it_true_and_never_takes_more_than_was_posted(
        parts in any_parts(), upline in any_upline(), other in any_upline(),
        states in prop::collection::vec(any_lines(), 1..5), cut in any::<Index>(), seed in any::<u64>(),
    ) {
        let plan = parts.plan();
        let mut random = fastrand::Rng::with_seed(seed);
        let mut ledger: Vec<PostedAward> = Vec::new();
        for (at, lines) in states.iter().enumerate() {
            let upline = if at == cut.index(states.len()) { &other } else { &upline };
            let mut wanted = calculate(&plan, lines, upline).awards;
            let before = sums(&ledger);
            let drafts = difference(&ledger, &wanted);
            random.shuffle(&mut ledger);
            random.shuffle(&mut wanted);
            prop_assert_eq!(&drafts, &difference(&ledger, &wanted));
            for draft in &drafts {
                let key = (draft.line.clone(), draft.bonus.clone(), draft.level, draft.distributor.0.clone());
                let known = ledger.iter().any(|p| (p.line.clone(), p.bonus.clone(), p.level, p.distributor.0.clone()) == key);
                let posted = before.get(&key).copied().unwrap_or_default();
                match draft.kind {
                    EventKind::Earn => prop_assert!(!known && draft.amount > Decimal::ZERO),
                    EventKind::Adjust => prop_assert!(known && draft.amount > Decimal::ZERO),
                    EventKind::Clawback => prop_assert!(draft.amount < Decimal::ZERO && posted + draft.amount >= Decimal::ZERO),
                    EventKind::Forfeit => prop_assert!(false, "an order forfeits nothing"),
                }
            }
            ledger = applied(ledger, drafts);
            prop_assert_eq!(sums(&ledger), sums(&posted(&wanted)));
            prop_assert!(difference(&ledger, &wanted).is_empty());
        }
    }

    #[test]
    fn refunding_everything_leaves_nothing(parts in any_parts(), upline in any_upline(), lines in any_lines()) {
        let plan = parts.plan();
        let mut ledger = Vec::new();
        // A free line has volume per unit but no money that could be refunded: it goes when it is removed.
        let lines: Vec<CommissionLine> = lines.into_iter().filter(|line| !line.sold.is_zero()).collect();
        for part in [dec!(1), dec!(0.37), dec!(0)] {
            let left: Vec<CommissionLine> =
                lines.iter().map(|line| CommissionLine { net: line.sold * part, ..line.clone() }).collect();
            let wanted = calculate(&plan, &left, &upline).awards;
            ledger = applied(ledger.clone(), difference(&ledger, &wanted));
        }
        prop_assert!(sums(&ledger).is_empty(), "{:?}", ledger);
    }
}
