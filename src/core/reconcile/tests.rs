use proptest::prelude::*;
use rust_decimal::dec;

use super::*;
use crate::core::assess::{AssessedLine, Exemption, Hold, HoldReason, Verdict};
use crate::core::attribution::Attributed;
use crate::core::ids::DistributorId;
use crate::core::net::{self, tests::line, tests::order};
use crate::core::order::{BareRefund, OrderSnapshot, Payment, Refund, RefundLine};

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn refund(id: &str, lines: &[(&str, Decimal)]) -> Refund {
    Refund {
        external_id: id.into(),
        at: None,
        lines: lines
            .iter()
            .map(|(line, net)| RefundLine { line: (*line).into(), quantity: Decimal::ONE, net: *net })
            .collect(),
        unallocated: Decimal::ZERO,
        amount: lines.iter().map(|(_, net)| *net).sum(),
    }
}

/// Two lines of goods, 40 and 60, with 10 of shipping.
fn sold_order() -> OrderSnapshot {
    order(vec![line("1", "40", "0", "0"), line("2", "60", "0", "0")], "110")
}

fn state(snapshot: OrderSnapshot) -> OrderState {
    OrderState { snapshot: Some(snapshot), ..OrderState::default() }
}

/// As the assessment of a company that maps everything, and attributes everything to 4.
fn assess(state: &OrderState) -> Assessment {
    let Some(order) = &state.snapshot else {
        return Assessment {
            lines: vec![],
            sold: Decimal::ZERO,
            refunded: Decimal::ZERO,
            net: Decimal::ZERO,
            attributed: None,
            verdict: Verdict::Awaiting,
        };
    };
    let nets = net::commissionable(order, &state.refunds());
    let assessed = |(line, net): (&crate::core::order::OrderLine, &net::LineNet)| AssessedLine {
        line: line.external_id.clone(),
        product: line.product.clone(),
        title: line.title.clone(),
        kind: line.kind,
        quantity: line.quantity,
        gross: line.gross,
        discount: line.discount,
        included_tax: line.included_tax,
        sold: net.sold,
        refunded: net.refunded,
        net: net.net(),
        estimated: net.estimated,
        commission_class: Some("supplement".into()),
        sku_id: Some("A1".into()),
        mapping_id: Some(1),
    };
    let exempt = [
        (order.cancelled, Exemption::Cancelled),
        (state.is_deleted(), Exemption::Deleted),
        (order.payment == Payment::Unpaid, Exemption::Unpaid),
    ];
    let exempt: Vec<Exemption> = exempt.into_iter().filter_map(|(is, why)| is.then_some(why)).collect();
    Assessment {
        lines: order.lines.iter().zip(&nets.lines).map(assessed).collect(),
        sold: nets.sold(),
        refunded: nets.refunded(),
        net: nets.net(),
        attributed: Some(Attributed {
            distributor: DistributorId::new("4"),
            place: "order_meta:distributor".into(),
            value: "4".into(),
            own: false,
        }),
        verdict: if exempt.is_empty() { Verdict::Commissionable } else { Verdict::Exempt(exempt) },
    }
}

/// What we hold of an order, all of it in agreement until a test changes a part.
#[derive(Clone, Debug)]
struct Held {
    state: OrderState,
    assessed: Assessment,
    head: Head,
    ledger: Option<Ledger>,
    only_posted: bool,
}

fn held(state: OrderState) -> Held {
    let assessed = assess(&state);
    let head = Head {
        status: assessed.verdict.name().to_owned(),
        distributor: assessed.attributed.as_ref().map(|to| to.distributor.0.clone()),
        net: assessed.net,
        lines: assessed.lines.clone(),
    };
    let pool = assessed.net * dec!(0.2);
    let ledger = assessed.is_commissionable().then(|| Ledger {
        calculations: 1,
        entries: 1,
        earns: true,
        distributor: head.distributor.clone(),
        lines: head.lines.clone(),
        pool,
        paid: pool,
        events: pool,
        payable: pool,
        expense: pool,
        ..Ledger::default()
    });
    Held { state, assessed, head, ledger, only_posted: false }
}

impl Held {
    fn ours(&self) -> Ours<'_> {
        Ours {
            order_id: OrderId(uuid::Uuid::nil()),
            state: &self.state,
            assessed: &self.assessed,
            head: &self.head,
            ledger: self.ledger.as_ref(),
            only_posted: self.only_posted,
        }
    }
}

fn against(store: &OrderState, ours: Option<&Held>) -> Compared {
    let assessed = assess(store);
    let says = Says::Shown { state: store, assessed: &assessed };
    compare("301", says, ours.map(Held::ours).as_ref(), Waits::Settled)
}

