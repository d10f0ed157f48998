//! A pain.001 against a parser of somebody else, its own check against messages that break a rule, and answers as banks
//! write them.

use mx20022_model::common::validate::IsoMessage;
use mx20022_model::generated::pain::pain_001_001_11::{
    AccountIdentification4Choice, AmountType4Choice, DateAndDateTime2Choice, Document,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::testing::*;
use super::super::{BankFile, BankFormat, ReadProblem, message_id, read, write};
use super::{LONGEST_NAME, check};
use crate::core::payee::{Holder, PayTo};
use crate::core::payout::{Answer, EndToEnd, PaymentFile, Rail, Reference, Says};

fn three() -> PaymentFile {
    let payments = vec![
        payment(
            1,
            12_345,
            "EUR",
            "Łukasz Žižka & Söhne <GmbH>",
            Holder::Company,
            iban("GB29NWBK60161331926819"),
        ),
        payment(
            2,
            1,
            "EUR",
            &"Anna ".repeat(30),
            Holder::Person,
            iban_of("DE", "370400440532013001", Some("DEUTDEFF")),
        ),
        payment(3, 99_999_999_999, "EUR", "Ωμέγα", Holder::Person, iban("NO9386011117947")),
    ];
    file(Rail::Sepa, "EUR", payments)
}

fn text(file: &PaymentFile) -> String {
    String::from_utf8(write(file).unwrap().bytes).unwrap()
}

/// Parsed and checked by somebody else's model of the message.
fn parsed(text: &str) -> Document {
    let document: Document = quick_xml::de::from_str(text).unwrap();
    let violations = document.validate_message();
    assert!(violations.is_empty(), "{violations:?}");
    document
}

#[test]
fn a_message_says_what_the_batch_says() {
    let file = three();
    let rendered = write(&file).unwrap();
    assert_eq!(rendered.name, "payout-42-sepa.xml");
    let text = String::from_utf8(rendered.bytes).unwrap();
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">",
        "<CreDtTm>2026-11-04T",
        "<NbOfTxs>3</NbOfTxs>",
        "<CtrlSum>1000000123.45</CtrlSum>",
        "<Dt>2026-11-06</Dt>",
        "<Nm>Sonnenberg Direct, Inc.</Nm>",
        "<InstdAmt Ccy=\"EUR\">999999999.99</InstdAmt>",
        "<Nm>Lukasz Zizka + Sohne GmbH</Nm>",
        "<BICFI>DEUTDEFF</BICFI>",
        "<Cd>COMM</Cd>",
        "<Ustrd>Commission 2026-10</Ustrd>",
        "<InstrId>U00000000000003</InstrId>",
        EndToEnd::of(item(2)).as_str(),
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(text.matches(&message_id(BATCH)).count(), 2);
    let mut turned = file.clone();
    turned.payments.reverse();
    assert_eq!(write(&file).unwrap(), write(&turned).unwrap());
}

#[test]
fn without_a_bic_the_bank_finds_itself() {
    let mut file = three();
    file.originator.bic = None;
    let text = text(&file);
    assert!(text.contains("<Id>NOTPROVIDED</Id>"));
    parsed(&text);
}

#[test]
fn what_does_not_fit_is_named_without_its_numbers() {
    let mut file = three();
    file.originator.iban = Some("DE89370400440532013001".into());
    file.originator.bic = Some("X".into());
    file.value_date = file.created_at.date_naive().pred_opt().unwrap();
    file.payments.push(payment(
        4,
        100_000_000_000,
        "EUR",
        "Rich",
        Holder::Person,
        iban("DE89370400440532013000"),
    ));
    file.payments.push(payment(
        5,
        1,
        "EUR",
        "Far",
        Holder::Person,
        iban_of("BR", "00360305000010009795493C1", None),
    ));
    file.payments.push(payment(6, 1, "EUR", "Us", Holder::Person, us_bank("12345")));
    file.payments.push(payment(7, 1, "EUR", "///", Holder::Person, iban("DE89370400440532013000")));
    let problems: Vec<String> = write(&file).unwrap_err().iter().map(ToString::to_string).collect();
    let all = problems.join("\n");
    for part in [
        "the originator's iban",
        "the originator's bic",
        "the value date 2026-11-03 is over",
        "distributor D4: SEPA holds amounts up to",
        "distributor D5: the IBAN is of a country outside SEPA",
        "distributor D6: SEPA needs an IBAN",
        "distributor D7: the payee's name has no letters",
    ] {
        assert!(all.contains(part), "{part} is not in\n{all}");
    }
    assert!(!all.contains("3704") && !all.contains("0036"), "{all}");
    let dollars = super::super::testing::file(Rail::Sepa, "USD", vec![]);
    assert!(write(&dollars).unwrap_err().iter().any(|problem| problem.what.contains("SEPA pays euro")));
}

/// One rule broken at a time: each is noticed.
#[test]
fn a_message_that_was_tampered_with_is_noticed() {
    let text = text(&three());
    assert_eq!(check(text.as_bytes()), Vec::<String>::new());
    let first = EndToEnd::of(item(1));
    let second = EndToEnd::of(item(2));
    let long = "x".repeat(141);
    let changes = [
        ("pain.001.001.09", "pain.001.001.03"),
        ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>CHK</PmtMtd>"),
        ("<PmtMtd>TRF</PmtMtd>", ""),
        ("<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>DEBT</ChrgBr>"),
        ("<NbOfTxs>3</NbOfTxs>", "<NbOfTxs>4</NbOfTxs>"),
        ("<CtrlSum>1000000123.45</CtrlSum>", "<CtrlSum>1000000123.46</CtrlSum>"),
        ("999999999.99", "999999999.999"),
        ("Ccy=\"EUR\"", "Ccy=\"USD\""),
        (" Ccy=\"EUR\"", ""),
        ("0.01</InstdAmt>", "0.00</InstdAmt>"),
        ("2026-11-06", "2026-11-31"),
        ("GB29NWBK", "GB29NWBL"),
        ("DEUTDEFF", "DEUTDEF"),
        ("<Cd>SEPA</Cd>", "<Cd>URGP</Cd>"),
        ("<Ustrd>Commission 2026-10", "<Ustrd>Commission_2026-10"),
        ("<Ustrd>Commission 2026-10", long.as_str()),
        (first.as_str(), second.as_str()),
        (first.as_str(), "//A"),
        (first.as_str(), "/A"),
        ("<Nm>Sonnenberg", "<Nm>Sonnenberg&lt;"),
        ("</GrpHdr>", ""),
        ("<Purp>", "<Purpose>"),
        ("<MsgId>", "<MsgId/><MsgId>"),
        ("<Document", "<!DOCTYPE x><Document"),
    ];
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        assert!(!check(text.replacen(old, new, 1).as_bytes()).is_empty(), "{old} -> {new}");
    }
    let swapped = text.replacen("<Purp>", "<RmtInf><Ustrd>a</Ustrd></RmtInf><Purp>", 1);
    assert!(check(swapped.as_bytes()).iter().any(|problem| problem.contains("may not stand there")));
}

