use super::*;
use crate::core::net::tests::{line, order};
use crate::core::order::{Closing, Payment, PlaceValue, Problem};
use crate::core::sku::{KeyKind, SkuMapping};

fn mapped(sku: &str, class: &str) -> SkuMapping {
    SkuMapping {
        mapping_id: 7,
        store: None,
        platform: "woocommerce".into(),
        kind: KeyKind::Sku,
        key: sku.into(),
        sku_id: sku.into(),
        commission_class: class.into(),
        from: None,
    }
}

fn named(reference: &str, _: DateTime<Utc>) -> Named {
    match reference {
        "11043" => Named::Distributor(DistributorId::new("11043")),
        _ => Named::Nobody,
    }
}

fn ask(order: OrderSnapshot, catalog: &Catalog) -> Assessment {
    let classes = vec!["supplement".to_owned()];
    let places = vec!["order_meta:ref".to_owned()];
    let known = Knowledge {
        store: StoreTerms { store: StoreId(1), platform: "woocommerce", places: &places, shares_ids: true },
        catalog,
        plan: Some(PlanTerms { currency: Currency::parse("USD").unwrap(), classes: &classes }),
        named: &named,
        manual: None,
        customer: &Standing::default(),
        locked: &[],
    };
    assess(&OrderState { snapshot: Some(order), ..OrderState::default() }, &known)
}

fn referred(by: &str) -> OrderSnapshot {
    let mut order = order(vec![line("1", "99", "0", "0"), line("2", "10", "0", "0")], "109");
    order.places = vec![PlaceValue { place: "order_meta:ref".into(), value: by.into() }];
    order
}

#[test]
fn a_clean_order_earns() {
    let catalog = Catalog::new([mapped("SKU-1", "supplement"), mapped("SKU-2", "none")]);
    let assessment = ask(referred("11043"), &catalog);
    assert_eq!(assessment.verdict, Verdict::Commissionable);
    assert_eq!(assessment.lines.iter().filter(|l| l.earns()).count(), 1);
    assert_eq!(assessment.attributed.unwrap().place, "order_meta:ref");
}

#[test]
fn all_reasons_are_told_at_once() {
    let mut order = referred("nobody");
    order.currency = Currency::parse("EUR").unwrap();
    order.closings.push(Closing { field: "total".into(), stated: 5.into(), computed: 4.into() });
    order
        .problems
        .push(Problem { field: "lines[0].quantity".into(), message: "\"x\" is not a number".into() });
    let catalog = Catalog::new([mapped("SKU-1", "gold")]);
    let Verdict::Held(reasons) = ask(order, &catalog).verdict else { panic!() };
    let names: Vec<Hold> = reasons.iter().map(|r| r.reason).collect();
    assert_eq!(
        names,
        [
            Hold::UnmappedSku,
            Hold::UnknownDistributor,
            Hold::DoesNotClose,
            Hold::Unreadable,
            Hold::OtherCurrency,
            Hold::UnknownClass
        ]
    );
}

#[test]
fn what_earns_nothing_by_rule_is_not_held() {
    let mut order = referred("nobody");
    order.test = true;
    order.payment = Payment::Unpaid;
    let assessment = ask(order, &Catalog::default());
    assert_eq!(assessment.verdict, Verdict::Exempt(vec![Exemption::Test, Exemption::Unpaid]));
    let mut house = referred("x");
    house.places.clear();
    assert_eq!(ask(house, &Catalog::default()).verdict, Verdict::Exempt(vec![Exemption::Unattributed]));
}
