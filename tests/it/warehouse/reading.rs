//! The schema `report` as analysts read it: what it says of itself, what is not in it, and a role that reads no more.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;
use upline::clock::Clock;
use upline::core::genealogy::{DistributorVersion, Status};
use upline::core::ids::{DistributorId, StoreId};
use upline::db::{DbError, Lane};
use upline::distributors::{self, Entry};
use upline::warehouse::{self, Grants, WarehouseProblem};

use super::{Dir, at, november, order, upline};
use crate::periods::Company;
use crate::support::pipeline::Pipeline;

/// Words that stand only in what is personal.
const PERSONAL: [&str; 4] = ["zenobia", "quillfeather", "stradivari", "078-05-1120"];

fn views(pipeline: &Pipeline) -> Vec<String> {
    let told = pipeline.ask(
        "select json_agg(relname order by relname) from pg_class
         where relnamespace = 'report'::regnamespace and relkind in ('r', 'v')",
    );
    serde_json::from_str(&told).unwrap()
}

fn personal_rows(pipeline: &Pipeline, table: &str) -> usize {
    let words = PERSONAL.join("|");
    let count = pipeline.ask(&format!("select count(*) from {table} t where t::text ~* '{words}'"));
    count.parse().unwrap()
}

#[test]
fn no_row_of_any_view_has_personal_data() {
    let company = november();
    let pipeline = &company.pipeline;
    let version = DistributorVersion {
        id: DistributorId::new("4"),
        sponsor: Some(DistributorId::new("3")),
        status: Status::Active,
        rank: None,
        from: Some(at("2026-11-22T00:00:00Z")),
        enrolled_at: None,
    };
    let entry = Entry {
        version,
        country: Some("DE".into()),
        tax_id: Some("078-05-1120".into()),
        name: Some("Zenobia Quillfeather".into()),
        email: Some("zenobia@example.test".into()),
    };
    pipeline
        .db
        .transact(Lane::Admin, |tx| {
            distributors::record(
                tx,
                std::slice::from_ref(&entry),
                "zenobia@example.test",
                at("2026-12-04T00:00:00Z"),
            )
            .map_err(|error| DbError::Invariant(format!("{error:?}")))
        })
        .unwrap();
    // Somebody's address where a distributor should be named; a code that is a name; who works here.
    pipeline.tamper(
        "insert into distributor_code_versions values ('zenobia', 1, '4', '-infinity', now(), 'zenobia@example.test');
         update cache_versions set version = version + 1",
    );
    let bodies =
        [order(11, "10.00", "quillfeather@example.test"), order(12, "20.00", "Zenobia")].map(|order| {
            let billing = r#"{"billing":{"first_name":"Zenobia","address_1":"Stradivari Lane 9"},"#;
            order.body().replacen('{', billing, 1)
        });
    pipeline.accept(StoreId(1), &bodies);
    pipeline.drain();

    // As an admin whose address is a name has prepared it.
    pipeline.tamper(
        "insert into payout_batches (batch_id, batch_no, rail, currency, purpose, terms, withholding, left_out,
                                     created_by, created_at)
         values ('01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f', 1, 'csv', 'USD', 'for Zenobia', '{}', 0, '[]',
                 'zenobia@example.test', '2026-11-30T00:00:00Z');
         insert into payout_items (item_id, item_no, batch_id, distributor_id, currency, gross, fee, withheld, net,
                                   payee_version, masked, payee_news, reason, changed_at)
         values ('01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e60', 1, '01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f', '4', 'USD', 10, 0,
                 0, 10, 1, 'Zenobia', 'first', 'Quillfeather', '2026-11-30T00:00:00Z')",
    );
    for table in ["distributors", "holds", "calculations", "distributor_versions"] {
        assert!(personal_rows(pipeline, table) > 0, "{table} should have what is looked for");
    }
    for view in views(pipeline) {
        let view = format!("report.{view}");
        assert_ne!(pipeline.ask(&format!("select count(*) from {view}")), "0", "{view} shows nothing");
        assert_eq!(personal_rows(pipeline, &view), 0, "{view} shows personal data");
    }
}

