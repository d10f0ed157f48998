//! A whole statement as CSV: what stood before, every line, what stands after, currency by currency.

use std::borrow::Cow;
use std::io::{self, Write};

use diesel::PgConnection;

use super::{Amounts, COLUMNS, Line, Purse, Span, balances, lines, money, snapshot};
use crate::core::sheet::harmless;
use crate::db::{Conn, DbError};
use crate::ledger;

#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the statement cannot be written")]
    Write(#[source] io::Error),
}

impl From<diesel::result::Error> for SheetError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<csv::Error> for SheetError {
    fn from(error: csv::Error) -> Self {
        Self::Write(error.into())
    }
}

const HEAD: [&str; 7] = ["currency", "row", "posted_at", "kind", "entry", "about", "distributor_id"];

/// All lines, however many; a stretch of them is in memory at once. Returns how many.
pub fn write(conn: &mut Conn, distributor: &str, span: &Span, to: impl Write) -> Result<u64, SheetError> {
    let mut out = csv::Writer::from_writer(to);
    let columns = HEAD.into_iter().chain(COLUMNS.iter().map(|column| column.key));
    out.write_record(columns)?;
    let mut sheet = Sheet { out, distributor, span, lines: 0 };
    snapshot(conn, |conn| sheet.fill(conn))?;
    sheet.out.flush().map_err(SheetError::Write)?;
    Ok(sheet.lines)
}

struct Sheet<'a, W: Write> {
    out: csv::Writer<W>,
    distributor: &'a str,
    span: &'a Span,
    lines: u64,
}

impl<W: Write> Sheet<'_, W> {
    fn fill(&mut self, conn: &mut PgConnection) -> Result<(), SheetError> {
        let purses = balances::purses(conn, self.distributor, self.span)?;
        let mut waiting = purses.iter();
        let mut open: Option<&Purse> = None;
        let (distributor, span) = (self.distributor, self.span);
        lines::each(conn, distributor, span, |line| {
            while open.is_none_or(|purse| purse.currency != line.currency) {
                open = self.turn(open, waiting.next())?;
                if open.is_none() {
                    let lost = format!("a line of {distributor} in {} without a balance", line.currency);
                    return Err(DbError::Damaged(lost).into());
                }
            }
            self.line(line)
        })?;
        while open.is_some() || waiting.len() > 0 {
            open = self.turn(open, waiting.next())?;
        }
        Ok(())
    }

    /// Closes one currency and opens the next.
    fn turn<'p>(
        &mut self,
        open: Option<&'p Purse>,
        next: Option<&'p Purse>,
    ) -> Result<Option<&'p Purse>, SheetError> {
        if let Some(purse) = open {
            self.balance(purse, "closing", &purse.closing)?;
        }
        if let Some(purse) = next {
            self.balance(purse, "opening", &purse.opening)?;
        }
        Ok(next)
    }

    fn balance(&mut self, purse: &Purse, row: &str, amounts: &Amounts) -> Result<(), SheetError> {
        let at = if row == "opening" { self.span.from } else { self.span.until };
        self.record(&purse.currency, [row, &at.to_rfc3339(), "", "", ""], amounts)
    }

    fn line(&mut self, line: &Line) -> Result<(), SheetError> {
        self.lines += 1;
        let entry = ledger::reference(line.source, line.number);
        let about = harmless(&line.about);
        let told = ["entry", &line.at.to_rfc3339(), &line.kind, &entry, &about];
        self.record(&line.currency, told, &line.amounts)
    }

    fn record(&mut self, currency: &str, told: [&str; 5], amounts: &Amounts) -> Result<(), SheetError> {
        let begin = [currency].into_iter().chain(told).map(|text| Cow::Borrowed(text.as_bytes()));
        let who = harmless(self.distributor);
        let who = [Cow::Borrowed(who.as_bytes())];
        let amounts = amounts.each().map(|(_, amount)| Cow::Owned(money(amount, currency).into_bytes()));
        Ok(self.out.write_record(begin.chain(who).chain(amounts))?)
    }
}
