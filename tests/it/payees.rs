//! Where people are paid: sealed for each of them, changed under two pairs of eyes, forgotten for good.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use upline::core::ids::{DistributorId, StoreId};
use upline::core::payee::{PayTo, PayeeProblem};
use upline::db::{Db, DbError, Lane, Tx};
use upline::payees::{
    self, Address, Details, Given, PayeeError, PayeeHead, Recorded, TaxChange, TaxStatus, TinKind, import,
};
use upline::vault::Vault;

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now};

const DAYS: u32 = 7;
const IBAN: &str = "DE89370400440532013000";
const OTHER_IBAN: &str = "GB29NWBK60161331926819";
const ACCOUNT: &str = "12345678901234";
const WALLET: &str = "anna.winter@wallet.example";
const SSN: &str = "123456789";
const STREET: &str = "Stradivari Lane 9";
const NAME: &str = "Anna Quillfeather";

fn vault(byte: &str) -> Vault {
    Vault::open(Path::new("/nonexistent"), Some(&byte.repeat(32))).unwrap()
}

fn key() -> Vault {
    vault("5a")
}

fn id(id: &str) -> DistributorId {
    DistributorId::new(id)
}

fn given(rail: &str) -> Given {
    Given { rail: rail.into(), name: NAME.into(), ..Given::default() }
}

fn sepa(iban: &str) -> Details {
    Given { iban: iban.into(), ..given("sepa") }.read().unwrap()
}

fn nacha() -> Details {
    let given =
        Given { routing_number: "021000021".into(), account_number: ACCOUNT.into(), ..given("nacha") };
    given.read().unwrap()
}

fn paypal() -> Details {
    let (email, currency, country) = (WALLET.into(), "USD".into(), "US".into());
    Given { email, currency, country, ..given("paypal") }.read().unwrap()
}

