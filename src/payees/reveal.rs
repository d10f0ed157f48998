//! Showing what is sealed: to somebody who says why, and never without a word in the audit log.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Details, PayeeError, TaxData, heads, open, open_tax};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::core::payee::PayTo;
use crate::db::Tx;
use crate::vault::Vault;

/// What is in the clear once. No `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed {
    pub details: Option<Details>,
    pub tax: Option<TaxData>,
}

const SHORTEST: usize = 8;
const LONGEST: usize = 300;

/// Opens a person's details, or the tax data where `tax` is asked for. The word in the audit log is of the same
/// database transaction: what is returned counts only once that has committed.
pub fn reveal(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (distributor, asks_tax): (&DistributorId, bool),
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Revealed, PayeeError> {
    let reason = reason.trim();
    if !(SHORTEST..=LONGEST).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
        return Err(PayeeError::Reason("say in 8 to 300 signs why it has to be seen"));
    }
    let found = if asks_tax { tax(tx, vault, distributor)? } else { bank(tx, vault, distributor)? };
    let (revealed, numbers, mut detail) = found.ok_or_else(|| PayeeError::Nothing(distributor.clone()))?;
    if numbers.iter().any(|number| is_in(number, reason)) {
        return Err(PayeeError::Reason(
            "the reason goes into the audit log; leave the number itself out of it",
        ));
    }
    if let Some(told) = detail.as_object_mut() {
        told.insert("reason".to_owned(), json!(reason));
    }
    let action = if asks_tax { "payee.tax.reveal" } else { "payee.reveal" };
    audit::record(tx, by, action, distributor.as_str(), detail, now)?;
    Ok(revealed)
}

/// What is shown, its numbers, and what the audit log may say of it.
type Found = Option<(Revealed, Vec<String>, serde_json::Value)>;

fn bank(tx: &mut Tx<'_>, vault: &Vault, distributor: &DistributorId) -> Result<Found, PayeeError> {
    let Some(head) = heads(tx.conn, &[distributor.as_str()])?.remove(distributor) else { return Ok(None) };
    let payee = open(tx.conn, vault, &[(distributor, head.version_no)])?.remove(distributor);
    Ok(payee.map(|payee| {
        let numbers = numbers(&payee.pay_to);
        let detail = json!({"version_no": head.version_no, "rail": head.rail});
        let details = Details { rail: head.rail, currency: head.currency, payee };
        (Revealed { details: Some(details), tax: None }, numbers, detail)
    }))
}

fn tax(tx: &mut Tx<'_>, vault: &Vault, distributor: &DistributorId) -> Result<Found, PayeeError> {
    let data = open_tax(tx.conn, vault, &[distributor.as_str()])?.remove(distributor);
    Ok(data.map(|data| {
        let numbers = data.number.iter().cloned().collect();
        let detail = json!({"kind": data.kind});
        (Revealed { details: None, tax: Some(data) }, numbers, detail)
    }))
}

fn numbers(pay_to: &PayTo) -> Vec<String> {
    match pay_to {
        PayTo::UsBank { account_number, .. } => vec![account_number.as_str().to_owned()],
        PayTo::Iban { iban, .. } => vec![iban.as_str().to_owned()],
        PayTo::Paypal { email } | PayTo::Wise { email } => vec![email.as_str().to_owned()],
        PayTo::Other { instruction } => vec![instruction.clone()],
    }
}

/// However it is written: with spaces, hyphens, in any case.
fn is_in(number: &str, reason: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect()
    };
    let number = plain(number);
    !number.is_empty() && plain(reason).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn a_number_is_found_however_it_is_written() {
        assert!(is_in("DE89370400440532013000", "is de89 3704 0044 0532 0130 00 right?"));
        assert!(is_in("123456789", "TIN 123-45-6789"));
        assert!(!is_in("123456789", "the bank asks, ticket 12345"));
    }
}
