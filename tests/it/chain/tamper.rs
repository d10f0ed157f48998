//! Random edits, deletions, reorderings and truncations by somebody who is master of the database: each is found.
//!
//! `UPLINE_TAMPER` says how many; each is done, verified and undone in one database transaction.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use fastrand::Rng;
use upline::chain::GivenHead;
use upline::db::{Conn, DbError, Lane};
use upline::proof;

use super::{act, chain_all, give_head, heads, with_history};
use crate::support::pipeline::Pipeline;

/// The ledger's tables, with the columns that say nothing of the ledger: which transaction wrote a row.
const TABLES: [(&str, &[&str]); 9] = [
    ("journal_entries", &["txid"]),
    ("postings", &[]),
    ("entry_documents", &[]),
    ("calculations", &[]),
    ("commission_events", &[]),
    ("audit_log", &["txid"]),
    ("chain", &[]),
    ("chain_heads", &[]),
    ("balances", &[]),
];

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    said: String,
}

fn ask(conn: &mut Conn, sql: &str) -> Vec<String> {
    let rows: Vec<Said> = sql_query(sql).load(conn).unwrap();
    rows.into_iter().map(|row| row.said).collect()
}

fn many() -> usize {
    std::env::var("UPLINE_TAMPER").ok().map_or(40, |text| text.parse().expect("UPLINE_TAMPER is a number"))
}

/// Another value of a column.
fn other(column: &str, kind: &str, random: &mut Rng) -> String {
    match kind {
        "uuid" => format!("'{}'::uuid", uuid::Uuid::from_u128(random.u128(..))),
        "smallint" | "integer" | "bigint" => format!("{column} + {}", random.u8(1..9)),
        "numeric" => format!("{column} + {}.01", random.u8(0..9)),
        "timestamp with time zone" => format!("{column} + interval '{} microseconds'", random.u8(1..9)),
        "bytea" => {
            let at = random.u8(0..32);
            format!("set_byte({column}, {at}, get_byte({column}, {at}) # {})", random.u8(1..=255))
        }
        "jsonb" => format!("{column} || '{{\"tampered\": {}}}'", random.u8(..)),
        "character" => "'ZZZ'".to_owned(),
        _ if column == "kind" => {
            (*random.choice(&["'adjust'", "'entry'", "'audit'", "'release'"]).unwrap()).to_owned()
        }
        _ => format!("coalesce({column}, '') || 'x'"),
    }
}

struct Tamperer {
    random: Rng,
    columns: BTreeMap<&'static str, Vec<(String, String)>>,
}

impl Tamperer {
    fn new(conn: &mut Conn, seed: u64) -> Self {
        let mut columns = BTreeMap::new();
        for (table, but) in TABLES {
            let told = ask(
                conn,
                &format!(
                    "select column_name || '|' || data_type as said from information_schema.columns
                     where table_name = '{table}' and table_schema = 'public' order by ordinal_position"
                ),
            );
            let told = told.iter().map(|line| line.split_once('|').unwrap());
            let told = told.filter(|(name, _)| !but.contains(name));
            columns.insert(table, told.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect());
        }
        Self { random: Rng::with_seed(seed), columns }
    }

    fn row(&mut self, conn: &mut Conn, table: &str) -> String {
        // A kept sum of zero is as good as none.
        let only = if table == "balances" { "where amount <> 0" } else { "" };
        let rows = ask(conn, &format!("select ctid::text as said from {table} {only} order by ctid"));
        self.random.choice(rows).expect("there are rows")
    }

    fn column(&mut self, table: &str) -> (String, String) {
        let columns = &self.columns[table];
        columns[self.random.usize(0..columns.len())].clone()
    }

    /// One change as SQL, of each kind in turn.
    fn change(&mut self, conn: &mut Conn, turn: usize) -> (&'static str, String) {
        let (table, _) = TABLES[self.random.usize(0..TABLES.len())];
        match turn % 4 {
            0 => {
                let (row, (column, kind)) = (self.row(conn, table), self.column(table));
                let value = other(&column, &kind, &mut self.random);
                ("edit", format!("update {table} set {column} = {value} where ctid = '{row}'"))
            }
            1 => ("deletion", format!("delete from {table} where ctid = '{}'", self.row(conn, table))),
            2 if table == "chain" => {
                let seqs = ask(conn, "select seq::text as said from chain order by seq");
                let (one, other) = (self.random.choice(&seqs).unwrap(), self.random.choice(&seqs).unwrap());
                let sql = format!(
                    "update chain set seq = 1000000000 where seq = {one} and {one} <> {other};
                     update chain set seq = {one} where seq = {other} and {one} <> {other};
                     update chain set seq = {other} where seq = 1000000000"
                );
                ("reordering", if one == other { "select 1".to_owned() } else { sql })
            }
            2 => {
                let (one, other) = (self.row(conn, table), self.row(conn, table));
                let (column, _) = self.column(table);
                let both = format!("array['{one}', '{other}']::tid[]");
                let sql = format!(
                    "update {table} x set {column} = y.{column} from {table} y
                     where x.ctid = any({both}) and y.ctid = any({both}) and x.ctid <> y.ctid
                       and x.{column} is distinct from y.{column}"
                );
                ("reordering", sql)
            }
            _ if self.random.bool() => {
                let row = self.row(conn, table);
                ("truncation", format!("delete from {table} where ctid >= '{row}'"))
            }
            _ => ("truncation", self.thorough(conn, table)),
        }
    }

