//! SQL of sums: what the balances hold up to a place in the chain, and the postings behind it.
//!
//! Posting touches no balance: the sequencer alone brings them forward. The view `account_sums` is both in one
//! statement, so a reader sees every posting exactly once at any moment.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Nullable, Numeric, SmallInt, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use crate::core::ids::DistributorId;
use crate::core::journal::Account;
use crate::core::money::Currency;
use crate::db::DbError;
use crate::ledger::Standing;

#[derive(Clone, Debug, QueryableByName)]
pub struct Balance {
    #[diesel(sql_type = SmallInt)]
    pub account: i16,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// Debit positive.
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
}

pub fn balances(conn: &mut PgConnection) -> Result<Vec<Balance>, DbError> {
    Ok(sql_query(
        "select a.account, a.name, a.title, s.currency::text as currency, sum(s.amount)::numeric(24, 4) as amount
         from account_sums s join accounts a using (account)
         group by a.account, a.name, a.title, s.currency order by a.account, s.currency",
    )
    .load(conn)?)
}

pub fn payable(conn: &mut PgConnection, distributor: &str) -> Result<Vec<Balance>, DbError> {
    Ok(sql_query(
        "select a.account, a.name, a.title, s.currency::text as currency, sum(s.amount) as amount
         from account_sums s join accounts a using (account)
         where s.distributor_id = $1
         group by a.account, a.name, a.title, s.currency order by a.account, s.currency",
    )
    .bind::<Text, _>(distributor)
    .load(conn)?)
}

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = SmallInt)]
    account: i16,
    #[diesel(sql_type = Text)]
    distributor_id: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

pub fn standings(
    conn: &mut PgConnection,
    accounts: &[Account],
    distributors: Option<&[&str]>,
) -> Result<Vec<Standing>, DbError> {
    let rows: Vec<StandingRow> = sql_query(
        "select account, distributor_id, currency::text as currency, sum(amount) as amount from account_sums
         where account = any($1) and distributor_id <> '' and ($2 is null or distributor_id = any($2))
         group by 1, 2, 3 having sum(amount) <> 0 order by 2, 3, 1",
    )
    .bind::<Array<SmallInt>, _>(accounts.iter().map(|account| account.number()).collect::<Vec<_>>())
    .bind::<Nullable<Array<Text>>, _>(distributors)
    .load(conn)?;
    let damaged =
        |row: &StandingRow| DbError::Damaged(format!("account {} of {}", row.account, row.currency));
    rows.into_iter()
        .map(|row| {
            let account = Account::from_number(row.account).ok_or_else(|| damaged(&row))?;
            let currency = Currency::parse(&row.currency).ok_or_else(|| damaged(&row))?;
            let distributor = DistributorId::new(row.distributor_id);
            Ok(Standing { account, distributor, currency, amount: row.amount })
        })
        .collect()
}

/// Postings that are added to the balances in one portion, but for those of one entry, which stay together.
const PORTION: i64 = 50_000;

#[derive(QueryableByName)]
struct Upto {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Adds the next entries behind a place in the chain to the balances; the place that they hold then.
pub fn bring_forward(conn: &mut PgConnection, from: i64) -> Result<i64, DbError> {
    let upto: Upto = sql_query(
        "select coalesce(max(seq), $1) as seq from (
           select seq, sum(n) over (order by seq) - n as before from (
             select c.seq, (select count(*) from postings p
                            where p.source_id = c.source_id and p.entry_no = c.number and c.kind = 'entry') as n
             from (select * from chain where seq > $1 order by seq limit 2000) c) counted) summed
         where before < $2",
    )
    .bind::<BigInt, _>(from)
    .bind::<BigInt, _>(PORTION)
    .get_result(conn)?;
    sql_query(
        "insert into balances (account, distributor_id, currency, amount)
         select p.account, coalesce(p.distributor_id, ''), e.currency, sum(p.amount)
         from (select source_id, number from chain where seq > $1 and seq <= $2 and kind = 'entry' limit 2000) c
         join journal_entries e on e.source_id = c.source_id and e.entry_no = c.number
         join postings p on p.source_id = c.source_id and p.entry_no = c.number
         group by 1, 2, 3 order by 1, 2, 3
         on conflict (account, distributor_id, currency) do update set amount = balances.amount + excluded.amount",
    )
    .bind::<BigInt, _>(from)
    .bind::<BigInt, _>(upto.seq)
    .execute(conn)?;
    Ok(upto.seq)
}

#[derive(QueryableByName)]
struct CheckpointRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Nullable<SmallInt>)]
    account: Option<i16>,
    #[diesel(sql_type = Nullable<Text>)]
    distributor_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    amount: Option<Decimal>,
}

/// By account, distributor ('' of the house) and currency.
pub type Sums = HashMap<(i16, String, String), Decimal>;

/// The balances as they are kept, and the place in the chain that they were brought forward to.
pub fn checkpoint(conn: &mut PgConnection) -> Result<(i64, Sums), DbError> {
    let rows: Vec<CheckpointRow> = sql_query(
        "select s.balances_seq as seq, b.account, b.distributor_id, b.currency::text as currency, b.amount
         from chain_state s left join balances b on true",
    )
    .load(conn)?;
    let seq = rows.first().map_or(0, |row| row.seq);
    let sum = |row: CheckpointRow| Some(((row.account?, row.distributor_id?, row.currency?), row.amount?));
    Ok((seq, rows.into_iter().filter_map(sum).collect()))
}