fn day(compared: impl IntoIterator<Item = Compared>) -> Day {
    let mut day = Day::default();
    compared.into_iter().for_each(|compared| day.add(compared));
    day.finish()
}

fn kinds(compared: &Compared) -> Vec<(Seam, Kind)> {
    compared.differences.iter().map(|found| (found.seam, found.kind)).collect()
}

/// The one difference, with its part and amounts; the words name the order.
fn only(compared: &Compared) -> (Seam, Kind, Option<Part>, Option<Decimal>, Option<Decimal>) {
    let [found] = &compared.differences[..] else { panic!("{:?}", compared.differences) };
    assert!(found.what.contains("301") && !found.fix.is_empty(), "{found:?}");
    (found.seam, found.kind, found.part.clone(), found.should, found.is)
}

fn part_line(id: &str) -> Option<Part> {
    Some(Part::Line(id.into()))
}

fn part_refund(id: &str) -> Option<Part> {
    Some(Part::Refund(id.into()))
}

#[test]
fn an_order_that_is_the_same_everywhere_is_clean() {
    let store = state(sold_order());
    let compared = against(&store, Some(&held(store.clone())));
    assert!(compared.is_clean(), "{compared:?}");
    let day = day([compared]);
    assert_eq!(day.state(true, true), State::Ok);
    assert_eq!(day.share(usd()).ratio(), Some(Decimal::ONE));
    let sums = &day.currencies[&usd()];
    assert_eq!((sums.store.total, sums.due.net, sums.ledger.net), (dec!(110), dec!(100), dec!(100)));
    assert_eq!((sums.drift, sums.off, sums.expense), (dec!(0), dec!(0), dec!(20)));
    assert_eq!(day.oldest_unexplained, None);
}

#[test]
fn a_day_is_never_clean_on_partial_data_and_never_more_than_explained_without_the_store() {
    let store = state(sold_order());
    let day = day([against(&store, Some(&held(store.clone())))]);
    assert_eq!(day.state(true, false), State::NotOk);
    assert_eq!(day.state(false, true), State::Explained);
}

#[test]
fn a_missing_order_is_named_with_its_money() {
    let store = state(sold_order());
    let compared = against(&store, None);
    assert_eq!(only(&compared), (Seam::Evidence, Kind::MissingOrder, None, Some(dec!(100)), None));
    let day = day([compared]);
    assert_eq!(day.state(true, true), State::NotOk);
    let sums = &day.currencies[&usd()];
    assert_eq!((sums.drift, sums.off, sums.explained), (dec!(100), dec!(100), dec!(0)));
    assert_eq!(day.oldest_unexplained, Some(sold_order().ordered_at));
}

#[test]
fn of_an_order_only_a_change_is_known() {
    let bare = BareRefund { refund: refund("r1", &[("1", dec!(5))]), at: sold_order().ordered_at };
    let known = OrderState { bare_refunds: [("r1".to_owned(), bare)].into(), ..OrderState::default() };
    let compared = against(&state(sold_order()), Some(&held(known.clone())));
    assert_eq!(kinds(&compared), [(Seam::Evidence, Kind::MissingOrder)]);
    assert!(compared.differences[0].what.contains("only a change"));
    let gone = compare("301", Says::Gone, Some(&held(known).ours()), Waits::Settled);
    assert_eq!(only(&gone).1, Kind::UnknownToStore);
}

#[test]
fn refunds_that_are_missing_doubled_or_other() {
    let with = |refunds: Vec<Refund>| state(OrderSnapshot { refunds, ..sold_order() });
    let one = refund("r1", &[("1", dec!(15))]);
    let missing = against(&with(vec![one.clone()]), Some(&held(with(vec![]))));
    assert_eq!(
        only(&missing),
        (Seam::Evidence, Kind::MissingRefund, part_refund("r1"), Some(dec!(15)), None)
    );
    let doubled = against(
        &with(vec![one.clone()]),
        Some(&held(with(vec![one.clone(), refund("r2", &[("1", dec!(15))])]))),
    );
    assert_eq!(
        only(&doubled),
        (Seam::Evidence, Kind::DoubledRefund, part_refund("r2"), None, Some(dec!(15)))
    );
    let sums = day([doubled]);
    assert_eq!(sums.currencies[&usd()].drift, dec!(15));
    let other = refund("r1", &[("1", dec!(12))]);
    let wrong = against(&with(vec![one.clone()]), Some(&held(with(vec![other]))));
    assert_eq!(
        only(&wrong),
        (Seam::Evidence, Kind::WrongRefund, part_refund("r1"), Some(dec!(15)), Some(dec!(12)))
    );
    let elsewhere = refund("r1", &[("2", dec!(15))]);
    let moved = against(&with(vec![one]), Some(&held(with(vec![elsewhere]))));
    assert_eq!(only(&moved).1, Kind::WrongRefund);
    // The net is the same, the lines are not: nothing is netted.
    let sums = day([moved]);
    assert_eq!((sums.currencies[&usd()].drift, sums.currencies[&usd()].off), (dec!(0), dec!(30)));
    assert_eq!(sums.state(true, true), State::NotOk);
}