/// One act in a transaction of its own.
fn act<T>(db: &Db, work: impl FnMut(&mut Tx<'_>) -> Result<T, PayeeError>) -> Result<T, PayeeError> {
    db.transact_or(Lane::Admin, work)
}

fn set(db: &Db, who: &str, details: &Details, by: &str, at: DateTime<Utc>) -> Result<Recorded, PayeeError> {
    act(db, |tx| payees::set(tx, &key(), (&id(who), details), DAYS, by, at))
}

fn release(db: &Db, who: &str, version: i32, by: &str, at: DateTime<Utc>) -> Result<(), PayeeError> {
    act(db, |tx| payees::release(tx, &id(who), version, by, at))
}

fn tax(db: &Db, who: &str, change: &TaxChange) -> Result<bool, PayeeError> {
    act(db, |tx| payees::set_tax(tx, &key(), (&id(who), change), "ann", now()))
}

fn head(db: &Db, who: &str) -> Option<PayeeHead> {
    db.read(Lane::Admin, |conn| payees::heads(conn, &[who])).unwrap().remove(&id(who))
}

fn open(db: &Db, vault: &Vault, who: &str, version: i32) -> Result<Details, PayeeError> {
    let found = db.read(Lane::Admin, |conn| {
        let head = payees::heads(conn, &[who])?.remove(&id(who));
        Ok(payees::open(conn, vault, &[(&id(who), version)])
            .map(|mut opened| (head, opened.remove(&id(who)))))
    });
    let (head, payee) = found.unwrap()?;
    let head = head.unwrap();
    Ok(Details { rail: head.rail, currency: head.currency, payee: payee.unwrap() })
}

/// The rows of every table, bytes in hexadecimal.
fn everything(pipeline: &Pipeline) -> String {
    let tables = pipeline.ask(
        "select string_agg(format('select %L || coalesce(string_agg(t::text, '' ''), '''') from %I t', table_name, table_name), ';')
         from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    );
    tables.split(';').map(|sql| pipeline.ask(sql)).collect()
}

fn is_anywhere(all: &str, text: &str) -> bool {
    let all = all.to_lowercase();
    [text.to_lowercase(), hex::encode(text), hex::encode(text.to_lowercase())]
        .iter()
        .any(|text| all.contains(text))
}

fn audit(pipeline: &Pipeline) -> String {
    pipeline.ask("select string_agg(actor || ' ' || action || ' ' || object || ' ' || detail, '; ' order by audit_id) from audit_log")
}

#[test]
fn a_change_waits_for_a_second_person() {
    let pipeline = Pipeline::with_company();
    let (db, later) = (&pipeline.db, now() + TimeDelta::days(7));
    assert_eq!(set(db, "4", &nacha(), "ann", now()).unwrap(), Recorded::First);
    let first = head(db, "4").unwrap();
    assert!(first.is_first && !first.is_held(now()));
    assert!(matches!(release(db, "4", 1, "bob", now()), Err(PayeeError::NotHeld(_))));
    assert_eq!(set(db, "4", &nacha(), "bob", now()).unwrap(), Recorded::Unchanged);
    let held = set(db, "4", &sepa(IBAN), "ann", now()).unwrap();
    assert_eq!(held, Recorded::Held { version_no: 2, until: later });
    let second = head(db, "4").unwrap();
    assert_eq!((second.version_no, second.held_until, second.is_first), (2, Some(later), false));
    assert!(second.is_held(later - TimeDelta::seconds(1)) && !second.is_held(later));

    assert!(matches!(release(db, "4", 2, "ann", now()), Err(PayeeError::OwnChange)));
    assert!(matches!(release(db, "4", 1, "bob", now()), Err(PayeeError::Stale { version_no: 2, .. })));
    release(db, "4", 2, "bob", now()).unwrap();
    assert_eq!(head(db, "4").unwrap().held_until, None);
    assert!(matches!(release(db, "4", 2, "bob", now()), Err(PayeeError::NotHeld(_))), "once");
    // Back to what it was is a change as well.
    let back = set(db, "4", &nacha(), "bob", now()).unwrap();
    assert!(matches!(back, Recorded::Held { version_no: 3, .. }));
    assert!(matches!(release(db, "4", 3, "bob", now()), Err(PayeeError::OwnChange)));
    assert!(matches!(release(db, "4", 3, "ann", later), Err(PayeeError::NotHeld(_))), "its time is over");
    assert!(matches!(set(db, "99", &nacha(), "ann", now()), Err(PayeeError::Unknown(_))));

    let refused = db.read(Lane::Admin, |conn| {
        let own =
            "update payee_versions set released_at = now(), released_by = recorded_by where version_no = 3";
        Ok(conn.batch_execute(own)?)
    });
    assert!(refused.unwrap_err().is_constraint("payee_versions_second_person"));
    let log = audit(&pipeline);
    let acts = ["ann payee.set 4", "ann payee.set 4", "bob payee.release 4", "bob payee.set 4"];
    assert_eq!(log.matches("payee.").count(), acts.len(), "{log}");
    assert!(acts.iter().all(|act| log.contains(act)), "{log}");
}

#[test]
fn nothing_recorded_is_changed() {
    let pipeline = Pipeline::with_company();
    set(&pipeline.db, "4", &nacha(), "ann", now()).unwrap();
    tax(&pipeline.db, "4", &TaxChange { number: Some(SSN.into()), ..TaxChange::default() }).unwrap();
    for sql in [
        "update payee_versions set rail = 'csv'",
        "update payee_versions set sealed = '', masked = ''",
        "update payee_versions set held_until = null, released_at = now(), released_by = 'x', masked = 'y'",
        "update payee_versions set recorded_by = 'x'",
        "delete from payee_versions",
        "truncate payee_versions",
        "update payee_tax_versions set status = 'w9'",
        "update payee_tax_versions set sealed = '', masked = ''",
        "delete from payee_tax_versions",
        "truncate payee_tax_versions",
    ] {
        let refused = pipeline.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(sql)?));
        assert!(refused.is_err(), "{sql}");
    }
}

