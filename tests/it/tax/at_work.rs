//! The program and the pages: who gets tax numbers, and what is given out there.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use chrono::Datelike;
use upline::access::{self, AccessProblem, Role};

use super::*;
use crate::support::app::{Ran, TestApp};
use crate::support::browser::Browser;

/// The program on a company's database.
fn run(company: &Company, dir: &std::path::Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
    command
        .env("DATABASE_URL", company.0.db.url())
        .env("UPLINE_DATA_DIR", dir)
        .env("UPLINE_SECRET_KEY", "5a".repeat(32))
        .env("UPLINE_ALLOW_UNSAFE_DATABASE", "true")
        .env("RUST_LOG", "error")
        .current_dir(dir)
        .arg("tax")
        .args(arguments)
        .stdin(Stdio::null());
    Ran::of(command.output().unwrap())
}

#[test]
fn the_program_gives_numbers_only_to_a_person_with_a_reason() {
    let company = Company::new("US");
    company.tells("4", TinKind::Ssn, SSN, TaxStatus::W9);
    company.sells(Order { net: "20000.00", total: "20000.00", ..Order::default() });
    company.hears(company.pays(), Which::All, ItemStatus::Confirmed);
    let dir = std::env::temp_dir().join(format!("upline-test-tax-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("password"), "the right horse\n").unwrap();
    let hashed = access::password::hash("the right horse").unwrap();
    for (email, role) in [(ANN, Role::FinancePrepare), (BOB, Role::FinanceApprove)] {
        let add = |tx: &mut Tx<'_>| {
            let user = access::add_user(tx, email, role, "test", now())?;
            access::set_password(tx, user.user_id, &hashed, &[], "test", now())
        };
        upline::cli::transact::<_, AccessProblem>(&company.0.db, add).unwrap();
    }
    let plain =
        run(&company, &dir, &["1099", "2026", "--csv", "forms.csv", "--publish", "--by", "ann", "--json"]);
    assert_eq!(plain.code, Some(3), "two forms are incomplete: {}", plain.err);
    let told: serde_json::Value = serde_json::from_str(&plain.out).unwrap();
    assert_eq!(told["published"]["published_by"], "console:ann");
    let csv = std::fs::read(dir.join("forms.csv")).unwrap();
    assert_eq!(told["published"]["data_sha256"], hex::encode(Sha256::digest(&csv)));
    let text = String::from_utf8(csv).unwrap() + &plain.out;
    assert!(text.contains("4,us,ssn,w9,USD,2999.75,0.25,0.00,3000.00,0.00,no,0.00,yes,"), "{text}");
    assert!(!text.contains("123456789"), "{text}");

    let filled = ["1099", "2026", "--with-tins", "--csv", "filled.csv", "--password-file", "password"];
    let with = |more: &[&'static str]| run(&company, &dir, &[&filled[..], more].concat());
    assert_eq!(with(&["--by", BOB]).code, Some(2), "a reason is needed");
    let refused = with(&["--by", ANN, "--reason", "the forms"]);
    assert!(refused.code == Some(1) && !dir.join("filled.csv").exists(), "{}", refused.err);
    let done = with(&["--by", BOB, "--reason", "the forms of 2026"]);
    assert_eq!(done.code, Some(3), "{}", done.err);
    assert!(std::fs::read_to_string(dir.join("filled.csv")).unwrap().contains("4,123456789,"));
    let mode = std::fs::metadata(dir.join("filled.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let log = company.ask(
        "select string_agg(actor || ' ' || (detail ->> 'reason') || ' ' || (detail ->> 'people'), ', ')
         from audit_log where action = 'tax.numbers_opened'",
    );
    assert_eq!(log, "bob@example.com the forms of 2026 3");
    assert!(!company.ask("select string_agg(detail::text, ' ') from audit_log").contains("123456789"));

    let again = run(&company, &dir, &["1099", "2026", "--publish", "--by", "ann"]);
    assert!(again.out.contains("with the same rows"), "{}", again.out);
    assert!(run(&company, &dir, &["published", "1"]).ok().contains("payout_batches"));
    let alone = run(&company, &dir, &["disclosure", "2026"]).ok();
    assert!(alone.contains("everybody"), "the only currency is found: {alone}");
    assert_eq!(run(&company, &dir, &["disclosure", "2024"]).code, Some(1));
    let tried = run(&company, &dir, &["invoices", "issue", "--dry-run"]).ok();
    assert!(tried.contains("Nothing needs a number"), "{tried}");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn reports_are_looked_at_and_given_out_on_the_pages() {
    let app = TestApp::with_company();
    assert_eq!(app.deliver("order.updated", &Order::default().body()).status, 200);
    app.drain();
    let admin = Browser::of_admin(&app);
    let list = admin.get("/admin/reports");
    assert!(list.status == 200 && list.text.contains("Nothing was given out yet"), "{}", list.text);
    let year = Utc::now().year().to_string();
    let asked = format!("/admin/reports/disclosure?year={year}&currency=USD");
    let page = admin.get(&asked);
    assert!(
        page.text.contains(&format!("Income disclosure {year} USD")) && page.text.contains("everybody"),
        "{}",
        page.text
    );
    let file = admin.get(&format!("{asked}&format=csv"));
    assert!(file.text.starts_with("distributor_id,rank,gross,taken_back,fees,after\n"), "{}", file.text);
    let fields = [("year", year.as_str()), ("currency", "USD")];
    let given = admin.done("/admin/reports/disclosure/publish", &fields);
    assert!(given.text.contains("took_part as"), "its query: {}", given.text);
    assert!(given.text.contains(&hex::encode(Sha256::digest(file.text.as_bytes()))), "the seal of the file");
    let again = admin.done("/admin/reports/disclosure/publish", &fields);
    assert!(again.text.contains("given out before, with the same rows"), "{}", again.text);
    assert!(admin.get("/admin/reports").text.contains("Figure 1"));
    let unknown = admin.send("/admin/reports/1099/publish", &[("year", "2031")]);
    assert!(admin.get(&unknown.location).text.contains("not known"), "a year that nobody knows");
    assert_eq!(admin.get("/admin/reports/nothing").status, 404);
    assert_eq!(admin.get("/admin/reports/figures/99").status, 404);
    let bare = admin.send_bare("/admin/reports/disclosure/publish", &fields);
    assert_eq!(bare.status, 403, "a form without its token");
}