#[test]
fn an_edited_order_by_line() {
    let store = state(sold_order());
    let mut fewer = sold_order();
    fewer.lines[1].quantity = dec!(2);
    let compared = against(&store, Some(&held(state(fewer))));
    assert_eq!(
        only(&compared),
        (Seam::Evidence, Kind::EditedOrder, part_line("2"), Some(dec!(60)), Some(dec!(60)))
    );
    let mut without = sold_order();
    without.lines.pop();
    let added = against(&store, Some(&held(state(without.clone()))));
    assert_eq!(only(&added), (Seam::Evidence, Kind::EditedOrder, part_line("2"), Some(dec!(60)), None));
    let removed = against(&state(without), Some(&held(store.clone())));
    assert_eq!(only(&removed), (Seam::Evidence, Kind::EditedOrder, part_line("2"), None, Some(dec!(60))));
    let mut another = sold_order();
    another.lines[0].product.sku = Some("B9".into());
    assert_eq!(only(&against(&store, Some(&held(state(another))))).1, Kind::EditedOrder);
    let total = OrderSnapshot { total: dec!(99), ..sold_order() };
    let compared = against(&store, Some(&held(state(total))));
    assert_eq!(only(&compared), (Seam::Evidence, Kind::EditedOrder, None, Some(dec!(110)), Some(dec!(99))));
}

#[test]
fn a_name_that_only_one_side_tells_is_no_edit() {
    let mut named = sold_order();
    named.lines[0].product.variant_id = Some("77".into());
    let compared = against(&state(named), Some(&held(state(sold_order()))));
    assert!(compared.is_clean(), "{compared:?}");
}

#[test]
fn a_wrong_net_by_line() {
    let mut cheaper = sold_order();
    cheaper.lines[0].discount = dec!(4);
    let compared = against(&state(cheaper), Some(&held(state(sold_order()))));
    assert_eq!(
        only(&compared),
        (Seam::Evidence, Kind::WrongNet, part_line("1"), Some(dec!(36)), Some(dec!(40)))
    );
    assert_eq!(day([compared]).currencies[&usd()].drift, dec!(-4));
}

#[test]
fn other_conditions_times_currencies_and_earners() {
    let store = state(sold_order());
    let cancelled = held(state(OrderSnapshot { cancelled: true, ..sold_order() }));
    let compared = against(&store, Some(&cancelled));
    assert_eq!(only(&compared).1, Kind::OtherState);
    assert!(compared.differences[0].what.contains("paid at the store, here paid, cancelled"));
    let later = sold_order().ordered_at + chrono::TimeDelta::hours(3);
    let compared = against(&store, Some(&held(state(OrderSnapshot { ordered_at: later, ..sold_order() }))));
    assert_eq!(only(&compared).1, Kind::OtherTime);
    let euro = Currency::parse("EUR").unwrap();
    let compared = against(&store, Some(&held(state(OrderSnapshot { currency: euro, ..sold_order() }))));
    assert_eq!(only(&compared).1, Kind::OtherCurrency);
    let both = day([compared]);
    assert_eq!((both.currencies[&usd()].drift, both.currencies[&euro].drift), (dec!(100), dec!(-100)));
    let mut other = held(store.clone());
    let to_five = Attributed { distributor: DistributorId::new("5"), ..other.assessed.attributed.unwrap() };
    other.assessed.attributed = Some(to_five);
    other.head.distributor = Some("5".into());
    other.ledger.as_mut().unwrap().distributor = Some("5".into());
    assert_eq!(only(&against(&store, Some(&other))).1, Kind::OtherAttribution);
}

