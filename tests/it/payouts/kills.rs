//! The process killed at every arrow of a payout, at each table that the arrow writes: it has done all of the step or
//! nothing, and nobody is paid twice. `UPLINE_PAYOUT_KILLS=all` kills at every table, else at some of each arrow.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use super::commands::{PREPARE, Program};
use super::*;
use crate::support::wait;

const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that a payout is made of.
const STANDS: &str = "select concat_ws(' | ',
    (select string_agg(concat_ws(' ', batch_no, status, entries), ',' order by batch_no) from payout_batches),
    (select string_agg(concat_ws(' ', item_no, status, net), ',' order by item_no) from payout_items),
    (select count(*) || ' ' || coalesce(sum(abs(amount)), 0)::numeric(20,2) from postings),
    (select count(*) from payout_changes), (select count(*) from payout_answers),
    (select count(*) from audit_log where action like 'payout%'))";

/// One step on the command line.
struct Step {
    name: &'static str,
    arguments: Vec<String>,
    who: &'static str,
    /// What it writes, in this order.
    tables: &'static [&'static str],
    /// Done a second time it ends well and changes no money; otherwise it is refused.
    repeats: bool,
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

impl Program {
    fn stands(&self) -> String {
        self.company.pipeline.ask(STANDS)
    }

    /// Lets a command come as far as a table and kills its process there.
    fn killed_at(&self, step: &Step, table: &str) {
        let url = self.company.pipeline.db.url().to_owned();
        let mut keeper = PgConnection::establish(&url).unwrap();
        keeper.batch_execute(&format!("begin; lock table {table} in access exclusive mode")).unwrap();
        let password = self.password();
        let arguments: Vec<&str> = step.arguments.iter().map(String::as_str).collect();
        let mut child = self.command(&self.signed(&arguments, step.who, &password)).spawn().unwrap();
        wait::until(&format!("{} at {table}", step.name), PATIENCE, || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{} never came to {table}", step.name);
            let blocked = "select count(*) from pg_stat_activity where datname = current_database()
                           and wait_event_type = 'Lock' and wait_event = 'relation'";
            (self.company.pipeline.ask(blocked) != "0").then_some(())
        });
        child.kill().unwrap();
        child.wait().unwrap();
        keeper.batch_execute("rollback").unwrap();
        // The server notices by itself that nobody is there any more.
        wait::until("the end of the killed one's session", PATIENCE, || {
            let others = "select count(*) from pg_stat_activity where datname = current_database()
                          and state <> 'idle' and pid <> pg_backend_pid()";
            (self.company.pipeline.ask(others) == "0").then_some(())
        });
    }

    /// Killed wherever it writes, then done, then done again. Answers how often it was killed.
    fn go(&self, step: &Step) -> usize {
        let all = std::env::var("UPLINE_PAYOUT_KILLS").is_ok_and(|kills| kills == "all");
        let last = step.tables.len() - 1;
        let tables: Vec<&&str> = step
            .tables
            .iter()
            .enumerate()
            .filter(|(at, _)| all || *at == 0 || *at == last)
            .map(|(_, t)| t)
            .collect();
        let before = self.stands();
        for table in &tables {
            self.killed_at(step, table);
            assert_eq!(self.stands(), before, "{} killed at {table}", step.name);
        }
        let arguments: Vec<&str> = step.arguments.iter().map(String::as_str).collect();
        self.by(&arguments, step.who).ok();
        let after = self.stands();
        assert_ne!(after, before, "{}", step.name);
        let again = self.by(&arguments, step.who);
        assert_eq!(again.code, Some(if step.repeats { 0 } else { 1 }), "{} again: {again:?}", step.name);
        let money = |stands: &str| stands.split(" | ").take(3).collect::<Vec<_>>().join(" | ");
        assert_eq!(money(&self.stands()), money(&after), "{} again", step.name);
        self.company.closes();
        tables.len()
    }

    /// Twelve signs of what there is to approve.
    fn digest(&self, batch: &str) -> String {
        let shown = self.run(&["show", batch, "--json"]).json();
        shown["review"]["digest"].as_str().unwrap()[..12].to_owned()
    }

    fn file(&self, name: &str, rows: &[(&Item, &str)]) -> String {
        let path = self.dir.join(name);
        let reference = |item: &Item| upline::core::payout::EndToEnd::of(item.item_id).as_str().to_owned();
        let rows: Vec<String> =
            rows.iter().map(|(item, status)| format!("{},{status}", reference(item))).collect();
        std::fs::write(&path, format!("reference,status\n{}\n", rows.join("\n"))).unwrap();
        path.to_string_lossy().into_owned()
    }
}

