//! A batch from the first cent to the bank's word, and what is refused on the way.

use upline::payouts::{BatchStatus, PayeeNews};

use super::*;

#[test]
fn a_batch_goes_from_what_is_due_to_what_is_paid() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    assert_eq!(company.on(2100), "2 5.00, 3 5.00, 4 15.00");
    let proposal = company.change(|tx| payouts::propose(tx.conn, &order(), now())).unwrap();
    assert_eq!((proposal.choice.items.len(), proposal.total), (3, dec!(24.25)));
    assert_eq!(company.pipeline.ask("select count(*) from payout_batches"), "0", "looking writes nothing");

    let batch = company.prepare();
    assert_eq!((batch.batch_no, batch.status), (1, BatchStatus::Prepared));
    assert_eq!(company.on(2100), "");
    assert_eq!(company.on(2120), "2 4.75, 3 4.75, 4 14.75");
    assert_eq!(company.on(4200), "2 0.25, 3 0.25, 4 0.25");
    company.closes();

    company.refused("somebody else than ann@example.com", |tx| payouts::export(tx, &vault(), 1, ANN, now()));
    company.refused("no file that could be sent", |tx| payouts::sent(tx, 1, ANN, now()));
    let review = company.review(1);
    assert_eq!((review.payments, review.total, review.fees), (3, dec!(24.25), dec!(0.75)));
    assert_eq!(review.with_news(PayeeNews::First).count(), 3);
    assert!(review.last.is_none() && review.over_limits.is_empty() && review.blocked.is_empty());
    let approved = company.approve(1);
    assert_eq!(approved.value_date.unwrap().to_string(), "2026-11-23", "the next working day");
    let exported = company.export(1);
    assert!(!exported.again && !exported.file.bytes.is_empty());
    company.change(|tx| payouts::sent(tx, 1, ANN, now())).unwrap();
    company.refused("sent already", |tx| payouts::sent(tx, 1, ANN, now()));
    company.closes();

    company.mark(1, Which::All, ItemStatus::Confirmed).unwrap();
    assert_eq!(company.on(1000), "2 4.75, 3 4.75, 4 14.75");
    assert_eq!(company.on(2120), "");
    company.closes();
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(change || ' ' || changed_by, ', ' order by change_no)
                              from payout_changes where item_id is null"
        ),
        "prepared ann@example.com, approved bob@example.com, exported ann@example.com, sent ann@example.com, \
         marked bob@example.com"
    );
    assert_eq!(
        company.pipeline.ask(
            "select string_agg(action, ' ' order by audit_id) from audit_log where action like 'payout%'"
        ),
        "payout.prepared payout.approved payout.exported payout.sent payout.marked"
    );
}

#[test]
fn the_file_of_a_batch_is_the_same_for_ever() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    let (batch, first) = company.exported();
    // Later, by another, after the payee has moved on and the price of a payment has changed.
    company.account("4", "7654321", 7, ANN, now());
    let later = at("2027-03-01T08:00:00Z");
    for who in [ANN, BOB] {
        let again = company.change(|tx| payouts::export(tx, &vault(), batch.batch_no, who, later)).unwrap();
        assert!(again.again);
        assert_eq!((again.file.bytes, again.sha256), (first.file.bytes.clone(), first.sha256.clone()));
    }
    company.mark(1, Which::All, ItemStatus::Returned).unwrap();
    let again = company.change(|tx| payouts::export(tx, &vault(), 1, ANN, later)).unwrap();
    assert_eq!(again.file.bytes, first.file.bytes, "also once everything came back");
    company.pipeline.tamper("update payout_batches set file_sha256 = '\\x00'");
    company
        .refused("would not be the one that left before", |tx| payouts::export(tx, &vault(), 1, ANN, later));
    company.pipeline.tamper("update payout_items set gross = gross + 1, net = net + 1");
    company.refused("are not what was approved", |tx| payouts::export(tx, &vault(), 1, ANN, later));
}

#[test]
fn who_prepared_does_not_approve_and_only_what_was_shown_is() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.prepare();
    let shown = company.seen(1);
    company.refused("has prepared batch 1, so somebody else", |tx| {
        payouts::approve(tx, 1, &shown, " Ann@example.com", now())
    });
    company.refused("name what you approve", |tx| {
        payouts::approve(tx, 1, &Approval { shown: shown.shown[..8].into(), over_limits: true }, BOB, now())
    });
    let item = company.item_of(1, "3");
    company.change(|tx| payouts::cancel(tx, 1, Some(&[item.item_no]), "a typing error", ANN, now())).unwrap();
    company.refused("not the one that was shown any more", |tx| payouts::approve(tx, 1, &shown, BOB, now()));
    assert_eq!(company.on(2100), "3 5.00");
    company.closes();
    company.approve(1);
    company.refused("is approved already, by bob@example.com", |tx| {
        payouts::approve(tx, 1, &shown, "carl@example.com", now())
    });
    // Taken out after the approval: less leaves than was approved, never more.
    let item = company.item_of(1, "2");
    company
        .change(|tx| payouts::cancel(tx, 1, Some(&[item.item_no]), "the account is closed", ANN, now()))
        .unwrap();
    let mut bank = Bank::default();
    bank.take(&company.export(1).file.bytes);
    assert_eq!(bank.by_distributor(&company), BTreeMap::from([("4".to_owned(), dec!(14.75))]));
    company.refused("has left in a file", |tx| payouts::cancel(tx, 1, None, "too late", ANN, now()));
    company.closes();
}

