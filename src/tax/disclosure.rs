//! The income of all participants of a year, also of those who earned nothing.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::repo::income::{self, IncomeRow};
use super::sheet::{Sheet, digits, pinned};
use super::{Figure, TaxProblem, year_of};
use crate::core::disclosure::{Disclosure, Group, Participant, Spread, disclose};
use crate::core::money::Currency;
use crate::db::Conn;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncomeAsked {
    pub year: i32,
    pub currency: Currency,
    /// Two capital letters; `None` is everywhere.
    pub country: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct IncomeTold {
    #[serde(flatten)]
    pub asked: IncomeAsked,
    #[serde(flatten)]
    pub disclosure: Disclosure,
    /// Participants who earned in other currencies only: they belong to the figure of that currency.
    pub elsewhere: usize,
    /// One row for each participant: what the figure is computed from.
    #[serde(skip)]
    pub rows: Sheet,
}

pub fn disclosure(conn: &mut Conn, asked: &IncomeAsked) -> Result<IncomeTold, TaxProblem> {
    let currency = asked.currency;
    let country = asked.country.as_deref().unwrap_or_default();
    let rows = income::of_year(conn, year_of(asked.year)?, currency.code(), country)?;
    let (elsewhere, rows): (Vec<IncomeRow>, Vec<IncomeRow>) = rows.into_iter().partition(|row| row.elsewhere);
    let participants: Vec<Participant> = rows.iter().map(|row| participant(row, currency)).collect();
    let told = |row: &IncomeRow| {
        let mut told = vec![row.distributor_id.clone(), row.rank.clone()];
        told.extend([row.gross, row.taken_back, row.fees, after(row)].map(|amount| digits(amount, currency)));
        told
    };
    Ok(IncomeTold {
        asked: asked.clone(),
        disclosure: disclose(&participants, currency.exponent().unwrap_or(2)),
        elsewhere: elsewhere.len(),
        rows: Sheet {
            header: vec!["distributor_id", "rank", "gross", "taken_back", "fees", "after"],
            rows: rows.iter().map(told).collect(),
        },
    })
}

fn after(row: &IncomeRow) -> Decimal {
    row.gross - row.taken_back - row.fees
}

fn participant(row: &IncomeRow, currency: Currency) -> Participant {
    let pinned = |amount| pinned(amount, currency);
    Participant { rank: row.rank.clone(), gross: pinned(row.gross), after: pinned(after(row)) }
}

impl IncomeTold {
    /// The table that is given out: everybody, then each rank.
    pub fn sheet(&self) -> Sheet {
        let groups = std::iter::once(("everybody", &self.disclosure.all)).chain(self.ranks());
        let both = |(name, group): (&str, &Group)| {
            [("gross", &group.gross), ("after", &group.after)].map(|(of, spread)| self.line(name, of, spread))
        };
        Sheet { header: HEADER.to_vec(), rows: groups.flat_map(both).collect() }
    }

    /// The empty rank has a name here.
    pub fn ranks(&self) -> impl Iterator<Item = (&str, &Group)> {
        self.disclosure.ranks.iter().map(|(name, group)| match name.is_empty() {
            true => ("no rank", group),
            false => (name.as_str(), group),
        })
    }

    fn line(&self, name: &str, of: &str, spread: &Spread) -> Vec<String> {
        let money = |amount: Decimal| digits(amount, self.asked.currency);
        let mut line = vec![
            name.to_owned(),
            of.to_owned(),
            spread.people.to_string(),
            spread.with_nothing.to_string(),
            spread.share_with_nothing.to_string(),
            money(spread.sum),
            money(spread.mean),
            money(spread.median),
        ];
        line.extend(spread.percentiles.values().map(|amount| money(*amount)));
        for top in &spread.top {
            line.extend([top.people.to_string(), money(top.from)]);
            line.push(top.share.map(|share| share.to_string()).unwrap_or_default());
        }
        line
    }

    pub fn figure(&self) -> Figure {
        let (gross, after) = (&self.disclosure.all.gross, &self.disclosure.all.after);
        Figure {
            name: "disclosure",
            parameters: json!(self.asked),
            query: income::QUERY,
            sheet: self.rows.clone(),
            summary: json!({"people": gross.people, "with_nothing": gross.with_nothing, "gross": gross.sum,
                            "after": after.sum, "mean": gross.mean, "median": gross.median,
                            "mean_after": after.mean, "median_after": after.median, "elsewhere": self.elsewhere}),
        }
    }
}

const HEADER: [&str; 21] = [
    "group",
    "of",
    "people",
    "with_nothing",
    "share_with_nothing",
    "sum",
    "mean",
    "median",
    "p10",
    "p25",
    "p50",
    "p75",
    "p90",
    "p95",
    "p99",
    "top_1_people",
    "top_1_from",
    "top_1_share",
    "top_10_people",
    "top_10_from",
    "top_10_share",
];
