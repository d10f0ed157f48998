//! Payouts from the first order to the bank's last word: whatever happens on the way, every cent is in one place and
//! nobody is paid twice.

mod answers;
mod commands;
mod kills;
mod life;
mod races;
mod refunds;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rust_decimal::{Decimal, dec};
use upline::core::ids::{DistributorId, StoreId};
use upline::core::money::Currency;
use upline::core::payee::Holder;
use upline::core::payout::choice::Terms;
use upline::core::payout::{Answer, ItemStatus, Originator, Rail, Reference, Says};
use upline::db::{DbError, Lane, Tx};
use upline::payees::{self, Given};
use upline::payouts::{self, Approval, Batch, Exported, Import, Item, Order, PayoutProblem, Which};
use upline::rails::{BankFile, BankFormat};
use upline::vault::Vault;

use crate::support::payload;
use crate::support::pipeline::Pipeline;

const STORE: StoreId = StoreId(1);
const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const EVERYBODY: [&str; 4] = ["1", "2", "3", "4"];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A Sunday.
fn now() -> DateTime<Utc> {
    at("2026-11-22T10:00:00Z")
}

fn vault() -> Vault {
    Vault::open(std::path::Path::new("/nonexistent"), Some(&"5a".repeat(32))).unwrap()
}

fn terms() -> Terms {
    Terms {
        currency: Currency::parse("USD").unwrap(),
        minimum: dec!(1),
        fee: dec!(0.25),
        item_limit: dec!(1000),
        batch_limit: dec!(5000),
        value_days: 1,
        originator: Some(Originator {
            name: "Acme Inc".into(),
            routing_number: Some("021000021".into()),
            account_number: Some("1234567890".into()),
            company_id: Some("1123456789".into()),
            bank_name: Some("First Bank".into()),
            iban: None,
            bic: None,
        }),
    }
}

fn order() -> Order {
    Order { rail: Rail::Nacha, terms: terms(), withholding: dec!(0.24), purpose: "Commission 2026-11".into() }
}

/// The line 1 <- 2 <- 3 <- 4; an order of 4 pays 15 % to 4 and 5 % each to 3 and 2. All have accounts.
struct Company {
    pipeline: Pipeline,
}

impl Company {
    fn new() -> Self {
        let company = Self { pipeline: Pipeline::with_company() };
        EVERYBODY.iter().for_each(|id| company.account(id, "1234567", 0, ANN, at("2026-01-01T00:00:00Z")));
        company
    }

    /// An order of 4 with this net, and what of it was refunded.
    fn order(&self, id: u64, net: &str, refunds: &[&str], hour: u32) {
        let modified = format!("2026-11-02T{hour:02}:00:00");
        let body = payload::Order { id, net, total: net, refunds, modified: &modified, ..Default::default() };
        self.pipeline.accept(STORE, &[body.body()]);
        self.pipeline.drain();
    }

    fn account(&self, id: &str, number: &str, hold_days: u32, by: &str, now: DateTime<Utc>) {
        let given = Given {
            rail: "nacha".into(),
            currency: "USD".into(),
            name: format!("Person {id}"),
            holder: "person".into(),
            country: "US".into(),
            routing_number: "021000021".into(),
            account_number: number.into(),
            account: "checking".into(),
            ..Given::default()
        };
        let details = given.read().unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(details.payee.holder, Holder::Person);
        let id = DistributorId::new(id);
        self.write(|tx| {
            payees::set(tx, &vault(), (&id, &details), hold_days, by, now)
                .map_err(|error| DbError::Invariant(error.to_string()))
        });
    }

