//! Tables as a spreadsheet reads them, and answers as a person types them.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::testing::*;
use super::super::{BankFormat, ReadProblem, check, read, write};
use super::PLAIN_HEADER;
use crate::core::payee::{Holder, PayTo};
use crate::core::payout::{EndToEnd, PaymentFile, Rail, Reference, Says};

fn text(file: &PaymentFile) -> String {
    String::from_utf8(write(file).unwrap().bytes).unwrap()
}

fn wallets(rail: Rail) -> PaymentFile {
    let payments = vec![
        payment(1, 10_050, "USD", "Zoë, \"Z\"", Holder::Person, email(rail, "zoe@shop.example")),
        payment(2, 1, "USD", "=HYPERLINK(1)", Holder::Company, email(rail, "b+x@shop.example")),
    ];
    file(rail, "USD", payments)
}

fn problems(file: &PaymentFile) -> String {
    write(file).unwrap_err().iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn paypal_has_no_header() {
    let first = EndToEnd::of(item(1));
    let second = EndToEnd::of(item(2));
    let wanted = format!(
        "zoe@shop.example,100.50,USD,{},Commission 2026-10,PAYPAL\r\n\
         b+x@shop.example,0.01,USD,{},Commission 2026-10,PAYPAL\r\n",
        first.as_str(),
        second.as_str()
    );
    assert_eq!(text(&wallets(Rail::Paypal)), wanted);
    assert_eq!(write(&wallets(Rail::Paypal)).unwrap().name, "payout-42-paypal.csv");
}

#[test]
fn wise_pays_exactly_the_amount() {
    let text = text(&wallets(Rail::Wise));
    let wanted = "name,recipientEmail,paymentReference,receiverType,amountCurrency,amount,sourceCurrency,targetCurrency\r\n\
        \"Zoë, \"\"Z\"\"\",zoe@shop.example,U00000000000001,PERSON,target,100.50,USD,USD\r\n\
        '=HYPERLINK(1),b+x@shop.example,U00000000000002,INSTITUTION,target,0.01,USD,USD\r\n";
    assert_eq!(text, wanted);
}

#[test]
fn what_a_wallet_cannot_do_is_named() {
    let mut file = wallets(Rail::Paypal);
    file.payments.push(payment(3, 5, "USD", "A", Holder::Person, email(Rail::Paypal, "=cmd@shop.example")));
    file.payments.push(payment(4, 5, "USD", "B", Holder::Person, iban("DE89370400440532013000")));
    let all = problems(&file);
    assert!(all.contains("D3: the e-mail address begins like a formula"), "{all}");
    assert!(all.contains("D4: PayPal needs") && !all.contains("3704"), "{all}");
    let crowd =
        (1..=1_001).map(|n| payment(n, 5, "USD", "A", Holder::Person, email(Rail::Wise, "a@b.example")));
    let all = problems(&super::super::testing::file(Rail::Wise, "USD", crowd.collect()));
    assert!(all.contains("1000 payments, not 1001: split the batch"), "{all}");
    let forint = payment(1, 150, "HUF", "A", Holder::Person, email(Rail::Paypal, "a@b.example"));
    let all = problems(&super::super::testing::file(Rail::Paypal, "HUF", vec![forint]));
    assert!(all.contains("whole HUF only"), "{all}");
    let far = payment(1, 15_000, "VND", "A", Holder::Person, email(Rail::Paypal, "a@b.example"));
    let all = problems(&super::super::testing::file(Rail::Paypal, "VND", vec![far]));
    assert!(all.contains("PayPal does not pay VND"), "{all}");
}

#[test]
fn the_plain_table_holds_every_way_to_pay() {
    let payments = vec![
        payment(1, 100, "USD", "A", Holder::Person, us_bank("12345678")),
        payment(2, 200, "USD", "B", Holder::Person, iban("DE89370400440532013000")),
        payment(3, 300, "USD", "C", Holder::Company, email(Rail::Wise, "c@d.example")),
        payment(
            4,
            400,
            "USD",
            "@D",
            Holder::Person,
            PayTo::Other { instruction: "a cheque\nby post".into() },
        ),
    ];
    let text = text(&file(Rail::Csv, "USD", payments));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap(), &csv::StringRecord::from(PLAIN_HEADER.to_vec()));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let at =
        |row: usize, name: &str| rows[row][PLAIN_HEADER.iter().position(|n| *n == name).unwrap()].to_owned();
    assert_eq!((at(0, "pay_by"), at(0, "routing_number")), ("us_bank".into(), "011401533".into()));
    assert_eq!((at(0, "account_number"), at(0, "account_kind")), ("12345678".into(), "checking".into()));
    assert_eq!((at(1, "pay_by"), at(1, "iban")), ("iban".into(), "DE89370400440532013000".into()));
    assert_eq!(
        (at(2, "pay_by"), at(2, "email"), at(2, "holder")),
        ("wise".into(), "c@d.example".into(), "company".into())
    );
    assert_eq!((at(3, "name"), at(3, "instruction")), ("'@D".into(), "a cheque by post".into()));
    assert_eq!(
        (at(3, "amount"), at(3, "currency"), at(3, "number")),
        ("4.00".into(), "USD".into(), "U00000000000004".into())
    );
    assert_eq!(
        (at(3, "batch"), at(3, "distributor"), at(3, "value_date")),
        ("42".into(), "D4".into(), "2026-11-06".into())
    );
    assert_eq!(EndToEnd::item(&at(3, "reference")), Some(item(4)));
}

