//! Two at once, twice, and again: one of them does it, and it is done once.

use std::sync::Barrier;

use super::*;

/// All of them at the same time; how many came through, and what the others were told.
fn at_once<T: Send>(
    company: &Company,
    count: usize,
    work: impl Fn(usize, &mut Tx<'_>) -> Result<T, PayoutProblem> + Sync,
) -> (usize, Vec<String>) {
    let barrier = Barrier::new(count);
    let results: Vec<Result<T, String>> = std::thread::scope(|threads| {
        let (barrier, work) = (&barrier, &work);
        let started: Vec<_> = (0..count)
            .map(|number| {
                threads.spawn(move || {
                    barrier.wait();
                    company.change(|tx| work(number, tx)).map_err(|problem| problem.to_string())
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let done = results.iter().filter(|result| result.is_ok()).count();
    (done, results.into_iter().filter_map(Result::err).collect())
}

#[test]
fn a_double_click_prepares_one_batch() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    let (done, told) = at_once(&company, 4, |_, tx| payouts::prepare(tx, &order(), ANN, now()));
    assert_eq!(done, 1);
    assert!(told.iter().all(|why| why.contains("nobody to pay")), "{told:?}");
    assert_eq!(
        company.pipeline.ask("select count(*) || ' ' || sum(net)::numeric(20,2) from payout_items"),
        "3 24.25"
    );
    company.closes();
}

#[test]
fn of_two_approvers_one_approves() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.prepare();
    let shown = company.seen(1);
    let people = [BOB, "carl@example.com", "dan@example.com"];
    let (done, told) =
        at_once(&company, people.len(), |number, tx| payouts::approve(tx, 1, &shown, people[number], now()));
    assert_eq!(done, 1);
    assert!(told.iter().all(|why| why.contains("is approved already")), "{told:?}");
    assert_eq!(company.pipeline.ask("select count(*) from payout_changes where change = 'approved'"), "1");
    company.closes();
}

#[test]
fn whoever_exports_gets_the_same_file() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.prepare();
    company.approve(1);
    let files = std::sync::Mutex::new(vec![]);
    let (done, told) = at_once(&company, 4, |_, tx| {
        let exported = payouts::export(tx, &vault(), 1, ANN, now())?;
        files.lock().unwrap().push(exported.file.bytes);
        Ok(())
    });
    assert_eq!((done, told), (4, vec![]));
    let files = files.into_inner().unwrap();
    assert!(files.windows(2).all(|pair| pair[0] == pair[1]));
    let mut bank = Bank::default();
    files.iter().for_each(|file| bank.take(file));
    assert_eq!(bank.paid.values().sum::<Decimal>(), dec!(24.25), "uploaded four times, paid once");
    assert_eq!(company.pipeline.ask("select count(*) from payout_changes where change = 'exported'"), "1");
    company.closes();
}

#[test]
fn cancelling_and_approving_do_not_both_happen() {
    for round in 0..4u32 {
        let company = Company::new();
        company.order(301, "100.00", &[], 9);
        company.prepare();
        let shown = company.seen(1);
        at_once(&company, 3, |number, tx| match number {
            0 => payouts::cancel(tx, 1, None, "wrong month", ANN, now()).map(drop),
            1 => payouts::approve(tx, 1, &shown, BOB, now()).map(drop),
            _ => payouts::export(tx, &vault(), 1, ANN, now()).map(drop),
        });
        let status = company.pipeline.ask("select status from payout_batches");
        let items = company.pipeline.ask("select string_agg(distinct status, ' ') from payout_items");
        assert_eq!(items, status, "round {round}");
        company.closes();
    }
}

#[test]
fn refunds_between_looking_and_preparing_are_seen() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    std::thread::scope(|threads| {
        threads.spawn(|| company.order(301, "100.00", &["40.00"], 10));
        threads.spawn(|| company.prepare());
    });
    company.closes();
    let paid = company.pipeline.ask("select sum(gross)::numeric(20,2) from payout_items");
    assert!(["25.00", "15.00"].contains(&paid.as_str()), "{paid}");
}

#[test]
fn answers_that_come_twice_at_once_are_taken_once() {
    let company = Company::new();
    company.order(301, "100.00", &[], 9);
    company.exported();
    let booked: Vec<Answer> = company.items(1).iter().map(|item| answer(item, Says::Booked)).collect();
    let file = bank_file("statement 1", booked);
    let (done, told) = at_once(&company, 4, |number, tx| {
        // Two of them are the same bytes, the others say the same in other bytes.
        let hash = payouts::file_hash(&[u8::try_from(number / 2).unwrap()]);
        payouts::take_answers(tx, &file, &hash, ANN, now())
    });
    assert_eq!((done, told), (4, vec![]));
    assert_eq!(company.pipeline.ask("select count(*) from payout_changes where change = 'confirmed'"), "3");
    assert_eq!(company.on(1000), "2 4.75, 3 4.75, 4 14.75");
    company.closes();
}