/// Of several ways, with tax data, revealed, changed and released.
fn lived() -> Pipeline {
    let pipeline = Pipeline::with_company();
    pipeline.accept(StoreId(1), &[Order { id: 1, ..Order::default() }.body()]);
    pipeline.drain();
    let db = &pipeline.db;
    set(db, "1", &paypal(), "ann", now()).unwrap();
    set(db, "2", &sepa(IBAN), "ann", now()).unwrap();
    set(db, "4", &nacha(), "ann", now()).unwrap();
    set(db, "4", &sepa(OTHER_IBAN), "ann", now()).unwrap();
    release(db, "4", 2, "bob", now()).unwrap();
    let address = Address {
        street: STREET.into(),
        city: "Springfield".into(),
        country: "US".into(),
        ..Address::default()
    };
    let change = TaxChange {
        kind: Some(TinKind::Ssn),
        number: Some("123-45-6789".into()),
        status: Some(TaxStatus::W9),
        legal_name: Some(NAME.into()),
        address: Some(address),
    };
    assert!(tax(db, "4", &change).unwrap());
    for (who, asks_tax) in [("4", false), ("4", true), ("1", false)] {
        let reason = "the bank has asked about it";
        let revealed =
            act(db, |tx| payees::reveal(tx, &key(), (&id(who), asks_tax), reason, "ann", now())).unwrap();
        assert_eq!((revealed.details.is_some(), revealed.tax.is_some()), (!asks_tax, asks_tax));
    }
    pipeline
}

const SECRETS: [&str; 8] = [IBAN, OTHER_IBAN, ACCOUNT, WALLET, SSN, "123-45-6789", STREET, "Quillfeather"];

#[test]
fn a_dump_of_the_database_holds_no_number_and_no_name() {
    let pipeline = lived();
    let all = everything(&pipeline);
    for told in ["payee.reveal", "payee.tax.reveal", "****6819", "****6789", "the bank has asked about it"] {
        assert!(is_anywhere(&all, told), "{told}: the dump is none");
    }
    for secret in SECRETS {
        assert!(!is_anywhere(&all, secret), "{secret}");
    }
    // Not even the last four signs leave the payees' own tables.
    let log = audit(&pipeline);
    for part in ["3000", "6819", "1234", "wallet", "6789"] {
        assert!(!log.contains(part), "{part} in {log}");
    }
    let opened = open(&pipeline.db, &key(), "4", 2).unwrap();
    assert!(matches!(&opened.payee.pay_to, PayTo::Iban { iban, .. } if iban.as_str() == OTHER_IBAN));
}