#[test]
fn a_table_that_was_tampered_with_is_noticed() {
    for (rail, changes) in [
        (Rail::Paypal, [("100.50", "-1"), ("USD", "U"), (",PAYPAL", "")]),
        (Rail::Wise, [("U00000000000002", "U00000000000001"), ("'=HYPER", "=HYPER"), ("name,", "nom,")]),
    ] {
        let text = text(&wallets(rail));
        assert_eq!(check(rail, text.as_bytes()), Vec::<String>::new());
        for (old, new) in changes {
            assert!(text.contains(old), "{old}");
            assert!(
                !check(rail, text.replacen(old, new, 1).as_bytes()).is_empty(),
                "{rail:?}: {old} -> {new}"
            );
        }
    }
}

#[test]
fn a_table_of_answers_is_read_by_its_columns() {
    let reference = EndToEnd::of(item(1));
    let text = format!(
        "\u{feff}Status;Reference;Reason;Amount;Currency;Date;Other\r\n\
         paid;{};;12.50;usd;2026-11-09;x\r\n\
         RETURNED;U00000000000002;account closed;;;;\r\n\
         unclaimed;ORDER 7;;;;;\r\n",
        reference.as_str()
    );
    let file = read(text.as_bytes()).unwrap();
    assert_eq!(file.format, BankFormat::Csv);
    assert!(file.message_id.starts_with("sha256:"));
    assert_eq!(read(text.as_bytes()).unwrap(), file);
    let [first, second, third] = file.answers.as_slice() else { panic!("{:?}", file.answers) };
    assert_eq!((&first.about, first.says), (&Reference::Item(item(1)), Says::Booked));
    assert_eq!((first.amount, first.currency.as_deref()), (Some(Decimal::new(1_250, 2)), Some("USD")));
    assert_eq!(first.on.unwrap().to_string(), "2026-11-09");
    assert_eq!((&second.about, second.says), (&Reference::Number(2), Says::Returned));
    assert_eq!(second.reason.as_deref(), Some("account closed"));
    assert_eq!((&third.about, third.says), (&Reference::Foreign("ORDER 7".into()), Says::Pending));
}

#[test]
fn a_table_with_a_mistake_is_not_taken_at_all() {
    let text =
        "reference,status,amount,currency,date\nU00000000000001,gone,1,USD,\n,paid,x,DOLLAR,9.11.2026\n";
    let Err(ReadProblem::Broken { what, .. }) = read(text.as_bytes()) else { panic!("taken") };
    for part in ["line 2, status", "line 3, reference", "line 3, amount", "line 3, currency", "line 3, date"]
    {
        assert!(what.contains(part), "{part} is not in {what}");
    }
    for unknown in ["a,b,c\n1,2,3\n", "", "reference,amount\n1,2\n", "\u{0}\u{1}"] {
        assert_eq!(read(unknown.as_bytes()), Err(ReadProblem::Unknown), "{unknown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the payees and amounts, the same money stands in the rows for the same payments.
    #[test]
    fn a_spreadsheet_reads_the_same_money(payments in us_payments()) {
        let text = text(&file(Rail::Csv, "USD", payments.clone()));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), payments.len());
        for (row, payment) in rows.iter().zip(&payments) {
            prop_assert_eq!(EndToEnd::item(&row[0]), Some(payment.item));
            prop_assert_eq!(row[7].parse::<Decimal>().unwrap(), payment.amount.amount());
        }
    }
}
