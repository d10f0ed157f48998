//! What tax offices and the public are told fits the ledger to the cent, and what was given out stays provable.

mod at_work;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use rust_decimal::{Decimal, dec};
use sha2::{Digest, Sha256};
use upline::core::binding::{Policy, What};
use upline::core::ids::{DistributorId, StoreId};
use upline::core::money::Currency;
use upline::core::payout::choice::Terms;
use upline::core::payout::{ItemStatus, Originator, Rail};
use upline::customers::{NewDecision, NewPolicy};
use upline::db::{Conn, Db, Lane, Tx};
use upline::payees::{self, Given, TaxChange, TaxStatus, TinKind};
use upline::payouts::{self, Approval, Order as Batch, Which};
use upline::tax::{self, IncomeAsked, IncomeTold, Issued, NecRow, News, Published, TaxProblem};
use upline::vault::Vault;

use crate::support::payload::Order;
use crate::support::pipeline::{Pipeline, now as ordered};

const STORE: StoreId = StoreId(1);
const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const SSN: &str = "123-45-6789";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-11-22T10:00:00Z")
}

fn vault() -> Vault {
    Vault::open(std::path::Path::new("/nonexistent"), Some(&"5a".repeat(32))).unwrap()
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

/// The line 1 <- 2 <- 3 <- 4 in the United States; an order of 4 pays 15 % to 4 and 5 % each to 3 and 2.
struct Company(Pipeline);

impl Company {
    fn new(country: &str) -> Self {
        let company = Self(Pipeline::with_company());
        company.0.tamper(&format!("update distributors set country = '{country}'"));
        ["1", "2", "3", "4"].into_iter().for_each(|id| company.account(id));
        company
    }

    fn account(&self, id: &str) {
        let given = Given {
            rail: "nacha".into(),
            currency: "USD".into(),
            name: format!("Person {id}"),
            holder: "person".into(),
            country: "US".into(),
            routing_number: "021000021".into(),
            account_number: "1234567".into(),
            account: "checking".into(),
            ..Given::default()
        };
        let details = given.read().unwrap_or_else(|problems| panic!("{problems:?}"));
        let id = DistributorId::new(id);
        let set = |tx: &mut Tx<'_>| payees::set(tx, &vault(), (&id, &details), 0, ANN, now());
        self.0.db.transact_or(Lane::Admin, set).unwrap();
    }

    fn tells(&self, id: &str, kind: TinKind, number: &str, status: TaxStatus) {
        let change = TaxChange {
            kind: Some(kind),
            number: Some(number.to_owned()),
            status: Some(status),
            ..TaxChange::default()
        };
        let id = DistributorId::new(id);
        let set = |tx: &mut Tx<'_>| payees::set_tax(tx, &vault(), (&id, &change), ANN, now());
        self.0.db.transact_or(Lane::Admin, set).unwrap();
    }

    fn sells(&self, order: Order<'_>) {
        self.0.accept(STORE, &[order.body()]);
        self.0.drain();
    }

    /// Everything that is due, in a file of the bank.
    fn pays(&self) -> i32 {
        let order = Batch {
            rail: Rail::Nacha,
            terms: Terms {
                currency: usd(),
                minimum: dec!(1),
                fee: dec!(0.25),
                item_limit: dec!(100000),
                batch_limit: dec!(100000),
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
            },
            withholding: dec!(0.24),
            purpose: "Commission 2026-11".into(),
        };
        let pay = |tx: &mut Tx<'_>| {
            let batch_no = payouts::prepare(tx, &order, ANN, now())?.batch_no;
            let shown = payouts::review(tx.conn, batch_no, now())?.digest;
            payouts::approve(tx, batch_no, &Approval { shown, over_limits: false }, BOB, now())?;
            payouts::export(tx, &vault(), batch_no, ANN, now())?;
            Ok::<_, payouts::PayoutProblem>(batch_no)
        };
        upline::cli::transact(&self.0.db, pay).unwrap()
    }

    fn hears(&self, batch_no: i32, which: Which, to: ItemStatus) {
        let mark = |tx: &mut Tx<'_>| payouts::mark(tx, (batch_no, &which), to, "the statement", BOB, now());
        upline::cli::transact(&self.0.db, mark).unwrap();
    }

    fn item_of(&self, distributor: &str) -> Which {
        let number = format!("select item_no from payout_items where distributor_id = '{distributor}'");
        Which::Items(vec![self.0.ask(&number).parse().unwrap()])
    }

    fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T, TaxProblem>) -> Result<T, TaxProblem> {
        self.0.db.read(Lane::Admin, |conn| Ok(tax::in_one_snapshot(conn, work))).unwrap()
    }

    fn forms(&self, year: i32) -> Vec<NecRow> {
        self.read(|conn| tax::form_1099(conn, year)).unwrap().rows
    }

    fn income(&self, year: i32) -> IncomeTold {
        let asked = IncomeAsked { year, currency: usd(), country: None };
        self.read(|conn| tax::disclosure(conn, &asked)).unwrap()
    }

    fn publishes(&self) -> Published {
        let figure = self.income(2026).figure();
        self.0.db.transact(Lane::Admin, |tx| tax::publish(tx, &figure, ANN, now())).unwrap()
    }

    fn issues(&self) -> Issued {
        issue(&self.0.db, now())
    }

    fn ask(&self, sql: &str) -> String {
        self.0.ask(sql)
    }
}

