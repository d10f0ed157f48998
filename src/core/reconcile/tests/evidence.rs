use super::*;

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
