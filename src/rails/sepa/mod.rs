//! SEPA credit transfers: pain.001.001.09 as the implementation guidelines of the European Payments Council narrow it;
//! pain.002 and camt.053 and camt.054 as answers.
//!
//! The message is named after the batch and each payment after its item, so a bank that has seen either refuses the
//! second one.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use rust_decimal::Decimal;

use crate::core::payee::{Bic, Iban, PayTo};
use crate::core::payout::{Originator, Payment, PaymentFile};

use super::xml::{self, Node};
use super::{BankFile, RailProblem, ReadProblem, Rendered, common, message_id, text};
pub use check::check;

mod check;
mod schema;
mod statement;
mod status;
#[cfg(test)]
mod tests;

pub(super) const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// Of a name.
const LONGEST_NAME: usize = 70;
/// Of what the payee reads.
const LONGEST_PURPOSE: usize = 140;
/// Whose accounts can be paid: by the country an IBAN begins with.
const COUNTRIES: [&str; 41] = [
    "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR",
    "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL", "NO", "PL",
    "PT", "RO", "RS", "SE", "SI", "SK", "SM",
];
/// The Vatican's.
const LAST_COUNTRY: &str = "VA";

struct Company {
    name: String,
    iban: Iban,
    bic: Option<Bic>,
}

struct Transfer<'p> {
    payment: &'p Payment,
    name: String,
    iban: &'p Iban,
    bic: Option<&'p Bic>,
}

fn most() -> Decimal {
    Decimal::new(99_999_999_999, 2)
}

fn in_sepa(iban: &Iban) -> bool {
    COUNTRIES.contains(&iban.country()) || iban.country() == LAST_COUNTRY
}

pub(super) fn write(file: &PaymentFile) -> Result<Rendered, Vec<RailProblem>> {
    let mut problems = vec![];
    let company = company(&file.originator, &mut problems);
    if file.currency.code() != "EUR" {
        problems.push(RailProblem::file(format!("SEPA pays euro, not {}", file.currency)));
    }
    if file.value_date < file.created_at.date_naive() {
        problems.push(RailProblem::file(format!("the value date {} is over", file.value_date)));
    }
    let mut transfers = vec![];
    for payment in common::ordered(file) {
        match transfer(payment) {
            Ok(transfer) => transfers.push(transfer),
            Err(problem) => problems.push(problem),
        }
    }
    let sum = transfers.iter().try_fold(Decimal::ZERO, |sum, t| sum.checked_add(t.payment.amount.amount()));
    let (Some(company), Some(sum), true) = (company, sum, problems.is_empty()) else {
        return Err(problems);
    };
    let mut xml = Xml(Writer::new_with_indent(vec![], b' ', 1));
    match xml.document(file, &company, &transfers, sum) {
        Ok(()) => Ok(Rendered {
            name: format!("payout-{}-sepa.xml", file.batch_no),
            media_type: "application/xml",
            bytes: xml.0.into_inner(),
        }),
        Err(error) => Err(vec![RailProblem::file(format!("the message cannot be written: {error}"))]),
    }
}

fn company(originator: &Originator, problems: &mut Vec<RailProblem>) -> Option<Company> {
    let mut wrong = |field: &str, what: &str| {
        problems.push(RailProblem::file(format!("the originator's {field} {what}")));
    };
    let name = text::sepa(&originator.name, LONGEST_NAME);
    if name.is_empty() {
        wrong("name", "is empty");
    }
    let iban = match originator.iban.as_deref() {
        None => Err("is missing: the account that is debited".to_owned()),
        Some(iban) => Iban::parse(iban).map_err(|problem| problem.to_string()),
    };
    let iban = iban.map_err(|what| wrong("iban", &what)).ok();
    let bic = originator.bic.as_deref().filter(|bic| !bic.trim().is_empty()).map(Bic::parse).transpose();
    let bic = bic.map_err(|problem| wrong("bic", &problem.to_string())).ok()?;
    Some(Company { name, iban: iban?, bic })
}

