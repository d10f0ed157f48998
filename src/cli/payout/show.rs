//! Batches on the terminal.

use serde_json::json;

use super::Room;
use crate::cli::{Outcome, output};
use crate::db::{DbError, Lane};
use crate::payouts::{self, Batch, Count, Item, PayeeNews, PayoutProblem, Review};

/// More of them nobody reads.
const MOST: i64 = 50;

pub fn list(room: &Room<'_>, json: bool) -> anyhow::Result<Outcome> {
    let (batches, counts) = room.backend.db.read(Lane::Admin, |conn| {
        let batches = payouts::batches(conn, None, MOST)?;
        let numbers: Vec<i32> = batches.iter().map(|batch| batch.batch_no).collect();
        let counts = payouts::counts(conn, &numbers)?;
        Ok((batches, counts))
    })?;
    if json {
        output::json(&json!({"batches": batches, "counts": counts}))?;
        return Ok(Outcome::Done);
    }
    if batches.is_empty() {
        output::note("There is no payout yet: `upline payout prepare` makes the first.")?;
    }
    let rows: Vec<Vec<String>> = batches.iter().map(|batch| row(batch, &counts)).collect();
    output::table(&["batch", "rail", "is", "purpose", "total", "payments", "by"], &rows)?;
    Ok(Outcome::Done)
}

fn row(batch: &Batch, counts: &[Count]) -> Vec<String> {
    let of: Vec<&Count> = counts.iter().filter(|count| count.batch_no == batch.batch_no).collect();
    let leaving = of.iter().filter(|count| count.status != "cancelled");
    let total: rust_decimal::Decimal = leaving.map(|count| count.net).sum();
    let told: Vec<String> = of.iter().map(|count| format!("{} {}", count.items, count.status)).collect();
    let by = [Some(&batch.created), batch.approved.as_ref(), batch.exported.as_ref()];
    let by: Vec<&str> = by.into_iter().flatten().map(|deed| deed.by.as_str()).collect();
    vec![
        batch.batch_no.to_string(),
        batch.rail.name().to_owned(),
        batch.status.name().to_owned(),
        batch.purpose.clone(),
        format!("{total} {}", batch.currency),
        told.join(", "),
        by.join(", "),
    ]
}

pub fn batch(room: &Room<'_>, batch_no: i32, items: bool, json: bool) -> anyhow::Result<Outcome> {
    let now = room.clock.now();
    let review = room.backend.db.read(Lane::Admin, |conn| match payouts::review(conn, batch_no, now) {
        Ok(review) => Ok(Ok(review)),
        Err(PayoutProblem::Db(error)) => Err::<_, DbError>(error),
        Err(problem) => Ok(Err(problem)),
    })??;
    if json {
        let changes =
            room.backend.db.read(Lane::Admin, |conn| payouts::changes(conn, review.batch.batch_id))?;
        output::json(&json!({"review": review, "changes": changes}))?;
        return Ok(Outcome::Done);
    }
    reviewed(&review, items)
}

pub fn reviewed(review: &Review, items: bool) -> anyhow::Result<Outcome> {
    let (batch, currency) = (&review.batch, review.batch.currency);
    output::line(format_args!(
        "batch {} on {} is {}: {} payments, {} {currency}; {}",
        batch.batch_no,
        batch.rail.name(),
        batch.status.name(),
        review.payments,
        review.total,
        batch.purpose
    ))?;
    output::line(format_args!("digest {}", review.digest))?;
    if let Some(head) = &review.chain_head {
        output::line(format_args!("chain  {} {}", head.seq, head.hash))?;
    }
    output::line(format_args!("fees {}, withheld {} {currency}", review.fees, review.withheld))?;
    if let Some(last) = &review.last {
        output::line(format_args!(
            "last time: batch {}, {} payments, {}",
            last.batch_no, last.payments, last.total
        ))?;
    }
    for (news, what) in
        [(PayeeNews::First, "was never paid before"), (PayeeNews::Changed, "has another account")]
    {
        for item in review.with_news(news) {
            output::line(format_args!("{} {what}: {}, {}", item.distributor(), item.money.net, item.masked))?;
        }
    }
    for mover in &review.movers {
        output::line(format_args!("{}: {} before, {} now", mover.distributor, mover.was, mover.now))?;
    }
    for sum in &review.left_out {
        output::line(format_args!("left out, {}: {} with {}", sum.why.told(), sum.distributors, sum.amount))?;
    }
    let against = review.over_limits.iter().chain(&review.blocked).chain(&review.stopped);
    for why in against {
        output::line(format_args!("against it: {why}"))?;
    }
    if let Some(file) = &batch.file {
        output::line(format_args!("file {} sha256 {}", file.name, file.sha256))?;
    }
    if items {
        tell_items(&review.items)?;
    }
    Ok(Outcome::Done)
}

fn tell_items(items: &[Item]) -> anyhow::Result<()> {
    let row = |item: &Item| {
        let money = [item.money.gross, item.money.fee, item.money.withheld, item.money.net];
        let said = [&item.code, &item.reason].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        [item.item_no.to_string(), item.distributor().to_string(), item.masked.clone()]
            .into_iter()
            .chain(money.map(|amount| amount.to_string()))
            .chain([item.status.name().to_owned(), said])
            .collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    Ok(output::table(
        &["payment", "distributor", "to", "gross", "fee", "withheld", "net", "is", "bank"],
        &rows,
    )?)
}

pub fn waiting(room: &Room<'_>, json: bool) -> anyhow::Result<Outcome> {
    let (answers, unknown) = room
        .backend
        .db
        .read(Lane::Admin, |conn| Ok((payouts::open_answers(conn, MOST)?, payouts::unknown(conn, MOST)?)))?;
    if json {
        output::json(&json!({"answers": answers, "unknown": unknown}))?;
        return Ok(Outcome::Done);
    }
    for answer in &answers {
        let item = answer.item_no.map(|no| format!(" (payment {no})")).unwrap_or_default();
        output::line(format_args!(
            "{} {} {}: {}{item}",
            answer.answer_id, answer.format, answer.message_id, answer.why
        ))?;
    }
    for item in &unknown {
        output::line(format_args!(
            "payment {} of {}, {} {}: nobody knows what became of it",
            item.item_no,
            item.distributor(),
            item.money.net,
            item.currency
        ))?;
    }
    if answers.is_empty() && unknown.is_empty() {
        output::note("Nothing waits for a person.")?;
    }
    Ok(Outcome::Done)
}
