//! Backups: written, proven by restoring them, restored, and what waits afterwards.

use std::fs;
use std::time::Duration;

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use upline::clock::new_id;
use upline::db::{connect, on_database};

use crate::support::app::{Ran, Site};
use crate::support::wait;

/// A company with orders and commissions.
fn company() -> Site {
    let site = Site::new();
    site.run(&["demo", "--orders", "12", "--exit"]).ok();
    site
}

fn url(site: &Site) -> String {
    site.url().to_owned()
}

fn sql(url: &str, statement: &str) {
    connect(url).unwrap().batch_execute(statement).unwrap();
}

fn count(url: &str, table: &str) -> i64 {
    let count = diesel::sql_query(format!("select count(*)::bigint as n from {table}"));
    count.get_result::<Count>(&mut connect(url).unwrap()).unwrap().n
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// Another database on the same server, without anything in it.
fn empty(site: &Site) -> String {
    let name = format!("restored_{}", new_id().simple());
    sql(&url(site), &format!("create database {name} template template0"));
    on_database(&url(site), &name).unwrap()
}

fn into(site: &Site, url: &str, arguments: &[&str]) -> Ran {
    site.run(&[&["--database-url", url], arguments].concat())
}

fn created(site: &Site) -> Value {
    let ran = site.run(&["backup", "create", "--json"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.json()
}

#[test]
fn a_backup_is_proven_and_restored_and_nothing_is_paid_before_somebody_has_looked() {
    let site = company();
    let told = created(&site);
    assert_eq!(told["clean"], json!(true));
    let entries = told["proof"]["verified"]["entries"].as_i64().unwrap();
    assert_eq!(entries, count(&url(&site), "journal_entries"));
    assert!(entries > 5, "{told}");
    let file = told["file"].as_str().unwrap();
    assert_eq!(site.run(&["backup", "create", "--to", file]).code, Some(1), "a backup replaces nothing");
    // Nothing of the proof is left on the server; others may be proving theirs.
    wait::until("the scratch databases to be dropped", Duration::from_secs(60), || {
        (count(&url(&site), "pg_database where datname like 'upline_scratch_%'") == 0).then_some(())
    });

    let full = site.run(&["backup", "restore", file]);
    assert!(full.code == Some(1) && full.err.contains("not empty"), "{}", full.err);
    let other = empty(&site);
    let restored = into(&site, &other, &["backup", "restore", file, "--json"]);
    assert_eq!(restored.code, Some(0), "{}{}", restored.out, restored.err);
    for table in ["journal_entries", "postings", "deliveries", "commission_events", "orders", "distributors"]
    {
        assert_eq!(count(&url(&site), table), count(&other, table), "{table}");
    }
    let digest = |ran: Ran| ran.json()["stored"]["sha256"].clone();
    let before = digest(site.run(&["replay", "--check", "--json"]));
    assert_eq!(before, digest(into(&site, &other, &["replay", "--check", "--json"])));

    assert_eq!(site.run(&["backup", "recovery", "--json"]).json()["recovery"], Value::Null);
    let recovery = into(&site, &other, &["backup", "recovery", "--json"]).json();
    assert_eq!(recovery["recovery"]["back_to"], told["proof"]["manifest"]["created_at"]);
    assert_eq!(into(&site, &other, &["backup", "recovered", "--note", " "]).code, Some(1));
    into(&site, &other, &["backup", "recovered", "--note", "nothing had left"]).ok();
    assert_eq!(into(&site, &other, &["backup", "recovery", "--json"]).json()["recovery"], Value::Null);
    assert_eq!(count(&other, "audit_log where action like 'recovery.%'"), 2);
}

#[test]
fn damaged_and_foreign_files_are_refused_and_another_key_too() {
    let site = company();
    let file = created(&site)["file"].as_str().unwrap().to_owned();
    let whole = fs::read(&file).unwrap();
    let other = empty(&site);
    let refused = |name: &str, bytes: &[u8]| {
        let path = site.dir().join(name);
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        let (verified, restored) =
            (site.run(&["backup", "verify", path]), into(&site, &other, &["backup", "restore", path]));
        assert_eq!((verified.code, restored.code), (Some(1), Some(1)), "{name}: {}", verified.err);
        verified.err
    };
    let mut touched = whole.clone();
    let middle = whole.len() / 2;
    touched[middle] ^= 1;
    assert!(refused("touched.backup", &touched).contains("damaged"));
    assert!(refused("cut.backup", &whole[..middle]).contains("damaged"));
    assert!(refused("foreign.backup", b"something else").contains("no backup of ours"));
    assert_eq!(count(&other, "information_schema.tables where table_schema = 'public'"), 0);

    fs::write(site.dir().join("secret.key"), "ab".repeat(32)).unwrap();
    let foreign = into(&site, &other, &["backup", "restore", &file]);
    assert!(
        foreign.code == Some(1) && foreign.err.contains("another key") || foreign.err.contains("the key")
    );
    assert_eq!(count(&other, "information_schema.tables where table_schema = 'public'"), 0);
}

#[test]
fn the_database_is_dumped_before_its_schema_changes() {
    let site = company();
    let dumps = || {
        let found = fs::read_dir(site.dir().join("backups")).into_iter().flatten().flatten();
        found.filter(|file| file.file_name().to_string_lossy().starts_with("before-migration-")).count()
    };
    site.run(&["migrate"]).ok();
    assert_eq!(dumps(), 0, "nothing was to be changed");
    // As a program of before the last migration has left it.
    let back = "drop view report.payout_items;
                delete from __diesel_schema_migrations where version = (select max(version) from __diesel_schema_migrations)";
    sql(&url(&site), back);
    site.run(&["migrate"]).ok();
    assert_eq!(dumps(), 1);
    assert_eq!(count(&url(&site), "report.payout_items"), 0);
}
