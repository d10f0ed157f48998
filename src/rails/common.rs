//! What every rail asks of a batch, whatever its format.

use std::collections::BTreeSet;

use crate::core::payout::{Payment, PaymentFile};

use super::RailProblem;

/// The short reference has 14 digits.
const LAST_NUMBER: i64 = 99_999_999_999_999;

/// Always the same order, whatever order the payments came in.
pub(super) fn ordered(file: &PaymentFile) -> Vec<&Payment> {
    let mut payments: Vec<&Payment> = file.payments.iter().collect();
    payments.sort_by_key(|payment| payment.item);
    payments
}

pub(super) fn problems(file: &PaymentFile) -> Vec<RailProblem> {
    let mut problems = vec![];
    if file.payments.is_empty() {
        problems.push(RailProblem::file("the batch has no payments"));
    }
    if super::text::ascii(&file.purpose).is_empty() {
        problems.push(RailProblem::file("the purpose is empty: payees read it on their statement"));
    }
    let (mut items, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for payment in ordered(file) {
        let mut wrong = |what: String| problems.push(RailProblem::payment(payment, what));
        let amount = payment.amount;
        if amount.amount().is_sign_negative() || amount.is_zero() {
            wrong(format!("the amount {amount} is nothing that can be paid"));
        }
        if amount.currency() != file.currency {
            wrong(format!("is paid {}, the batch is in {}", amount.currency(), file.currency));
        }
        if payment.payee.name.trim().is_empty() {
            wrong("the payee has no name".to_owned());
        }
        if !(0..=LAST_NUMBER).contains(&payment.number) {
            wrong(format!("the number {} does not fit into 14 digits", payment.number));
        }
        if !items.insert(payment.item) || !numbers.insert(payment.number) {
            wrong("is in the batch twice".to_owned());
        }
    }
    problems
}
