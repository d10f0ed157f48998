use proptest::prelude::*;

use super::*;

/// One order as the store has it, and what has gone wrong with ours.
#[derive(Clone, Debug)]
struct Case {
    cents: Vec<i64>,
    shipping: i64,
    refunded: i64,
    fate: u8,
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let case = (prop::collection::vec(1i64..20_000, 1..4), 0i64..900, 0i64..9_000, 0u8..12);
    let case = case.prop_map(|(cents, shipping, refunded, fate)| Case { cents, shipping, refunded, fate });
    prop::collection::vec(case, 1..25)
}

fn play(number: usize, case: &Case) -> Compared {
    let id = format!("{}", 300 + number);
    let money = |cents: i64| Decimal::new(cents, 2);
    let lines = case.cents.iter().enumerate();
    let lines = lines.map(|(i, cents)| line(&i.to_string(), &money(*cents).to_string(), "0", "0")).collect();
    let total = money(case.cents.iter().sum::<i64>() + case.shipping);
    let mut snapshot = order(lines, &total.to_string());
    snapshot.external_id.clone_from(&id);
    if case.refunded > 0 {
        snapshot.refunds.push(refund("r", &[("0", money(case.refunded))]));
    }
    let store = state(snapshot.clone());
    let assessed = assess(&store);
    let says = Says::Shown { state: &store, assessed: &assessed };
    let mut ours = held(store.clone());
    match case.fate {
        0 => return compare(&id, says, None, Waits::Settled),
        1 => return compare(&id, says, Some(&ours.ours()), Waits::InFlight),
        2 => return compare(&id, says, None, Waits::InFlight),
        3 => return compare(&id, Says::Gone, Some(&ours.ours()), Waits::Settled),
        4 => ours = held(state(OrderSnapshot { refunds: vec![], ..snapshot })),
        5 => ours = held(state(OrderSnapshot { cancelled: true, ..snapshot })),
        6 => ours.ledger.as_mut().unwrap().lines[0].net += Decimal::ONE,
        7 => ours.ledger = None,
        8 => {
            let cancelled = state(OrderSnapshot { cancelled: true, ..snapshot });
            let (assessed, ours) = (assess(&cancelled), held(cancelled.clone()));
            let says = Says::Shown { state: &cancelled, assessed: &assessed };
            return compare(&id, says, Some(&ours.ours()), Waits::Settled);
        }
        _ => {}
    }
    compare(&id, says, Some(&ours.ours()), Waits::Settled)
}

proptest! {
    #[test]
    fn the_parts_are_the_whole_and_no_sequence_changes_it(
        cases in cases(),
        shuffle in prop::collection::vec(any::<u32>(), 25),
    ) {
        let compared: Vec<Compared> = cases.iter().enumerate().map(|(i, case)| play(i, case)).collect();
        let added = day(compared.clone());
        let mut mixed: Vec<(u32, Compared)> = shuffle.into_iter().zip(compared.clone()).collect();
        mixed.sort_by_key(|(key, _)| *key);
        let mixed = day(mixed.into_iter().map(|(_, compared)| compared));
        prop_assert_eq!(&added, &mixed);
        prop_assert_eq!(serde_json::to_string(&added).unwrap(), serde_json::to_string(&mixed).unwrap());
        for sums in added.currencies.values() {
            prop_assert_eq!(sums.store.net, sums.store.sold - sums.store.refunded);
            prop_assert_eq!(sums.store.net, sums.exempt.net + sums.held.net + sums.due.net);
            prop_assert_eq!(sums.due.net, sums.nothing + sums.in_flight.net + sums.drift + sums.ledger.net);
            prop_assert_eq!(sums.ledger.net, sums.in_open_periods + sums.in_closed_periods);
            prop_assert!(sums.off >= sums.drift.abs());
            prop_assert!(sums.explained <= sums.worth);
        }
        let blamed = compared.iter().any(|compared| !compared.differences.is_empty());
        prop_assert_eq!(added.state(true, true) == State::NotOk, blamed);
        let again: Day = serde_json::from_str(&serde_json::to_string(&added).unwrap()).unwrap();
        prop_assert_eq!(again.currencies, added.currencies);
    }
}