#[test]
fn limits_ask_for_a_word() {
    let company = Company::new();
    company.order(301, "9000.00", &[], 9);
    company.prepare();
    let review = company.review(1);
    assert_eq!(review.over_limits, ["payout 3 of 1349.75 is above the limit of 1000 for one"]);
    let mut approval = company.seen(1);
    company.refused("above the limit of 1000", |tx| payouts::approve(tx, 1, &approval, BOB, now()));
    approval.over_limits = true;
    company.change(|tx| payouts::approve(tx, 1, &approval, BOB, now())).unwrap();
    company.closes();
}

#[test]
fn changed_bank_details_hold_a_payout_at_every_step() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.account("4", "7654321", 7, ANN, now());
    let batch = company.prepare();
    assert_eq!(company.items(1).len(), 2);
    assert!(batch.left_out.iter().any(|out| out.distributor.as_str() == "4" && out.until.is_some()));
    assert_eq!(company.on(2100), "4 15.00");

    company.account("3", "7654321", 7, ANN, now());
    let shown = company.seen(1);
    assert_eq!(company.review(1).blocked.len(), 1);
    company.refused("distributor 3 has changed the bank details since", |tx| {
        payouts::approve(tx, 1, &shown, BOB, now())
    });
    let item = company.item_of(1, "3").item_no;
    company
        .change(|tx| payouts::cancel(tx, 1, Some(&[item]), "the account has changed", ANN, now()))
        .unwrap();
    company.approve(1);
    company.account("2", "7654321", 7, ANN, now());
    company.refused("distributor 2 has changed the bank details since", |tx| {
        payouts::export(tx, &vault(), 1, ANN, now())
    });
    company.change(|tx| payouts::cancel(tx, 1, None, "nobody is left", ANN, now())).unwrap();
    assert_eq!(company.on(2100), "2 5.00, 3 5.00, 4 15.00");
    company.closes();

    // Released by a second person, they are paid to where they want to be, and it is told.
    for (id, version) in [("2", 2), ("3", 2), ("4", 2)] {
        let id = DistributorId::new(id);
        company.write(|tx| {
            payees::release(tx, &id, version, BOB, now())
                .map_err(|error| DbError::Invariant(error.to_string()))
        });
    }
    company.prepare();
    assert_eq!(company.items(2).len(), 3);
    company.closes();
}

#[test]
fn tax_is_withheld_of_who_has_not_certified_a_number() {
    let company = Company::new();
    company.pipeline.tamper("update distributors set country = 'US' where distributor_id = '4'");
    company.order(301, "100.00", &[], 9);
    company.prepare();
    let item = company.item_of(1, "4");
    assert_eq!((item.money.withheld, item.money.net), (dec!(3.60), dec!(11.15)));
    assert_eq!(company.on(2130), "4 3.60");
    company.closes();
    company.approve(1);
    company.export(1);
    company.mark(1, Which::Items(vec![item.item_no]), ItemStatus::Returned).unwrap();
    assert_eq!((company.on(2100).as_str(), company.on(2130).as_str()), ("4 15.00", ""));
    company.closes();
}

#[test]
fn a_second_batch_tells_what_is_news() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.exported();
    company.mark(1, Which::All, ItemStatus::Confirmed).unwrap();
    company.account("4", "7654321", 0, ANN, now());
    company.order(302, "200.00", &[], 9);
    company.prepare();
    let review = company.review(2);
    let last = review.last.as_ref().unwrap();
    assert_eq!((last.batch_no, last.total, last.payments), (1, dec!(24.25), 3));
    assert_eq!(review.with_news(PayeeNews::First).count(), 0);
    let changed: Vec<&str> =
        review.with_news(PayeeNews::Changed).map(|item| item.distributor().as_str()).collect();
    assert_eq!(changed, ["4"]);
    let first = &review.movers[0];
    assert_eq!((first.distributor.as_str(), first.was, first.now), ("4", dec!(14.75), dec!(29.75)));
    company.closes();
}

#[test]
fn nothing_is_paid_from_a_ledger_that_is_not_what_was_posted() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.prepare();
    let verified = |ok: bool, minute: u32| {
        company.pipeline.tamper(&format!(
            "insert into verifications (at, ok, head_seq, head_hash, problems)
             values ('2026-11-22T09:{minute:02}:00Z', {ok}, 0, '', 0)"
        ));
    };
    verified(false, 1);
    let shown = company.seen(1);
    assert!(company.review(1).stopped.is_some());
    company
        .refused("no money leaves until `upline verify`", |tx| payouts::approve(tx, 1, &shown, BOB, now()));
    company.refused("no money leaves", |tx| payouts::prepare(tx, &order(), ANN, now()));
    verified(true, 2);
    company.approve(1);
    verified(false, 3);
    company.refused("no money leaves", |tx| payouts::export(tx, &vault(), 1, ANN, now()));
    verified(true, 4);
    company.export(1);
    company.closes();
}

#[test]
fn the_database_itself_refuses_what_is_no_arrow() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.exported();
    let refused = |sql: &str| {
        use diesel::connection::SimpleConnection;
        let done = company.pipeline.db.read(Lane::Admin, |conn| Ok(conn.batch_execute(sql)?));
        assert!(done.is_err(), "{sql}");
    };
    refused("update payout_items set status = 'approved'");
    refused("update payout_items set net = net - 1, fee = fee + 1");
    refused("update payout_items set payee_version = 9");
    refused("delete from payout_items");
    refused("truncate payout_items cascade");
    refused("update payout_changes set changed_by = 'nobody'");
    refused("update payout_batches set approved_by = created_by");
    refused("insert into payout_items select gen_random_uuid(), 99, batch_id, distributor_id, currency, 1, 0, 0, 1,
             payee_version, masked, payee_news, 'prepared', null, null, changed_at from payout_items limit 1");
    company.closes();
}