#[test]
fn a_reveal_says_why() {
    let pipeline = lived();
    let before = audit(&pipeline);
    let reveal = |who: &str, asks_tax: bool, reason: &str| {
        act(&pipeline.db, |tx| payees::reveal(tx, &key(), (&id(who), asks_tax), reason, "ann", now()))
    };
    for reason in ["", "because", &"x".repeat(301), "is it GB29 NWBK 6016 1331 9268 19 ?"] {
        assert!(matches!(reveal("4", false, reason), Err(PayeeError::Reason(_))), "{reason}");
    }
    assert!(matches!(reveal("4", true, "his SSN 123 45 6789"), Err(PayeeError::Reason(_))));
    assert!(matches!(reveal("3", false, "nothing is there"), Err(PayeeError::Nothing(_))));
    assert_eq!(audit(&pipeline), before, "what was not shown was not logged");
    assert!(
        before.contains(r#"ann payee.tax.reveal 4 {"kind": "ssn", "reason": "the bank has asked about it"}"#),
        "{before}"
    );
}

#[test]
fn who_is_forgotten_cannot_be_opened_and_the_ledger_stays_whole() {
    let pipeline = lived();
    let (db, digest) = (&pipeline.db, pipeline.replay().stored.sha256);
    let kept = pipeline.ask("select format('(%L, %s, %L::bytea, %L, now())', distributor_id, key_no, sealed_key, sealed_under) from payee_keys where distributor_id = '4'");
    let erased = act(db, |tx| payees::erase(tx, &id("4"), "ann", now())).unwrap();
    assert_eq!((erased.versions, erased.tax_versions), (2, 1));
    assert!(head(db, "4").is_none());
    let gone = |version| {
        db.read(Lane::Admin, |conn| Ok(payees::open(conn, &key(), &[(&id("4"), version)]).map(drop))).unwrap()
    };
    assert!(matches!(gone(1), Err(PayeeError::Gone { version_no: 1, .. })) && gone(2).is_err());
    let tax = db.read(Lane::Admin, |conn| Ok(payees::open_tax(conn, &key(), &["4"]))).unwrap().unwrap();
    assert!(tax.is_empty());
    let tax = db.read(Lane::Admin, |conn| payees::tax_heads(conn, &["4"])).unwrap().remove(&id("4")).unwrap();
    assert_eq!((tax.version_no, tax.masked.as_str(), tax.status), (0, "", TaxStatus::None));
    for part in ["6819", "6789"] {
        assert!(
            !pipeline
                .ask("select string_agg(v::text, ' ') from payee_versions v where distributor_id = '4'")
                .contains(part)
        );
    }
    assert!(
        matches!(act(db, |tx| payees::erase(tx, &id("4"), "ann", now())), Err(PayeeError::Nothing(_))),
        "once"
    );
    // Others keep theirs, and every proof holds.
    assert_eq!(open(db, &key(), "2", 1).unwrap(), sepa(IBAN));
    let verified = pipeline.verify();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    let replayed = pipeline.replay();
    assert!(replayed.is_clean() && replayed.stored.sha256 == digest);
    // An older copy of the key opens nothing: what it sealed is gone as well.
    pipeline.tamper(&format!(
        "insert into payee_keys (distributor_id, key_no, sealed_key, sealed_under, created_at) values {kept}"
    ));
    assert!(
        matches!(gone(1), Err(PayeeError::Sealed { .. }))
            && matches!(gone(2), Err(PayeeError::Sealed { .. }))
    );
    pipeline.tamper("delete from payee_keys where distributor_id = '4'");
    // Who comes back gets another key, and is looked at like somebody who has changed.
    let again = set(db, "4", &nacha(), "ann", now()).unwrap();
    assert!(matches!(again, Recorded::Held { version_no: 3, .. }));
    assert_eq!(pipeline.ask("select key_no from payee_keys where distributor_id = '4'"), "2");
    assert_eq!(open(db, &key(), "4", 3).unwrap(), nacha());
    assert!(gone(2).is_err());
}

#[test]
fn what_is_sealed_opens_in_its_own_row_alone() {
    let pipeline = lived();
    let (db, closed) = (&pipeline.db, |opened: Result<Details, PayeeError>| {
        assert!(matches!(opened, Err(PayeeError::Sealed { .. })), "it opened");
    });
    pipeline.tamper("update payee_versions a set sealed = b.sealed from payee_versions b where a.distributor_id = '1' and b.distributor_id = '2'");
    closed(open(db, &key(), "1", 1));
    pipeline.tamper("update payee_versions set rail = 'csv' where distributor_id = '2'");
    closed(open(db, &key(), "2", 1));
    pipeline.tamper("update payee_versions a set sealed = b.sealed from payee_versions b where a.distributor_id = '4' and b.distributor_id = '4' and b.version_no = 1 and a.version_no = 2");
    closed(open(db, &key(), "4", 2));
    pipeline.tamper("update payee_tax_versions set status = 'w8' where distributor_id = '4'");
    let tax = db.read(Lane::Admin, |conn| Ok(payees::open_tax(conn, &key(), &["4"]).map(drop))).unwrap();
    assert!(matches!(tax, Err(PayeeError::Sealed { .. })));
    closed(open(&lived().db, &vault("5b"), "2", 1));
}

#[test]
fn another_key_takes_over() {
    let pipeline = lived();
    let (db, next) = (&pipeline.db, vault("c3"));
    let wrong = act(db, |tx| payees::rotate_page(tx, &vault("77"), &next));
    assert!(matches!(wrong, Err(PayeeError::Sealed { .. })));
    assert_eq!(db.read(Lane::Admin, |conn| payees::under_another_key(conn, &next)).unwrap(), 3);
    assert_eq!(act(db, |tx| payees::rotate_page(tx, &key(), &next)).unwrap(), 3);
    assert_eq!(act(db, |tx| payees::rotate_page(tx, &key(), &next)).unwrap(), 0, "it is done");
    assert_eq!(open(db, &next, "2", 1).unwrap(), sepa(IBAN));
    assert!(matches!(open(db, &key(), "2", 1), Err(PayeeError::Sealed { .. })));
    let tax = db.read(Lane::Admin, |conn| Ok(payees::open_tax(conn, &next, &["4"]))).unwrap().unwrap();
    assert_eq!(tax[&id("4")].number.as_deref(), Some(SSN));
}

#[test]
fn changes_of_one_person_come_one_after_the_other() {
    let pipeline = Pipeline::with_company();
    let db = &pipeline.db;
    let accounts: Vec<String> = (0..8).map(|number| format!("9988776655{number}")).collect();
    std::thread::scope(|threads| {
        for account in &accounts {
            threads.spawn(move || {
                let given = Given {
                    routing_number: "021000021".into(),
                    account_number: account.clone(),
                    ..given("nacha")
                };
                set(db, "4", &given.read().unwrap(), "ann", now()).unwrap();
            });
        }
    });
    assert_eq!(
        pipeline.ask("select string_agg(version_no::text, ',' order by version_no) from payee_versions"),
        "1,2,3,4,5,6,7,8"
    );
    assert_eq!(pipeline.ask("select count(*) from payee_versions where held_until is not null"), "7");
    let paid: HashSet<String> = (1..=8)
        .map(|version| match open(db, &key(), "4", version).unwrap().payee.pay_to {
            PayTo::UsBank { account_number, .. } => account_number.as_str().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paid, accounts.into_iter().collect());
}

#[test]
fn a_file_is_imported_whole_or_not_at_all() {
    let pipeline = Pipeline::with_company();
    let db = &pipeline.db;
    let preview = |csv: &str| {
        db.read(Lane::Admin, |conn| Ok(import::preview(conn, &key(), csv.as_bytes()))).unwrap().unwrap()
    };
    let record =
        |import: &import::Import| act(db, |tx| import.record(tx, &key(), DAYS, "ann", now())).unwrap();
    let header = "distributor_id,rail,name,currency,iban,routing_number,account_number,email,country,tax_id,tax_kind,tax_status";
    let bad = format!(
        "{header}\n1,nacha,A,,,021000022,{ACCOUNT},,,,,\n2,sepa,B,USD,{IBAN},,,,,,,\n2,sepa,B,,{IBAN},,,,,,,\n99,sepa,C,,{IBAN},,,,,,,\n\
         3,fax,D,,,,,,,,,\n4,sepa,E,,{IBAN},,,,,12,ssn,w7\n"
    );
    let found = preview(&bad);
    let told: Vec<(u64, &str)> = found.problems.iter().map(|it| (it.line, it.column.as_str())).collect();
    let wanted = [
        (2, "routing_number"),
        (3, "currency"),
        (4, "distributor_id"),
        (5, "distributor_id"),
        (6, "rail"),
        (7, "tax_status"),
        (7, "tax_id"),
    ];
    assert_eq!(told, wanted, "{:?}", found.problems);
    assert!(found.problems.iter().all(|problem| !is_anywhere(&problem.message, IBAN)));

    let good = format!(
        "{header}\n1,paypal,Ann,USD,,,,{WALLET},US,,,\n2,sepa,Bob,,{IBAN},,,,,,,\n4,nacha,Dora,,,021000021,{ACCOUNT},,,123-45-6789,,w9\n"
    );
    let import = preview(&good);
    assert_eq!(
        (import.new, import.changed, import.unchanged, import.with_tax),
        (3, 0, 0, 1),
        "{:?}",
        import.problems
    );
    assert_eq!(record(&import), 0);
    let again = preview(&good);
    assert_eq!((again.new, again.changed, again.unchanged), (0, 0, 3));
    assert_eq!(record(&again), 0);
    assert_eq!(
        pipeline.ask(
            "select (select count(*) from payee_versions) || ' ' || (select count(*) from payee_tax_versions)"
        ),
        "3 1"
    );
    let changed = preview(&good.replace(IBAN, OTHER_IBAN));
    assert_eq!((changed.changed, changed.unchanged), (1, 2));
    assert_eq!(record(&changed), 1);
    assert!(head(db, "2").unwrap().is_held(now()) && !head(db, "1").unwrap().is_held(now()));
    let log = audit(&pipeline);
    assert!(log.contains(r#"payees.import payees {"tax": 1, "held": 0, "recorded": 3}"#), "{log}");
    for secret in [IBAN, ACCOUNT, WALLET, SSN, "123-45-6789"] {
        assert!(!is_anywhere(&everything(&pipeline), secret), "{secret}");
    }
}

#[test]
fn numbers_from_before_are_sealed_at_the_next_start() {
    let pipeline = Pipeline::with_company();
    let db = &pipeline.db;
    pipeline.tamper("update distributors set tax_id = case distributor_id when '4' then '123-45-6789' else 'T-' || distributor_id end, country = 'US'");
    assert!(is_anywhere(&everything(&pipeline), "123-45-6789"));
    assert_eq!(payees::seal_clear_numbers(db, &key(), now()).unwrap(), 4);
    assert_eq!(payees::seal_clear_numbers(db, &key(), now()).unwrap(), 0);
    assert!(!is_anywhere(&everything(&pipeline), "123-45-6789") && !is_anywhere(&everything(&pipeline), SSN));
    let heads = db.read(Lane::Admin, |conn| payees::tax_heads(conn, &["1", "4", "99"])).unwrap();
    assert_eq!(heads.len(), 2, "there is no 99");
    let (known, other) = (&heads[&id("4")], &heads[&id("1")]);
    assert_eq!((known.kind, known.masked.as_str(), known.withhold), (TinKind::Ssn, "****6789", true));
    assert_eq!((other.kind, other.masked.as_str(), other.withhold), (TinKind::Unknown, "****", true));
    // A certified number is withheld from no more; another one is not certified.
    let signed = TaxChange { status: Some(TaxStatus::W9), ..TaxChange::default() };
    assert!(tax(db, "4", &signed).unwrap() && !tax(db, "4", &signed).unwrap());
    assert!(matches!(
        tax(db, "1", &signed),
        Err(PayeeError::Given { problem: PayeeProblem::Wrong { field: "tax_id", .. }, .. })
    ));
    let same = [(id("4"), "123456789".to_owned())];
    let count = |numbers: &[(DistributorId, String)]| {
        act(db, |tx| payees::record_numbers(tx, &key(), numbers, "ann", now())).unwrap()
    };
    assert_eq!(count(&same), 0, "however it is written");
    assert_eq!(count(&[(id("4"), "987-65-4321".to_owned())]), 1);
    let heads = db.read(Lane::Admin, |conn| payees::tax_heads(conn, &["4"])).unwrap();
    assert_eq!((heads[&id("4")].status, heads[&id("4")].withhold), (TaxStatus::None, true));
}

#[test]
fn a_refused_act_leaves_nothing_behind() {
    let pipeline = Pipeline::with_company();
    let signed = TaxChange { status: Some(TaxStatus::W9), ..TaxChange::default() };
    assert!(tax(&pipeline.db, "4", &signed).is_err());
    assert_eq!(pipeline.ask("select count(*) from payee_keys"), "0");
    let undone: Result<(), DbError> = pipeline.db.transact(Lane::Admin, |tx| {
        payees::set(tx, &key(), (&id("4"), &nacha()), DAYS, "ann", now()).unwrap();
        Err(DbError::Invariant("undone".into()))
    });
    assert!(undone.is_err() && head(&pipeline.db, "4").is_none());
    assert_eq!(pipeline.ask("select count(*) from payee_keys"), "0");
}
