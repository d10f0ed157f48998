//! A NACHA file against a parser of somebody else, its own check against a file that was tampered with, and returns as
//! banks write them.

use proptest::prelude::*;
use rs_ach::AchFile;
use rust_decimal::Decimal;

use super::super::testing::*;
use super::super::{BankFormat, ReadProblem, read, write};
use super::check;
use crate::core::payee::{Holder, UsAccountKind};
use crate::core::payout::{Payment, PaymentFile, Rail, Reference, Says};

fn two() -> PaymentFile {
    let payments = vec![
        payment(1, 12_345, "USD", "Zoë Martínez", Holder::Person, us_bank("1234567890")),
        payment(2, 99, "USD", "Acme & Sons LLC", Holder::Company, us_bank("AB-55")),
    ];
    file(Rail::Nacha, "USD", payments)
}

fn text(file: &PaymentFile) -> String {
    String::from_utf8(write(file).unwrap().bytes).unwrap()
}

#[test]
fn the_records_are_those_of_the_rules() {
    let file = two();
    let rendered = write(&file).unwrap();
    assert_eq!(rendered.name, "payout-42-nacha.ach");
    let text = String::from_utf8(rendered.bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10);
    let wanted = [
        "101 0910000191234567890261104",
        "5200SONNENBERG DIREC                    1234567890CCDCOMMISSION261104261106   1091000010000001",
        "622011401533AB-55            0000000099U00000000000002ACME & SONS LLC         0091000010000001",
        "62709100001999887766         0000000099OFFSET000000042SONNENBERG DIRECT, INC  0091000010000002",
        "820000000200102401540000000000990000000000991234567890                         091000010000001",
        "5200SONNENBERG DIREC                    1234567890PPDCOMMISSION261104261106   1091000010000002",
        "6220114015331234567890       0000012345U00000000000001ZOE MARTINEZ            0091000010000003",
        "62709100001999887766         0000012345OFFSET000000042SONNENBERG DIRECT, INC  0091000010000004",
        "820000000200102401540000000123450000000123451234567890                         091000010000002",
        "9000002000001000000040020480308000000012444000000012444",
    ];
    for (line, wanted) in lines.iter().zip(wanted) {
        assert!(line.starts_with(wanted), "\n{line}\n{wanted}");
        assert_eq!(line.len(), 94);
    }
}

#[test]
fn the_same_batch_has_the_same_bytes_in_any_order() {
    let file = two();
    let mut turned = file.clone();
    turned.payments.reverse();
    assert_eq!(write(&file).unwrap(), write(&turned).unwrap());
}

#[test]
fn what_does_not_fit_is_named_without_its_numbers() {
    let mut file = two();
    file.originator.company_id = Some("12".into());
    file.originator.account_number = None;
    file.purpose = " ".into();
    file.payments.push(payment(3, -5, "USD", "X", Holder::Person, us_bank("777788889999")));
    file.payments.push(payment(4, 5, "USD", "  ", Holder::Person, us_bank("777788889999")));
    file.payments.push(payment(5, 5, "EUR", "Y", Holder::Person, iban("DE89370400440532013000")));
    file.payments.push(payment(1, 12_345, "USD", "Twice", Holder::Person, us_bank("777788889999")));
    let problems: Vec<String> = write(&file).unwrap_err().iter().map(ToString::to_string).collect();
    let all = problems.join("\n");
    for part in [
        "company_id",
        "account_number is missing",
        "purpose is empty",
        "distributor D3: the amount -0.05 USD",
        "distributor D4: the payee has no name",
        "distributor D5: is paid EUR, the batch is in USD",
        "distributor D5: NACHA needs an account",
        "distributor D1: is in the batch twice",
    ] {
        assert!(all.contains(part), "{part} is not in\n{all}");
    }
    assert!(!all.contains("7777") && !all.contains("3704"), "{all}");
    assert!(write(&super::super::testing::file(Rail::Nacha, "USD", vec![])).is_err());
}

#[test]
fn a_batch_that_one_offset_cannot_hold_is_refused() {
    let payments = (1..=3).map(|n| payment(n, 4_000_000_000, "USD", "A", Holder::Person, us_bank("1234")));
    let problems = write(&file(Rail::Nacha, "USD", payments.collect())).unwrap_err();
    assert!(problems[0].what.contains("split the batch"), "{problems:?}");
}

