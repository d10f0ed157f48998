//! Returns (addenda 99) and notifications of change (addenda 98) of NACHA.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::core::payee::masked;
use crate::core::payout::{Answer, Reference, Says};

use super::super::{BankFile, BankFormat, Note, ReadProblem, codes};
use super::record::{Ach, Entry, Record, is_credit, parse, sums};

/// A file header as only NACHA has it.
pub(in crate::rails) fn is_nacha(bytes: &[u8]) -> bool {
    bytes.starts_with(b"101") && bytes.get(34..40).is_some_and(|signs| signs == b"094101")
}

fn broken(what: String) -> ReadProblem {
    ReadProblem::Broken { format: "NACHA", what }
}

pub(in crate::rails) fn read(bytes: &[u8]) -> Result<BankFile, ReadProblem> {
    let ach = parse(bytes).map_err(broken)?;
    if let Some(problem) = sums(&ach).into_iter().next() {
        return Err(broken(problem));
    }
    let entries = || ach.batches.iter().flat_map(|batch| &batch.entries);
    if entries().count() > 0 && !entries().any(|entry| addenda(entry).is_some()) {
        let what =
            "the file is one that goes to a bank: it has payments and no returns; import what the bank sent";
        return Err(ReadProblem::Other(what.to_owned()));
    }
    let mut file = BankFile::of(BankFormat::NachaReturn, message_id(&ach));
    let on = NaiveDate::parse_from_str(ach.header.cut(24, 29), "%y%m%d").ok();
    for batch in &ach.batches {
        // International entries keep their fields elsewhere.
        let foreign = batch.header.cut(51, 53) == "IAT";
        for entry in &batch.entries {
            match addenda(entry) {
                Some(addenda) if !foreign => take(&mut file, entry, addenda, on),
                _ => file.notes.push(Note {
                    about: None,
                    code: None,
                    text: format!(
                        "line {}: an entry that is neither return nor notification",
                        entry.record.line
                    ),
                }),
            }
        }
    }
    Ok(file)
}

fn addenda(entry: &Entry) -> Option<&Record> {
    entry.addenda.iter().find(|record| matches!(record.cut(2, 3), "98" | "99"))
}

fn take(file: &mut BankFile, entry: &Entry, addenda: &Record, on: Option<NaiveDate>) {
    let code = addenda.trimmed(4, 6).to_ascii_uppercase();
    let about = reference(entry, addenda);
    if addenda.cut(2, 3) == "98" {
        let text = codes::change(&code).unwrap_or("data have to be changed");
        // Often the number of an account.
        let corrected = masked(addenda.trimmed(36, 64));
        let text = format!("{text}; the bank's file has the right value, which ends in {corrected}");
        file.notes.push(Note { about: Some(about), code: Some(code), text });
        return;
    }
    let reason = codes::returned(&code).map(str::to_owned);
    if !is_credit(entry.record.cut(2, 3)) {
        let why = reason.unwrap_or_else(|| code.clone());
        let text =
            format!("the debit of the company's own account came back: {why}; ask the bank what it paid");
        file.notes.push(Note { about: Some(about), code: Some(code), text });
        return;
    }
    let dispute = codes::is_dispute(&code);
    let amount = entry.record.number(30, 39).ok().and_then(|cents| i64::try_from(cents).ok());
    file.answers.push(Answer {
        about,
        says: if dispute { Says::Pending } else { Says::Returned },
        amount: amount.map(|cents| Decimal::new(cents, 2)),
        currency: Some("USD".to_owned()),
        code: Some(code),
        reason: if dispute { Some("the banks dispute a return: ask yours".to_owned()) } else { reason },
        on,
    });
}

/// What the bank repeated of ours, else the original trace number for a person to look up.
fn reference(entry: &Entry, addenda: &Record) -> Reference {
    match entry.record.trimmed(40, 54) {
        "" => Reference::Foreign(format!("trace {}", addenda.trimmed(7, 21))),
        text => Reference::read(text),
    }
}

/// Origin, time, modifier and totals: the fields that make one file another one.
fn message_id(ach: &Ach) -> String {
    let (header, control) = (&ach.header, &ach.control);
    let parts =
        [header.trimmed(14, 23), header.trimmed(24, 34), control.trimmed(14, 31), control.trimmed(32, 55)];
    parts.join("-").replace(' ', "0")
}
