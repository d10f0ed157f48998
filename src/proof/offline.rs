//! Whether an exported ledger is whole: link by link, without a database.

use std::collections::HashMap;
use std::io::{self, BufRead};

use serde::Serialize;

use super::export::{End, EntryLine, Line, LinkLine, PostingLine, VERSION};
use super::verify::Problem;
use crate::chain::{GivenHead, Kind, Link, Reference, Walk};
use crate::core::ids::{DistributorId, EventId};
use crate::core::journal::{Account, EntryKind, JournalEntry, Posting};
use crate::core::money::Currency;

#[derive(Debug, thiserror::Error)]
pub enum OfflineProblem {
    #[error("the export cannot be read")]
    Io(#[from] io::Error),
    #[error("line {line} is no line of an exported ledger: {message}")]
    Line { line: u64, message: String },
    #[error("this is an export of version {0}, and this program reads version {VERSION}")]
    Version(u32),
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifiedFile {
    pub links: u64,
    pub entries: u64,
    pub postings: u64,
    pub audit_rows: u64,
    /// Of those that were given to compare with.
    pub heads: u64,
    /// The last link.
    pub seq: i64,
    pub hash: String,
    pub first_bad: Option<i64>,
    pub problems: Vec<Problem>,
}

impl VerifiedFile {
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    fn found(&mut self, row: impl Into<String>, message: impl Into<String>, seq: i64) {
        self.first_bad = Some(self.first_bad.map_or(seq, |first| first.min(seq)));
        self.problems.push(Problem {
            table: "export",
            row: row.into(),
            message: message.into(),
            seq: Some(seq),
        });
    }
}

/// Reads line by line and keeps none. `heads`: what was given out, to compare with.
pub fn verify_file(
    reader: impl BufRead,
    heads: &[GivenHead],
    mut progress: impl FnMut(u64),
) -> Result<VerifiedFile, OfflineProblem> {
    let mut verified = VerifiedFile::default();
    let mut by_seq: HashMap<i64, Vec<&GivenHead>> = HashMap::new();
    for head in heads {
        by_seq.entry(head.seq).or_default().push(head);
    }
    let mut walk = Walk::default();
    let mut end = None;
    for (number, text) in (1u64..).zip(reader.lines()) {
        let text = text?;
        let broken = |message: String| OfflineProblem::Line { line: number, message };
        let line: Line = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        match line {
            Line::Header { upline_ledger } if number == 1 && upline_ledger == VERSION => {}
            Line::Header { upline_ledger } if number == 1 => {
                return Err(OfflineProblem::Version(upline_ledger));
            }
            _ if number == 1 => return Err(broken("it does not begin with a header".to_owned())),
            Line::Link(_) | Line::Header { .. } if end.is_some() => {
                return Err(broken("it goes on behind its end".to_owned()));
            }
            Line::Header { .. } => return Err(broken("a second header".to_owned())),
            Line::Link(link) => {
                check_link(&link, &mut walk, &mut verified).map_err(broken)?;
                for head in by_seq.remove(&link.seq).unwrap_or_default() {
                    check_head(head, &link, &mut verified);
                }
                progress(verified.links);
            }
            Line::End { end: told } => end = Some(told),
        }
    }
    check_end(end, &walk, &mut verified);
    let mut missed: Vec<&GivenHead> = by_seq.into_values().flatten().collect();
    missed.sort_by_key(|head| head.no);
    for head in missed {
        let message = "the chain does not reach this head: its end was cut off, or it was exported before";
        verified.found(told(head), message, head.seq.min(walk.seq.saturating_add(1)));
    }
    (verified.seq, verified.hash) = (walk.seq, hex::encode(&walk.hash));
    Ok(verified)
}

fn check_link(line: &LinkLine, walk: &mut Walk, verified: &mut VerifiedFile) -> Result<(), String> {
    let bytes = |text: &str| hex::decode(text).map_err(|error| error.to_string());
    let reference = Reference { kind: line.kind, source: line.source, number: line.number };
    let link = Link { seq: line.seq, reference, digest: bytes(&line.digest)?, hash: bytes(&line.hash)? };
    verified.links += 1;
    if let Some(message) = walk.step(&link) {
        verified.found(link.seq.to_string(), message, link.seq);
    }
    let digest = match (line.kind, &line.entry, &line.audit) {
        (Kind::Entry, Some(entry), _) => {
            verified.entries += 1;
            verified.postings += u64::try_from(entry.postings.len()).unwrap_or(0);
            digest(line, entry)
        }
        (Kind::Audit, _, Some(row)) if row.audit_id == line.source => {
            verified.audit_rows += 1;
            Ok(row.digest().to_vec())
        }
        _ => Err("what it seals is not there any more".to_owned()),
    };
    match digest {
        Ok(digest) if digest == link.digest => {}
        Ok(_) => {
            let message = "what it seals was changed: the digest differs";
            verified.found(reference.to_string(), message, link.seq);
        }
        Err(message) => verified.found(reference.to_string(), message, link.seq),
    }
    Ok(())
}

fn digest(line: &LinkLine, entry: &EntryLine) -> Result<Vec<u8>, String> {
    let kind =
        EntryKind::parse(&entry.kind).ok_or_else(|| format!("{:?} is no kind of entry", entry.kind))?;
    let currency =
        Currency::parse(&entry.currency).ok_or_else(|| format!("{:?} is no currency", entry.currency))?;
    let evidence = entry.evidence.as_deref().and_then(|text| hex::decode(text).ok());
    let evidence: [u8; 32] = evidence
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "what the entry rests on is not there any more".to_owned())?;
    let postings: Vec<Posting> = entry.postings.iter().map(posting).collect::<Result<_, _>>()?;
    let entry = JournalEntry::new(line.source, line.number, kind, currency, entry.posted_at, postings)
        .map_err(|unbalanced| unbalanced.to_string())?;
    Ok(entry.digest(&evidence).to_vec())
}

fn posting(line: &PostingLine) -> Result<Posting, String> {
    Ok(Posting {
        account: Account::from_number(line.account)
            .ok_or_else(|| format!("{} is no account", line.account))?,
        distributor: line.distributor.as_deref().map(DistributorId::new),
        amount: line.amount,
        event: line.event.map(EventId),
    })
}

fn check_head(head: &GivenHead, link: &LinkLine, verified: &mut VerifiedFile) {
    verified.heads += 1;
    if head.hash != link.hash {
        let message = "the chain does not lead through this head: it was written anew";
        verified.found(told(head), message, head.seq);
    }
}

fn check_end(end: Option<End>, walk: &Walk, verified: &mut VerifiedFile) {
    let next = walk.seq.saturating_add(1);
    match end {
        None => verified.found("end", "the export has no end: it was cut off", next),
        Some(end) if end.seq != walk.seq || end.hash != hex::encode(&walk.hash) => {
            let message = format!("the chain ended at {} when it was exported", end.seq);
            verified.found(walk.seq.to_string(), message, end.seq.min(next));
        }
        Some(_) => {}
    }
}

fn told(head: &GivenHead) -> String {
    format!("head {} at {} ({})", head.no, head.seq, head.cause)
}
