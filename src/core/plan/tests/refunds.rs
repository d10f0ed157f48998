//! The worked example of refund policies in the reference, with its numbers.

use rust_decimal::dec;

use super::*;
use crate::core::period::testing::{Case, Ran};
use crate::core::period::{PeriodInput, adjusted};

const BONUS: &str = r#"
[[bonus]]
id = "direct"
family = "direct"
base = "net"
pays = "period"
tiers_by = "pv"
tiers = [{ from = "0", rate = "0.20" }, { from = "1000", rate = "0.25" }]
[[cap]]
id = "most"
per = "earner"
amount = "270"
"#;

fn january(policy: &str, sold: Decimal) -> (Case, Ran) {
    let mut case = Case::new(&format!("{BONUS}[refunds]\npolicy = \"{policy}\"\n"));
    case.person("ann", "", "").sells("ann", sold);
    let ran = case.run();
    (case, ran)
}

#[test]
fn each_policy_takes_back_what_the_reference_says() {
    for (policy, expected) in [("now", dec!(200)), ("same_period", dec!(160)), ("average_rate", dec!(180))] {
        let (_, closed) = january(policy, dec!(1200));
        assert_eq!(closed.pays("direct", "ann"), dec!(270));
        let (case, newest) = january(policy, dec!(800));
        let input = PeriodInput {
            span: &case.span,
            people: &newest.people,
            sold: &newest.sold,
            carried: &case.carried,
        };
        let should = adjusted(&closed.plan, &closed.result, input).unwrap();
        let paid: Decimal = should.awards.iter().map(|award| award.amount.decimal()).sum();
        assert_eq!(paid, expected, "{policy}");
    }
}
