use super::*;

#[test]
fn a_head_that_its_evidence_does_not_give() {
    let store = state(sold_order());
    let mut edited = held(store.clone());
    edited.head.net = dec!(250);
    assert_eq!(
        only(&against(&store, Some(&edited))),
        (Seam::Head, Kind::WrongNet, None, Some(dec!(100)), Some(dec!(250)))
    );
    let mut by_line = held(store.clone());
    by_line.head.lines[0].net = dec!(41);
    by_line.ledger.as_mut().unwrap().lines[0].net = dec!(41);
    assert_eq!(
        only(&against(&store, Some(&by_line))),
        (Seam::Head, Kind::WrongNet, part_line("1"), Some(dec!(40)), Some(dec!(41)))
    );
    let mut status = held(store.clone());
    status.head.status = "held".into();
    status.ledger = None;
    assert_eq!(only(&against(&store, Some(&status))).1, Kind::OtherState);
    let mut who = held(store.clone());
    who.head.distributor = Some("9".into());
    who.ledger.as_mut().unwrap().distributor = Some("9".into());
    let compared = against(&store, Some(&who));
    assert_eq!((only(&compared).0, only(&compared).1), (Seam::Head, Kind::OtherAttribution));
}

#[test]
fn a_ledger_that_its_head_does_not_give() {
    let store = state(sold_order());
    let ledger = |change: &dyn Fn(&mut Ledger)| {
        let mut ours = held(store.clone());
        change(ours.ledger.as_mut().unwrap());
        let compared = against(&store, Some(&ours));
        let (seam, kind, part, should, is) = only(&compared);
        assert_eq!(seam, Seam::Ledger);
        (kind, part, should, is)
    };
    assert_eq!(
        ledger(&|ledger| ledger.lines[0].net = dec!(39)),
        (Kind::WrongLedger, part_line("1"), Some(dec!(40)), Some(dec!(39)))
    );
    assert_eq!(
        ledger(&|ledger| ledger.earns = false),
        (Kind::WrongLedger, None, Some(dec!(100)), Some(dec!(0)))
    );
    assert_eq!(ledger(&|ledger| ledger.distributor = None).0, Kind::OtherAttribution);
    assert_eq!(
        ledger(&|ledger| ledger.events = dec!(19)),
        (Kind::WrongEvents, None, Some(dec!(20)), Some(dec!(19)))
    );
    assert_eq!(ledger(&|ledger| ledger.entries = 0).0, Kind::MissingEntry);
    assert_eq!(
        ledger(&|ledger| ledger.payable = dec!(21)),
        (Kind::WrongPostings, None, Some(dec!(20)), Some(dec!(21)))
    );
    let mut never = held(store.clone());
    never.ledger = None;
    assert_eq!(
        only(&against(&store, Some(&never))),
        (Seam::Ledger, Kind::NotCalculated, None, Some(dec!(100)), None)
    );
    let cancelled = state(OrderSnapshot { cancelled: true, ..sold_order() });
    let mut still = held(cancelled.clone());
    still.ledger = held(store.clone()).ledger;
    let compared = against(&cancelled, Some(&still));
    assert_eq!(only(&compared).1, Kind::WrongLedger);
    assert_eq!(day([compared]).currencies[&usd()].drift, dec!(-100));
}

#[test]
fn lines_without_commission_need_no_calculation_of_their_own() {
    let store = state(sold_order());
    let mut ours = held(store.clone());
    let none = |lines: &mut Vec<AssessedLine>| lines[1].commission_class = Some("none".into());
    let mut assessed = assess(&store);
    none(&mut assessed.lines);
    none(&mut ours.assessed.lines);
    none(&mut ours.head.lines);
    let ledger = ours.ledger.as_mut().unwrap();
    none(&mut ledger.lines);
    // Refunded since: nothing was calculated anew, as nothing earns on it.
    ledger.lines[1].net = dec!(75);
    let says = Says::Shown { state: &store, assessed: &assessed };
    let compared = compare("301", says, Some(&ours.ours()), Waits::Settled);
    assert!(compared.is_clean(), "{compared:?}");
    let day = day([compared]);
    let sums = &day.currencies[&usd()];
    assert_eq!((sums.due.net, sums.nothing, sums.ledger.net), (dec!(100), dec!(60), dec!(40)));
}
