//! What happened on one distributor's accounts between two instants, from the journal alone.
//!
//! Amounts are as the distributor reads them: a credit is theirs, so it is positive, and a debt is negative. Everything
//! of one statement is read in one snapshot of the database: what stood before and every line are what stands after,
//! exactly, also while orders come in.

mod balances;
mod lines;
mod paper;
mod sheet;
mod span;
mod words;

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use rust_decimal::Decimal;
use uuid::Uuid;

pub use paper::paper;
pub use sheet::{SheetError, write as write_sheet};
pub use span::{Asked, Span, SpanProblem, span};
pub use words::kind as kind_title;

use crate::chain::{self, Head};
use crate::core::journal::Account;
use crate::core::money::Currency;
use crate::db::{Conn, DbError};
use crate::distributors;

/// Lines of a page or of paper; the sheet has all.
pub const LINES: i64 = 1_000;

/// An account as a column of a statement.
pub struct Column {
    pub account: Account,
    /// For programs.
    pub key: &'static str,
    pub title: &'static str,
}

const fn column(account: Account, key: &'static str, title: &'static str) -> Column {
    Column { account, key, title }
}

/// All accounts that are kept by distributor. Over all of them together, what moves is what was earned or given back.
pub const COLUMNS: [Column; 7] = [
    column(Account::CommissionPayable, "payable", "Payable"),
    column(Account::Holdback, "held_back", "Held back"),
    column(Account::PayoutClearing, "on_its_way", "On its way"),
    column(Account::ClawbackReceivable, "debt", "Debt"),
    column(Account::Withholding, "withheld", "Withheld"),
    column(Account::Fees, "fees", "Fees"),
    column(Account::Bank, "paid", "Paid"),
];

fn numbers() -> Vec<i16> {
    COLUMNS.iter().map(|column| column.account.number()).collect()
}

/// One amount for each of [`COLUMNS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts([Decimal; COLUMNS.len()]);

impl Amounts {
    pub fn of(&self, account: Account) -> Decimal {
        self.each()
            .find(|(column, _)| column.account == account)
            .map(|(_, amount)| amount)
            .unwrap_or_default()
    }

    pub fn each(&self) -> impl Iterator<Item = (&'static Column, Decimal)> + '_ {
        COLUMNS.iter().zip(self.0)
    }

    fn from_columns(columns: &[Decimal]) -> Self {
        let mut amounts = Self::default();
        for (amount, given) in amounts.0.iter_mut().zip(columns) {
            *amount = *given;
        }
        amounts
    }

    fn add(&mut self, account: i16, more: Decimal) {
        let columns = self.0.iter_mut().zip(&COLUMNS);
        for (amount, _) in columns.filter(|(_, column)| column.account.number() == account) {
            *amount += more;
        }
    }
}

impl AddAssign<&Self> for Amounts {
    fn add_assign(&mut self, other: &Self) {
        for (amount, more) in self.0.iter_mut().zip(other.0) {
            *amount += more;
        }
    }
}

/// What a kind of entry, and a bonus of it, comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// As `journal_entries.kind`.
    pub kind: String,
    /// Of entries that were calculated; empty for the others.
    pub bonus: String,
    pub amounts: Amounts,
}

/// Everything in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purse {
    pub currency: String,
    pub opening: Amounts,
    pub sums: Vec<Sum>,
    /// What the sums come to, and so all lines.
    pub moved: Amounts,
    /// Opening and moved.
    pub closing: Amounts,
    /// How many there are, however many are shown.
    pub lines: i64,
    /// Which of [`COLUMNS`] have anything to say.
    pub used: [bool; COLUMNS.len()],
}

impl Purse {
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> + '_ {
        COLUMNS.iter().zip(self.used).filter(|(_, used)| *used).map(|(column, _)| column)
    }
}

/// One journal entry, as far as it is this distributor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub source: Uuid,
    pub number: i32,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub currency: String,
    /// In words.
    pub about: String,
    pub amounts: Amounts,
}

/// Where the lines of a statement go on: currency, instant, source and number of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub currency: String,
    pub at: DateTime<Utc>,
    pub source: Uuid,
    pub number: i32,
}

impl Key {
    pub fn of(line: &Line) -> Self {
        Self { currency: line.currency.clone(), at: line.at, source: line.source, number: line.number }
    }
}

#[derive(Clone, Debug)]
pub struct Statement {
    pub distributor: String,
    pub name: Option<String>,
    pub span: Span,
    /// By currency.
    pub purses: Vec<Purse>,
    /// By currency, then as they were posted.
    pub lines: Vec<Line>,
    /// After the last line, if there are more.
    pub next: Option<Key>,
    /// Of the chain when this was read: whoever keeps it can prove later that nothing was changed.
    pub head: Option<Head>,
}

/// Which lines, and how many of them.
#[derive(Clone, Debug)]
pub struct Part {
    pub after: Option<Key>,
    pub limit: i64,
}

impl Default for Part {
    fn default() -> Self {
        Self { after: None, limit: LINES }
    }
}

/// `None`: there is no such distributor.
pub fn read(
    conn: &mut Conn,
    distributor: &str,
    span: &Span,
    part: &Part,
) -> Result<Option<Statement>, DbError> {
    snapshot(conn, |conn| {
        let Some(profile) = distributors::profiles(conn, &[distributor.to_owned()])?.pop() else {
            return Ok(None);
        };
        let purses = balances::purses(conn, distributor, span)?;
        let mut lines = lines::page(conn, distributor, span, part)?;
        let limit = usize::try_from(part.limit).unwrap_or(usize::MAX);
        let more = lines.len() > limit;
        lines.truncate(limit);
        Ok(Some(Statement {
            next: lines.last().filter(|_| more).map(Key::of),
            head: chain::standing(conn)?.head,
            distributor: profile.distributor_id,
            name: profile.name,
            span: span.clone(),
            purses,
            lines,
        }))
    })
}

/// One view of the database for everything that `work` reads; nothing is locked.
fn snapshot<T, E: From<diesel::result::Error>>(
    conn: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E> {
    conn.build_transaction().repeatable_read().read_only().run(work)
}

/// At the currency's scale; digits that are finer stay, because they are true.
pub fn money(amount: Decimal, currency: &str) -> String {
    let scale = Currency::parse(currency).and_then(|currency| currency.exponent()).unwrap_or(0);
    let mut amount = amount.normalize();
    if amount.scale() < scale {
        amount.rescale(scale);
    }
    amount.to_string()
}

/// By the columns' keys.
pub fn told(amounts: &Amounts, currency: &str) -> BTreeMap<&'static str, String> {
    amounts.each().map(|(column, amount)| (column.key, money(amount, currency))).collect()
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    #[test]
    fn amounts_are_found_by_their_account() {
        let mut amounts = Amounts::default();
        amounts.add(2100, dec!(5));
        amounts.add(1000, dec!(-2));
        amounts.add(5100, dec!(9));
        let mut sum = amounts.clone();
        sum += &amounts;
        assert_eq!(sum.of(Account::CommissionPayable), dec!(10));
        assert_eq!(sum.of(Account::Bank), dec!(-4));
        assert_eq!(sum.of(Account::CommissionExpense), dec!(0), "it is the house's");
        assert_eq!(told(&sum, "JPY")["payable"], "10");
        assert_eq!(told(&sum, "USD")["paid"], "-4.00");
        assert_eq!(Amounts::from_columns(&[dec!(1)]).of(Account::CommissionPayable), dec!(1));
    }
}
