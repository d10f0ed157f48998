//! The real program: who may, what it prints, with which code it ends, and what it leaves on disk.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use upline::access::{self, AccessProblem, Role};

use super::*;
use crate::support::app::Ran;

/// The program beside a test's company, on the same database and with the same key.
pub struct Program {
    pub company: Company,
    pub dir: PathBuf,
}

const CONFIG: &str = r#"
[payouts.nacha]
currency = "USD"
minimum = "1.00"
fee = "0.25"
item_limit = "1000"
batch_limit = "5000"
value_days = 1
[payouts.nacha.originator]
name = "Acme Inc"
routing_number = "021000021"
account_number = "1234567890"
company_id = "1123456789"
bank_name = "First Bank"
"#;

impl Program {
    pub fn new(name: &str) -> Self {
        let company = Company::new();
        let dir = std::env::temp_dir().join(format!("upline-test-payouts-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("upline.toml"), CONFIG).unwrap();
        std::fs::write(dir.join("password"), "the right horse\n").unwrap();
        let program = Self { company, dir };
        program.add_user(ANN, Role::FinancePrepare);
        program.add_user(BOB, Role::FinanceApprove);
        program
    }

    pub fn add_user(&self, email: &str, role: Role) {
        let hashed = access::password::hash("the right horse").unwrap();
        let add = |tx: &mut Tx<'_>| {
            let user = access::add_user(tx, email, role, "test", now())?;
            access::set_password(tx, user.user_id, &hashed, &[], "test", now())
        };
        upline::cli::transact::<_, AccessProblem>(&self.company.pipeline.db, add).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
        command
            .env("DATABASE_URL", self.company.pipeline.db.url())
            .env("UPLINE_DATA_DIR", &self.dir)
            .env("UPLINE_CONFIG", self.dir.join("upline.toml"))
            .env("UPLINE_SECRET_KEY", "5a".repeat(32))
            .env("UPLINE_ALLOW_UNSAFE_DATABASE", "true")
            .env("RUST_LOG", "error")
            .arg("payout")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// With the password of somebody.
    pub fn signed<'a>(&'a self, arguments: &[&'a str], who: &'a str, password: &'a str) -> Vec<&'a str> {
        [arguments, &["--by", who, "--password-file", password]].concat()
    }

    pub fn password(&self) -> String {
        self.dir.join("password").to_string_lossy().into_owned()
    }

    pub fn by(&self, arguments: &[&str], who: &str) -> Ran {
        let password = self.password();
        self.run(&self.signed(arguments, who, &password))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub const PREPARE: [&str; 5] = ["prepare", "--rail", "nacha", "--purpose", "Commission 2026-11"];

#[track_caller]
fn refused(ran: Ran, why: &str) {
    assert!(ran.code == Some(1) && ran.err.contains(why), "{why}: {ran:?}");
}

#[test]
fn a_batch_on_the_terminal() {
    let program = Program::new("terminal");
    program.company.order(301, "100.00", &[], 9);
    let dry = program.by(&[&PREPARE[..], &["--dry-run", "--json"]].concat(), ANN).json();
    assert_eq!((dry["total"].as_str(), dry["payments"].as_u64()), (Some("24.25"), Some(3)));
    assert_eq!(program.company.pipeline.ask("select count(*) from payout_batches"), "0");
    let told = program.by(&PREPARE, ANN).ok();
    assert!(told.contains("batch 1 on nacha is prepared: 3 payments, 24.25 USD"), "{told}");
    let shown = program.run(&["show", "1", "--json"]).json();
    let digest = shown["review"]["digest"].as_str().unwrap().to_owned();
    assert!(program.run(&["show", "1", "--items"]).ok().contains("US bank ****4567"));
    assert!(!program.run(&["show", "1", "--items"]).ok().contains("1234567"), "no number of an account");

    let approve = ["approve", "1", "--digest", &digest[..12]];
    refused(program.by(&approve, ANN), "is no active finance-approve or admin");
    refused(
        program.by(&[&approve[..], &["--over-limits"]].concat(), BOB),
        "only an admin approves above the limits",
    );
    refused(program.by(&["export", "1"], ANN), "not approved");
    assert!(program.by(&approve, BOB).ok().contains("batch 1 is approved"));
    refused(program.by(&approve, BOB), "is approved already");

    let out = program.dir.join("files").to_string_lossy().into_owned();
    let export = ["export", "1", "--out", &out, "--json"];
    let first = program.by(&export, ANN).json();
    let path = first["file"].as_str().unwrap().to_owned();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // The program was killed before it had written all of it: the part is no file to send.
    std::fs::write(&path, &bytes[..100]).unwrap();
    refused(program.by(&export, ANN), "only a part of it");
    std::fs::remove_file(&path).unwrap();
    let again = program.by(&export, ANN).json();
    assert_eq!((again["again"].as_bool(), again["sha256"].as_str()), (Some(true), first["sha256"].as_str()));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    program.by(&export, ANN).ok();
    program.by(&["sent", "1"], ANN).ok();
    refused(program.by(&["cancel", "1", "--reason", "too late"], ANN), "has left in a file");

    let mark = ["mark", "1", "--all", "--as", "confirmed", "--reason", "the statement"];
    refused(program.by(&mark, ANN), "is no active finance-approve or admin");
    program.by(&mark, BOB).ok();
    let list: Value = program.run(&["list", "--json"]).json();
    assert_eq!(list["counts"][0]["status"], "confirmed");
    assert!(program.run(&["list"]).ok().contains("3 confirmed"));
    assert!(program.run(&["waiting"]).ok().is_empty());
    refused(program.run(&["show", "9"]), "there is no payout batch 9");
    assert_eq!(program.run(&["prepare", "--rail", "gold"]).code, Some(2));
    program.company.closes();
}

#[test]
fn a_csv_of_answers_is_taken_once_and_a_difference_has_its_own_code() {
    let program = Program::new("answers");
    program.company.order(301, "100.00", &[], 9);
    let (_, _) = program.company.exported();
    let items = program.company.items(1);
    let reference = |item: &Item| upline::core::payout::EndToEnd::of(item.item_id).as_str().to_owned();
    let file = |name: &str, rows: &str| {
        let path = program.dir.join(name);
        std::fs::write(&path, format!("reference,status,code,reason\n{rows}")).unwrap();
        path.to_string_lossy().into_owned()
    };
    let good = file(
        "good.csv",
        &format!("{},confirmed,,\n{},returned,R03,No account\n", reference(&items[0]), reference(&items[1])),
    );
    let dry = program.by(&["import", &good, "--dry-run", "--json"], ANN).json();
    assert_eq!((dry["moved"]["confirmed"].as_u64(), dry["moved"]["returned"].as_u64()), (Some(1), Some(1)));
    assert_eq!(program.company.pipeline.ask("select count(*) from payout_answers"), "0");
    program.by(&["import", &good], ANN).ok();
    assert!(program.by(&["import", &good], ANN).ok().contains("was taken before"));
    assert!(program.run(&["show", "1", "--items"]).ok().contains("R03 No account"));
    let bad = file("bad.csv", "INVOICE 7,confirmed,,\n");
    let ran = program.by(&["import", &bad], ANN);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(program.run(&["waiting"]).ok().contains("names no payout of ours"));
    let none = file("none.csv", "");
    std::fs::write(&none, "hello").unwrap();
    refused(program.by(&["import", &none], ANN), "cannot be taken");
    program.company.closes();
}
