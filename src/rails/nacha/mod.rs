//! NACHA: credits to accounts at banks of the United States, companies by CCD and people by PPD, each in a batch of
//! its own that a debit of the company's account balances.
//!
//! [`Payment::short_reference`] stands in the identification field; every return repeats it.

use chrono::NaiveDate;

use crate::core::payee::{Holder, PayTo, RoutingNumber, UsAccountKind, UsAccountNumber};
use crate::core::payout::{Originator, Payment, PaymentFile};

use super::{RailProblem, Rendered, common, text};
pub use check::check;
pub(super) use read::{is_nacha, read};

mod check;
mod read;
mod record;
#[cfg(test)]
mod tests;

/// Ten digits of cents.
const MOST: u64 = 9_999_999_999;

/// Who pays, with every field in its width.
struct Company {
    name: String,
    full_name: String,
    routing: RoutingNumber,
    account: UsAccountNumber,
    id: String,
    bank: String,
}

struct Entry {
    code: &'static str,
    routing: RoutingNumber,
    account: UsAccountNumber,
    cents: u64,
    identification: String,
    name: String,
}

/// Entries of one class.
struct Batch {
    class: &'static str,
    entries: Vec<Entry>,
}

pub(super) fn write(file: &PaymentFile) -> Result<Rendered, Vec<RailProblem>> {
    let mut problems = vec![];
    let company = company(&file.originator, &mut problems);
    if file.currency.code() != "USD" {
        problems.push(RailProblem::file(format!("NACHA pays US dollars, not {}", file.currency)));
    }
    if file.value_date < file.created_at.date_naive() {
        problems.push(RailProblem::file(format!("the value date {} is over", file.value_date)));
    }
    let mut batches = [Batch { class: "CCD", entries: vec![] }, Batch { class: "PPD", entries: vec![] }];
    for payment in common::ordered(file) {
        let [companies, people] = &mut batches;
        let batch = match payment.payee.holder {
            Holder::Company => companies,
            Holder::Person => people,
        };
        match entry(payment) {
            Ok(entry) => batch.entries.push(entry),
            Err(problem) => problems.push(problem),
        }
    }
    let batches: Vec<&Batch> = batches.iter().filter(|batch| !batch.entries.is_empty()).collect();
    for batch in &batches {
        let sum: u64 = batch.entries.iter().map(|entry| entry.cents).sum();
        if sum > MOST {
            problems.push(RailProblem::file(format!(
                "the {} payments are more than 99,999,999.99 together, which one offsetting entry cannot hold: \
                 split the batch",
                batch.class
            )));
        }
    }
    match company {
        Some(company) if problems.is_empty() => Ok(Rendered {
            name: format!("payout-{}-nacha.ach", file.batch_no),
            media_type: "text/plain",
            bytes: render(file, &company, &batches).into_bytes(),
        }),
        _ => Err(problems),
    }
}

fn company(originator: &Originator, problems: &mut Vec<RailProblem>) -> Option<Company> {
    let mut wrong = |field: &str, what: &str| {
        problems.push(RailProblem::file(format!("the originator's {field} {what}")));
    };
    let name = text::nacha(&originator.name, 23);
    if name.is_empty() {
        wrong("name", "is empty");
    }
    let routing = match originator.routing_number.as_deref() {
        None => Err("is missing; your bank has told it".to_owned()),
        Some(number) => RoutingNumber::parse(number).map_err(|problem| problem.to_string()),
    };
    let routing = routing.map_err(|what| wrong("routing_number", &what)).ok();
    let account = match originator.account_number.as_deref() {
        None => Err("is missing: the account that is debited".to_owned()),
        Some(number) => UsAccountNumber::parse(number).map_err(|problem| problem.to_string()),
    };
    let account = account.map_err(|what| wrong("account_number", &what)).ok();
    let id = originator.company_id.as_deref().unwrap_or_default().trim().to_ascii_uppercase();
    let id_fits = id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !id_fits {
        wrong("company_id", "has to have the ten letters and digits that the bank gave, often 1 and the EIN");
    }
    let bank = text::nacha(originator.bank_name.as_deref().unwrap_or_default(), 23);
    if bank.is_empty() {
        wrong("bank_name", "is missing: the bank that takes the file");
    }
    let short = text::nacha(&name, 16);
    Some(Company { name: short, full_name: name, routing: routing?, account: account?, id, bank })
}

