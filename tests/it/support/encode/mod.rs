//! What a scenario's store tells, as the webhook that a platform would send: topic, signature, body.
//!
//! Shopify can say nearly everything that a scenario can. A file that restores a deleted order is told by
//! WooCommerce, which alone has a message for it; one whose orders name their customer by the operator's own
//! people is told by the direct API, which alone shares customers' and distributors' ids.

mod direct;
mod shopify;
mod woocommerce;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::Sha256;
use upline::core::money::Currency;
use upline::core::order::{LineKind, OrderSnapshot, PlaceValue, Report};
use upline::scenario::{Action, Scenario, Store};
use upline::stores::Platform;

pub const SECRET: &str = "whsec-of-a-scenario";

#[derive(Clone, Debug)]
pub struct Request {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The platform that tells a scenario's store. A store that names its platform keeps it.
pub fn platform(scenario: &Scenario, store: &Store) -> Platform {
    let named = store.platform.parse().expect("a platform");
    let told = |wanted: fn(&Report) -> bool| {
        scenario
            .steps
            .iter()
            .any(|step| matches!(&step.action, Action::Deliver { report, .. } if wanted(report)))
    };
    if named != Platform::Direct {
        named
    } else if told(|report| matches!(report, Report::Restored { .. })) {
        Platform::WooCommerce
    } else if told(|report| matches!(report, Report::Snapshot(order) if order.customer_id.is_some())) {
        Platform::Direct
    } else {
        Platform::Shopify
    }
}

/// A place of attribution as the platform has it. Only the direct API has a `distributor_ref`.
pub fn place(platform: Platform, place: &str) -> String {
    match (platform, place) {
        (Platform::Shopify, "distributor_ref") => "note_attribute:ref".to_owned(),
        (Platform::WooCommerce | Platform::Magento, "distributor_ref") => "order_meta:ref".to_owned(),
        (_, other) => other.to_owned(),
    }
}

/// `known` is the order as it was last told, for what needs it. An error says what cannot be told.
pub fn request(
    platform: Platform,
    report: &Report,
    known: Option<&OrderSnapshot>,
    currency: Currency,
) -> Result<Request, String> {
    match platform {
        Platform::Shopify => shopify::request(report, currency),
        Platform::WooCommerce => woocommerce::request(report, known),
        Platform::Direct => direct::request(report),
        Platform::Magento => Err("nothing here tells it as Magento".to_owned()),
    }
}

/// Platforms number their things. A name gets a number that is always the same.
pub fn number(name: &str) -> u64 {
    let fold = |sum: u64, byte: u8| (sum * 131 + u64::from(byte)) % 1_000_000_000_000;
    name.parse().unwrap_or_else(|_| name.bytes().fold(7, fold))
}

/// What the parts of an order come to; what its total has beyond them is told as shipping.
struct Sums {
    goods: Decimal,
    tips: Decimal,
    tax: Decimal,
    extra: Decimal,
}

impl Sums {
    fn of(order: &OrderSnapshot) -> Result<Self, String> {
        let due = |tips: bool| -> Decimal {
            let lines = order.lines.iter().filter(|line| (line.kind == LineKind::Tip) == tips);
            lines.map(|line| line.gross - line.discount).sum()
        };
        let (goods, tips) = (due(false), due(true));
        let extra = order.total - goods - tips;
        if extra < Decimal::ZERO {
            return Err("a total below its lines is a discount; say which".to_owned());
        }
        Ok(Self { goods, tips, tax: order.lines.iter().map(|line| line.included_tax).sum(), extra })
    }
}

/// Only on the direct API is a customer's id one of a distributor.
fn buys_for_himself(order: &OrderSnapshot) -> bool {
    order.customer_id.as_ref().is_some_and(|buyer| order.places.iter().any(|told| told.value == *buyer))
}

/// The order's places under the platform's own names; an error for one that is none of `known` there.
fn places(order: &OrderSnapshot, platform: Platform, known: &[&str]) -> Result<Vec<PlaceValue>, String> {
    let named = |told: &PlaceValue| {
        let place = place(platform, &told.place);
        let is_known =
            known.iter().any(|known| place == *known || known.ends_with(':') && place.starts_with(known));
        let value = told.value.clone();
        if is_known {
            Ok(PlaceValue { place, value })
        } else {
            Err(format!("{place} is no place of {platform}"))
        }
    };
    order.places.iter().map(named).collect()
}

/// With all the digits that the currency has, and more if the amount has more.
fn text(amount: Decimal, currency: Currency) -> String {
    let mut amount = amount.normalize();
    amount.rescale(amount.scale().max(currency.exponent().unwrap_or(2)));
    amount.to_string()
}

fn set(amount: Decimal, currency: Currency) -> Value {
    let money = || json!({"amount": text(amount, currency), "currency_code": currency.code()});
    json!({"shop_money": money(), "presentment_money": money()})
}

/// A JSON number of exactly these digits.
fn exact(amount: Decimal) -> Value {
    serde_json::from_str(&amount.normalize().to_string()).expect("a decimal is a JSON number")
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn owned<const N: usize>(headers: [(&str, String); N]) -> Vec<(String, String)> {
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}
