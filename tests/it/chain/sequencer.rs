//! The sequencer: late commits, several at once, a stale holder, another cluster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use upline::chain::{self, Sequencer, Step};
use upline::db::{Lane, connect};

use super::{act, assert_balanced, assert_whole, chain_all, heads, hold_back, with_history};
use crate::support::pipeline::Pipeline;

const INSERT: &str = "insert into audit_log (audit_id, at, actor, action, object)
                      values (gen_random_uuid(), now(), 'late', 'test.late', '1')";

#[test]
fn what_is_committed_is_chained_once() {
    let pipeline = with_history();
    assert_whole(&pipeline);
    assert_balanced(&pipeline);
    let verified = pipeline.verify();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    assert_eq!(verified.audit_rows, 6);
    assert!(verified.chained >= 15, "{}", verified.chained);
    assert!(heads(&pipeline).is_empty());
    // Nothing to do any more.
    assert_eq!(Sequencer::new(pipeline.db.clone()).step().unwrap(), Step::Idle);
}

#[test]
fn what_commits_late_is_not_missed_and_holds_nobody_up() {
    let pipeline = Pipeline::with_company();
    let mut late = connect(pipeline.db.url()).unwrap();
    let mut later = connect(pipeline.db.url()).unwrap();
    late.batch_execute(&format!("begin; {INSERT}")).unwrap();
    later.batch_execute(&format!("begin; {INSERT}")).unwrap();
    act(&pipeline, 1);
    chain_all(&pipeline);
    assert_eq!(pipeline.ask("select count(*) from chain"), "1");
    act(&pipeline, 2);
    late.batch_execute("commit").unwrap();
    chain_all(&pipeline);
    assert_eq!(pipeline.ask("select count(*) from chain"), "3");
    later.batch_execute("rollback").unwrap();
    chain_all(&pipeline);
    assert_whole(&pipeline);
    assert!(pipeline.verify().is_clean());
}

#[test]
fn several_at_once_make_one_chain() {
    let pipeline = Pipeline::with_company();
    let writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut sequencer = Sequencer::new(pipeline.db.clone());
                while writing.load(Ordering::Relaxed) {
                    sequencer.step().unwrap();
                    sequencer.bring_forward().unwrap();
                    sequencer.release().unwrap();
                }
            });
        }
        let writers: Vec<_> = (0..3u32)
            .map(|writer| {
                let pipeline = &pipeline;
                scope.spawn(move || {
                    for number in 0..40 {
                        act(pipeline, writer * 100 + number);
                        hold_back(pipeline, &writer.to_string(), "0.01");
                        assert_balanced(pipeline);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::Relaxed);
    });
    chain_all(&pipeline);
    assert_whole(&pipeline);
    assert_balanced(&pipeline);
    let verified = pipeline.verify();
    assert!(verified.is_clean(), "{:?}", verified.problems);
}

#[test]
fn a_holder_that_slept_through_its_lease_writes_nothing() {
    let pipeline = Pipeline::with_company();
    let (mut first, mut second) = (Sequencer::new(pipeline.db.clone()), Sequencer::new(pipeline.db.clone()));
    act(&pipeline, 1);
    assert_eq!(first.step().unwrap(), Step::Worked);
    let fence = || pipeline.ask("select fence from chain_state");
    let before = fence();
    act(&pipeline, 2);
    assert_eq!(second.step().unwrap(), Step::Elsewhere);
    // The time is over.
    pipeline.tamper("update chain_state set lease_until = clock_timestamp() - interval '1 second'");
    assert_eq!(second.step().unwrap(), Step::Worked);
    assert_ne!(fence(), before);
    act(&pipeline, 3);
    // It awakes, believes that it holds the lease, and has something to write.
    assert_eq!(first.step().unwrap(), Step::Elsewhere);
    assert_eq!(pipeline.ask("select count(*) from chain"), "2");
    assert_eq!(second.step().unwrap(), Step::Worked);
    assert_whole(&pipeline);
    // A process that ends lets go, and the next one need not wait.
    second.release().unwrap();
    act(&pipeline, 4);
    assert_eq!(first.step().unwrap(), Step::Worked);
}

#[test]
fn a_restored_cluster_is_chained_on() {
    let pipeline = with_history();
    // As after a restore: the numbers of the old cluster's transactions are all greater than those of this one.
    pipeline.tamper(
        "update journal_entries set txid = txid + 1000000000000; update audit_log set txid = txid + 1000000000000;
         update chain_state set system_identifier = '1', seen_before = seen_before + 1000000000000,
                                missing = '{1000000000001}'",
    );
    // Written before anybody has noticed.
    act(&pipeline, 100);
    chain_all(&pipeline);
    assert_whole(&pipeline);
    act(&pipeline, 101);
    hold_back(&pipeline, "2", "3.00");
    chain_all(&pipeline);
    assert_whole(&pipeline);
    assert_balanced(&pipeline);
    assert!(pipeline.verify().is_clean());
}

#[test]
fn rows_of_before_the_chain_are_walked_once_and_count_from_the_start() {
    let pipeline = with_history();
    pipeline.tamper(
        "update journal_entries set txid = 0; update audit_log set txid = 0; truncate chain; truncate balances;
         update chain_state set head_seq = 0, head_hash = '\\x', balances_seq = 0, walk_kind = 'entry',
                walk_source = '00000000-0000-0000-0000-000000000000', walk_number = 0",
    );
    assert_balanced(&pipeline);
    act(&pipeline, 200);
    let mut sequencer = Sequencer::new(pipeline.db.clone());
    while sequencer.step().unwrap() == Step::Worked {
        assert_balanced(&pipeline);
    }
    assert_whole(&pipeline);
    sequencer.release().unwrap();
    assert!(pipeline.verify().is_clean());
}

#[test]
fn nobody_waits_longer_than_told() {
    let pipeline = Pipeline::with_company();
    act(&pipeline, 1);
    let mut holder = Sequencer::new(pipeline.db.clone());
    assert_eq!(holder.step().unwrap(), Step::Worked);
    act(&pipeline, 2);
    assert!(!chain::catch_up(&pipeline.db, Duration::ZERO).unwrap());
    holder.release().unwrap();
    assert!(chain::catch_up(&pipeline.db, Duration::ZERO).unwrap());
    let standing = pipeline.db.read(Lane::Admin, chain::standing).unwrap();
    assert_eq!((standing.unchained, standing.last), (0, None));
}
