//! What `upline tax` prints.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use crate::cli::{Outcome, output};
use crate::core::disclosure::Group;
use crate::tax::{
    CompanyShare, Form1099, IncomeTold, Invoice, Issued, News, Published, ShareTold, Stored, TaxProblem,
};

/// Rows of a list on the terminal.
pub const MOST: i64 = 1000;
/// Rows of a figure that a person reads; the CSV has all.
const SHOWN: usize = 50;

/// Ends a database transaction that was only tried.
pub fn only_tried<T>() -> Result<T, TaxProblem> {
    Err(TaxProblem::Refused("it was only tried".into()))
}

fn json_with(told: &impl Serialize, published: Option<&Published>) -> anyhow::Result<()> {
    output::json(&json!({"told": told, "published": published}))
}

fn said(published: Option<&Published>) -> anyhow::Result<()> {
    let Some(Published { news, figure }) = published else { return Ok(()) };
    let how = match news {
        News::First => "given out for the first time".to_owned(),
        News::Same => {
            format!("given out at {} with the same rows", figure.published_at.format("%Y-%m-%d %H:%M"))
        }
        News::Changed => format!("not what figure {} was", figure.follows.unwrap_or_default()),
    };
    Ok(output::line(format_args!(
        "Figure {}: {how}, {} rows, sha256 {}",
        figure.figure_no, figure.data_rows, figure.data_sha256
    ))?)
}

fn cut(shown: usize, all: usize) -> anyhow::Result<()> {
    if all > shown {
        output::note(format_args!("and {} more; --csv FILE writes all", all - shown))?;
    }
    Ok(())
}

pub fn forms(told: &Form1099, published: Option<&Published>, json: bool) -> anyhow::Result<Outcome> {
    if json {
        json_with(told, published)?;
        return Ok(Outcome::Done);
    }
    let due: Vec<_> = told.due().collect();
    let row = |row: &&crate::tax::NecRow| {
        let box_2 = if row.form.box_2 { "yes" } else { "" };
        let amounts = [row.form.box_1, row.form.box_4].map(|amount| amount.to_string());
        let [box_1, box_4] = amounts;
        let missing = row.missing.join(" ");
        vec![row.distributor.to_string(), box_1, box_2.to_owned(), box_4, row.tin_masked.clone(), missing]
    };
    let rows: Vec<Vec<String>> = due.iter().take(SHOWN).map(row).collect();
    if rows.is_empty() {
        output::line(format_args!("No form is due for {}.", told.year.year))?;
    } else {
        output::table(&["distributor", "box 1", "box 2", "box 4", "number", "missing"], &rows)?;
        cut(rows.len(), due.len())?;
        let (box_1, box_4) = told.sums();
        output::line(format_args!("{} forms, box 1 {box_1} USD, box 4 {box_4} USD", due.len()))?;
    }
    output::line(format_args!(
        "{} people were paid below {} USD, {} of other countries",
        told.rows.len() - due.len(),
        told.year.box_1,
        told.elsewhere
    ))?;
    for other in told.other_currencies.iter().take(SHOWN) {
        output::line(format_args!(
            "  {} was paid {} {}: no box holds it before it is converted",
            other.distributor, other.paid, other.currency
        ))?;
    }
    said(published)?;
    if told.incomplete() > 0 {
        output::note(format_args!("{} forms cannot be sent as things are.", told.incomplete()))?;
    }
    Ok(Outcome::Done)
}

pub fn income(told: &IncomeTold, published: Option<&Published>, json: bool) -> anyhow::Result<Outcome> {
    if json {
        json_with(told, published)?;
        return Ok(Outcome::Done);
    }
    let row = |(name, group): (&str, &Group)| {
        let (gross, after) = (&group.gross, &group.after);
        let share = output::percent(gross.share_with_nothing);
        let p90 = gross.percentiles.get(&90).copied().unwrap_or_default();
        let mut row = vec![name.to_owned(), gross.people.to_string(), share];
        row.extend(
            [gross.mean, gross.median, p90, after.mean, after.median].map(|amount| amount.to_string()),
        );
        row
    };
    let rows: Vec<Vec<String>> =
        std::iter::once(("everybody", &told.disclosure.all)).chain(told.ranks()).map(row).collect();
    output::line(format_args!("Earned in {}, {}:", told.asked.year, told.asked.currency))?;
    let header = ["group", "people", "with nothing", "mean", "median", "p90", "mean after", "median after"];
    output::table(&header, &rows)?;
    for top in &told.disclosure.all.gross.top {
        let share = top.share.map(output::percent).unwrap_or_else(|| "nothing".to_owned());
        output::line(format_args!(
            "The best paid {} % are {} people: from {} on, {share} of everything",
            top.percent, top.people, top.from
        ))?;
    }
    if told.elsewhere > 0 {
        output::note(format_args!(
            "{} participants earned in other currencies only, and are in the figures of those.",
            told.elsewhere
        ))?;
    }
    said(published)?;
    Ok(Outcome::Done)
}

