//! What an entry is about, for the person whose money it is. No reason that somebody typed is repeated here.

use serde_json::Value;

use crate::core::journal::EntryKind;

/// What an entry belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    Order { number: String, store: String },
    Run { period: String },
    Payout { batch: String, item: Option<String> },
    Adjustment { number: String },
    Unknown,
}

/// In the order of a statement's sums.
const KINDS: [(EntryKind, &str); 14] = [
    (EntryKind::Commission, "Commissions of orders"),
    (EntryKind::Period, "Bonuses of periods"),
    (EntryKind::Adjustment, "Changes of closed periods"),
    (EntryKind::Manual, "Adjustments by hand"),
    (EntryKind::Holdback, "Held back"),
    (EntryKind::Release, "Released"),
    (EntryKind::Conversion, "Converted"),
    (EntryKind::Carry, "Became a debt"),
    (EntryKind::Recovery, "Debts paid back"),
    (EntryKind::WriteOff, "Debts given up"),
    (EntryKind::Payout, "Payouts prepared"),
    (EntryKind::PayoutCancelled, "Payouts cancelled"),
    (EntryKind::PayoutConfirmed, "Payouts paid"),
    (EntryKind::PayoutReturned, "Payouts returned"),
];

/// For people, of a kind as the journal names it.
pub fn kind(name: &str) -> &str {
    KINDS.iter().find(|(kind, _)| kind.name() == name).map_or(name, |(_, title)| title)
}

pub fn place(name: &str) -> usize {
    KINDS.iter().position(|(kind, _)| kind.name() == name).unwrap_or(KINDS.len())
}

/// Whose words need the document behind the entry. A payout's is of the whole batch, and its number is enough.
pub fn rests_on_document(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Holdback | EntryKind::Release | EntryKind::Conversion | EntryKind::WriteOff)
}

pub fn about(name: &str, of: &Of, document: Option<&Value>, bonuses: &[(String, i16)]) -> String {
    let Some(known) = EntryKind::parse(name) else { return name.to_owned() };
    let begin = match (known, of) {
        (EntryKind::Commission, Of::Order { number, store }) => format!("Order {number} of {store}"),
        (EntryKind::Period, Of::Run { period }) => format!("Close of period {period}"),
        (EntryKind::Adjustment, Of::Run { period }) => {
            format!("Changes of closed periods, posted with {period}")
        }
        (EntryKind::Manual, Of::Adjustment { number }) => format!("Adjustment {number}"),
        (EntryKind::Holdback, _) => match document.is_some_and(|document| document.get("run").is_some()) {
            true => "Held back of a period's bonuses".to_owned(),
            false => "Held back of orders' commissions".to_owned(),
        },
        (EntryKind::Release, _) => format!("Holdback released on {}", text(document, &["released_on"])),
        (EntryKind::Conversion, _) => converted(document),
        (EntryKind::WriteOff, _) => {
            format!("Debt given up: {}", text(document, &["because"]).replace('_', " "))
        }
        (EntryKind::Carry, Of::Payout { batch, .. }) => {
            format!("Negative balance became a debt, payout batch {batch}")
        }
        (EntryKind::Recovery, Of::Payout { batch, .. }) => format!("Debt paid back, payout batch {batch}"),
        (EntryKind::Payout, of) => payout(of, "prepared"),
        (EntryKind::PayoutCancelled, of) => payout(of, "cancelled"),
        (EntryKind::PayoutConfirmed, of) => payout(of, "paid"),
        (EntryKind::PayoutReturned, of) => payout(of, "returned"),
        _ => kind(name).to_owned(),
    };
    if bonuses.is_empty() { begin } else { format!("{begin}: {}", earned(bonuses)) }
}

fn payout(of: &Of, what: &str) -> String {
    match of {
        Of::Payout { batch, item: Some(item) } => format!("Payout {item} of batch {batch} {what}"),
        Of::Payout { batch, item: None } => format!("Payout of batch {batch} {what}"),
        _ => format!("Payout {what}"),
    }
}

/// `direct, levels (level 1, 2)`; level 0 is no level.
fn earned(bonuses: &[(String, i16)]) -> String {
    let mut told: Vec<(&str, Vec<String>)> = vec![];
    for (bonus, level) in bonuses {
        if told.last().is_none_or(|(last, _)| last != bonus) {
            told.push((bonus, vec![]));
        }
        if let Some((_, levels)) = told.last_mut().filter(|_| *level > 0) {
            levels.push(level.to_string());
        }
    }
    let tell = |(bonus, levels): (&str, Vec<String>)| match levels.is_empty() {
        true => bonus.to_owned(),
        false => format!("{bonus} (level {})", levels.join(", ")),
    };
    told.into_iter().map(tell).collect::<Vec<_>>().join(", ")
}

fn converted(document: Option<&Value>) -> String {
    let at = |path: &[&str]| text(document, path);
    format!(
        "{} {} into {} {} at {} ({}, {})",
        at(&["from", "amount"]),
        at(&["from", "currency"]),
        at(&["to", "amount"]),
        at(&["to", "currency"]),
        at(&["rate"]),
        at(&["source"]),
        at(&["on"])
    )
}

fn text(document: Option<&Value>, path: &[&str]) -> String {
    let found = document.and_then(|document| path.iter().try_fold(document, |value, name| value.get(name)));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_has_a_title_and_words() {
        for (kind, title) in KINDS {
            assert_ne!(super::kind(kind.name()), kind.name());
            assert_eq!(super::kind(kind.name()), title);
            assert!(!about(kind.name(), &Of::Unknown, None, &[]).is_empty());
        }
        assert_eq!(kind("else"), "else");
    }

    #[test]
    fn an_entry_says_what_it_is_about() {
        let order = Of::Order { number: "301".into(), store: "main".into() };
        let bonuses = [("direct".to_owned(), 0), ("levels".to_owned(), 1), ("levels".to_owned(), 2)];
        let told = about("commission", &order, None, &bonuses);
        assert_eq!(told, "Order 301 of main: direct, levels (level 1, 2)");
        let payout = Of::Payout { batch: "7".into(), item: Some("1204".into()) };
        assert_eq!(about("payout_confirmed", &payout, None, &[]), "Payout 1204 of batch 7 paid");
        let rate = json!({"rate": "0.9213", "on": "2026-11-20", "source": "ECB",
            "from": {"currency": "USD", "amount": "15.00"}, "to": {"currency": "EUR", "amount": "13.82"}});
        let told = about("conversion", &Of::Unknown, Some(&rate), &[]);
        assert_eq!(told, "15.00 USD into 13.82 EUR at 0.9213 (ECB, 2026-11-20)");
        let released = json!({"released_on": "2026-12-01"});
        assert_eq!(about("release", &Of::Unknown, Some(&released), &[]), "Holdback released on 2026-12-01");
    }
}
