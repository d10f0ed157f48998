//! The chain with everything that it seals as one JSON line each, to be checked where there is no database.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::repo;
use super::verify::Grounds;
use crate::chain::{self, AuditRow, Beside, Kind};
use crate::db::{Conn, DbError};
use crate::ledger::{self, StoredEntry};

pub const VERSION: u32 = 1;

/// One line. The first is the header, the last the end; between them one link each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Header { upline_ledger: u32 },
    Link(Box<LinkLine>),
    End { end: End },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub seq: i64,
    pub hash: String,
}

/// A link with what it seals; bytes in hexadecimal digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinkLine {
    pub seq: i64,
    pub kind: Kind,
    pub source: Uuid,
    pub number: i32,
    pub digest: String,
    pub hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryLine {
    pub kind: String,
    pub currency: String,
    pub posted_at: DateTime<Utc>,
    /// The seal of what the entry rests on. `None`: that is not there any more.
    pub evidence: Option<String>,
    pub postings: Vec<PostingLine>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PostingLine {
    pub account: i16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distributor: Option<String>,
    /// Debit positive.
    pub amount: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Uuid>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportProblem {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the export cannot be written")]
    Io(#[from] io::Error),
}

/// How far an export goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    pub links: u64,
    pub seq: i64,
    pub hash: String,
}

const PAGE: i64 = 500;
/// Entries of a run have thousands of postings each.
const AT_ONCE: usize = 10;

/// Writes everything up to the head of this moment.
pub fn export(
    conn: &mut Conn,
    out: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Exported, ExportProblem> {
    let state = chain::state(conn)?;
    line(out, &Line::Header { upline_ledger: VERSION })?;
    let mut exported = Exported { links: 0, seq: state.head_seq, hash: hex::encode(&state.head_hash) };
    let mut after = 0;
    loop {
        let mut page = chain::links(conn, after, PAGE)?;
        page.retain(|beside| beside.link.seq <= state.head_seq);
        let Some(last) = page.last() else { break };
        after = last.link.seq;
        let sources: Vec<Uuid> = page.iter().map(|beside| beside.link.reference.source).collect();
        let runs: HashSet<Uuid> = repo::runs_among(conn, &sources)?.into_iter().collect();
        let is_run = |beside: &Beside| runs.contains(&beside.link.reference.source);
        for alike in page.chunk_by(|one, other| is_run(one) == is_run(other)) {
            let size = if alike.first().is_some_and(is_run) { AT_ONCE } else { alike.len() };
            for part in alike.chunks(size.max(1)) {
                write_part(conn, part, out)?;
            }
        }
        exported.links += u64::try_from(page.len()).unwrap_or(0);
        progress(exported.links);
    }
    line(out, &Line::End { end: End { seq: exported.seq, hash: exported.hash.clone() } })?;
    out.flush()?;
    Ok(exported)
}

fn write_part(conn: &mut Conn, part: &[Beside], out: &mut impl Write) -> Result<(), ExportProblem> {
    let of = |kind: Kind| {
        part.iter().map(|beside| beside.link.reference).filter(move |reference| reference.kind == kind)
    };
    let keys: Vec<(Uuid, i32)> = of(Kind::Entry).map(|entry| (entry.source, entry.number)).collect();
    let grounds = Grounds::load(conn, &keys)?;
    let entries: HashMap<(Uuid, i32), StoredEntry> = ledger::load_keys(conn, &keys)?
        .into_iter()
        .map(|stored| ((stored.source, stored.number), stored))
        .collect();
    let ids: Vec<Uuid> = of(Kind::Audit).map(|audit| audit.source).collect();
    let mut audits = chain::audit_rows(conn, &ids)?;
    for Beside { link, .. } in part {
        let key = (link.reference.source, link.reference.number);
        let is_entry = link.reference.kind == Kind::Entry;
        let entry = entries.get(&key).filter(|_| is_entry);
        let written = LinkLine {
            seq: link.seq,
            kind: link.reference.kind,
            source: link.reference.source,
            number: link.reference.number,
            digest: hex::encode(&link.digest),
            hash: hex::encode(&link.hash),
            entry: entry.map(|stored| entry_line(stored, grounds.evidence(key))),
            audit: if is_entry { None } else { audits.remove(&link.reference.source) },
        };
        line(out, &Line::Link(Box::new(written)))?;
    }
    Ok(())
}

fn entry_line(stored: &StoredEntry, evidence: Option<[u8; 32]>) -> EntryLine {
    let posting = |posting: &crate::core::journal::Posting| PostingLine {
        account: posting.account.number(),
        distributor: posting.distributor.as_ref().map(|id| id.as_str().to_owned()),
        amount: posting.amount,
        event: posting.event.map(|event| event.0),
    };
    EntryLine {
        kind: stored.kind.clone(),
        currency: stored.currency.clone(),
        posted_at: stored.posted_at,
        evidence: evidence.map(hex::encode),
        postings: stored.postings.iter().map(posting).collect(),
    }
}

fn line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
