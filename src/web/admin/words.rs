//! The same words and colours for the same things on every page.

use uuid::Uuid;

use super::format::{Amount, Link, Pill, Tone};
use crate::core::assess::Hold;
use crate::core::bonus::Finding;
use crate::core::genealogy::Status;
use crate::core::journal::Account;
use crate::core::money::Currency;
use crate::reports::journal::Source;
use rust_decimal::Decimal;

pub fn amount(number: Decimal, currency: &str) -> Amount {
    match Currency::parse(currency) {
        Some(currency) => Amount::new(number, currency),
        None => Amount {
            number: number.normalize().to_string(),
            currency: currency.to_owned(),
            negative: number.is_sign_negative() && !number.is_zero(),
            zero: number.is_zero(),
        },
    }
}

/// What came of a delivery.
pub fn verdict(verdict: Option<&str>, parked: bool) -> Pill {
    match verdict {
        _ if parked => Pill::new(Tone::Bad, "parked"),
        None => Pill::new(Tone::Info, "waiting"),
        Some("applied") => Pill::new(Tone::Ok, "applied"),
        Some("unreadable") => Pill::new(Tone::Bad, "unreadable"),
        Some(other) => Pill::new(Tone::Muted, other),
    }
}

/// Value in the URL, and the words for it.
pub const DELIVERY_STATES: [(&str, &str); 7] = [
    ("applied", "Applied"),
    ("superseded", "Superseded by a newer one"),
    ("unchanged", "Said nothing new"),
    ("ignored", "None of our business"),
    ("unreadable", "Unreadable"),
    ("waiting", "Waiting to be processed"),
    ("parked", "Parked for a person"),
];

pub const ORDER_STATES: [(&str, &str); 4] = [
    ("commissionable", "Commissionable"),
    ("held", "Held"),
    ("exempt", "Earns nothing by rule"),
    ("awaiting", "Awaiting the order itself"),
];

pub fn order_state(status: &str) -> Pill {
    match status {
        "commissionable" => Pill::new(Tone::Ok, "commissionable"),
        "held" => Pill::new(Tone::Warn, "held"),
        "exempt" => Pill::new(Tone::Muted, "earns nothing"),
        _ => Pill::new(Tone::Info, "awaiting"),
    }
}

/// Why an order earns nothing by rule, as in `orders.exemptions`.
pub fn exemption(name: &str) -> &str {
    match name {
        "test" => "test order",
        "unattributed" => "nobody is named",
        "nothing_commissionable" => "no line earns",
        other => other,
    }
}

/// The reason in a few words, what it means, and what the button says that mends it.
pub fn hold(reason: &str) -> (&'static str, &'static str, &'static str) {
    match Hold::parse(reason) {
        Some(Hold::UnmappedSku) => ("SKU is not mapped", "No mapping says what this product is.", "Map it"),
        Some(Hold::UnknownDistributor) => (
            "Distributor is unknown",
            "The order names somebody who was no distributor at its time.",
            "Say who it is",
        ),
        Some(Hold::AmbiguousDistributor) => (
            "Several distributors",
            "One place of the order names more than one distributor.",
            "Say who earns",
        ),
        Some(Hold::TerminatedDistributor) => (
            "Distributor is terminated",
            "The order names somebody who was terminated at its time.",
            "Say who earns",
        ),
        Some(Hold::SelfReferral) => {
            ("Refers himself", "The buyer is named as the own distributor.", "Say who earns")
        }
        Some(Hold::DoesNotClose) => {
            ("Figures do not add up", "The store's own sums differ from what its parts give.", "Look")
        }
        Some(Hold::Unreadable) => {
            ("A field is unreadable", "A field could not be taken as what it should be.", "Look")
        }
        Some(Hold::NegativeLine) => ("A line is below zero", "A line nets less than nothing.", "Look"),
        Some(Hold::UnknownCurrency) => ("Currency is unknown", "The currency is not in ISO 4217.", "Look"),
        Some(Hold::OtherCurrency) => {
            ("Other currency", "The plan of the order's time is in another currency.", "Look")
        }
        Some(Hold::NoPlan) => ("No plan", "No plan was effective at the order's time.", "Publish one"),
        Some(Hold::UnknownClass) => {
            ("Class is not in the plan", "The mapped commission class is unknown to the plan.", "Look")
        }
        None => ("Held", "", "Look"),
    }
}

pub fn status(status: Status) -> Pill {
    let tone = match status {
        Status::Active => Tone::Ok,
        Status::Prospect => Tone::Info,
        Status::Suspended => Tone::Warn,
        Status::Terminated => Tone::Muted,
    };
    Pill::new(tone, status.name())
}

pub fn status_named(name: &str) -> Pill {
    Status::parse(name).map_or_else(|| Pill::new(Tone::Muted, name), status)
}

/// Kind of a commission event.
pub fn kind(kind: &str) -> Pill {
    let tone = match kind {
        "earn" => Tone::Ok,
        "adjust" => Tone::Info,
        "clawback" => Tone::Warn,
        _ => Tone::Muted,
    };
    Pill::new(tone, kind)
}