    fn write<T>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, DbError>) -> T {
        self.pipeline.db.transact(Lane::Admin, work).unwrap()
    }

    fn change<T>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, PayoutProblem>,
    ) -> Result<T, PayoutProblem> {
        upline::cli::transact(&self.pipeline.db, work)
    }

    #[track_caller]
    fn refused<T>(&self, why: &str, work: impl FnMut(&mut Tx<'_>) -> Result<T, PayoutProblem>) {
        let Err(problem) = self.change(work) else { panic!("it should be refused: {why}") };
        assert!(problem.to_string().contains(why), "{problem}");
    }

    #[track_caller]
    fn prepare(&self) -> Batch {
        self.change(|tx| payouts::prepare(tx, &order(), ANN, now())).unwrap()
    }

    #[track_caller]
    fn approve(&self, batch_no: i32) -> Batch {
        let approval = self.seen(batch_no);
        self.change(|tx| payouts::approve(tx, batch_no, &approval, BOB, now())).unwrap()
    }

    /// What somebody who has looked says.
    fn seen(&self, batch_no: i32) -> Approval {
        Approval { shown: self.review(batch_no).digest, over_limits: false }
    }

    fn review(&self, batch_no: i32) -> payouts::Review {
        self.change(|tx| payouts::review(tx.conn, batch_no, now())).unwrap()
    }

    #[track_caller]
    fn export(&self, batch_no: i32) -> Exported {
        self.change(|tx| payouts::export(tx, &vault(), batch_no, ANN, now())).unwrap()
    }

    /// Prepared, approved and in a file.
    #[track_caller]
    fn exported(&self) -> (Batch, Exported) {
        let batch = self.prepare();
        self.approve(batch.batch_no);
        let exported = self.export(batch.batch_no);
        (exported.batch.clone(), exported)
    }

    fn items(&self, batch_no: i32) -> Vec<Item> {
        self.review(batch_no).items
    }

    fn item_of(&self, batch_no: i32, distributor: &str) -> Item {
        let mut items = self.items(batch_no).into_iter();
        items.find(|item| item.distributor().as_str() == distributor).unwrap()
    }

    /// What the bank says of these payouts, as a file of its own.
    #[track_caller]
    fn hear(&self, message: &str, answers: Vec<Answer>) -> Import {
        let file = bank_file(message, answers);
        let hash = payouts::file_hash(message.as_bytes());
        self.change(|tx| payouts::take_answers(tx, &file, &hash, ANN, now())).unwrap()
    }

    fn mark(&self, batch_no: i32, which: Which, to: ItemStatus) -> Result<Batch, PayoutProblem> {
        self.change(|tx| payouts::mark(tx, (batch_no, &which), to, "the statement", BOB, now()))
    }

    /// What stands on an account, credit positive, by distributor.
    fn on(&self, account: i16) -> String {
        self.pipeline.ask(&format!(
            "select string_agg(distributor_id || ' ' || s, ', ' order by distributor_id) from
             (select distributor_id, -sum(amount)::numeric(20,2) as s from postings
              where account = {account} and distributor_id is not null group by 1 having sum(amount) <> 0) t"
        ))
    }

    /// Earned = paid + on its way + held back + payable - receivable + withheld + fees, for everybody; items and ledger
    /// say the same; everything balances and proves.
    #[track_caller]
    fn closes(&self) {
        let off = self.pipeline.ask(
            "select string_agg(concat_ws(' ', distributor_id, earned, stands), '; ') from (
               select p.distributor_id,
                 -coalesce(sum(p.amount) filter (where account = 2100 and kind in ('commission', 'period', 'adjustment', 'manual')), 0)
                   as earned,
                 -sum(p.amount) filter (where account in (1000, 1200, 2100, 2110, 2120, 2130, 4200)) as stands
               from postings p join journal_entries e using (source_id, entry_no)
               where p.distributor_id is not null group by p.distributor_id, e.currency) t
             where earned <> stands",
        );
        assert_eq!(off, "");
        let by_items = |column: &str, statuses: &str| {
            self.pipeline.ask(&format!(
                "select coalesce(sum({column}), 0)::numeric(20,2) from payout_items where status in ({statuses})"
            ))
        };
        let by_ledger = |account: i16| {
            self.pipeline.ask(&format!(
                "select coalesce(-sum(amount), 0)::numeric(20,2) from postings where account = {account}"
            ))
        };
        let live = "'prepared', 'approved', 'exported', 'sent', 'unknown'";
        let kept = format!("{live}, 'confirmed'");
        assert_eq!(by_items("net", "'confirmed'"), by_ledger(1000), "paid");
        assert_eq!(by_items("net", live), by_ledger(2120), "on its way");
        assert_eq!(by_items("withheld", &kept), by_ledger(2130), "withheld");
        assert_eq!(by_items("fee", &kept), by_ledger(4200), "fees");
        assert_eq!(self.pipeline.ask("select coalesce(sum(amount), 0)::int from postings"), "0");
        assert_eq!(
            self.pipeline.ask(
                "select count(*) from (select distributor_id from payout_items
                   where status in ('prepared', 'approved', 'exported', 'sent', 'unknown')
                   group by distributor_id, currency having count(*) > 1) t"
            ),
            "0",
            "two payouts of one person are on their way"
        );
        let verified = self.pipeline.verify();
        assert!(verified.is_clean(), "{:?}", verified.problems);
    }
}

fn answer(item: &Item, says: Says) -> Answer {
    Answer {
        about: Reference::Item(item.item_id),
        says,
        amount: Some(item.money.net),
        currency: Some("USD".into()),
        code: None,
        reason: None,
        on: None,
    }
}

fn bank_file(message: &str, answers: Vec<Answer>) -> BankFile {
    BankFile {
        format: BankFormat::Csv,
        message_id: message.to_owned(),
        answers,
        wholes: vec![],
        notes: vec![],
        skipped: 0,
    }
}

/// A bank that pays what files tell it, once for each reference; whatever it gets twice it pays once.
#[derive(Default)]
struct Bank {
    paid: HashMap<String, Decimal>,
}

impl Bank {
    /// NACHA entries: the identification of each and its amount, but for the offset of the company itself.
    fn take(&mut self, file: &[u8]) {
        let text = std::str::from_utf8(file).unwrap();
        for line in text.lines().filter(|line| line.starts_with('6')) {
            let (cents, reference) = (line.get(29..39).unwrap(), line.get(39..54).unwrap().trim());
            if reference.starts_with('U') {
                let amount = Decimal::new(cents.trim().parse().unwrap(), 2);
                let before = self.paid.insert(reference.to_owned(), amount);
                assert!(before.is_none_or(|before| before == amount), "{reference} has another amount");
            }
        }
    }

    /// By distributor.
    fn by_distributor(&self, company: &Company) -> BTreeMap<String, Decimal> {
        let mut sums = BTreeMap::new();
        for (reference, amount) in &self.paid {
            let Reference::Number(number) = Reference::read(reference) else { panic!("{reference}") };
            let who = company
                .pipeline
                .ask(&format!("select distributor_id from payout_items where item_no = {number}"));
            *sums.entry(who).or_insert(Decimal::ZERO) += *amount;
        }
        sums
    }
}