/// A sample with references of this house in the places that are marked.
fn sample(text: &str) -> BankFile {
    let mut text = text.replace("BATCH", &message_id(BATCH));
    for number in 1..=9 {
        text = text.replace(&format!("ITEM{number}"), EndToEnd::of(item(number)).as_str());
    }
    let first = read(text.as_bytes()).unwrap();
    assert_eq!(read(text.as_bytes()).unwrap(), first);
    first
}

fn summary(answer: &Answer) -> (Reference, Says, Option<Decimal>, Option<&str>) {
    (answer.about.clone(), answer.says, answer.amount, answer.code.as_deref())
}

fn item_of(number: i64) -> Reference {
    Reference::Item(item(number))
}

fn eur(cents: i64) -> Option<Decimal> {
    Some(Decimal::new(cents, 2))
}

#[test]
fn a_status_report_speaks_of_the_whole_and_of_each() {
    let text = include_str!("samples/pain.002.001.10.xml");
    let model: mx20022_model::generated::pain::pain_002_001_13::Document =
        quick_xml::de::from_str(text).unwrap();
    assert_eq!(model.validate_message(), [], "the sample is one that somebody else reads");
    let file = sample(text);
    assert_eq!((file.format, file.message_id.as_str()), (BankFormat::Pain002, "STS-7"));
    let answers: Vec<_> = file.answers.iter().map(summary).collect();
    assert_eq!(
        answers,
        [
            (item_of(1), Says::Returned, eur(12_345), Some("AC04")),
            (item_of(2), Says::Booked, None, Some("ACSC")),
            (Reference::Number(3), Says::Pending, None, Some("PDNG")),
            (item_of(4), Says::Returned, None, Some("X1")),
            (Reference::Foreign("SALARY 9".into()), Says::Accepted, None, Some("ACTC")),
        ]
    );
    assert_eq!(file.answers[0].reason.as_deref(), Some("the account is closed"));
    assert_eq!(file.answers[3].reason.as_deref(), Some("Please call your branch"));
    assert_eq!(file.answers[0].on.unwrap().to_string(), "2026-11-05");
    let [whole] = file.wholes.as_slice() else { panic!("{:?}", file.wholes) };
    assert_eq!((whole.batch, whole.says, whole.payments), (Some(BATCH), Says::Accepted, Some(5)));
    assert_eq!(whole.amount, eur(22_340));
}