/// Every column that a rule looks at, changed: each is noticed.
#[test]
fn a_file_that_was_tampered_with_is_noticed() {
    let text = text(&two());
    assert_eq!(check(text.as_bytes()), Vec::<String>::new());
    let lines: Vec<&str> = text.lines().collect();
    let places = [
        (0, 4),
        (0, 12),
        (0, 34),
        (0, 38),
        (1, 2),
        (1, 45),
        (1, 50),
        (1, 79),
        (1, 92),
        (2, 1),
        (2, 5),
        (2, 11),
        (2, 38),
        (2, 78),
        (2, 85),
        (2, 93),
        (4, 9),
        (4, 15),
        (4, 30),
        (4, 42),
        (4, 46),
        (4, 85),
        (9, 6),
        (9, 12),
        (9, 20),
        (9, 30),
        (9, 42),
        (9, 54),
    ];
    for (line, column) in places {
        let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let old = changed[line].as_bytes()[column];
        let other = if old == b'7' { "3" } else { "7" };
        changed[line].replace_range(column..=column, other);
        assert!(!check(changed.join("\r\n").as_bytes()).is_empty(), "line {line}, column {column}");
    }
    for missing in 0..lines.len() {
        let mut changed = lines.clone();
        changed.remove(missing);
        assert!(!check(changed.join("\r\n").as_bytes()).is_empty(), "without line {missing}");
    }
    assert!(!check(b"").is_empty() && !check(text.replace("ZOE", "ZO\u{e9}").as_bytes()).is_empty());
}

/// What a bank sends: our entry, turned into a return with its addenda.
fn returns(entries: &[(&str, &str, &str, u64, &str)]) -> String {
    let mut lines = vec![format!(
        "101 {:9}{:10}2611090915A094101{:23}{:23}{:8}",
        "091000019", "0910000190", "SONNENBERG", "FIRST BANK", ""
    )];
    let (mut hash, mut cents) = (0u64, 0u64);
    lines.push(format!("5220{:36}1234567890PPDCOMMISSION261109261109   1091000010000001", "SONNENBERG"));
    for ((kind, code, reference, amount, rest), at) in entries.iter().zip(1..) {
        lines.push(format!(
            "621091000019{:17}{amount:010}{reference:15}{:22}  1{:8}{at:07}",
            "1234", "A", "01140153"
        ));
        lines.push(format!("7{kind}{code}091000010000003      01140153{rest:44}01140153{at:07}"));
        hash += 9_100_001;
        cents += amount;
    }
    let count = entries.len() * 2;
    lines.push(format!("8220{count:06}{hash:010}{:012}{cents:012}1234567890{:25}091000010000001", 0, ""));
    lines.push(format!("9{:06}{:06}{count:08}{hash:010}{:012}{cents:012}{:39}", 1, 1, 0, ""));
    lines.resize(lines.len().div_ceil(10) * 10, "9".repeat(94));
    lines.join("\n")
}

#[test]
fn a_return_leads_back_to_its_payment() {
    let text = returns(&[
        ("99", "R03", "U00000000000001", 12_345, ""),
        ("98", "C01", "U00000000000002", 0, "00998877665544"),
        ("99", "R99", "LOST", 7, ""),
        ("99", "R68", "U00000000000003", 10, ""),
    ]);
    let read = read(text.as_bytes()).unwrap();
    assert_eq!(read.format, BankFormat::NachaReturn);
    assert_eq!(read.message_id, "0910000190-2611090915A-000000080036400004-000000000000000000012362");
    let first = &read.answers[0];
    assert_eq!((&first.about, first.says), (&Reference::Number(1), Says::Returned));
    assert_eq!(first.amount, Some(Decimal::new(12_345, 2)));
    assert_eq!((first.code.as_deref(), first.on.unwrap().to_string().as_str()), (Some("R03"), "2026-11-09"));
    assert!(first.reason.as_deref().unwrap().contains("no such account"));
    assert_eq!(read.answers[1].about, Reference::Foreign("LOST".into()));
    assert_eq!((read.answers[1].code.as_deref(), read.answers[1].reason.as_deref()), (Some("R99"), None));
    assert_eq!(read.answers[2].says, Says::Pending, "a dispute between banks is no return");
    let note = &read.notes[0];
    assert_eq!((&note.about, note.code.as_deref()), (&Some(Reference::Number(2)), Some("C01")));
    assert!(note.text.contains("****5544") && !note.text.contains("998877"), "{}", note.text);
}

