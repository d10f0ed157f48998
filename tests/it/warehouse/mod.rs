//! The warehouse: files of closed periods against the ledger, the role of the analysts, and what they must not see.

mod parquet;
mod reading;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use upline::clock::{Clock, new_id};
use upline::core::ids::DistributorId;
use upline::core::journal::{Account, EntryKind, JournalEntry, Posting};
use upline::core::money::Currency;
use upline::db::Lane;
use upline::ledger::{self, NewEntry};
use upline::warehouse::{self, Asked, ChainHead, Exported, Format, WarehouseProblem};

use self::parquet::Table;
use crate::periods::Company;
use crate::support::app::Ran;
use crate::support::payload::Order;

const NOVEMBER: &str = "2026-11";
const DECEMBER: &str = "2026-12";

type Sums = BTreeMap<(String, String), Decimal>;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A directory of one test; removed when dropped.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("upline-test-warehouse-{}", new_id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// November is closed, and told nothing of since.
fn november() -> Company {
    let company = Company::new("now");
    let orders = [(1, "100.00", "4"), (2, "80.00", "3"), (3, "150.00", "5"), (4, "60.53", "4")];
    company.tell(&orders.map(|(id, net, who)| order(id, net, who).body()));
    company.close(NOVEMBER, at("2026-12-03T10:00:00Z"));
    company
}

fn order<'a>(id: u64, net: &'a str, distributor: &'a str) -> Order<'a> {
    Order { id, net, total: net, distributor: Some(distributor), ..Order::default() }
}

/// What comes afterwards: a refund of November, an order told too late for it, orders and a correction by hand of
/// December. Then December is closed, too.
fn and_december(company: &Company) {
    company.tell(&[
        Order { modified: "2026-12-05T10:00:00", refunds: &["33.33"], ..order(1, "100.00", "4") }.body(),
        order(5, "19.99", "4").body(),
        Order { created: "2026-12-06T09:00:00", modified: "2026-12-06T09:00:00", ..order(6, "77.77", "3") }
            .body(),
    ]);
    post_by_hand(company, dec!(12.34), at("2026-12-10T09:00:00Z"));
    company.adjust(DECEMBER, at("2026-12-20T10:00:00Z"));
    company.close(DECEMBER, at("2027-01-03T10:00:00Z"));
}

fn post_by_hand(company: &Company, amount: Decimal, now: DateTime<Utc>) {
    let distributor = Some(DistributorId::new("4"));
    let postings = [
        Posting { account: Account::AdjustmentExpense, distributor: None, amount, event: None },
        Posting { account: Account::CommissionPayable, distributor, amount: -amount, event: None },
    ];
    let usd = Currency::parse("USD").unwrap();
    let entry = JournalEntry::new(new_id(), 1, EntryKind::Manual, usd, now, postings).unwrap();
    let document = json!({"reason": "a promised bonus"});
    company
        .pipeline
        .db
        .transact(Lane::Admin, |tx| {
            ledger::post(tx, &[NewEntry::documented(entry.clone(), document.clone())])
        })
        .unwrap();
}

fn export(company: &Company, period: &str, out: &Path, format: Format) -> Result<Exported, WarehouseProblem> {
    export_at(company, period, out, format, None)
}

fn export_at(
    company: &Company,
    period: &str,
    out: &Path,
    format: Format,
    chain_head: Option<ChainHead>,
) -> Result<Exported, WarehouseProblem> {
    let asked = Asked { period, out, format, chain_head, by: "test" };
    let clock = Clock::fixed(at("2027-02-01T00:00:00Z"));
    warehouse::export(&company.pipeline.db, &clock, &asked, &mut |_, _| {})
}

/// Of the ledger's own tables, by account and currency.
fn ledger_sums(company: &Company) -> Sums {
    sums_of(
        company,
        "select p.account::text as a, e.currency::text as b, sum(p.amount) as s
                      from postings p join journal_entries e using (source_id, entry_no) group by 1, 2",
    )
}

fn sums_of(company: &Company, sql: &str) -> Sums {
    let told =
        company.pipeline.ask(&format!("select json_agg(json_build_array(a, b, s::text)) from ({sql}) t"));
    let rows: Vec<(String, String, Decimal)> = serde_json::from_str(&told).unwrap();
    rows.into_iter().map(|(a, b, sum)| ((a, b), sum)).collect()
}

/// The same of postings in a file.
fn file_sums(table: &Table) -> Sums {
    let mut sums = Sums::new();
    let accounts = table.integers("account").into_iter().map(|account| account.unwrap().to_string());
    let keys = accounts.zip(table.texts("currency").into_iter().flatten());
    for (key, amount) in keys.zip(table.decimals("amount")) {
        *sums.entry(key).or_default() += amount.unwrap();
    }
    sums
}

fn manifest_sums(exported: &Exported, file: &str, by: [&str; 2]) -> Sums {
    let file = exported.manifest.files.iter().find(|f| f.name.starts_with(file)).unwrap();
    let key = |sum: &warehouse::Sum| (sum.by[by[0]].clone(), sum.by[by[1]].clone());
    file.sums.iter().map(|sum| (key(sum), sum.sum)).collect()
}

fn added(a: &Sums, b: &Sums) -> Sums {
    let mut all = a.clone();
    b.iter().for_each(|(key, sum)| *all.entry(key.clone()).or_default() += sum);
    all
}

#[test]
fn another_implementation_re_sums_parquet_files_to_the_ledger() {
    let (company, dir) = (november(), Dir::new());
    let at_the_close = ledger_sums(&company);
    assert!(at_the_close.len() >= 3 && at_the_close.values().all(|sum| !sum.is_zero()), "{at_the_close:?}");
    and_december(&company);

    let read = |period: &str| {
        let exported = export(&company, period, &dir.0, Format::Parquet).unwrap();
        let postings = parquet::read(&exported.dir.join("postings.parquet"));
        let sums = file_sums(&postings);
        assert_eq!(manifest_sums(&exported, "postings", ["account", "currency"]), sums);
        (exported, postings, sums)
    };
    let (november, postings, november_sums) = read(NOVEMBER);
    let (december, later, december_sums) = read(DECEMBER);
    // What came after the close changes nothing of November, and everything is in one of the two.
    assert_eq!(november_sums, at_the_close);
    assert_eq!(added(&november_sums, &december_sums), ledger_sums(&company));
    assert_eq!(december_sums[&("5200".into(), "USD".into())], dec!(12.34));
    let count = postings.columns[0].len() + later.columns[0].len();
    assert_eq!(count.to_string(), company.pipeline.ask("select count(*) from postings"));

    let (mut earned, mut net) = (Decimal::ZERO, Decimal::ZERO);
    for exported in [&november, &december] {
        let read = |name: &str| parquet::read(&exported.dir.join(name));
        let events = read("commission_events.parquet");
        earned += events.decimals("amount").into_iter().flatten().sum::<Decimal>();
        assert_eq!(events.integers("level").len(), events.columns[0].len());
        net += read("order_lines.parquet").decimals("net").into_iter().flatten().sum::<Decimal>();
        assert!(read("distributor_history.parquet").columns[0].len() >= 5);
        assert_eq!(read("store.parquet").texts("slug"), [Some("main".to_owned())]);
        assert_eq!(read("sku_class.parquet").texts("commission_class"), [Some("supplement".to_owned())]);
        assert!(
            !read("deliveries.parquet").columns[0].is_empty() || exported.manifest.period.name == DECEMBER
        );
    }
    let payable = ledger_sums(&company)[&("2100".into(), "USD".into())];
    assert_eq!(earned, -payable - dec!(12.34), "events carry out all of 2100 but the correction by hand");
    assert_eq!(net, company.pipeline.ask("select sum(net) from orders").parse().unwrap());
}

#[test]
fn instants_nulls_and_many_row_groups_come_back_as_they_are() {
    let (company, dir) = (november(), Dir::new());
    // More than one row group takes more rows than a test wants to post; the rows are the ledger's own, many times.
    company.pipeline.tamper(
        "insert into journal_entries (source_id, entry_no, kind, currency, posted_at, digest)
           select '00000000-0000-7000-8000-000000000001', n, 'manual', 'USD', '2026-11-21T12:00:00.000007Z', ''
           from generate_series(1, 30001) n;
         insert into postings (source_id, entry_no, posting_no, account, distributor_id, amount)
           select '00000000-0000-7000-8000-000000000001', n, p, case p when 1 then 5200 else 2100 end,
                  case p when 2 then '4' end, (case p when 1 then 1 else -1 end) * n * 0.0001
           from generate_series(1, 30001) n, generate_series(1, 2) p",
    );
    let exported = export(&company, NOVEMBER, &dir.0, Format::Parquet).unwrap();
    let table = parquet::read(&exported.dir.join("postings.parquet"));
    assert_eq!(table.row_groups, 2);
    assert_eq!(file_sums(&table), ledger_sums(&company));
    let at_seven = at("2026-11-21T12:00:00.000007Z").timestamp_micros();
    let instants = table.integers("posted_at");
    assert_eq!(instants.iter().filter(|instant| **instant == Some(at_seven)).count(), 60_002);
    let nobody = table.texts("distributor_id").iter().filter(|who| who.is_none()).count();
    let told = company.pipeline.ask("select count(*) from postings where distributor_id is null");
    assert_eq!(nobody.to_string(), told);
}

#[test]
fn an_export_is_the_same_to_the_byte_and_overwrites_nothing() {
    let (company, dir, elsewhere) = (november(), Dir::new(), Dir::new());
    for format in [Format::Csv, Format::Parquet] {
        let first = export(&company, NOVEMBER, &dir.0, format).unwrap();
        assert!(!first.is_unchanged);
        let written = bytes_of(&first.dir);
        assert_eq!(written.len(), first.manifest.files.len() + 1);
        let mut all = Sha256::new();
        for file in &first.manifest.files {
            assert_eq!(hex::encode(Sha256::digest(&written[&file.name])), file.sha256);
            all.update(format!("{}  {}\n", file.sha256, file.name));
        }
        assert_eq!(hex::encode(all.finalize()), first.manifest.sha256);
        // A chain that has grown makes no other export.
        let head = ChainHead { seq: 7, hash: "ab".repeat(32) };
        let again = export_at(&company, NOVEMBER, &dir.0, format, Some(head.clone())).unwrap();
        assert!(again.is_unchanged && again.manifest == first.manifest);
        let other = export_at(&company, NOVEMBER, &elsewhere.0, format, Some(head.clone())).unwrap();
        assert_eq!(other.manifest.chain_head, Some(head));
        let mut others = bytes_of(&other.dir);
        assert_ne!(others.insert("manifest.json".into(), written["manifest.json"].clone()), None);
        assert_eq!(others, written);

        // What is lost comes back the same; what was left by an export that was killed is no obstacle.
        let postings = first.dir.join(format!("postings.{}", format.name()));
        fs::remove_file(&postings).unwrap();
        fs::remove_file(first.dir.join("manifest.json")).unwrap();
        fs::create_dir_all(first.dir.join(".partial")).unwrap();
        fs::write(first.dir.join(".partial").join(postings.file_name().unwrap()), "half a file").unwrap();
        assert!(!export(&company, NOVEMBER, &dir.0, format).unwrap().is_unchanged);
        assert_eq!(bytes_of(&first.dir), written);

        fs::write(&postings, "others").unwrap();
        let refused = export(&company, NOVEMBER, &dir.0, format).err().unwrap();
        assert!(matches!(&refused, WarehouseProblem::OtherBytes(path) if *path == postings), "{refused}");
        assert_eq!(fs::read(&postings).unwrap(), b"others");
    }
    let exports = company.pipeline.ask("select count(*) from audit_log where action = 'warehouse.export'");
    assert_eq!(exports, "8", "each of them is in the log");
}

fn bytes_of(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(Result::unwrap);
    files.map(|f| (f.file_name().into_string().unwrap(), fs::read(f.path()).unwrap())).collect()
}

#[test]
fn one_export_at_a_time_works_in_a_directory() {
    let (company, dir) = (november(), Dir::new());
    let aside = dir.0.join(NOVEMBER).join("csv").join(".partial");
    fs::create_dir_all(&aside).unwrap();
    let lock = fs::File::create(aside.join("lock")).unwrap();
    lock.lock().unwrap();
    let refused = export(&company, NOVEMBER, &dir.0, Format::Csv).err().unwrap();
    assert!(matches!(refused, WarehouseProblem::Busy(_)), "{refused}");
    drop(lock);
    export(&company, NOVEMBER, &dir.0, Format::Csv).unwrap();
}

#[test]
fn what_is_not_closed_or_does_not_balance_is_not_exported() {
    let (company, dir) = (november(), Dir::new());
    let told = |period: &str| export(&company, period, &dir.0, Format::Csv).err().unwrap().to_string();
    assert!(told(DECEMBER).starts_with("period 2026-12 is open"), "{}", told(DECEMBER));
    assert!(told("2031-01").starts_with("there is no period 2031-01"), "{}", told("2031-01"));
    company.pipeline.tamper(
        "update postings set amount = amount + 0.01 where posting_no = 1 and entry_no = 1
                             and source_id = (select min(source_id::text)::uuid from postings)",
    );
    assert!(told(NOVEMBER).contains("sum to 0.01"), "{}", told(NOVEMBER));
    assert_eq!(bytes_of(&dir.0.join(NOVEMBER).join("csv")), BTreeMap::new(), "nothing is left behind");
}

/// The real program on the database of a test.
fn upline(company: &Company, dir: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upline"));
    command.env("DATABASE_URL", company.pipeline.db.url()).env("UPLINE_DATA_DIR", dir);
    command.env("UPLINE_ALLOW_UNSAFE_DATABASE", "true").env("RUST_LOG", "error").args(arguments);
    Ran::of(command.output().unwrap())
}

#[test]
fn the_command_writes_csv_that_sums_to_the_ledger() {
    let (company, dir) = (november(), Dir::new());
    let out = dir.0.join("out");
    let arguments =
        ["export", "--period", NOVEMBER, "--out", out.to_str().unwrap(), "--format", "csv", "--json"];
    let would = upline(&company, &dir.0, &[&arguments[..], &["--dry-run"]].concat()).json();
    assert_eq!(would["files"].as_array().unwrap().len(), 9);
    assert!(!out.exists());
    let told = upline(&company, &dir.0, &arguments).json();
    assert_eq!((&told["unchanged"], &told["manifest"]["chain_head"]), (&json!(false), &Value::Null));
    assert_eq!(upline(&company, &dir.0, &arguments).json()["unchanged"], true);

    let mut sums = Sums::new();
    let mut reader = csv::Reader::from_path(out.join(NOVEMBER).join("csv/postings.csv")).unwrap();
    for row in reader.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        *sums.entry((row["account"].clone(), row["currency"].clone())).or_default() +=
            row["amount"].parse::<Decimal>().unwrap();
    }
    assert_eq!(sums, ledger_sums(&company));
    let refused = upline(&company, &dir.0, &["export", "--period", "2026-13", "--out", "x"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.starts_with("error: there is no period 2026-13"), "{}", refused.err);
}
