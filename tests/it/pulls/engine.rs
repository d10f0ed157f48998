//! One window, read to its end: through failures, deaths and restarts, without reading twice what was kept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use upline::clients::{ApiError, WindowBy};
use upline::clock::Clock;
use upline::connections;
use upline::db::Lane;
use upline::ingest::Store;
use upline::pulls::{self, Cause, Job, Kind, Mark, Means, Pull, PullProblem, Span, State, Stop};

use super::{Shop, at, company};
use crate::support::payload::Order;
use crate::support::pipeline::Pipeline;

const NOW: &str = "02T10:00:00";

struct Reading<'a> {
    pipeline: &'a Pipeline,
    store: &'a Store,
    shop: &'a Arc<Shop>,
    cause: Cause,
    span: Span,
}

impl<'a> Reading<'a> {
    fn new(pipeline: &'a Pipeline, store: &'a Store, shop: &'a Arc<Shop>) -> Self {
        let span = Span { by: WindowBy::Changed, from: Some(at("01T00:00:00")), to: at(NOW) };
        Self { pipeline, store, shop, cause: Cause::Schedule, span }
    }

    fn run(&self, now: &str) -> Result<Pull, PullProblem> {
        self.run_telling(now, &Stop::default(), &mut |_| {})
    }

    fn run_telling(&self, now: &str, stop: &Stop, tell: &mut dyn FnMut(&Pull)) -> Result<Pull, PullProblem> {
        let clock = Clock::fixed(at(now));
        let means = Means { db: &self.pipeline.db, clock: &clock, stop };
        let job =
            Job { store: self.store, kind: Kind::Orders, cause: self.cause, span: self.span, by: "test" };
        pulls::run(means, &self.shop.api(at(now)), &job, tell)
    }
}

fn mark(pipeline: &Pipeline, store: &Store) -> Option<Mark> {
    pipeline.db.read(Lane::Admin, |conn| pulls::marks(conn, Some(store.id))).unwrap().pop()
}

fn until(pipeline: &Pipeline, store: &Store) -> Option<DateTime<Utc>> {
    mark(pipeline, store).and_then(|mark| mark.pulled_until)
}

fn row(pipeline: &Pipeline) -> String {
    pipeline.ask("select concat_ws(' ', state, pages, seen, told, fresh, problem) from pulls")
}

fn open_notices(pipeline: &Pipeline) -> String {
    pipeline.ask("select string_agg(key, ',') from notices where resolved_at is null")
}

fn gone_away() -> Option<ApiError> {
    Some(ApiError::Unavailable("it went away".into()))
}

#[test]
fn a_window_is_read_to_its_end_and_then_the_mark_moves() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    // Outside of the window.
    shop.put(&Order { id: 1, modified: "2026-10-31T23:59:59", ..Order::default() });
    shop.put(&Order { id: 2, modified: "2026-11-02T10:00:00", ..Order::default() });
    let mut heard = vec![];
    let reading = Reading::new(&pipeline, &store, &shop);
    let pull = reading.run_telling(NOW, &Stop::default(), &mut |pull| {
        let mark = until(&pipeline, &store);
        heard.push((pull.pages, pull.told, pull.remaining, mark));
    });
    assert_eq!(pull.unwrap().state, State::Done);
    let end = Some(at(NOW));
    let told = [(0, 0, None, None), (1, 10, Some(15), None), (2, 20, Some(5), None), (3, 25, Some(0), end)];
    assert_eq!(heard, told);
    assert_eq!(row(&pipeline), "done 3 25 25 25");
    pipeline.drain();
    assert_eq!(pipeline.ask("select count(*) from orders where status = 'commissionable'"), "25");
    // The same window again: everything is seen, nothing is told.
    let again = reading.run("02T11:00:00").unwrap();
    assert_eq!((again.seen, again.told, again.state), (25, 0, State::Done));
    assert_eq!(pipeline.ask("select count(*) from deliveries"), "25");
    assert!(pipeline.replay().is_clean());
}

