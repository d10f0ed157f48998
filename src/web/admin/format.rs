//! How values look on a page: amounts with separators, instants, pills, pagers.
//!
//! Used by the view models of every page. It only formats; it never rounds, converts or adds money.

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;

use crate::core::money::Currency;

/// An amount as it is printed: grouped digits at the currency's scale, and the currency beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    pub number: String,
    pub currency: String,
    pub negative: bool,
    pub zero: bool,
}

impl Amount {
    /// Digits below the currency's smallest unit stay visible: hiding them would be rounding.
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        let scale = currency.exponent().unwrap_or(2);
        let mut pinned = amount.normalize();
        if pinned.scale() < scale {
            pinned.rescale(scale);
        }
        Self {
            number: grouped(&pinned.to_string()),
            currency: currency.code().to_owned(),
            negative: amount.is_sign_negative() && !amount.is_zero(),
            zero: amount.is_zero(),
        }
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.number, self.currency)
    }
}

/// `-1234567.50` becomes `-1,234,567.50`.
pub fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `12345` becomes `12,345`.
pub fn count(number: i64) -> String {
    grouped(&number.to_string())
}

/// A number of things that was counted only up to `limit`, because counting on would read the whole table.
pub fn count_up_to(number: i64, limit: i64) -> String {
    if number > limit { format!("{}+", count(limit)) } else { count(number) }
}

/// `0.125` becomes `12.5 %`.
pub fn percent(share: Decimal) -> String {
    format!("{} %", (share * Decimal::ONE_HUNDRED).round_dp(2).normalize())
}

/// A rate with every digit that it has.
pub fn percent_exact(rate: Decimal) -> String {
    format!("{} %", (rate * Decimal::ONE_HUNDRED).normalize())
}

/// A plain decimal without trailing zeros, such as a quantity.
pub fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// An instant; pages print it in UTC and the browser turns it into the reader's own zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When(pub DateTime<Utc>);

impl When {
    pub fn iso(&self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// As exactly as the database keeps it: a place to go on from.
    pub fn micros(&self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    pub fn minute(&self) -> String {
        self.0.format("%Y-%m-%d %H:%M").to_string()
    }

    pub fn second(&self) -> String {
        self.0.format("%Y-%m-%d %H:%M:%S").to_string()
    }

    pub fn utc(&self) -> String {
        self.0.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Ok,
    Warn,
    Bad,
    Info,
    Violet,
    Muted,
}

impl Tone {
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Violet => "violet",
            Self::Muted => "muted",
        }
    }

    /// The icon that says the same as the colour, for readers who do not see it.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Ok => "circle-check",
            Self::Warn => "alert-triangle",
            Self::Bad => "circle-x",
            Self::Info | Self::Violet | Self::Muted => "info-circle",
        }
    }
}

/// A small coloured label. The text alone must say everything; the colour only helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pill {
    pub tone: Tone,
    pub text: String,
}

impl Pill {
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub href: String,
    pub text: String,
}

impl Link {
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { href: href.into(), text: text.into() }
    }
}

/// Keyset paging: there is a first page and a next one, never a number of pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pager {
    pub shown: usize,
    pub first: Option<String>,
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit() {
        for (amount, code, shown) in [
            ("1234567.5", "USD", "1,234,567.50 USD"),
            ("-0.005", "USD", "-0.005 USD"),
            ("-1000", "JPY", "-1,000 JPY"),
            ("12.3450", "KWD", "12.345 KWD"),
            ("999", "EUR", "999.00 EUR"),
        ] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(Amount::new(amount.parse().unwrap(), currency).to_string(), shown);
        }
    }

    #[test]
    fn counts_and_shares() {
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count_up_to(1001, 1000), "1,000+");
        assert_eq!(count_up_to(7, 1000), "7");
        assert_eq!(percent("0.1250".parse().unwrap()), "12.5 %");
        assert_eq!(plain("2.000".parse().unwrap()), "2");
    }
}