pub fn share(told: &ShareTold, published: Option<&Published>, json: bool) -> anyhow::Result<Outcome> {
    if json {
        json_with(told, published)?;
        return Ok(Outcome::Done);
    }
    let percent = |share: Option<Decimal>| share.map(output::percent).unwrap_or_default();
    let row = |earner: &crate::tax::EarnerShare| {
        let it = &earner.sources;
        let mut row = vec![earner.distributor.to_string()];
        row.extend(
            [it.from_customers, it.from_own, it.from_distributors, it.of_period].map(|sum| sum.to_string()),
        );
        row.extend([
            earner.currency.to_string(),
            percent(earner.customer_share),
            percent(earner.sales_share),
        ]);
        row
    };
    let rows: Vec<Vec<String>> = told.earners.iter().take(SHOWN).map(row).collect();
    if rows.is_empty() {
        output::line(format_args!("Nobody earned or sold anything in {}.", told.period))?;
    } else {
        let header =
            ["distributor", "customers", "own", "distributors", "period", "", "of customers", "of sales"];
        output::table(&header, &rows)?;
        cut(rows.len(), told.earners.len())?;
    }
    for CompanyShare { currency, customer_share, sales_share, .. } in &told.company {
        output::line(format_args!(
            "All in {currency}: {} of commissions and {} of net sales come from customers",
            customer_share.map_or_else(|| "nothing".to_owned(), output::percent),
            sales_share.map_or_else(|| "nothing".to_owned(), output::percent),
        ))?;
    }
    if !told.is_closed {
        output::note(format_args!("{} is not closed: this can still change.", told.period))?;
    }
    said(published)?;
    Ok(Outcome::Done)
}

pub fn invoices(found: &[Invoice], json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::line("No document has a number.")?;
    } else {
        table_of(found)?;
    }
    Ok(Outcome::Done)
}

fn table_of(found: &[Invoice]) -> anyhow::Result<()> {
    let row = |one: &Invoice| {
        vec![
            one.number(),
            one.kind.replace('_', " "),
            one.distributor_id.clone(),
            one.amount.normalize().to_string(),
            one.currency.clone(),
            one.paid_on.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    Ok(output::table(&["number", "kind", "distributor", "amount", "", "paid"], &rows)?)
}

pub fn issued(issued: &Issued, dry_run: bool, json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(&json!({"applied": !dry_run, "issued": issued}))?;
    } else if issued.invoices.is_empty() {
        output::line("Nothing needs a number.")?;
    } else {
        table_of(&issued.invoices)?;
    }
    if dry_run {
        output::note("Only tried: nothing was written.")?;
    }
    for distributor in &issued.without_country {
        output::note(format_args!("{distributor} has a VAT number and no country: set it, and issue again"))?;
    }
    Ok(if issued.without_country.is_empty() { Outcome::Done } else { Outcome::Difference })
}

pub fn figures(found: &[Stored], json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::line("No figure was given out; --publish of `upline tax` commands records one.")?;
    } else {
        let row = |one: &Stored| {
            vec![
                one.figure_no.to_string(),
                one.name.clone(),
                one.parameters.to_string(),
                one.data_rows.to_string(),
                one.data_sha256.chars().take(12).collect(),
                one.published_at.format("%Y-%m-%d %H:%M").to_string(),
                one.published_by.clone(),
            ]
        };
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        output::table(&["figure", "name", "of", "rows", "sha256", "at", "by"], &rows)?;
    }
    Ok(Outcome::Done)
}

pub fn figure(found: &Stored, json: bool) -> anyhow::Result<Outcome> {
    if json {
        output::json(found)?;
        return Ok(Outcome::Done);
    }
    output::line(format_args!("Figure {}: {} of {}", found.figure_no, found.name, found.parameters))?;
    output::line(format_args!("given out {} by {}", found.published_at.to_rfc3339(), found.published_by))?;
    output::line(format_args!("{} rows, sha256 {}", found.data_rows, found.data_sha256))?;
    if let Some((seq, hash)) = found.head_seq.zip(found.head_hash.as_ref()) {
        output::line(format_args!("chain at {seq}, {hash}"))?;
    }
    if let Some((before, change)) = found.follows.zip(found.change.as_ref()) {
        output::line(format_args!("differs from figure {before} in {change}"))?;
    }
    output::line(format_args!("{}\n{}", found.summary, found.query))?;
    Ok(Outcome::Done)
}