fn entry(payment: &Payment) -> Result<Entry, RailProblem> {
    let wrong = |what: &str| Err(RailProblem::payment(payment, what));
    let PayTo::UsBank { routing_number, account_number, account } = &payment.payee.pay_to else {
        return wrong("NACHA needs an account at a bank of the United States");
    };
    let cents = (payment.amount.amount().scale() == 2).then(|| payment.amount.amount().mantissa());
    let Some(cents) = cents.and_then(|cents| u64::try_from(cents).ok()).filter(|cents| *cents <= MOST) else {
        return wrong("NACHA holds amounts up to 99,999,999.99");
    };
    let name = text::nacha(&payment.payee.name, 22);
    if name.is_empty() {
        return wrong("the payee's name has no letters that NACHA can hold");
    }
    Ok(Entry {
        code: match account {
            UsAccountKind::Checking => "22",
            UsAccountKind::Savings => "32",
        },
        routing: routing_number.clone(),
        account: account_number.clone(),
        cents,
        identification: payment.short_reference(),
        name,
    })
}

/// The debit of the company's account that balances a batch.
fn offset(file: &PaymentFile, company: &Company, cents: u64) -> Entry {
    Entry {
        code: "27",
        routing: company.routing.clone(),
        account: company.account.clone(),
        cents,
        identification: format!("OFFSET{:09}", file.batch_no.rem_euclid(1_000_000_000)),
        name: text::nacha(&company.full_name, 22),
    }
}

/// The eight digits without the check digit.
fn bank(routing: &RoutingNumber) -> &str {
    routing.as_str().get(..8).unwrap_or_default()
}

#[derive(Default)]
struct Totals {
    entries: u64,
    hash: u64,
    cents: u64,
}

fn render(file: &PaymentFile, company: &Company, batches: &[&Batch]) -> String {
    let mut lines = vec![file_header(file, company)];
    let mut all = Totals::default();
    for (at, batch) in (1u64..).zip(batches) {
        lines.push(batch_header(file, company, batch.class, at));
        let cents = batch.entries.iter().map(|entry| entry.cents).sum();
        let mut own = Totals { cents, ..Totals::default() };
        for entry in batch.entries.iter().chain([&offset(file, company, cents)]) {
            own.entries += 1;
            own.hash += bank(&entry.routing).parse::<u64>().unwrap_or(0);
            lines.push(entry_line(entry, company, all.entries + own.entries));
        }
        lines.push(format!(
            "8200{:06}{:010}{cents:012}{cents:012}{:<10}{:25}{:8}{at:07}",
            own.entries,
            own.hash % record::HASH,
            company.id,
            "",
            bank(&company.routing),
        ));
        all.entries += own.entries;
        all.hash += own.hash;
        all.cents += own.cents;
    }
    let records = lines.len() + 1;
    let blocks = records.div_ceil(record::BLOCK);
    lines.push(format!(
        "9{:06}{blocks:06}{:08}{:010}{cents:012}{cents:012}{:39}",
        batches.len(),
        all.entries,
        all.hash % record::HASH,
        "",
        cents = all.cents,
    ));
    lines.resize(blocks * record::BLOCK, "9".repeat(record::WIDTH));
    lines.push(String::new());
    lines.join("\r\n")
}

/// Tells apart the files of one day; a bank takes each sign once.
fn modifier(batch_no: i32) -> char {
    let at = u32::try_from(batch_no.rem_euclid(36)).unwrap_or(0);
    // From A, which is what the first file of a day usually has.
    char::from_digit((at + 9) % 36, 36).unwrap_or('0').to_ascii_uppercase()
}

fn date(date: NaiveDate) -> impl std::fmt::Display {
    date.format("%y%m%d")
}

fn file_header(file: &PaymentFile, company: &Company) -> String {
    format!(
        "101 {:9}{:>10}{}{}{}094101{:<23}{:<23}{:08}",
        company.routing.as_str(),
        company.id,
        date(file.created_at.date_naive()),
        file.created_at.format("%H%M"),
        modifier(file.batch_no),
        company.bank,
        company.full_name,
        file.batch_no.rem_euclid(100_000_000),
    )
}

fn batch_header(file: &PaymentFile, company: &Company, class: &str, at: u64) -> String {
    format!(
        "5200{:<16}{:20}{:<10}{class}{:<10}{}{}{:3}1{:8}{at:07}",
        company.name,
        "",
        company.id,
        text::nacha(&file.purpose, 10),
        date(file.created_at.date_naive()),
        date(file.value_date),
        "",
        bank(&company.routing),
    )
}

fn entry_line(entry: &Entry, company: &Company, number: u64) -> String {
    format!(
        "6{}{}{:<17}{:010}{:<15}{:<22}  0{:8}{number:07}",
        entry.code,
        entry.routing.as_str(),
        entry.account.as_str(),
        entry.cents,
        entry.identification,
        entry.name,
        bank(&company.routing),
    )
}