#[test]
fn lines_may_be_cut_or_run_together() {
    let text = returns(&[("99", "R02", "U00000000000001", 5, "")]);
    let plain = read(text.as_bytes()).unwrap();
    let short: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(read(short.join("\r\n").as_bytes()).unwrap(), plain);
    assert_eq!(read(text.replace('\n', "").as_bytes()).unwrap(), plain);
}

#[test]
fn a_debit_that_came_back_is_for_a_person() {
    let text = returns(&[("99", "R01", "OFFSET000000042", 5, "")]).replace("621091000019", "626091000019");
    let text = text.replace("000000000000000000000005", "000000000005000000000000");
    let read = read(text.as_bytes()).unwrap();
    assert!(read.answers.is_empty());
    assert!(read.notes[0].text.contains("not enough money"), "{:?}", read.notes);
}

#[test]
fn what_is_no_answer_is_not_taken() {
    let own = write(&two()).unwrap().bytes;
    assert!(matches!(read(&own), Err(ReadProblem::Other(_))));
    let text = returns(&[("99", "R02", "U00000000000001", 5, "")]);
    let cut: Vec<&str> = text.lines().take(4).collect();
    assert!(matches!(read(cut.join("\n").as_bytes()), Err(ReadProblem::Broken { .. })));
    let other = text.replacen("0000000005U", "0000000006U", 1);
    assert!(read(other.as_bytes()).unwrap_err().to_string().contains("sum of credits"));
}

fn code(payment: &Payment) -> &'static str {
    match payment.payee.pay_to {
        crate::core::payee::PayTo::UsBank { account: UsAccountKind::Savings, .. } => "32",
        _ => "22",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the payees and amounts, somebody else's parser reads the same money for the same payments.
    #[test]
    fn another_parser_reads_the_same_money(payments in us_payments()) {
        let text = text(&file(Rail::Nacha, "USD", payments.clone()));
        prop_assert!(check(text.as_bytes()).is_empty());
        let parsed = AchFile::parse(&text).unwrap();
        let entries: Vec<_> = parsed
            .batches
            .iter()
            .flat_map(|batch| batch.entries.iter().map(|entry| (batch.header.standard_entry_class_code, entry)))
            .collect();
        let mut total = 0;
        for payment in &payments {
            let reference = payment.short_reference();
            let found: Vec<_> =
                entries.iter().filter(|(_, entry)| entry.individual_identification_number == reference).collect();
            prop_assert_eq!(found.len(), 1);
            let (class, entry) = found[0];
            let cents = u64::try_from(payment.amount.amount().mantissa()).unwrap();
            prop_assert_eq!(entry.amount, cents);
            prop_assert_eq!(*class, if payment.payee.holder == Holder::Company { "CCD" } else { "PPD" });
            prop_assert_eq!(entry.transaction_code, code(payment));
            let crate::core::payee::PayTo::UsBank { routing_number, account_number, .. } = &payment.payee.pay_to
            else { unreachable!() };
            let bank = format!("{}{}", entry.receiving_dfi_identification, entry.check_digit);
            prop_assert_eq!(bank.as_str(), routing_number.as_str());
            prop_assert_eq!(entry.dfi_account_number.trim(), account_number.as_str());
            total += cents;
        }
        prop_assert_eq!(parsed.file_control.total_credit_amount, total);
        prop_assert_eq!(parsed.file_control.total_debit_amount, total);
        let controls: u64 = parsed.batches.iter().map(|batch| batch.control.total_credit_amount).sum();
        prop_assert_eq!(controls, total);
        prop_assert_eq!(entries.len(), payments.len() + parsed.batches.len());
    }

    #[test]
    fn no_bytes_make_the_reader_fall(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        bytes.splice(0..0, *b"101 0910000190910000190261109 0915A094101");
        let _ = super::read(&bytes);
    }
}