#[test]
fn every_column_is_explained_and_none_is_of_a_person() {
    let pipeline = Pipeline::new();
    let told = pipeline.ask(
        "select json_agg(json_build_array(c.relname, a.attname, col_description(c.oid, a.attnum)) order by 1::text)
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
         where c.relnamespace = 'report'::regnamespace and c.relkind in ('r', 'v')",
    );
    let columns: Vec<(String, String, Option<String>)> = serde_json::from_str(&told).unwrap();
    assert!(columns.len() > 100, "{}", columns.len());
    // Names of things.
    let things = ["store", "sku_class", "sku_mapping", "plan_version", "period"];
    let personal = [
        "name", "mail", "tax", "phone", "address", "birth", "customer", "_by", "headers", "body", "value",
        "iban",
    ];
    let docs = std::fs::read_to_string("docs/warehouse.md").unwrap();
    for (view, column, says) in &columns {
        let says = says.as_deref().unwrap_or_else(|| panic!("report.{view}.{column} has no comment"));
        let of_a_thing = column == "account_name"
            || column == "body_sha256"
            || column == "name" && things.contains(&view.as_str());
        let found = personal.iter().find(|word| column.contains(*word)).filter(|_| !of_a_thing);
        assert!(found.is_none(), "report.{view}.{column} looks like {found:?}");
        assert!(
            docs.contains(&format!("| `{column}` | {says} |")),
            "docs/warehouse.md says nothing of {view}.{column}"
        );
    }
    for view in views(&pipeline) {
        let says = pipeline.ask(&format!("select obj_description('report.{view}'::regclass)"));
        assert!(says.starts_with("One row for each"), "report.{view} does not say what a row is: {says}");
        assert!(
            docs.contains(&format!("### report.{view}\n\n{says}\n")),
            "docs/warehouse.md lacks report.{view}"
        );
    }
    // The columns of the first data model, by their names.
    let of = |view: &str| -> BTreeSet<&str> {
        columns.iter().filter(|(of, ..)| of == view).map(|(_, column, _)| column.as_str()).collect()
    };
    assert_eq!(
        of("ledger"),
        ["event_id", "order_id", "distributor_id", "amount", "calc_snapshot_json"].into()
    );
    assert_eq!(
        of("sku_mapping"),
        ["sku_id", "platform", "platform_sku", "name", "category", "commission_class"].into()
    );
}