const MOVES: &[&str] =
    &["payout_items", "journal_entries", "entry_documents", "postings", "payout_changes", "audit_log"];
const NO_MONEY: &[&str] = &["payout_batches", "payout_items", "payout_changes", "audit_log"];

#[test]
fn killed_at_every_arrow_nobody_is_paid_twice() {
    let program = Program::new("kills");
    let company = &program.company;
    company.order(301, "100.00", &[], 9);
    let mut kills = 0;
    let prepare = Step {
        name: "prepare",
        arguments: owned(&PREPARE),
        who: ANN,
        tables: &[
            "payout_batches",
            "payout_items",
            "journal_entries",
            "entry_documents",
            "postings",
            "payout_changes",
            "audit_log",
        ],
        repeats: false,
    };
    kills += program.go(&prepare);
    let cancel = owned(&["cancel", "1", "--reason", "wrong month"]);
    kills += program.go(&Step { name: "cancel", arguments: cancel, who: ANN, tables: MOVES, repeats: false });
    kills += program.go(&prepare);

    let approve = owned(&["approve", "2", "--digest", &program.digest("2")]);
    kills +=
        program.go(&Step { name: "approve", arguments: approve, who: BOB, tables: NO_MONEY, repeats: false });
    let out = program.dir.join("out").to_string_lossy().into_owned();
    let export = Step {
        name: "export",
        arguments: owned(&["export", "2", "--out", &out]),
        who: ANN,
        tables: NO_MONEY,
        repeats: true,
    };
    kills += program.go(&export);
    let mut bank = Bank::default();
    let read = || std::fs::read(std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path()).unwrap();
    bank.take(&read());
    kills += program.go(&Step {
        name: "sent",
        arguments: owned(&["sent", "2"]),
        who: ANN,
        tables: NO_MONEY,
        repeats: false,
    });
    std::fs::remove_dir_all(&out).unwrap();
    program.by(&["export", "2", "--out", &out], ANN).ok();
    bank.take(&read());

    let items = company.items(2);
    let answers = program
        .file("answers.csv", &[(&items[0], "confirmed"), (&items[1], "returned"), (&items[2], "pending")]);
    kills += program.go(&Step {
        name: "import",
        arguments: owned(&["import", &answers]),
        who: ANN,
        tables: &[
            "payout_bank_files",
            "payout_items",
            "journal_entries",
            "postings",
            "payout_changes",
            "payout_answers",
            "audit_log",
        ],
        repeats: true,
    });
    let number = items[2].item_no.to_string();
    let mark =
        owned(&["mark", "2", "--item", &number, "--as", "returned", "--reason", "credit of 5 November"]);
    kills += program.go(&Step { name: "mark", arguments: mark, who: BOB, tables: MOVES, repeats: false });

    // The bank has paid everybody of the file once, two of them sent it back, and they are paid by the next batch.
    kills += program.go(&prepare);
    let approve = owned(&["approve", "3", "--digest", &program.digest("3")]);
    kills +=
        program.go(&Step { name: "approve", arguments: approve, who: BOB, tables: NO_MONEY, repeats: false });
    kills += program.go(&Step { arguments: owned(&["export", "3", "--out", &out]), ..export });
    company.mark(3, Which::All, ItemStatus::Confirmed).unwrap();
    company.closes();
    let paid = company.pipeline.ask("select -sum(amount)::numeric(20,2) from postings where account = 1000");
    assert_eq!(paid, "24.25");
    let sent: Decimal = bank.by_distributor(company).values().sum();
    assert_eq!(sent, dec!(24.25), "of the file that was written twice");
    assert!(kills >= 20, "{kills} kills");
    println!("killed {kills} times");
}
