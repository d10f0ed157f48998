//! camt.053 and camt.054: what is booked on the company's account. A debit with one of our references has left, a
//! return with one of them has come back. All other entries are none of our business and are counted only.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::core::payout::{Answer, EndToEnd, Reference, Says};

use super::super::{BankFile, BankFormat, ReadProblem, Whole, codes, text};
use super::{Node, amount, broken};

pub(super) fn read(document: &Node) -> Result<BankFile, ReadProblem> {
    let kinds = [
        ("BkToCstmrStmt", "Stmt", BankFormat::Camt053),
        ("BkToCstmrDbtCdtNtfctn", "Ntfctn", BankFormat::Camt054),
    ];
    let found =
        kinds.into_iter().find_map(|(name, part, format)| Some((document.child(name)?, part, format)));
    let (message, part, format) =
        found.ok_or_else(|| broken("camt", "has neither statement nor notification"))?;
    let message_id = message.text_at(&["GrpHdr", "MsgId"]);
    let message_id = message_id.ok_or_else(|| broken(format.name(), "has no GrpHdr/MsgId"))?;
    let mut file = BankFile::of(format, message_id.to_owned());
    for entry in message.all(part).flat_map(|statement| statement.all("Ntry")) {
        take(&mut file, entry)?;
    }
    Ok(file)
}

/// What all transactions of an entry share.
struct Entry<'n> {
    node: &'n Node,
    is_booked: bool,
    on: Option<NaiveDate>,
}

fn take(file: &mut BankFile, node: &Node) -> Result<(), ReadProblem> {
    if node.child("Amt").and_then(|node| amount(node).0).is_none() || direction(node).is_none() {
        return Err(broken(file.format.name(), "has an entry without amount or direction"));
    }
    // A code of its own since version 4.
    let status = node.text_at(&["Sts", "Cd"]).or_else(|| node.text_at(&["Sts"]));
    let entry = Entry { node, is_booked: status == Some("BOOK"), on: date(node) };
    let details: Vec<&Node> = node.all("NtryDtls").flat_map(|details| details.all("TxDtls")).collect();
    let mut taken = 0;
    for detail in &details {
        if let Some(answer) = answer(&entry, detail, details.len() == 1) {
            file.answers.push(answer);
            taken += 1;
        }
    }
    if taken == 0 {
        match whole(&entry) {
            Some(whole) => file.wholes.push(whole),
            None => file.skipped += 1,
        }
    }
    Ok(())
}

fn direction(node: &Node) -> Option<&str> {
    node.text_at(&["CdtDbtInd"]).filter(|text| ["DBIT", "CRDT"].contains(text))
}

fn date(entry: &Node) -> Option<NaiveDate> {
    let dates = [["BookgDt", "Dt"], ["BookgDt", "DtTm"], ["ValDt", "Dt"], ["ValDt", "DtTm"]];
    dates.iter().find_map(|way| entry.text_at(way)?.get(..10)?.parse().ok())
}

/// By the end-to-end reference, else by the number that was given as instruction.
fn ours(detail: &Node) -> Option<Reference> {
    let ways = [["Refs", "EndToEndId"], ["Refs", "InstrId"]];
    let mut known = ways.iter().filter_map(|way| detail.text_at(way)).map(Reference::read);
    known.find(|reference| !matches!(reference, Reference::Foreign(_)))
}

fn is_return(entry: &Node, detail: &Node) -> bool {
    // Return, or reversal because of a return, in the codes of bank transactions.
    let code = ["BkTxCd", "Domn", "Fmly", "SubFmlyCd"];
    let family = detail.text_at(&code).or_else(|| entry.text_at(&code));
    detail.child("RtrInf").is_some()
        || entry.text_at(&["RvslInd"]).is_some_and(|text| text == "true" || text == "1")
        || family.is_some_and(|family| ["RRTN", "RPCR"].contains(&family))
}

fn answer(entry: &Entry<'_>, detail: &Node, is_only: bool) -> Option<Answer> {
    let direction = direction(detail).or_else(|| direction(entry.node))?;
    let comes_back = is_return(entry.node, detail);
    let about = match ours(detail) {
        Some(about) => about,
        // A return that lost its reference is for a person; anything else is not ours.
        None if comes_back && direction == "CRDT" && detail.child("RtrInf").is_some() => {
            let text = detail.text_at(&["Refs", "EndToEndId"]).unwrap_or("no reference");
            Reference::Foreign(text::line(text, 35))
        }
        None => return None,
    };
    let says = match (entry.is_booked, direction, comes_back) {
        (true, "DBIT", false) => Says::Booked,
        (true, "CRDT", true) => Says::Returned,
        _ => Says::Pending,
    };
    let code =
        detail.text_at(&["RtrInf", "Rsn", "Cd"]).or_else(|| detail.text_at(&["RtrInf", "Rsn", "Prtry"]));
    let words = code.and_then(codes::iso).map(str::to_owned);
    let words = words.or_else(|| detail.text_at(&["RtrInf", "AddtlInf"]).map(|text| text::line(text, 140)));
    let unclear = (says == Says::Pending).then(|| match entry.is_booked {
        false => "the entry is not booked yet".to_owned(),
        true => "the entry is neither a payment that left nor a return: ask the bank".to_owned(),
    });
    let (amount, currency) = money(entry.node, detail, is_only);
    Some(Answer {
        about,
        says,
        amount,
        currency,
        code: code.map(|code| text::line(code, 35)),
        reason: words.or(unclear),
        on: entry.on,
    })
}

/// Of one transaction; the entry's own amount if it is the only one.
fn money(entry: &Node, detail: &Node, is_only: bool) -> (Option<Decimal>, Option<String>) {
    let ways: [&[&str]; 3] = [&["Amt"], &["AmtDtls", "TxAmt", "Amt"], &["AmtDtls", "InstdAmt", "Amt"]];
    let own = ways.iter().find_map(|way| detail.at(way));
    own.or_else(|| entry.child("Amt").filter(|_| is_only)).map(amount).unwrap_or_default()
}

/// A file of ours that was booked as one sum.
fn whole(entry: &Entry<'_>) -> Option<Whole> {
    let batches = entry.node.all("NtryDtls").filter_map(|details| details.child("Btch"));
    let details = entry.node.all("NtryDtls").flat_map(|details| details.all("TxDtls"));
    let named = batches.chain(details.filter_map(|detail| detail.child("Refs")));
    let mut found = named.filter_map(|node| {
        let names = ["PmtInfId", "MsgId"].map(|name| node.text_at(&[name]));
        let name = names.into_iter().flatten().find(|name| EndToEnd::item(name).is_some())?;
        Some((node, name.to_owned()))
    });
    let (node, message) = found.next()?;
    let reversed = entry.node.text_at(&["RvslInd"]).is_some_and(|text| text == "true" || text == "1");
    let (sum, currency) = entry.node.child("Amt").map(amount).unwrap_or_default();
    let says = match (entry.is_booked, direction(entry.node), reversed) {
        (true, Some("DBIT"), false) => Says::Booked,
        (true, Some("CRDT"), true) => Says::Returned,
        _ => Says::Pending,
    };
    Some(Whole {
        batch: EndToEnd::item(&message),
        message,
        says,
        code: None,
        reason: (says == Says::Pending)
            .then(|| "the sum is not booked, or not as a payment of ours".to_owned()),
        payments: node.text_at(&["NbOfTxs"]).and_then(|count| count.parse().ok()),
        amount: sum,
        currency,
    })
}