#[test]
fn what_the_store_does_not_know() {
    let mut ours = held(state(sold_order()));
    let gone = compare("301", Says::Gone, Some(&ours.ours()), Waits::Settled);
    assert_eq!(only(&gone), (Seam::Evidence, Kind::DeletedAtStore, None, None, Some(dec!(100))));
    assert_eq!(day([gone]).currencies[&usd()].drift, dec!(-100));
    ours.only_posted = true;
    let never = compare("301", Says::Gone, Some(&ours.ours()), Waits::Settled);
    assert_eq!(only(&never).1, Kind::UnknownToStore);
    assert!(!never.differences[0].can_be_healed());
    let deleted = OrderState {
        deleted_at: Some(sold_order().updated_at + chrono::TimeDelta::hours(1)),
        ..state(sold_order())
    };
    let agreed = compare("301", Says::Gone, Some(&held(deleted).ours()), Waits::Settled);
    let day = day([agreed]);
    assert_eq!((day.differences.len(), day.state(true, true)), (0, State::Ok));
    assert_eq!(day.oldest_unexplained, None);
}

#[test]
fn a_telling_that_cannot_be_read() {
    let compared = compare("301", Says::Unreadable("no currency"), None, Waits::Settled);
    assert_eq!(only(&compared).1, Kind::UnreadableOrder);
    assert_eq!(day([compared]).state(true, true), State::NotOk);
}

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

#[test]
fn a_held_order_is_explained_by_its_cause() {
    let store = state(sold_order());
    let mut ours = held(store.clone());
    let reason = |cause: &str| HoldReason {
        reason: Hold::UnmappedSku,
        cause: cause.into(),
        detail: "Thing".into(),
        line: Some("1".into()),
    };
    let verdict = Verdict::Held(vec![reason("sku:A"), reason("sku:B")]);
    ours.assessed.verdict = verdict.clone();
    ours.head.status = "held".into();
    ours.ledger = None;
    let assessed = Assessment { verdict, ..assess(&store) };
    let says = Says::Shown { state: &store, assessed: &assessed };
    let day = day([compare("301", says, Some(&ours.ours()), Waits::Settled)]);
    assert_eq!(day.state(true, true), State::Explained);
    let sums = &day.currencies[&usd()];
    assert_eq!((sums.held.orders, sums.held.net, sums.drift), (1, dec!(100), dec!(0)));
    let unmapped = &sums.held_by["unmapped_sku"];
    assert_eq!(unmapped.keys().collect::<Vec<_>>(), ["sku:A", "sku:B"]);
    assert_eq!(unmapped["sku:B"].net, dec!(100));
    assert!(unmapped["sku:B"].examples.contains("301"));
    assert_eq!(day.share(usd()).ratio(), Some(dec!(0)));
    assert_eq!(day.oldest_unexplained, Some(sold_order().ordered_at));
}

#[test]
fn an_order_in_flight_is_named_and_not_blamed() {
    let store = state(sold_order());
    let assessed = assess(&store);
    let says = Says::Shown { state: &store, assessed: &assessed };
    let compared = compare("301", says, None, Waits::InFlight);
    assert!(compared.differences.is_empty() && !compared.is_clean());
    let flying = day([compared]);
    assert_eq!(flying.state(true, true), State::Explained);
    assert!(flying.in_flight.first.contains("301"));
    let sums = &flying.currencies[&usd()];
    assert_eq!((sums.in_flight.net, sums.drift, sums.off), (dec!(100), dec!(0), dec!(0)));
    let parked = compare("301", says, None, Waits::Parked);
    assert!(parked.differences[0].fix.contains("parked"));
}

#[test]
fn a_later_change_here_than_the_store_shows_asks_to_read_again() {
    let mut later = sold_order();
    later.updated_at += chrono::TimeDelta::hours(1);
    let store = state(sold_order());
    let same = against(&store, Some(&held(state(later.clone()))));
    assert!(same.is_clean() && !same.reread);
    later.lines[0].discount = dec!(4);
    let compared = against(&store, Some(&held(state(later))));
    assert!(compared.reread);
    assert!(compared.differences[0].fix.contains("clock"));
}

#[test]
fn a_hundred_percent_is_only_said_when_it_is_so() {
    let share = Share { worth: dec!(10000000), explained: dec!(9999999.99) };
    assert_eq!(share.ratio(), Some(dec!(0.999999)));
    assert_eq!(Share { worth: Decimal::ZERO, explained: Decimal::ZERO }.ratio(), None);
}

#[test]
fn kinds_and_seams_and_states_have_names() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.name()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
    for seam in Seam::ALL {
        assert_eq!(Seam::parse(seam.name()), Some(seam));
    }
    for state in [State::Ok, State::Explained, State::NotOk] {
        assert_eq!(State::parse(state.name()), Some(state));
    }
}

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