    /// By somebody who knows more than one place.
    fn thorough(&mut self, conn: &mut Conn, table: &str) -> String {
        if self.random.bool() {
            return format!("truncate {table}");
        }
        let seqs = ask(conn, "select seq::text as said from chain where seq > 1 order by seq");
        let from = self.random.choice(&seqs).unwrap();
        format!(
            "delete from chain_heads where seq >= {from};
             delete from postings using chain c where (source_id, entry_no) = (c.source_id, c.number) and c.seq >= {from};
             delete from journal_entries e using chain c where (e.source_id, entry_no) = (c.source_id, c.number) and c.seq >= {from};
             delete from audit_log using chain c where audit_id = c.source_id and c.seq >= {from};
             delete from chain where seq >= {from};
             update chain_state set head_seq = {from} - 1, balances_seq = {from} - 1,
                    head_hash = (select hash from chain where seq = {from} - 1);
             truncate balances;
             insert into balances select account, coalesce(distributor_id, ''), currency, sum(amount)
             from postings join journal_entries using (source_id, entry_no) group by 1, 2, 3"
        )
        .replace("delete from postings using chain c where (source_id, entry_no)", "delete from postings p using chain c where (p.source_id, entry_no)")
    }
}

/// What came of a change that the database let through.
fn verdict(conn: &mut Conn, change: &str, heads: &[GivenHead]) -> Option<(bool, Option<i64>)> {
    let mut found = None;
    let undone = conn.transaction(|conn| {
        let before = fingerprint(conn);
        conn.batch_execute(&format!("set local session_replication_role = replica; {change}"))?;
        if fingerprint(conn) != before {
            let verified = proof::verify(conn, heads, |_| {}).expect("verify comes to its end");
            found = Some((!verified.is_clean(), verified.first_bad()));
        }
        Err::<(), DbError>(DbError::Busy)
    });
    assert!(undone.is_err());
    found
}

/// Of everything that is tampered with: a change that changes nothing is none.
fn fingerprint(conn: &mut Conn) -> Vec<String> {
    TABLES
        .iter()
        .map(|(table, _)| {
            let rows = format!(
                "select coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as said from {table} t"
            );
            ask(conn, &rows).remove(0)
        })
        .collect()
}

fn history() -> (Pipeline, Vec<GivenHead>) {
    let pipeline = with_history();
    give_head(&pipeline, "day 2026-11-20");
    for number in 50..55 {
        act(&pipeline, number);
    }
    chain_all(&pipeline);
    give_head(&pipeline, "day 2026-11-21");
    let heads = heads(&pipeline);
    (pipeline, heads)
}

#[test]
fn whatever_is_changed_is_found() {
    let (pipeline, heads) = history();
    let wanted = many();
    let mut done: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    pipeline
        .db
        .read(Lane::Admin, |conn| {
            let clean = proof::verify(conn, &heads, |_| {})?;
            assert!(clean.is_clean(), "{:?}", clean.problems);
            let mut tamperer = Tamperer::new(conn, 42);
            let mut count = 0;
            while count < wanted {
                let (kind, change) = tamperer.change(conn, count);
                // A rule of the schema refuses some changes, and some change nothing.
                let Some((found, first_bad)) = verdict(conn, &change, &heads) else { continue };
                assert!(found, "not found: {change}");
                count += 1;
                let (all, placed) = done.entry(kind).or_default();
                *all += 1;
                *placed += usize::from(first_bad.is_some());
            }
            assert!(proof::verify(conn, &heads, |_| {})?.is_clean(), "everything was undone");
            Ok(())
        })
        .unwrap();
    println!("kind: (found, of them with a first bad seq) {done:?}");
    assert_eq!(done.len(), 4, "{done:?}");
}

#[test]
fn the_first_bad_place_is_named() {
    let (pipeline, heads) = history();
    let first_bad = |change: &str| {
        pipeline.db.read(Lane::Admin, |conn| Ok(verdict(conn, change, &heads))).unwrap().unwrap().1
    };
    assert_eq!(
        first_bad("update chain set digest = set_byte(digest, 3, 255 - get_byte(digest, 3)) where seq = 5"),
        Some(5)
    );
    assert_eq!(first_bad("delete from chain where seq = 7"), Some(8));
    assert_eq!(first_bad("delete from chain where seq >= 9"), Some(9));
    assert_eq!(
        first_bad(
            "update audit_log set actor = 'eve' from chain where audit_id = source_id and seq = (select min(seq) from chain where kind = 'audit')"
        )
        .map(|seq| seq.to_string()),
        Some(pipeline.ask("select min(seq) from chain where kind = 'audit'"))
    );
    assert_eq!(
        first_bad(
            "update postings p set amount = -amount from chain c where c.kind = 'entry' and c.seq = 2
             and (p.source_id, p.entry_no) = (c.source_id, c.number)"
        ),
        Some(2)
    );
}
