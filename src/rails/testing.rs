//! Batches for tests: made of small numbers, so that every test has its own.

use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::core::ids::DistributorId;
use crate::core::money::{Currency, Money};
use crate::core::payee::{
    Bic, Holder, Iban, PayTo, Payee, RoutingNumber, UsAccountKind, UsAccountNumber, WalletEmail,
};
use crate::core::payout::{Originator, Payment, PaymentFile, Rail};

pub const BATCH: Uuid = Uuid::from_u128(0x0199_0c1e_5a4f_7b2c_9d3e_0a1b_2c3d_4e5f);

pub fn money(cents: i64, currency: &str) -> Money {
    Money::exact(Decimal::new(cents, 2), Currency::parse(currency).unwrap()).unwrap()
}

/// The item of a payment is made of its number.
pub fn item(number: i64) -> Uuid {
    Uuid::from_u128(0x0199_0c1e_0000_7000_8000_0000_0000_0000 + u128::try_from(number).unwrap())
}

pub fn payment(
    number: i64,
    cents: i64,
    currency: &str,
    name: &str,
    holder: Holder,
    pay_to: PayTo,
) -> Payment {
    Payment {
        item: item(number),
        number,
        distributor: DistributorId::new(format!("D{number}")),
        payee: Payee { name: name.into(), holder, country: "US".into(), pay_to },
        amount: money(cents, currency),
    }
}

pub fn us_bank(account: &str) -> PayTo {
    PayTo::UsBank {
        routing_number: RoutingNumber::parse("011401533").unwrap(),
        account_number: UsAccountNumber::parse(account).unwrap(),
        account: UsAccountKind::Checking,
    }
}

pub fn iban(number: &str) -> PayTo {
    PayTo::Iban { iban: Iban::parse(number).unwrap(), bic: None }
}

pub fn iban_of(country: &str, bank_account: &str, bic: Option<&str>) -> PayTo {
    let value = |text: &str| {
        text.chars().fold(0u32, |sum, c| {
            let value = c.to_digit(36).unwrap();
            (sum * if value > 9 { 100 } else { 10 } + value) % 97
        })
    };
    let check = 98 - value(&format!("{bank_account}{country}00"));
    PayTo::Iban {
        iban: Iban::parse(&format!("{country}{check:02}{bank_account}")).unwrap(),
        bic: bic.map(|bic| Bic::parse(bic).unwrap()),
    }
}

pub fn email(rail: Rail, address: &str) -> PayTo {
    let email = WalletEmail::parse(address).unwrap();
    if rail == Rail::Wise { PayTo::Wise { email } } else { PayTo::Paypal { email } }
}

pub fn originator() -> Originator {
    Originator {
        name: "Sonnenberg Direct, Inc.".into(),
        routing_number: Some("091000019".into()),
        account_number: Some("99887766".into()),
        company_id: Some("1234567890".into()),
        bank_name: Some("First Bank".into()),
        iban: Some("DE89370400440532013000".into()),
        bic: Some("DEUTDEFF".into()),
    }
}

pub fn file(rail: Rail, currency: &str, payments: Vec<Payment>) -> PaymentFile {
    PaymentFile {
        batch: BATCH,
        batch_no: 42,
        rail,
        originator: originator(),
        currency: Currency::parse(currency).unwrap(),
        created_at: DateTime::from_timestamp(1_793_800_000, 0).unwrap(),
        value_date: NaiveDate::from_ymd_opt(2026, 11, 6).unwrap(),
        purpose: "Commission 2026-10".into(),
        payments,
    }
}

prop_compose! {
    fn routing()(digits in 10_000_000u32..99_999_999) -> RoutingNumber {
        let digits = digits.to_string();
        let sum: u32 = digits.bytes().zip([3, 7, 1].into_iter().cycle()).map(|(d, w)| u32::from(d - b'0') * w).sum();
        RoutingNumber::parse(&format!("{digits}{}", (10 - sum % 10) % 10)).unwrap()
    }
}

/// Names as people have them, in any script, with signs that formats do not like.
pub fn name() -> impl Strategy<Value = String> {
    "[A-Za-zäöüßéèñøłžА-Яа-яα-ω][A-Za-zÀ-ž &'\"<>/.,;=+@()-]{0,90}"
}

pub fn us_payments() -> impl Strategy<Value = Vec<Payment>> {
    let one = (1i64..5_000_000, name(), any::<bool>(), any::<bool>(), routing(), "[0-9A-Z][0-9A-Z-]{3,16}");
    prop::collection::vec(one, 1..30).prop_map(|all| {
        let numbered = all.into_iter().zip(1i64..);
        numbered
            .map(|((cents, name, person, checking, routing_number, account), number)| {
                let holder = if person { Holder::Person } else { Holder::Company };
                let account_number = UsAccountNumber::parse(&account).unwrap();
                let account = if checking { UsAccountKind::Checking } else { UsAccountKind::Savings };
                let pay_to = PayTo::UsBank { routing_number, account_number, account };
                payment(number, cents, "USD", &name, holder, pay_to)
            })
            .collect()
    })
}

pub fn euro_payments() -> impl Strategy<Value = Vec<Payment>> {
    let one =
        (1i64..99_999_999_999, name(), "[0-9]{18}", prop::option::of("[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?"));
    prop::collection::vec(one, 1..30).prop_map(|all| {
        let numbered = all.into_iter().zip(1i64..);
        numbered
            .map(|((cents, name, account, bic), number)| {
                payment(number, cents, "EUR", &name, Holder::Person, iban_of("DE", &account, bic.as_deref()))
            })
            .collect()
    })
}
