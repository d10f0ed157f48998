//! A pain.001 that is about to leave, read again from its bytes: the rules of its schema, then those of the European
//! Payments Council.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::super::{text, xml};
use super::schema;
use super::{LONGEST_NAME, NAMESPACE, most};
use xml::Node;

/// What speaks against the message; none if a bank can take it. Never a number of an account.
pub fn check(bytes: &[u8]) -> Vec<String> {
    let document = match xml::parse(bytes) {
        Ok(document) => document,
        Err(problem) => return vec![format!("the XML {problem}")],
    };
    let mut problems = vec![];
    if document.attribute("xmlns") != Some(NAMESPACE) {
        problems.push(format!("the namespace is not {NAMESPACE}"));
    }
    problems.extend(schema::problems(&document, &schema::DOCUMENT));
    if let Some(initiation) = document.child("CstmrCdtTrfInitn") {
        totals(initiation, &mut problems);
        references(initiation, &mut problems);
    }
    letters(&document, "", &mut problems);
    problems
}

/// The sum of all payments below, and how many there are; both levels have to say the same.
fn totals(initiation: &Node, problems: &mut Vec<String>) {
    let (mut count, mut sum) = (0, Decimal::ZERO);
    for payments in initiation.all("PmtInf") {
        let (mut own_count, mut own_sum) = (0, Decimal::ZERO);
        for transfer in payments.all("CdtTrfTxInf") {
            own_count += 1;
            let Some(node) = transfer.at(&["Amt", "InstdAmt"]) else { continue };
            let amount = Decimal::from_str_exact(&node.text).unwrap_or_default();
            let cents = amount.normalize().scale() <= 2 && amount > Decimal::ZERO && amount <= most();
            if !cents || node.attribute("Ccy") != Some("EUR") {
                problems.push(format!("transfer {own_count}: the amount is none of SEPA"));
            }
            own_sum = own_sum.saturating_add(amount);
        }
        compare(payments, own_count, own_sum, problems);
        count += own_count;
        sum = sum.saturating_add(own_sum);
    }
    if let Some(header) = initiation.child("GrpHdr") {
        compare(header, count, sum, problems);
    }
}

fn compare(node: &Node, count: usize, sum: Decimal, problems: &mut Vec<String>) {
    if node.text_at(&["NbOfTxs"]) != Some(count.to_string().as_str()) {
        problems.push(format!("{}/NbOfTxs does not say {count}", node.name));
    }
    let said = node.text_at(&["CtrlSum"]).and_then(|text| Decimal::from_str_exact(text).ok());
    if said != Some(sum) {
        problems.push(format!("{}/CtrlSum does not say {sum}", node.name));
    }
}

/// Unique, and without the slashes that SWIFT gives a meaning to.
fn references(initiation: &Node, problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let transfers = initiation.all("PmtInf").flat_map(|payments| payments.all("CdtTrfTxInf"));
    for (at, transfer) in (1..).zip(transfers) {
        for name in ["InstrId", "EndToEndId"] {
            let Some(reference) = transfer.text_at(&["PmtId", name]) else { continue };
            if !seen.insert((name, reference)) {
                problems.push(format!("transfer {at}: the {name} is there twice"));
            }
        }
        for required in ["Cdtr", "CdtrAcct"] {
            if transfer.child(required).is_none() {
                problems.push(format!("transfer {at}: {required} is missing"));
            }
        }
    }
}

/// The characters every bank takes, and the length of a name.
fn letters(node: &Node, way: &str, problems: &mut Vec<String>) {
    let way = format!("{way}/{}", node.name);
    let value = node.text.as_str();
    if !value.chars().all(text::is_sepa) {
        problems.push(format!("{way} has signs outside the set of SEPA"));
    }
    if node.name.ends_with("Id") && (value.starts_with('/') || value.ends_with('/') || value.contains("//")) {
        problems.push(format!("{way} may not begin or end with a slash or have two of them"));
    }
    if node.name == "Nm" && value.len() > LONGEST_NAME {
        problems.push(format!("{way} has more than {LONGEST_NAME} signs"));
    }
    for child in &node.children {
        letters(child, &way, problems);
    }
}
