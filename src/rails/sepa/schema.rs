//! The rules of pain.001.001.09 as far as our files use it: which elements, in which order, how often, and what may be
//! in them. Whatever is not in here does not leave this house.

use super::super::xml::Node;
use crate::core::payee::{Bic, Iban};

pub(super) struct Part {
    name: &'static str,
    least: usize,
    most: usize,
    rule: Rule,
}

#[derive(Clone, Copy)]
enum Rule {
    /// Elements in this order.
    Sequence(&'static [Part]),
    /// Exactly one of these.
    Choice(&'static [Part]),
    /// 1 to so many signs.
    Text(usize),
    /// One of these.
    One(&'static [&'static str]),
    /// What it is called, and whether a text is one.
    Shape(&'static str, fn(&str) -> bool),
    /// A decimal with the attribute `Ccy`.
    Amount,
}

use Rule::{Amount, Choice, One, Sequence, Shape, Text};

const fn one(name: &'static str, rule: Rule) -> Part {
    Part { name, least: 1, most: 1, rule }
}

const fn maybe(name: &'static str, rule: Rule) -> Part {
    Part { name, least: 0, most: 1, rule }
}

const fn many(name: &'static str, rule: Rule) -> Part {
    Part { name, least: 1, most: usize::MAX, rule }
}

pub(super) static DOCUMENT: Part =
    one("Document", Sequence(&[one("CstmrCdtTrfInitn", Sequence(INITIATION))]));

const INITIATION: &[Part] = &[one("GrpHdr", Sequence(HEADER)), many("PmtInf", Sequence(PAYMENTS))];

const HEADER: &[Part] = &[
    one("MsgId", Text(35)),
    one("CreDtTm", Shape("a date and time", is_time)),
    one("NbOfTxs", Shape("up to 15 digits", is_count)),
    maybe("CtrlSum", Shape("a decimal", is_decimal)),
    one("InitgPty", Sequence(&[maybe("Nm", Text(140))])),
];

const PAYMENTS: &[Part] = &[
    one("PmtInfId", Text(35)),
    one("PmtMtd", One(&["TRF"])),
    maybe("BtchBookg", One(&["true", "false"])),
    maybe("NbOfTxs", Shape("up to 15 digits", is_count)),
    maybe("CtrlSum", Shape("a decimal", is_decimal)),
    maybe("PmtTpInf", Sequence(&[many("SvcLvl", Choice(&[one("Cd", One(&["SEPA"]))]))])),
    one("ReqdExctnDt", Choice(&[one("Dt", Shape("a date", is_date)), one("DtTm", Shape("a time", is_time))])),
    one("Dbtr", Sequence(&[maybe("Nm", Text(140))])),
    one("DbtrAcct", Sequence(ACCOUNT)),
    one("DbtrAgt", Sequence(&[one("FinInstnId", Sequence(BANK))])),
    maybe("ChrgBr", One(&["SLEV"])),
    many("CdtTrfTxInf", Sequence(TRANSFER)),
];

const ACCOUNT: &[Part] = &[
    one("Id", Choice(&[one("IBAN", Shape("an IBAN", is_iban))])),
    maybe("Ccy", Shape("a currency", is_currency)),
];

const BANK: &[Part] =
    &[maybe("BICFI", Shape("a BIC", is_bic)), maybe("Othr", Sequence(&[one("Id", Text(35))]))];

const TRANSFER: &[Part] = &[
    one("PmtId", Sequence(&[maybe("InstrId", Text(35)), one("EndToEndId", Text(35))])),
    one("Amt", Choice(&[one("InstdAmt", Amount)])),
    maybe("CdtrAgt", Sequence(&[one("FinInstnId", Sequence(BANK))])),
    maybe("Cdtr", Sequence(&[maybe("Nm", Text(140))])),
    maybe("CdtrAcct", Sequence(ACCOUNT)),
    maybe("Purp", Choice(&[one("Cd", Text(4))])),
    maybe("RmtInf", Sequence(&[many("Ustrd", Text(140))])),
];

/// Everything in the node that breaks its rule, with the way to it.
pub(super) fn problems(node: &Node, part: &Part) -> Vec<String> {
    let mut found = vec![];
    if node.name == part.name {
        walk(node, &part.rule, part.name, &mut found);
    } else {
        found.push(format!("{} is no {}", node.name, part.name));
    }
    found
}

fn walk(node: &Node, rule: &Rule, way: &str, found: &mut Vec<String>) {
    let is_group = matches!(rule, Sequence(_) | Choice(_));
    if is_group && !node.text.is_empty() {
        found.push(format!("{way} holds a text"));
    }
    if !is_group && !node.children.is_empty() {
        found.push(format!("{way} holds elements"));
    }
    match rule {
        Sequence(parts) => sequence(node, parts, way, found),
        Choice(parts) => choice(node, parts, way, found),
        rule => {
            if let Some(what) = leaf(node, rule) {
                found.push(format!("{way} {what}"));
            }
        }
    }
}

fn sequence(node: &Node, parts: &[Part], way: &str, found: &mut Vec<String>) {
    let mut rest = node.children.iter().peekable();
    for part in parts {
        let mut count = 0;
        while let Some(child) = rest.next_if(|child| child.name == part.name) {
            count += 1;
            let way = if part.most > 1 {
                format!("{way}/{}[{count}]", part.name)
            } else {
                format!("{way}/{}", part.name)
            };
            walk(child, &part.rule, &way, found);
        }
        if count < part.least {
            found.push(format!("{way}/{} is missing", part.name));
        }
        if count > part.most {
            found.push(format!("{way}/{} is there {count} times", part.name));
        }
    }
    for child in rest {
        found.push(format!("{way}/{} may not stand there", child.name));
    }
}

fn choice(node: &Node, parts: &[Part], way: &str, found: &mut Vec<String>) {
    let [child] = node.children.as_slice() else {
        found.push(format!("{way} has to hold exactly one element"));
        return;
    };
    match parts.iter().find(|part| part.name == child.name) {
        Some(part) => walk(child, &part.rule, &format!("{way}/{}", part.name), found),
        None => found.push(format!("{way}/{} may not stand there", child.name)),
    }
}

/// What is wrong with a text; never the text, which may be the number of an account.
fn leaf(node: &Node, rule: &Rule) -> Option<String> {
    let text = node.text.as_str();
    match rule {
        Text(longest) => (!(1..=*longest).contains(&text.chars().count()))
            .then(|| format!("has to have 1 to {longest} signs")),
        One(values) => (!values.contains(&text)).then(|| format!("has to be one of {}", values.join(", "))),
        Shape(what, fits) => (!fits(text)).then(|| format!("has to be {what}")),
        Amount => {
            let currency = node.attribute("Ccy").is_some_and(is_currency);
            (!currency || !is_decimal(text)).then(|| "has to be a decimal with its currency".to_owned())
        }
        Sequence(_) | Choice(_) => None,
    }
}

fn is_time(text: &str) -> bool {
    let zoned = chrono::DateTime::parse_from_rfc3339(text).is_ok();
    zoned || chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").is_ok()
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_count(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// At most 18 digits, five of them after the point, as the schema has it for amounts.
fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && fraction.len() <= 5 && whole.len() + fraction.len() <= 18
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_iban(text: &str) -> bool {
    Iban::parse(text).is_ok_and(|iban| iban.as_str() == text)
}

fn is_bic(text: &str) -> bool {
    Bic::parse(text).is_ok_and(|bic| bic.as_str() == text)
}