fn issue(db: &Db, at: DateTime<Utc>) -> Issued {
    db.transact_or(Lane::Admin, |tx| tax::issue(tx, ANN, at)).unwrap()
}

fn boxes(rows: &[NecRow]) -> Vec<(&str, Decimal, Decimal, bool, String)> {
    let told = |row: &'_ NecRow| (row.form.box_1, row.form.box_4, row.form.is_due, row.missing.join(" "));
    rows.iter()
        .map(|row| {
            let (box_1, box_4, is_due, missing) = told(row);
            (row.distributor.as_str(), box_1, box_4, is_due, missing)
        })
        .collect()
}

#[test]
fn a_years_forms_are_what_the_bank_has_paid() {
    let company = Company::new("US");
    company.tells("4", TinKind::Ssn, SSN, TaxStatus::W9);
    company.sells(Order { net: "20000.00", total: "20000.00", ..Order::default() });
    let batch = company.pays();
    assert!(company.forms(2026).is_empty(), "nothing has arrived yet");
    company.hears(batch, Which::All, ItemStatus::Confirmed);
    let nothing = String::new();
    let lacks = || "tin w9".to_owned();
    assert_eq!(
        boxes(&company.forms(2026)),
        [
            ("2", dec!(1000), dec!(240), true, lacks()),
            ("3", dec!(1000), dec!(240), true, lacks()),
            ("4", dec!(3000), dec!(0), true, nothing.clone()),
        ],
        "fees and withheld tax are part of what was paid, and withheld tax is told below the threshold"
    );
    let told = company.read(|conn| tax::form_1099(conn, 2026)).unwrap();
    let bank =
        company.ask("select (-sum(amount))::numeric(20,2) from postings where account in (1000, 2130, 4200)");
    assert_eq!((told.sums().0.to_string(), told.incomplete()), (bank, 2), "to the cent");
    assert!(company.forms(2025).is_empty());
    let unknown = company.read(|conn| tax::form_1099(conn, 2027)).unwrap_err().to_string();
    assert!(unknown.contains("2027"), "{unknown}");

    // What comes back was never paid, and no year has it.
    company.hears(batch, company.item_of("3"), ItemStatus::Returned);
    let forms = company.forms(2026);
    assert_eq!(forms.iter().map(|row| row.distributor.as_str()).collect::<Vec<_>>(), ["2", "4"]);
    // Signed forms say who is told of, whatever the country.
    company.tells("2", TinKind::Foreign, "X-1", TaxStatus::W8);
    company.0.tamper("update distributors set country = null");
    let told = company.read(|conn| tax::form_1099(conn, 2026)).unwrap();
    assert_eq!((told.rows.len(), told.elsewhere), (1, 1));
}

#[test]
fn money_of_other_currencies_is_told_and_in_no_box() {
    let company = Company::new("US");
    company.sells(Order::default());
    let batch = company.pays();
    company.hears(batch, Which::All, ItemStatus::Confirmed);
    company.0.tamper("update journal_entries set currency = 'EUR'");
    let told = company.read(|conn| tax::form_1099(conn, 2026)).unwrap();
    assert!(told.rows.is_empty() && !told.is_complete());
    let sums: Vec<Decimal> = told.other_currencies.iter().map(|one| one.paid).collect();
    assert_eq!(sums, [dec!(5), dec!(5), dec!(15)]);
    assert!(told.other_currencies.iter().all(|one| one.currency.code() == "EUR"));
}