#[test]
fn a_file_can_be_refused_as_a_whole() {
    let text = "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.03'><CstmrPmtStsRpt>\
        <GrpHdr><MsgId>1</MsgId><CreDtTm>2026-11-05T09:30:00</CreDtTm></GrpHdr>\
        <OrgnlGrpInfAndSts><OrgnlMsgId>BATCH</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>\
        <GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>\
        </CstmrPmtStsRpt></Document>";
    let file = sample(text);
    let whole = &file.wholes[0];
    assert_eq!((whole.batch, whole.says, whole.code.as_deref()), (Some(BATCH), Says::Returned, Some("FF01")));
    let part = sample(&text.replace("RJCT", "PART"));
    assert!(part.wholes.is_empty() && part.notes.len() == 1);
    let foreign = sample(&text.replace("BATCH", "SALARY"));
    assert_eq!((foreign.wholes[0].batch, foreign.wholes[0].message.as_str()), (None, "SALARY"));
    let debits = text.replace("pain.001<", "pain.008<");
    assert!(matches!(read(debits.as_bytes()), Err(ReadProblem::Other(_))));
}

#[test]
fn a_statement_tells_what_left_and_what_came_back() {
    let file = sample(include_str!("samples/camt.053.001.08.xml"));
    assert_eq!((file.format, file.message_id.as_str()), (BankFormat::Camt053, "STMT-2026-11-06"));
    let answers: Vec<_> = file.answers.iter().map(summary).collect();
    assert_eq!(
        answers,
        [
            (item_of(1), Says::Booked, eur(12_345), None),
            (item_of(2), Says::Returned, eur(5_000), Some("AC04")),
            (item_of(3), Says::Pending, eur(500), None),
            (Reference::Foreign("NOTPROVIDED".into()), Says::Returned, eur(700), Some("MS03")),
            (item_of(4), Says::Booked, eur(1_000), None),
            (item_of(5), Says::Booked, eur(2_000), None),
            (item_of(6), Says::Pending, eur(800), None),
            (item_of(7), Says::Returned, eur(900), None),
        ]
    );
    assert!(file.answers.iter().all(|answer| answer.currency.as_deref() == Some("EUR")));
    assert_eq!(file.answers[0].on.unwrap().to_string(), "2026-11-06");
    let [whole] = file.wholes.as_slice() else { panic!("{:?}", file.wholes) };
    assert_eq!(
        (whole.batch, whole.says, whole.payments, whole.amount),
        (Some(BATCH), Says::Booked, Some(3), eur(60_000))
    );
    assert_eq!(file.skipped, 1);
}