#[test]
fn facts_of_the_schema_add_up_to_the_ledger() {
    let company = november();
    let ask = |sql: &str| company.pipeline.ask(sql);
    let sum = "select string_agg(account || ' ' || s, ', ' order by account) from
               (select account, sum(amount) as s from";
    let ours = ask(&format!("{sum} postings group by 1) t"));
    assert_eq!(ask(&format!("{sum} report.postings group by 1) t")), ours);
    assert_eq!(ask(&format!("{sum} report.postings where period = '2026-11' group by 1) t")), ours);
    assert_eq!(
        ask("select sum(amount) from report.ledger"),
        ask("select sum(amount) from report.commission_events")
    );
    assert_eq!(ask("select sum(net) from report.order_lines"), ask("select sum(net) from report.orders"));
    assert_eq!(ask("select sum(quantity)::int from report.order_lines"), "4");
    assert_eq!(ask("select version from report.schema_version"), "1");
    assert_eq!(ask("select string_agg(distinct status, ',') from report.period"), "closed,open");
}

fn grant(company: &Company, role: &str, now: DateTime<Utc>) -> Result<warehouse::Granted, WarehouseProblem> {
    let password = Some("correct horse battery".to_owned().into());
    let grants = Grants { role, statement_seconds: 1, password, by: "test" };
    warehouse::grant(&company.pipeline.db, &Clock::fixed(now), &grants, false)
}

fn sign_in(company: &Company, role: &str) -> PgConnection {
    PgConnection::establish(&format!("{} user={role}", company.pipeline.db.url())).unwrap()
}

#[test]
fn the_role_reads_the_schema_for_a_while_and_nothing_else() {
    let (company, role, now) = (november(), "report_ro_reads", at("2026-12-04T00:00:00Z"));
    let granted = grant(&company, role, now).unwrap();
    assert!(!granted.existed);
    assert_eq!(granted.views, views(&company.pipeline));
    assert!(!format!("{granted:?}").contains("SCRAM"));
    // Again is no harm.
    assert!(grant(&company, role, now).unwrap().existed);
    assert_eq!(company.pipeline.ask("select count(*) from audit_log where action = 'warehouse.grant'"), "2");
    let stored = company.pipeline.ask(&format!("select rolpassword from pg_authid where rolname = '{role}'"));
    assert!(stored.starts_with("SCRAM-SHA-256$4096:"), "{stored}");

    let mut conn = sign_in(&company, role);
    for view in &granted.views {
        conn.batch_execute(&format!("select * from report.{view}; select * from {view}")).unwrap();
    }
    let mut refused = |sql: &str, why: &str| {
        let told = conn.batch_execute(sql).unwrap_err().to_string();
        assert!(told.contains(why), "{sql}: {told}");
    };
    let tables = company.pipeline.ask(
        "select json_agg(format('public.%I', relname)) from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')",
    );
    let tables: Vec<String> = serde_json::from_str(&tables).unwrap();
    assert!(tables.len() > 40 && tables.contains(&"public.distributors".to_owned()));
    for table in &tables {
        refused(&format!("select * from {table} limit 1"), "permission denied");
    }
    refused("select pg_sleep(20)", "statement timeout");
    refused("update report.schema_version set version = 2", "read-only transaction");
    refused("begin read write; update report.schema_version set version = 2", "permission denied");
    let mut conn = sign_in(&company, role);
    conn.batch_execute("set default_transaction_read_only = off").unwrap();
    for sql in [
        "create table report.mine (a int)",
        "delete from report.schema_version",
        "select * from public.users",
    ] {
        let told = conn.batch_execute(sql).unwrap_err().to_string();
        assert!(told.contains("permission denied"), "{sql}: {told}");
    }
}

#[test]
fn a_role_that_could_read_more_gets_nothing() {
    let (company, now) = (november(), at("2026-12-04T00:00:00Z"));
    let told = |role: &str| grant(&company, role, now).unwrap_err().to_string();
    company.pipeline.tamper("grant select (email) on distributors to public");
    assert!(told("report_ro_more").contains("public.distributors"), "{}", told("report_ro_more"));
    let exists = "select count(*) from pg_roles where rolname = 'report_ro_more'";
    assert_eq!(company.pipeline.ask(exists), "0", "it was all taken back");
    company
        .pipeline
        .tamper("revoke select (email) on distributors from public; create role report_ro_chief createdb");
    assert!(told("report_ro_chief").contains("is an administrator"), "{}", told("report_ro_chief"));
    assert!(told("Robert'); drop").contains("is no name of a role"));
    assert!(told("pg_monitor").contains("is no name of a role"));
}

#[test]
fn the_command_shows_its_statements_before_it_runs_them() {
    let (company, dir) = (november(), Dir::new());
    let arguments = ["warehouse", "grant", "--role", "report_ro_shown", "--statement-timeout", "90"];
    let shown = upline(&company, &dir.0, &[&arguments[..], &["--dry-run"]].concat()).ok();
    assert!(shown.starts_with("create role report_ro_shown login"), "{shown}");
    assert!(shown.contains("set statement_timeout = '90s'"), "{shown}");
    assert_eq!(company.pipeline.ask("select count(*) from pg_roles where rolname = 'report_ro_shown'"), "0");
    let granted = upline(&company, &dir.0, &[&arguments[..], &["--json"]].concat()).json();
    assert_eq!((&granted["role"], &granted["existed"]), (&json!("report_ro_shown"), &json!(false)));
    let refused = upline(&company, &dir.0, &["warehouse", "grant", "--role", "Report"]);
    assert_eq!(refused.code, Some(1));
}