#[test]
fn everybody_counts_also_who_earned_nothing() {
    let company = Company::new("US");
    // One who has left before, one who was never more than interested, one who comes later.
    for id in ["left", "prospect", "later"] {
        company.0.enroll(id, Some("1"));
    }
    company.0.tamper(
        "update distributors set created_at = '2027-02-01' where distributor_id = 'later';
         update distributor_versions set status = 'prospect' where distributor_id = 'prospect';
         insert into distributor_versions
           (distributor_id, version_no, sponsor_id, status, effective_from, recorded_at, recorded_by)
         values ('left', 9, '1', 'terminated', '2025-06-01', '2025-06-01', 'test');
         update distributor_versions set rank = 'gold' where distributor_id = '4'",
    );
    company.sells(Order { net: "200.00", total: "200.00", ..Order::default() });
    let refunded = Order {
        net: "200.00",
        total: "200.00",
        modified: "2026-11-03T10:00:00",
        refunds: &["100.00"],
        ..Order::default()
    };
    company.sells(refunded);
    let batch = company.pays();
    let told = company.income(2026);
    let everybody = &told.disclosure.all;
    assert_eq!((everybody.gross.people, everybody.gross.with_nothing), (4, 1));
    assert_eq!((everybody.gross.sum, everybody.gross.median), (dec!(50), dec!(10)));
    // Half was taken back, and each payout costs 0.25.
    assert_eq!((everybody.after.sum, everybody.after.median), (dec!(24.25), dec!(4.75)));
    assert_eq!(told.disclosure.ranks.keys().collect::<Vec<_>>(), ["", "gold"]);
    assert_eq!(told.disclosure.ranks["gold"].gross.mean, dec!(30));
    let events = company.ask(
        "select sum(amount)::numeric(20,2) || ' ' || (sum(amount) filter (where amount > 0))::numeric(20,2)
         from commission_events",
    );
    let sum = |column: usize| -> Decimal {
        told.rows.rows.iter().map(|row| row[column].parse::<Decimal>().unwrap()).sum()
    };
    assert_eq!(events, format!("{} {}", sum(2) - sum(3), sum(2)), "to the cent of what the events say");
    company.hears(batch, Which::All, ItemStatus::Returned);
    assert_eq!(
        company.income(2026).disclosure.all.after.sum,
        dec!(25),
        "a payout that came back cost nothing"
    );
    // Before the first commission: three more were there, and nobody had earned anything.
    let before = company.income(2025);
    assert_eq!((before.disclosure.all.gross.people, before.disclosure.all.gross.with_nothing), (5, 5));
    let abroad = IncomeAsked { year: 2026, currency: usd(), country: Some("DE".into()) };
    let abroad = company.read(|conn| tax::disclosure(conn, &abroad)).unwrap();
    assert_eq!(abroad.disclosure.all.gross.people, 0);
    let euro = IncomeAsked { year: 2026, currency: Currency::parse("EUR").unwrap(), country: None };
    let euro = company.read(|conn| tax::disclosure(conn, &euro)).unwrap();
    assert_eq!((euro.disclosure.all.gross.people, euro.elsewhere), (1, 3), "they earned, elsewhere");
}

#[test]
fn a_figure_is_given_out_once_and_followed_when_it_changes() {
    let company = Company::new("US");
    company.sells(Order::default());
    let first = company.publishes();
    assert_eq!((first.news, first.figure.data_rows, first.figure.follows), (News::First, 4, None));
    let csv = company.income(2026).rows.csv().unwrap();
    assert_eq!(first.figure.data_sha256, hex::encode(Sha256::digest(csv)), "the seal of what a person gets");
    let again = company.publishes();
    assert_eq!((again.news, again.figure), (News::Same, first.figure.clone()));
    company.sells(Order { id: 302, ..Order::default() });
    let changed = company.publishes();
    assert_eq!((changed.news, changed.figure.follows), (News::Changed, Some(first.figure.figure_no)));
    let change = changed.figure.change.unwrap();
    assert_eq!(change["gross"], serde_json::json!({"before": "25.00", "now": "50.00"}), "{change}");
    // Its query is the one that is kept: run by somebody else, it gives the same sum.
    let query = changed.figure.query.replace("$1", "timestamptz '2026-01-01 00:00+00'");
    let query =
        query.replace("$2", "timestamptz '2027-01-01 00:00+00'").replace("$3", "'USD'").replace("$4", "''");
    let sum = company.ask(&format!("select sum(gross)::numeric(20,2) from ({query}) kept"));
    assert_eq!(sum, "50.00");
    let log = "select string_agg(action || ' ' || object, ', ' order by audit_id) from audit_log
               where action = 'figure.published'";
    assert_eq!(company.ask(log), "figure.published figure 1, figure.published figure 2");
    let edit = "update published_figures set summary = '{}'";
    let edited = company.0.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(edit)?));
    assert!(edited.is_err(), "what was given out stays");
    assert_eq!(company.ask("select count(*) from published_figures where summary <> '{}'"), "2");
}

