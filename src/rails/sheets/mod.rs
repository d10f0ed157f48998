//! Rails that take a table: PayPal's mass payments, Wise's batch by e-mail, and a plain one for anything else.

use crate::core::payee::{Holder, PayTo, UsAccountKind, WalletEmail};
use crate::core::payout::{Payment, PaymentFile, Rail};
use crate::core::sheet::harmless;

use super::{RailProblem, Rendered, common, text};
pub(super) use answers::read;
pub(super) use check::check;

mod answers;
mod check;
#[cfg(test)]
mod tests;

pub(super) const PAYPAL_COLUMNS: usize = 6;
/// Payments of a file, as the wallets say.
const PAYPAL_MOST: usize = 5_000;
const WISE_MOST: usize = 1_000;
/// Signs of a note.
const PAYPAL_NOTE: usize = 400;
/// What PayPal can hold, and of those what it holds without a fraction although ISO 4217 has one.
const PAYPAL_CURRENCIES: [&str; 24] = [
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR",
    "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
];
const PAYPAL_WHOLE: [&str; 2] = ["HUF", "TWD"];

pub(super) const WISE_HEADER: [&str; 8] = [
    "name",
    "recipientEmail",
    "paymentReference",
    "receiverType",
    "amountCurrency",
    "amount",
    "sourceCurrency",
    "targetCurrency",
];

pub(super) const PLAIN_HEADER: [&str; 19] = [
    "reference",
    "number",
    "batch",
    "distributor",
    "name",
    "holder",
    "country",
    "amount",
    "currency",
    "value_date",
    "purpose",
    "pay_by",
    "routing_number",
    "account_number",
    "account_kind",
    "iban",
    "bic",
    "email",
    "instruction",
];

fn rendered(
    file: &PaymentFile,
    header: Option<&[&str]>,
    rows: Vec<Vec<String>>,
    problems: Vec<RailProblem>,
) -> Result<Rendered, Vec<RailProblem>> {
    if !problems.is_empty() {
        return Err(problems);
    }
    let failed = |error: String| vec![RailProblem::file(format!("the table cannot be written: {error}"))];
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    if let Some(header) = header {
        writer.write_record(header).map_err(|error| failed(error.to_string()))?;
    }
    for row in rows {
        writer.write_record(row).map_err(|error| failed(error.to_string()))?;
    }
    Ok(Rendered {
        name: format!("payout-{}-{}.csv", file.batch_no, file.rail.name()),
        media_type: "text/csv; charset=utf-8",
        bytes: writer.into_inner().map_err(|error| failed(error.to_string()))?,
    })
}

fn too_many(file: &PaymentFile, most: usize) -> Option<RailProblem> {
    let count = file.payments.len();
    (count > most)
        .then(|| RailProblem::file(format!("the file holds {most} payments, not {count}: split the batch")))
}

/// An address that a spreadsheet would calculate cannot be made harmless without becoming another address.
fn address<'p>(payment: &'p Payment, email: &'p WalletEmail) -> Result<&'p str, RailProblem> {
    let address = email.as_str();
    if harmless(address) == address {
        return Ok(address);
    }
    Err(RailProblem::payment(payment, "the e-mail address begins like a formula: pay it by hand"))
}

/// Without a header: recipient, amount, currency, our reference, note, wallet.
pub(super) fn paypal(file: &PaymentFile) -> Result<Rendered, Vec<RailProblem>> {
    let mut problems: Vec<RailProblem> = too_many(file, PAYPAL_MOST).into_iter().collect();
    let currency = file.currency.code();
    if !PAYPAL_CURRENCIES.contains(&currency) {
        problems.push(RailProblem::file(format!("PayPal does not pay {currency}")));
    }
    let note = text::line(&file.purpose, PAYPAL_NOTE);
    let mut rows = vec![];
    for payment in common::ordered(file) {
        let PayTo::Paypal { email } = &payment.payee.pay_to else {
            problems
                .push(RailProblem::payment(payment, "PayPal needs the e-mail address of a PayPal account"));
            continue;
        };
        let mut amount = payment.amount.amount();
        if PAYPAL_WHOLE.contains(&currency) {
            amount = amount.normalize();
            if amount.scale() > 0 {
                problems.push(RailProblem::payment(payment, format!("PayPal pays whole {currency} only")));
            }
        }
        match address(payment, email) {
            Ok(address) => rows.push(vec![
                address.to_owned(),
                amount.to_string(),
                currency.to_owned(),
                payment.end_to_end().as_str().to_owned(),
                harmless(&note).into_owned(),
                "PAYPAL".to_owned(),
            ]),
            Err(problem) => problems.push(problem),
        }
    }
    rendered(file, None, rows, problems)
}