#[test]
fn a_failure_keeps_what_was_read_and_the_next_try_goes_on_behind_it() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    shop.fail([None, gone_away()]);
    let reading = Reading::new(&pipeline, &store, &shop);
    assert!(matches!(reading.run(NOW), Err(PullProblem::Api(ApiError::Unavailable(_)))));
    assert!(
        row(&pipeline).starts_with("failed 1 10 10 10 the store's API cannot be reached: it went away. ")
    );
    let failed = mark(&pipeline, &store).unwrap();
    assert_eq!((failed.pulled_until, failed.failures), (None, 1));
    assert_eq!(failed.next_try_at, Some(at("02T10:01:00")));
    let problem = || {
        let found = pipeline.db.read(Lane::Admin, |conn| connections::connection(conn, "main"));
        found.unwrap().unwrap().problem
    };
    assert!(problem().unwrap().contains("it went away"));
    assert_eq!(shop.calls(), 2);

    assert_eq!(reading.run("02T10:01:00").unwrap().state, State::Done);
    assert_eq!(shop.calls(), 4, "two pages were left");
    assert_eq!(row(&pipeline), "done 3 25 25 25");
    assert_eq!(problem(), None);
    assert_eq!(mark(&pipeline, &store).unwrap().failures, 0);
    assert_eq!(until(&pipeline, &store), Some(at(NOW)), "the end of the window, whenever it was complete");
}

#[test]
fn a_window_of_a_process_that_died_goes_on_from_its_cursor() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    let reading = Reading::new(&pipeline, &store, &shop);
    let died = catch_unwind(AssertUnwindSafe(|| {
        reading.run_telling(NOW, &Stop::default(), &mut |pull| assert_ne!(pull.pages, 2, "dies here"))
    }));
    assert!(died.is_err());
    assert_eq!(row(&pipeline), "running 2 20 20 20");
    assert_eq!(reading.run("02T10:05:00").unwrap().state, State::Done);
    assert_eq!(shop.calls(), 3);
    assert_eq!(row(&pipeline), "done 3 25 25 25");
    assert_eq!(pipeline.ask("select count(*) from deliveries"), "25");
}

#[test]
fn what_a_dead_process_left_running_is_marked_as_such_by_whoever_reads_next() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    let reading = Reading::new(&pipeline, &store, &shop);
    let died = catch_unwind(AssertUnwindSafe(|| {
        reading.run_telling(NOW, &Stop::default(), &mut |pull| assert_ne!(pull.pages, 1, "dies here"))
    }));
    assert!(died.is_err());
    let span = Span { to: at("02T09:00:00"), ..reading.span };
    let other = Reading { cause: Cause::Manual, span, ..Reading::new(&pipeline, &store, &shop) };
    other.run("02T10:05:00").unwrap();
    let states =
        "select string_agg(concat_ws(' ', cause, state, problem), ', ' order by started_at) from pulls";
    assert_eq!(pipeline.ask(states), "schedule stopped its process ended, manual done");
}

#[test]
fn only_one_reads_at_a_time_and_a_backfill_beside_it() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(5);
    let reading = Reading::new(&pipeline, &store, &shop);
    let manual = Reading { cause: Cause::Manual, ..Reading::new(&pipeline, &store, &shop) };
    let ordered = Span { by: WindowBy::Ordered, ..reading.span };
    let backfill =
        Reading { cause: Cause::Backfill, span: ordered, ..Reading::new(&pipeline, &store, &shop) };
    let mut inside = vec![];
    reading
        .run_telling(NOW, &Stop::default(), &mut |pull| {
            if pull.pages == 0 {
                inside.push(manual.run(NOW).map(|pull| pull.told).map_err(|problem| problem.to_string()));
                inside.push(backfill.run(NOW).map(|pull| pull.told).map_err(|problem| problem.to_string()));
            }
        })
        .unwrap();
    let busy = inside[0].clone().unwrap_err();
    assert!(busy.contains("the orders of main are being read"), "{busy}");
    assert_eq!(inside[1], Ok(5));
    // Given back at once.
    assert_eq!(manual.run("02T10:00:01").unwrap().state, State::Done);
}

#[test]
fn whoever_was_taken_over_from_writes_nothing_more() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    let reading = Reading::new(&pipeline, &store, &shop);
    let fenced = reading.run_telling(NOW, &Stop::default(), &mut |pull| {
        if pull.pages == 1 {
            pipeline.tamper("update pulls set taker = gen_random_uuid()");
        }
    });
    assert!(matches!(fenced, Err(PullProblem::Db(_))));
    assert_eq!(row(&pipeline), "running 1 10 10 10");
    assert_eq!(pipeline.ask("select count(*) from deliveries"), "10");
}

#[test]
fn the_word_to_stop_is_heard_between_pages() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    let reading = Reading::new(&pipeline, &store, &shop);
    let stop = Stop::default();
    let stopped = reading.run_telling(NOW, &stop, &mut |pull| {
        if pull.pages == 1 {
            stop.say();
        }
    });
    assert_eq!(stopped.unwrap().state, State::Stopped);
    assert_eq!(row(&pipeline), "stopped 1 10 10 10");
    assert_eq!(mark(&pipeline, &store), None, "nothing is complete and nothing has failed");
    assert_eq!(reading.run(NOW).unwrap().state, State::Done);
    assert_eq!(shop.calls(), 3);
}