#[test]
fn commissions_are_told_by_who_bought() {
    let company = Company::new("US");
    let db = &company.0.db;
    let policy = NewPolicy { policy: Policy::Life, own_place: None, bound_place: None, from: None };
    db.transact(Lane::Admin, |tx| upline::orders::set_binding_policy(tx, STORE, &policy, "test", ordered()))
        .unwrap();
    let is = |customer: &'static str, distributor: &DistributorId| {
        let decision = NewDecision {
            store: STORE,
            customer,
            what: What::Is,
            distributor: Some(distributor),
            from: Some(at("2020-01-01T00:00:00Z")),
            source: "manual",
        };
        let decisions = [decision];
        db.transact(Lane::Admin, |tx| upline::orders::bind_customers(tx, &decisions, "test", ordered()))
            .unwrap();
    };
    company.sells(Order { id: 1, customer: 70, ..Order::default() });
    company.sells(Order { id: 2, customer: 74, distributor: None, ..Order::default() });
    company.sells(Order { id: 3, customer: 71, ..Order::default() });
    is("74", &DistributorId::new("4"));
    is("71", &DistributorId::new("1"));
    company.sells(Order {
        id: 4,
        customer: 74,
        distributor: None,
        net: "40.00",
        total: "40.00",
        ..Order::default()
    });
    company.0.tamper(
        "insert into periods (period_id, name, starts_at, ends_at, created_at)
         select gen_random_uuid(), '2026-11', '2026-11-01', '2026-12-01', now()
         where not exists (select from periods where name = '2026-11')",
    );
    let told = company.read(|conn| tax::customer_share(conn, "2026-11")).unwrap();
    let four = told.earners.iter().find(|earner| earner.distributor.as_str() == "4").unwrap();
    let it = &four.sources;
    let own = company.ask("select coalesce(sum(net), 0)::numeric(20,2) from orders where own");
    let own: Decimal = own.parse().unwrap();
    assert!(own >= dec!(40), "4 has bought for itself");
    assert_eq!(
        (it.from_customers, it.from_own, it.from_distributors),
        (dec!(15), own * dec!(0.15), dec!(15))
    );
    assert_eq!(four.customer_share, upline::core::disclosure::share(dec!(15), dec!(30) + own * dec!(0.15)));
    assert_eq!((it.sold_to_customers, it.sold_to_distributors), (dec!(100), dec!(100) + own));
    // Nothing is lost between the three: they are all that orders have paid.
    let all: Decimal = told
        .company
        .iter()
        .map(|sum| sum.sources.from_customers + sum.sources.from_own + sum.sources.from_distributors)
        .sum();
    assert_eq!(all.to_string(), company.ask("select sum(amount)::numeric(20,2) from commission_events"));
    let unknown = company.read(|conn| tax::customer_share(conn, "1999-01")).unwrap_err().to_string();
    assert!(unknown.contains("upline period list"), "{unknown}");
}

#[test]
fn numbers_have_no_gap_whoever_asks_for_them() {
    let company = Company::new("DE");
    company.0.tamper("update distributors set country = null where distributor_id = '2'");
    for id in ["2", "3", "4"] {
        company.tells(id, TinKind::Vat, "DE123456789", TaxStatus::None);
    }
    company.sells(Order::default());
    let batch = company.pays();
    assert_eq!(company.issues(), Issued::default(), "nothing is paid yet");
    company.hears(batch, Which::All, ItemStatus::Confirmed);
    // Tried and given up: the numbers are not gone.
    let tried = company.0.db.transact_or(Lane::Admin, |tx| {
        tax::issue(tx, ANN, now())?;
        Err::<(), _>(TaxProblem::Refused("only tried".into()))
    });
    assert!(tried.is_err());
    let several: Vec<Issued> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| issue(&company.0.db, now()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(
        several.iter().filter(|issued| !issued.invoices.is_empty()).count(),
        1,
        "one of four gave them"
    );
    assert!(several.iter().all(|issued| issued.without_country == [DistributorId::new("2")]));
    let numbers = "select string_agg(concat_ws(' ', country, year, invoice_no, kind, distributor_id, amount::numeric(20,2)),
                                     ', ' order by country, year, invoice_no) from self_billing_invoices";
    assert_eq!(company.ask(numbers), "DE 2026 1 invoice 3 5.00, DE 2026 2 invoice 4 15.00");
    // It comes back after its invoice, and the year has turned: the credit note is of the year in which it is issued.
    company.hears(batch, company.item_of("3"), ItemStatus::Returned);
    company.0.tamper("update distributors set country = 'FR' where distributor_id = '2'");
    let next_year = at("2027-01-04T10:00:00Z");
    let issued = issue(&company.0.db, next_year);
    let told: Vec<String> =
        issued.invoices.iter().map(|one| format!("{} {}", one.number(), one.kind)).collect();
    assert_eq!(told, ["SB-DE-2027-000001 credit_note", "SB-FR-2027-000001 invoice"]);
    assert_eq!(issue(&company.0.db, next_year), Issued::default(), "each once");
    let listed = company.read(|conn| Ok(tax::invoices(conn, "DE", 2026, 0, 10)?)).unwrap();
    assert_eq!(listed.iter().map(|one| one.invoice_no).collect::<Vec<_>>(), [1, 2]);
}