fn transfer(payment: &Payment) -> Result<Transfer<'_>, RailProblem> {
    let wrong = |what: &str| Err(RailProblem::payment(payment, what));
    let PayTo::Iban { iban, bic } = &payment.payee.pay_to else {
        return wrong("SEPA needs an IBAN");
    };
    if !in_sepa(iban) {
        return wrong("the IBAN is of a country outside SEPA");
    }
    if payment.amount.amount() > most() {
        return wrong("SEPA holds amounts up to 999,999,999.99");
    }
    let name = text::sepa(&payment.payee.name, LONGEST_NAME);
    if name.is_empty() {
        return wrong("the payee's name has no letters that SEPA can hold");
    }
    Ok(Transfer { payment, name, iban, bic: bic.as_ref() })
}

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn leaf(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.0.create_element(name).write_text_content(BytesText::new(text))?;
        Ok(())
    }

    /// An element that holds what `inner` writes.
    fn group(&mut self, name: &str, inner: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        let start = quick_xml::events::BytesStart::new(name);
        self.0.write_event(Event::Start(start.borrow()))?;
        inner(self)?;
        self.0.write_event(Event::End(start.to_end()))
    }

    fn document(
        &mut self,
        file: &PaymentFile,
        company: &Company,
        transfers: &[Transfer<'_>],
        sum: Decimal,
    ) -> io::Result<()> {
        self.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let start = quick_xml::events::BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)]);
        self.0.write_event(Event::Start(start.borrow()))?;
        self.group("CstmrCdtTrfInitn", |xml| {
            xml.header(file, company, transfers.len(), sum)?;
            xml.group("PmtInf", |xml| xml.payments(file, company, transfers, sum))
        })?;
        self.0.write_event(Event::End(start.to_end()))?;
        self.0.get_mut().push(b'\n');
        Ok(())
    }

    fn header(
        &mut self,
        file: &PaymentFile,
        company: &Company,
        count: usize,
        sum: Decimal,
    ) -> io::Result<()> {
        self.group("GrpHdr", |xml| {
            xml.leaf("MsgId", &message_id(file.batch))?;
            xml.leaf("CreDtTm", &file.created_at.format("%Y-%m-%dT%H:%M:%SZ").to_string())?;
            xml.leaf("NbOfTxs", &count.to_string())?;
            xml.leaf("CtrlSum", &sum.to_string())?;
            xml.group("InitgPty", |xml| xml.leaf("Nm", &company.name))
        })
    }

    fn payments(
        &mut self,
        file: &PaymentFile,
        company: &Company,
        transfers: &[Transfer<'_>],
        sum: Decimal,
    ) -> io::Result<()> {
        self.leaf("PmtInfId", &message_id(file.batch))?;
        self.leaf("PmtMtd", "TRF")?;
        self.leaf("NbOfTxs", &transfers.len().to_string())?;
        self.leaf("CtrlSum", &sum.to_string())?;
        self.group("PmtTpInf", |xml| xml.group("SvcLvl", |xml| xml.leaf("Cd", "SEPA")))?;
        self.group("ReqdExctnDt", |xml| xml.leaf("Dt", &file.value_date.to_string()))?;
        self.group("Dbtr", |xml| xml.leaf("Nm", &company.name))?;
        self.account("DbtrAcct", &company.iban)?;
        self.group("DbtrAgt", |xml| {
            xml.group("FinInstnId", |xml| match &company.bic {
                Some(bic) => xml.leaf("BICFI", bic.as_str()),
                None => xml.group("Othr", |xml| xml.leaf("Id", "NOTPROVIDED")),
            })
        })?;
        self.leaf("ChrgBr", "SLEV")?;
        let purpose = text::sepa(&file.purpose, LONGEST_PURPOSE);
        for transfer in transfers {
            self.group("CdtTrfTxInf", |xml| xml.transfer(transfer, &purpose))?;
        }
        Ok(())
    }

    fn account(&mut self, name: &str, iban: &Iban) -> io::Result<()> {
        self.group(name, |xml| xml.group("Id", |xml| xml.leaf("IBAN", iban.as_str())))
    }

    fn transfer(&mut self, transfer: &Transfer<'_>, purpose: &str) -> io::Result<()> {
        let payment = transfer.payment;
        self.group("PmtId", |xml| {
            xml.leaf("InstrId", &payment.short_reference())?;
            xml.leaf("EndToEndId", payment.end_to_end().as_str())
        })?;
        self.group("Amt", |xml| {
            let amount =
                xml.0.create_element("InstdAmt").with_attribute(("Ccy", payment.amount.currency().code()));
            amount.write_text_content(BytesText::new(&payment.amount.amount().to_string()))?;
            Ok(())
        })?;
        if let Some(bic) = transfer.bic {
            self.group("CdtrAgt", |xml| xml.group("FinInstnId", |xml| xml.leaf("BICFI", bic.as_str())))?;
        }
        self.group("Cdtr", |xml| xml.leaf("Nm", &transfer.name))?;
        self.account("CdtrAcct", transfer.iban)?;
        // ISO 20022 external purpose: payment of a commission.
        self.group("Purp", |xml| xml.leaf("Cd", "COMM"))?;
        self.group("RmtInf", |xml| xml.leaf("Ustrd", purpose))
    }
}

/// Which message it is, by its namespace; versions whose structure is the one that is read here.
pub(super) fn read(bytes: &[u8]) -> Result<BankFile, ReadProblem> {
    let root = xml::parse(bytes).map_err(|what| broken("XML", what))?;
    let document = root.find("Document").ok_or(ReadProblem::Unknown)?;
    let message = message(&root).or_else(|| message(document)).ok_or(ReadProblem::Unknown)?;
    let number = |at: usize| message.split('.').nth(at).and_then(|part| part.parse::<u32>().ok());
    let version = number(3).unwrap_or(0);
    match message.get(..8).unwrap_or_default() {
        "pain.002" if (3..=10).contains(&version) => status::read(document),
        "camt.053" | "camt.054" if (2..=8).contains(&version) => statement::read(document),
        "pain.002" | "camt.053" | "camt.054" => Err(ReadProblem::Other(format!(
            "{message} is a version that is not known here: ask the bank for pain.002.001.10, camt.053.001.08 or \
             camt.054.001.08"
        ))),
        "pain.001" => {
            let what = "the file is one that goes to a bank (pain.001); import what the bank sent";
            Err(ReadProblem::Other(what.to_owned()))
        }
        "camt.052" => {
            let what = "camt.052 tells of a day that is not over; import camt.053 or camt.054";
            Err(ReadProblem::Other(what.to_owned()))
        }
        _ => Err(ReadProblem::Unknown),
    }
}

/// `pain.002.001.10` from the namespace of a document.
fn message(document: &Node) -> Option<String> {
    let spaces = document.attributes.iter().filter(|(name, _)| name.starts_with("xmlns"));
    let messages = spaces.filter_map(|(_, value)| value.rsplit(':').next());
    let known = messages.filter(|message| message.starts_with("pain.") || message.starts_with("camt."));
    known.map(str::to_owned).next()
}

fn broken(format: &'static str, what: impl Into<String>) -> ReadProblem {
    ReadProblem::Broken { format, what: what.into() }
}

/// An amount with its currency, as in `<Amt Ccy="EUR">1.50</Amt>`.
fn amount(node: &Node) -> (Option<Decimal>, Option<String>) {
    (Decimal::from_str_exact(&node.text).ok(), node.attribute("Ccy").map(str::to_owned))
}
