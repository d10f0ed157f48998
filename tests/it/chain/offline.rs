//! An exported ledger: verified without a database, and whatever is changed in it is found.

use upline::chain::{GivenHead, Link};
use upline::db::Lane;
use upline::proof::{self, OfflineProblem, VerifiedFile};

use super::{act, chain_all, give_head, heads, with_history};
use crate::support::pipeline::Pipeline;

fn export(pipeline: &Pipeline) -> Vec<String> {
    let mut bytes = vec![];
    pipeline.db.read(Lane::Admin, |conn| Ok(proof::export(conn, &mut bytes, |_| {}).unwrap())).unwrap();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

fn read(lines: &[String], heads: &[GivenHead]) -> Result<VerifiedFile, OfflineProblem> {
    proof::verify_file(lines.join("\n").as_bytes(), heads, |_| {})
}

#[test]
fn an_export_is_whole_and_says_so() {
    let pipeline = with_history();
    give_head(&pipeline, "day 2026-11-21");
    act(&pipeline, 9);
    chain_all(&pipeline);
    let lines = export(&pipeline);
    let verified = read(&lines, &heads(&pipeline)).unwrap();
    assert!(verified.is_clean(), "{:?}", verified.problems);
    assert_eq!(verified.links.to_string(), pipeline.ask("select count(*) from chain"));
    assert_eq!(verified.hash, pipeline.ask("select encode(head_hash, 'hex') from chain_state"));
    assert_eq!(verified.heads, 1);
    // The same ledger gives the same bytes.
    assert_eq!(lines, export(&pipeline));
}

#[test]
fn whatever_is_changed_in_a_file_is_found() {
    let pipeline = with_history();
    give_head(&pipeline, "day 2026-11-21");
    let (lines, heads) = (export(&pipeline), heads(&pipeline));
    let mut random = fastrand::Rng::with_seed(7);
    let mut changes = 0;
    while changes < 300 {
        let mut changed = lines.clone();
        // Not the header: that is no part of the ledger.
        let at = random.usize(1..changed.len());
        match random.u8(0..4) {
            0 => {
                let digits: Vec<usize> = changed[at]
                    .bytes()
                    .enumerate()
                    .filter(|(_, b)| b.is_ascii_hexdigit())
                    .map(|(i, _)| i)
                    .collect();
                let place = *random.choice(&digits).unwrap();
                let with = if &changed[at][place..=place] == "1" { "2" } else { "1" };
                changed[at].replace_range(place..=place, with);
            }
            1 => drop(changed.remove(at)),
            2 => {
                let other = random.usize(1..changed.len());
                changed.swap(at, other);
            }
            _ => changed.truncate(at),
        }
        let told = |lines: &[String]| -> Vec<serde_json::Value> {
            lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
        };
        // A digit more behind the last of an amount, say, is the same amount.
        if told(&changed) == told(&lines) && changed.len() == lines.len() {
            continue;
        }
        changes += 1;
        match read(&changed, &heads) {
            Err(_) => {}
            Ok(verified) => {
                assert!(!verified.is_clean(), "line {at} is now {:?}", changed.get(at));
                assert!(verified.first_bad.is_some());
            }
        }
    }
}

#[test]
fn a_file_that_was_written_anew_does_not_lead_through_the_heads() {
    let pipeline = with_history();
    give_head(&pipeline, "day 2026-11-21");
    let (lines, heads) = (export(&pipeline), heads(&pipeline));
    // Without its third link, all that follow made to follow.
    let mut forged = vec![lines[0].clone()];
    let mut before = vec![];
    let mut seq = 0;
    for line in lines[1..lines.len() - 1].iter().enumerate().filter(|(i, _)| *i != 2).map(|(_, line)| line) {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        seq += 1;
        let reference = upline::chain::Reference {
            kind: upline::chain::Kind::parse(value["kind"].as_str().unwrap()).unwrap(),
            source: value["source"].as_str().unwrap().parse().unwrap(),
            number: value["number"].as_i64().unwrap() as i32,
        };
        let digest = hex::decode(value["digest"].as_str().unwrap()).unwrap();
        let link = Link::after(&before, seq, reference, digest);
        value["seq"] = seq.into();
        value["hash"] = hex::encode(&link.hash).into();
        forged.push(value.to_string());
        before = link.hash;
    }
    forged.push(serde_json::json!({"end": {"seq": seq, "hash": hex::encode(&before)}}).to_string());
    assert!(read(&forged, &[]).unwrap().is_clean(), "it follows in itself");
    assert!(!read(&forged, &heads).unwrap().is_clean(), "the head that was given out says otherwise");
}
