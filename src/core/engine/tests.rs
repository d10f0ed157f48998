use super::*;
use crate::core::genealogy::Status;
use rust_decimal::dec;

fn plan(bonuses: &str) -> Plan {
    let text = format!(
        r#"
[plan]
id = "test"
currency = "USD"
[rounding]
mode = "half_up"
stage = "line"
[period]
cadence = "month"
zone = "UTC"
[[rank]]
id = "member"
[[rank]]
id = "gold"
[[class]]
id = "standard"
cv = {{ of_net = "1" }}
{bonuses}"#
    );
    Plan::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn member(id: &str, rank: &str) -> UplineMember {
    UplineMember {
        distributor: DistributorId::new(id),
        status: Status::Active,
        rank: Some(rank.to_owned()),
        pv: Decimal::ZERO,
        enrolled: true,
        enrolled_at: None,
    }
}

fn line(id: &str, net: Decimal) -> CommissionLine {
    CommissionLine { line: id.into(), class: "standard".into(), net, sold: net, quantity: Decimal::ONE }
}

fn calculate(plan: &Plan, lines: &[CommissionLine], upline: &[UplineMember]) -> Calculation {
    let order =
        CommissionOrder { currency: plan.currency(), ordered_at: DateTime::UNIX_EPOCH, store: "", lines };
    calculate_order(plan, &order, upline).unwrap()
}

#[test]
fn direct_and_unilevel_pay_and_break() {
    let plan = plan(
        r#"
[[bonus]]
id = "own"
family = "direct"
base = "net"
rates = "0.20"
[[bonus]]
id = "team"
family = "unilevel"
base = "cv"
rates = { member = ["0.05"], gold = ["0.05", "0.03"] }
"#,
    );
    let upline = [member("a", "member"), member("b", "member"), member("c", "member"), member("d", "gold")];
    let calculation = calculate(&plan, &[line("1", dec!(99))], &upline);
    let awards: Vec<(&str, u16, &str, Decimal)> = calculation
        .awards
        .iter()
        .map(|award| (award.bonus.as_str(), award.level, award.distributor.as_str(), award.amount))
        .collect();
    assert_eq!(awards, [("own", 0, "a", dec!(19.80)), ("team", 1, "b", dec!(4.95))]);
    let team = &calculation.pools[1];
    assert_eq!(
        (team.pool, team.paid, team.breakage, team.rounding),
        (dec!(7.92), dec!(4.95), dec!(2.97), dec!(0))
    );
}

#[test]
fn an_order_has_the_volumes_of_its_market() {
    let plan = plan(
        r#"
[class.markets.europe]
cv = { of_net = "0.5" }
[[market]]
id = "europe"
stores = ["shop-eu"]
[[bonus]]
id = "own"
family = "direct"
base = "cv"
rates = "0.20"
"#,
    );
    let paid = |store: &str| {
        let lines = [line("1", dec!(100))];
        let order = CommissionOrder {
            currency: plan.currency(),
            ordered_at: DateTime::UNIX_EPOCH,
            store,
            lines: &lines,
        };
        calculate_order(&plan, &order, &[member("a", "member")]).unwrap().awards[0].amount
    };
    assert_eq!((paid("shop"), paid("shop-eu")), (dec!(20), dec!(10)));
}

mod properties;
mod walks;
