//! pain.002: what a bank says of a pain.001, of the whole message, of its payments together, of each of them.
//!
//! What is said on a lower level goes before what is said above it.

use rust_decimal::Decimal;

use crate::core::payout::{Answer, EndToEnd, Reference, Says};

use super::super::{BankFile, BankFormat, Note, ReadProblem, Whole, codes, text};
use super::{Node, amount, broken};

pub(super) fn read(document: &Node) -> Result<BankFile, ReadProblem> {
    let report =
        document.child("CstmrPmtStsRpt").ok_or_else(|| broken("pain.002", "has no CstmrPmtStsRpt"))?;
    let message_id = report.text_at(&["GrpHdr", "MsgId"]);
    let message_id = message_id.ok_or_else(|| broken("pain.002", "has no GrpHdr/MsgId"))?;
    let mut file = BankFile::of(BankFormat::Pain002, message_id.to_owned());
    let on = report.text_at(&["GrpHdr", "CreDtTm"]).and_then(|time| time.get(..10)?.parse().ok());
    let group = report.child("OrgnlGrpInfAndSts");
    let group = group.ok_or_else(|| broken("pain.002", "has no OrgnlGrpInfAndSts"))?;
    let original = group.text_at(&["OrgnlMsgId"]).unwrap_or_default();
    let name = group.text_at(&["OrgnlMsgNmId"]).unwrap_or("pain.001");
    if !name.starts_with("pain.001") {
        return Err(ReadProblem::Other(format!(
            "the report is about {name}, not about credit transfers (pain.001)"
        )));
    }
    let mut is_said_below = false;
    for payments in report.all("OrgnlPmtInfAndSts") {
        is_said_below |= payments.child("PmtInfSts").is_some();
        for transfer in payments.all("TxInfAndSts") {
            file.answers.extend(answer(transfer, on));
        }
        // Payment information is named like its message, see the writer.
        let about = payments.text_at(&["OrgnlPmtInfId"]).unwrap_or(original);
        take_whole(&mut file, payments, "PmtInfSts", ["OrgnlNbOfTxs", "OrgnlCtrlSum"], about);
    }
    if !is_said_below {
        take_whole(&mut file, group, "GrpSts", ["OrgnlNbOfTxs", "OrgnlCtrlSum"], original);
    }
    Ok(file)
}

/// `None` for a code that says nothing of its own, such as `PART`.
fn says(code: &str) -> Option<Says> {
    match code {
        "ACSC" | "ACCC" => Some(Says::Booked),
        "ACCP" | "ACTC" | "ACSP" | "ACWC" | "ACFC" | "ACWP" => Some(Says::Accepted),
        "RJCT" | "CANC" => Some(Says::Returned),
        "PART" => None,
        // Received, pending, partially authorised, and whatever a bank makes up: neither yes nor no.
        _ => Some(Says::Pending),
    }
}

fn take_whole(file: &mut BankFile, node: &Node, status: &str, totals: [&str; 2], about: &str) {
    let Some(status) = node.text_at(&[status]) else { return };
    let (code, reason) = reason(node);
    let [count, sum] = totals;
    match says(status) {
        Some(says) => file.wholes.push(Whole {
            batch: EndToEnd::item(about),
            message: text::line(about, 35),
            says,
            code: code.or_else(|| Some(status.to_owned())),
            reason,
            payments: node.text_at(&[count]).and_then(|count| count.parse().ok()),
            amount: node.text_at(&[sum]).and_then(|sum| Decimal::from_str_exact(sum).ok()),
            currency: None,
        }),
        None => file.notes.push(Note {
            about: None,
            code: Some(status.to_owned()),
            text: "a part of the file was accepted; each payment that was not is listed".to_owned(),
        }),
    }
}

fn answer(transfer: &Node, on: Option<chrono::NaiveDate>) -> Option<Answer> {
    let status = transfer.text_at(&["TxSts"]);
    let (code, reason) = reason(transfer);
    // Without a status nothing is said, whatever the reason.
    let says = match status {
        Some(status) => says(status)?,
        None => Says::Pending,
    };
    let (amount, currency) = transfer.at(&["OrgnlTxRef", "Amt", "InstdAmt"]).map(amount).unwrap_or_default();
    Some(Answer {
        about: about(transfer),
        says,
        amount,
        currency,
        code: code.or_else(|| status.map(str::to_owned)),
        reason,
        on,
    })
}

/// By the end-to-end reference, else by the number that was given as instruction.
fn about(transfer: &Node) -> Reference {
    let texts = ["OrgnlEndToEndId", "OrgnlInstrId"].map(|name| transfer.text_at(&[name]));
    let mut known = texts.iter().flatten().map(|text| Reference::read(text));
    let ours = known.find(|reference| !matches!(reference, Reference::Foreign(_)));
    ours.unwrap_or_else(|| {
        Reference::Foreign(text::line(texts.into_iter().flatten().next().unwrap_or("no reference"), 35))
    })
}

/// The code and what it means; in the bank's own words only where no list has it.
fn reason(node: &Node) -> (Option<String>, Option<String>) {
    let Some(reason) = node.child("StsRsnInf") else { return (None, None) };
    let code = reason.text_at(&["Rsn", "Cd"]).or_else(|| reason.text_at(&["Rsn", "Prtry"]));
    let words = code.and_then(codes::iso).filter(|_| code != Some("NARR")).map(str::to_owned);
    let words = words.or_else(|| reason.text_at(&["AddtlInf"]).map(|text| text::line(text, 140)));
    (code.map(|code| text::line(code, 35)), words)
}