pub fn account(account: Account) -> &'static str {
    match account {
        Account::Bank => "Bank",
        Account::ClawbackReceivable => "Clawback receivable",
        Account::CommissionPayable => "Commissions payable",
        Account::Holdback => "Holdback",
        Account::PayoutClearing => "Payouts on their way",
        Account::Withholding => "Withholding",
        Account::PoolReserve => "Pool reserve",
        Account::Suspense => "Suspense",
        Account::Conversion => "Conversion",
        Account::Fees => "Fees",
        Account::Breakage => "Breakage",
        Account::CommissionExpense => "Commission expense",
        Account::WriteOff => "Written off",
        Account::Rounding => "Rounding",
        Account::AdjustmentExpense => "Adjustments",
    }
}

pub fn class(class: &str) -> Pill {
    let tone = if class == crate::core::sku::CLASS_NONE { Tone::Muted } else { Tone::Violet };
    Pill::new(tone, class)
}

/// Why somebody in the upline was not paid; empty for those who were.
pub fn skipped(finding: &Finding) -> String {
    match finding {
        Finding::Earns { .. } => String::new(),
        Finding::Leg { earns: true, .. } => String::new(),
        Finding::Leg { position, .. } => format!("position {position} does not earn in this period"),
        Finding::BelowStart => "below the first level that is paid".to_owned(),
        Finding::NotEnrolled => "had not enrolled yet".to_owned(),
        Finding::Inactive { status } => format!("{status}, not active"),
        Finding::BelowMinPv { pv, min_pv } => {
            format!("personal volume {} of {} that is asked", pv.normalize(), min_pv.normalize())
        }
        Finding::NoRank => "has no rank".to_owned(),
        Finding::UnknownRank { rank } => format!("rank {rank} is not in the plan"),
        Finding::NoRate { rank: Some(rank) } => format!("rank {rank} is not paid on this level"),
        Finding::NoRate { rank: None } => "not paid on this level".to_owned(),
        Finding::NotEligible => "does not meet what the bonus asks".to_owned(),
        Finding::BeyondStop => "above the rank that the levels stop at".to_owned(),
        Finding::OutsideWindow { days } => format!("not within {days} days of the enrolment"),
        Finding::BelowTier { volume, least } => {
            format!("volume {} of {} that the first tier asks", volume.normalize(), least.normalize())
        }
        Finding::PaidBelow { rate } => format!("{rate} was reached below, the own rate is not higher"),
        Finding::InGroup => "in the group that the volume is of".to_owned(),
        Finding::HeadsGroup => "heads the group that the volume is of".to_owned(),
        Finding::NothingDue => "no advancement is due".to_owned(),
    }
}

pub fn order_link(id: Uuid, text: impl Into<String>) -> Link {
    Link::new(format!("/admin/orders/{id}"), text)
}

/// Of an order its number, of a run the period that it is of.
pub fn source_link(id: Uuid, source: &Source) -> Link {
    match source {
        Source::Order(number) => order_link(id, number.as_str()),
        Source::Run(period) => Link::new(format!("/admin/runs/{id}"), format!("period {period}")),
        Source::Payout(batch) => Link::new(format!("/admin/payouts/{batch}"), format!("payout {batch}")),
        Source::Settlement => Link::new(format!("/admin/ledger/entries/{id}/1"), "settlement"),
    }
}

/// The same at the head of a page.
pub fn source_titled(id: Uuid, source: &Source) -> Link {
    match source {
        Source::Order(number) => order_link(id, format!("Order {number}")),
        Source::Run(period) => Link::new(format!("/admin/runs/{id}"), format!("Run of period {period}")),
        Source::Settlement => Link::new(format!("/admin/ledger/entries/{id}/1"), "Settlement"),
        Source::Payout(batch) => {
            Link::new(format!("/admin/payouts/{batch}"), format!("Payout batch {batch}"))
        }
    }
}

pub fn delivery_link(id: Uuid, text: impl Into<String>) -> Link {
    Link::new(format!("/admin/deliveries/{id}"), text)
}

pub fn store_link(slug: &str) -> Link {
    Link::new(format!("/admin/stores/{slug}"), slug)
}

pub fn distributor_link(id: &str) -> Link {
    Link::new(format!("/admin/distributors/{}", encoded(id)), id)
}

/// As one part of a path or one value of a query.
pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// `path?a=b` of the pairs that say something.
pub fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let told = pairs.iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<String> = told.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// `6.2 KB`
pub fn size(bytes: i32) -> String {
    let bytes = Decimal::from(bytes);
    let kilobytes = (bytes / Decimal::from(1024)).round_dp(1);
    if kilobytes < Decimal::ONE { format!("{bytes} B") } else { format!("{} KB", kilobytes.normalize()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_only_what_is_said() {
        assert_eq!(address("/admin/orders", &[("store", ""), ("q", "#1 &x")]), "/admin/orders?q=%231%20%26x");
        assert_eq!(address("/admin/orders", &[("store", "")]), "/admin/orders");
    }

    #[test]
    fn every_hold_has_words() {
        for hold in Hold::ALL {
            assert_ne!(super::hold(hold.name()).0, "Held", "{hold:?}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size(300), "300 B");
        assert_eq!(size(6300), "6.2 KB");
    }
}
