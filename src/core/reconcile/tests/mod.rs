mod books;
mod evidence;
mod properties;

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
            binds_to: None,
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
        binds_to: None,
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