/// Wise mails each recipient a link; the recipient gets exactly the amount, the fee is the company's.
pub(super) fn wise(file: &PaymentFile) -> Result<Rendered, Vec<RailProblem>> {
    let mut problems: Vec<RailProblem> = too_many(file, WISE_MOST).into_iter().collect();
    let currency = file.currency.code();
    let mut rows = vec![];
    for payment in common::ordered(file) {
        let PayTo::Wise { email } = &payment.payee.pay_to else {
            problems.push(RailProblem::payment(payment, "Wise needs an e-mail address"));
            continue;
        };
        let receiver = match payment.payee.holder {
            Holder::Person => "PERSON",
            Holder::Company => "INSTITUTION",
        };
        match address(payment, email) {
            Ok(address) => rows.push(vec![
                harmless(&text::line(&payment.payee.name, 140)).into_owned(),
                address.to_owned(),
                payment.short_reference(),
                receiver.to_owned(),
                "target".to_owned(),
                payment.amount.amount().to_string(),
                currency.to_owned(),
                currency.to_owned(),
            ]),
            Err(problem) => problems.push(problem),
        }
    }
    rendered(file, Some(&WISE_HEADER), rows, problems)
}

/// Everything there is to know, for whoever pays by a way of their own.
pub(super) fn plain(file: &PaymentFile) -> Result<Rendered, Vec<RailProblem>> {
    let purpose = text::line(&file.purpose, 140);
    let rows = common::ordered(file).into_iter().map(|payment| plain_row(file, payment, &purpose)).collect();
    rendered(file, Some(&PLAIN_HEADER), rows, vec![])
}

fn plain_row(file: &PaymentFile, payment: &Payment, purpose: &str) -> Vec<String> {
    let payee = &payment.payee;
    let holder = match payee.holder {
        Holder::Person => "person",
        Holder::Company => "company",
    };
    let amount = payment.amount.amount().to_string();
    let mut row = vec![
        payment.end_to_end().as_str().to_owned(),
        payment.short_reference(),
        file.batch_no.to_string(),
        payment.distributor.to_string(),
        text::line(&payee.name, 140),
        holder.to_owned(),
        payee.country.clone(),
        amount,
        file.currency.code().to_owned(),
        file.value_date.to_string(),
        purpose.to_owned(),
    ];
    row.extend(pay_to(&payee.pay_to).into_iter().map(|value| text::line(&value, 500)));
    row.iter().map(|value| harmless(value).into_owned()).collect()
}

/// From `pay_by` on.
fn pay_to(pay_to: &PayTo) -> [String; 8] {
    let mut row: [String; 8] = Default::default();
    let [by, routing, account, kind, iban, bic, email, instruction] = &mut row;
    let name = match pay_to {
        PayTo::UsBank { routing_number, account_number, account: of } => {
            routing.push_str(routing_number.as_str());
            account.push_str(account_number.as_str());
            kind.push_str(match of {
                UsAccountKind::Checking => "checking",
                UsAccountKind::Savings => "savings",
            });
            "us_bank"
        }
        PayTo::Iban { iban: number, bic: bank } => {
            iban.push_str(number.as_str());
            bic.push_str(bank.as_ref().map_or("", |bank| bank.as_str()));
            "iban"
        }
        PayTo::Paypal { email: address } => {
            email.push_str(address.as_str());
            "paypal"
        }
        PayTo::Wise { email: address } => {
            email.push_str(address.as_str());
            "wise"
        }
        PayTo::Other { instruction: words } => {
            instruction.push_str(words);
            "other"
        }
    };
    by.push_str(name);
    row
}

/// The names of the columns, where the file has them.
pub(super) fn header(rail: Rail) -> Option<&'static [&'static str]> {
    match rail {
        Rail::Wise => Some(&WISE_HEADER),
        Rail::Csv => Some(&PLAIN_HEADER),
        _ => None,
    }
}
