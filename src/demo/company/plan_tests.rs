//! The sample company under the product's own plan and engine.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::*;
use crate::core::engine::{Award, CommissionLine, CommissionOrder, calculate_order, upline_of};
use crate::core::genealogy::{DistributorVersion, Genealogy, Status};
use crate::core::ids::DistributorId;
use crate::core::money::Currency;
use crate::core::plan::Plan;
use crate::demo::EXAMPLES;

fn genealogy(company: &Company) -> Genealogy {
    let versions = company.distributors.iter().map(|person| DistributorVersion {
        id: DistributorId::new(&person.id),
        sponsor: person.sponsor_id.as_deref().map(DistributorId::new),
        status: Status::parse(person.status).unwrap(),
        rank: Some(person.rank.to_owned()),
        from: Some(person.created_at),
        enrolled_at: Some(person.created_at),
    });
    Genealogy::build(versions.collect::<Vec<_>>()).unwrap()
}

fn awards(company: &Company, referrer: &str, class: &str, net: Decimal) -> Vec<Award> {
    let plan = Plan::parse(PLAN).unwrap();
    let genealogy = genealogy(company);
    let ordered_at: DateTime<Utc> = "2026-08-28T08:11:04Z".parse().unwrap();
    let node = genealogy.node(&DistributorId::new(referrer)).unwrap();
    let upline = upline_of(&plan, &genealogy, node, ordered_at, |_| Decimal::ZERO);
    let line =
        CommissionLine { line: "1".into(), class: class.into(), net, sold: net, quantity: Decimal::ONE };
    let order =
        CommissionOrder { currency: Currency::parse("USD").unwrap(), ordered_at, store: "", lines: &[line] };
    calculate_order(&plan, &order, &upline).unwrap().awards
}

#[test]
fn the_plan_knows_every_class_and_rank_of_the_company() {
    let plan = Plan::parse(PLAN).unwrap();
    let company = Company::sample(42);
    for mapping in company.mappings() {
        assert!(plan.class(&mapping.commission_class).is_some(), "{}", mapping.commission_class);
    }
    for person in &company.distributors {
        assert!(plan.ranks().iter().any(|rank| rank == person.rank), "{}", person.rank);
    }
}

#[test]
fn the_example_orders_earn_their_referrers_what_the_table_says() {
    let company = Company::sample(42);
    for (example, expected) in EXAMPLES.iter().zip(["19.80", "9.75"]) {
        let product = company.products.iter().find(|product| product.sku == example.sku).unwrap();
        let referrer = example.referrer.to_string();
        let awards = awards(&company, &referrer, product.class.name().unwrap(), product.price);
        let own = awards.iter().filter(|award| award.distributor.as_str() == referrer);
        assert_eq!(own.map(|award| award.amount).sum::<Decimal>(), expected.parse().unwrap());
    }
}

#[test]
fn an_order_makes_about_four_commissions() {
    let company = Company::sample(42);
    let active: Vec<_> = company.distributors.iter().filter(|person| person.status == "active").collect();
    let all: usize = active
        .iter()
        .map(|person| awards(&company, &person.id, "supplement", Decimal::ONE_HUNDRED).len())
        .sum();
    let average = Decimal::from(all) / Decimal::from(active.len());
    assert!((Decimal::from(3)..Decimal::from(6)).contains(&average), "{average}");
}