#[test]
fn three_failures_in_a_row_are_told_and_one_page_ends_that() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(5);
    shop.fail([gone_away(), gone_away(), gone_away(), gone_away()]);
    let reading = Reading::new(&pipeline, &store, &shop);
    let tries = [("10:00", "10:01"), ("10:01", "10:03"), ("10:03", "10:07"), ("10:07", "10:15")];
    for (i, (now, next)) in tries.into_iter().enumerate() {
        assert!(reading.run(&format!("02T{now}:00")).is_err());
        let next_try_at = mark(&pipeline, &store).unwrap().next_try_at;
        assert_eq!(next_try_at, Some(at(&format!("02T{next}:00"))));
        assert_eq!(open_notices(&pipeline), if i < 2 { "" } else { "store-unreachable:main" });
    }
    assert_eq!(pipeline.ask("select concat(severity, ' ', times) from notices"), "alarm 2");
    let body = pipeline.ask("select body from notices");
    assert!(body.contains("failed 4 times") && body.contains("it went away"), "{body}");
    reading.run("02T10:15:00").unwrap();
    assert_eq!(open_notices(&pipeline), "");
}

#[test]
fn what_only_reading_fails_with_is_a_notice_of_its_own() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fail([(); 3].map(|()| Some(ApiError::Forbidden("read_orders is lacking".into()))));
    let reading = Reading::new(&pipeline, &store, &shop);
    for _ in 0..3 {
        assert!(reading.run(NOW).is_err());
    }
    // The store answers whoever asks for something else: that may not end the notice.
    pipeline.db.transact(Lane::Admin, |tx| connections::note_outcome(tx, store.id, None, at(NOW))).unwrap();
    assert_eq!(open_notices(&pipeline), "pulls-failing:main");
    reading.run(NOW).unwrap();
    assert_eq!(open_notices(&pipeline), "");
}

#[test]
fn a_cursor_that_the_store_refuses_is_given_up_and_the_window_begins_again() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(25);
    let refused = || Some(ApiError::Refused("HTTP 400 invalid cursor".into()));
    shop.fail([None, gone_away(), refused()]);
    let reading = Reading::new(&pipeline, &store, &shop);
    assert!(reading.run(NOW).is_err());
    assert_ne!(pipeline.ask("select cursor from pulls"), "");
    assert!(reading.run(NOW).is_err());
    assert_eq!(pipeline.ask("select cursor from pulls"), "");
    let done = reading.run(NOW).unwrap();
    assert_eq!((done.state, done.seen, done.told), (State::Done, 35, 25), "ten were seen twice");
}

#[test]
fn the_mark_never_jumps_over_a_gap() {
    let (pipeline, store, _) = company(at("01T12:00:00"));
    let shop = Shop::of_pages(10);
    shop.fill(5);
    let window = |from: &str, to: &str, by| Span { by, from: Some(at(from)), to: at(to) };
    let read = |cause, span| {
        let reading = Reading { cause, span, ..Reading::new(&pipeline, &store, &shop) };
        reading.run("05T00:00:00").unwrap();
        until(&pipeline, &store)
    };
    let changed = WindowBy::Changed;
    let late = window("01T13:00:00", "02T00:00:00", changed);
    assert_eq!(read(Cause::Manual, late), None, "what came before it was not read");
    let past = window("01T00:00:00", "02T00:00:00", WindowBy::Ordered);
    assert_eq!(read(Cause::Backfill, past), None, "it has not seen what changed of older orders");
    let first = window("01T00:00:00", "02T00:00:00", changed);
    assert_eq!(read(Cause::Schedule, first), Some(at("02T00:00:00")));
    let gap = window("03T00:00:00", "04T00:00:00", changed);
    assert_eq!(read(Cause::Manual, gap), Some(at("02T00:00:00")));
    let next = window("01T23:50:00", "03T00:00:00", changed);
    assert_eq!(read(Cause::Daily, next), Some(at("03T00:00:00")));
    assert_eq!(mark(&pipeline, &store).unwrap().daily_at, Some(at("03T00:00:00")));
    let back = window("01T00:00:00", "02T00:00:00", changed);
    assert_eq!(read(Cause::Manual, back), Some(at("03T00:00:00")), "it never moves back");
}