#[test]
fn an_older_notification_says_the_same() {
    let file = sample(include_str!("samples/camt.054.001.02.xml"));
    assert_eq!((file.format, file.message_id.as_str()), (BankFormat::Camt054, "NTF-1"));
    let answers: Vec<_> = file.answers.iter().map(summary).collect();
    assert_eq!(
        answers,
        [
            (Reference::Number(1), Says::Booked, eur(1_100), None),
            (item_of(2), Says::Returned, eur(1_200), None),
        ]
    );
}

#[test]
fn what_is_no_answer_is_not_taken() {
    let own = write(&three()).unwrap().bytes;
    let said = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert!(said(&own).contains("goes to a bank"));
    let newer = include_str!("samples/camt.053.001.08.xml").replace("053.001.08", "053.001.13");
    assert!(said(newer.as_bytes()).contains("camt.053.001.13 is a version"));
    assert!(said(newer.replace("053.001.13", "052.001.08").as_bytes()).contains("day that is not over"));
    let cut = include_str!("samples/camt.053.001.08.xml").split_at(900).0;
    assert!(matches!(read(cut.as_bytes()), Err(ReadProblem::Broken { .. })));
    assert_eq!(read(b"<html><body>no</body></html>"), Err(ReadProblem::Unknown));
    let vague = include_str!("samples/camt.053.001.08.xml").replacen("<CdtDbtInd>DBIT</CdtDbtInd>", "", 1);
    assert!(matches!(read(vague.as_bytes()), Err(ReadProblem::Broken { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the payees and amounts, somebody else's parser reads the same money for the same payments.
    #[test]
    fn another_parser_reads_the_same_money(payments in euro_payments()) {
        let text = text(&file(Rail::Sepa, "EUR", payments.clone()));
        let initiation = parsed(&text).cstmr_cdt_trf_initn;
        let sum: Decimal = payments.iter().map(|payment| payment.amount.amount()).sum();
        let [batch] = initiation.pmt_inf.as_slice() else { panic!("one payment information") };
        prop_assert_eq!(&initiation.grp_hdr.nb_of_txs.0, &payments.len().to_string());
        prop_assert_eq!(&initiation.grp_hdr.ctrl_sum.unwrap().0, &sum.to_string());
        prop_assert_eq!(&batch.ctrl_sum.as_ref().unwrap().0, &sum.to_string());
        prop_assert!(matches!(&batch.reqd_exctn_dt.inner, DateAndDateTime2Choice::Dt(date) if date.0 == "2026-11-06"));
        prop_assert_eq!(batch.cdt_trf_tx_inf.len(), payments.len());
        for (transfer, payment) in batch.cdt_trf_tx_inf.iter().zip(&payments) {
            prop_assert_eq!(EndToEnd::item(&transfer.pmt_id.end_to_end_id.0), Some(payment.item));
            let AmountType4Choice::InstdAmt(amount) = &transfer.amt.inner else { panic!("an amount") };
            prop_assert_eq!(amount.value.0.parse::<Decimal>().unwrap(), payment.amount.amount());
            prop_assert_eq!(&amount.ccy.0, "EUR");
            let account = transfer.cdtr_acct.as_ref().unwrap().id.as_ref().unwrap();
            let AccountIdentification4Choice::IBAN(number) = &account.inner else { panic!("an IBAN") };
            let PayTo::Iban { iban, bic } = &payment.payee.pay_to else { panic!("an IBAN") };
            prop_assert_eq!(number.0.as_str(), iban.as_str());
            let found = transfer.cdtr_agt.as_ref().and_then(|agent| agent.fin_instn_id.bicfi.as_ref());
            prop_assert_eq!(found.map(|bic| bic.0.as_str()), bic.as_ref().map(|bic| bic.as_str()));
            let name = transfer.cdtr.as_ref().unwrap().nm.as_ref().unwrap();
            prop_assert!((1..=LONGEST_NAME).contains(&name.0.len()));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fall(text in "[<>/&;a-z!?\\[\\]\"'= ]{0,200}") {
        let _ = read(text.as_bytes());
        let _ = read(format!("<Document xmlns='x:camt.053.001.08'>{text}</Document>").as_bytes());
        let _ = check(text.as_bytes());
    }
}
