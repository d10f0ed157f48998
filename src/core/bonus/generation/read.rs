//! The generation part of a plan document.

use rust_decimal::Decimal;

use super::{Boundary, Generation};
use crate::core::bonus::Names;
use crate::core::bonus::leaders::{Scope, read_by_rank, read_rates};
use crate::core::bonus::read::RankName;
use crate::core::plan::read::{Item, Table};

/// Empty groups are noted by a bit for each rank.
const MOST_NOTED: usize = 62;

/// What has a rate, in a problem.
const RATED: &str = "generations";

type Rows = Vec<(RankName, Vec<Decimal>)>;

impl Generation {
    pub(in crate::core::bonus) fn read(
        table: &Table<'_>,
        names: &Names<'_>,
        pool: Option<Decimal>,
    ) -> Option<Self> {
        let scope = Scope::read(table, names, pool);
        // Rates are looked at also where something else is wrong.
        let known = scope.clone().unwrap_or_default();
        let boundary = table
            .required("boundary", "boundary = \"director\" or boundary = \"own\"")
            .and_then(|item| read_boundary(&item, names));
        let empty = table.optional("empty");
        let skips_empty =
            empty.as_ref().map_or(Some(false), |item| item.word(&[("consumes", false), ("skips", true)]));
        let volume = table.optional("volume");
        let gross = volume.as_ref().map_or(Some(false), |item| item.word(&[("net", false), ("gross", true)]));
        for (item, endless) in [(&empty, skips_empty), (&volume, gross)] {
            if let (Some(item), Some(true), Some(_)) = (item, endless, pool) {
                item.problem(
                    "every leader above can be paid on the same volume, which no share of it can hold",
                    "remove pool, and limit the bonus by a [[cap]] if it needs a limit",
                );
            }
        }
        let rates = table.required("rates", "rates = { director = [\"0.05\", \"0.03\"] }");
        let rows = rates.as_ref().and_then(|item| match item.is_array() {
            true => {
                read_rates(item, &known, pool, RATED).map(|row| row_for_all(&row, boundary.as_ref(), names))
            }
            false => read_rows(item, names, boundary.as_ref(), &known, pool),
        });
        let read = Self {
            scope: scope?,
            boundary: boundary?,
            rows: rows?,
            skips_empty: skips_empty?,
            gross: gross?,
        };
        if let Some(item) = rates {
            read.check(&item, pool);
        }
        Some(read)
    }

    fn check(&self, rates: &Item<'_>, pool: Option<Decimal>) {
        if self.generations() == 0 {
            rates.problem("nobody would ever be paid", "give a rank a rate, such as director = [\"0.05\"]");
        }
        if let Some(most) = self.most(pool) {
            self.scope.check_most(rates, "the generations add up to", most, pool);
        }
        if self.boundary == Boundary::Own && self.skips_empty && self.rows.len() > MOST_NOTED {
            rates.problem(
                format!("{} ranks count generations of their own without empty ones", self.rows.len()),
                format!("give at most {MOST_NOTED} ranks a row, or write empty = \"consumes\""),
            );
        }
    }
}

fn read_boundary(item: &Item<'_>, names: &Names<'_>) -> Option<Boundary> {
    if item.text()? == "own" {
        return Some(Boundary::Own);
    }
    RankName::read(item, names).map(Boundary::Rank)
}

/// The same row for everybody who leads a generation.
fn row_for_all(row: &[Decimal], boundary: Option<&Boundary>, names: &Names<'_>) -> Rows {
    let leads = |rank: &RankName| match boundary {
        Some(Boundary::Rank(boundary)) => boundary.reached_by(rank.place),
        _ => true,
    };
    let ranks = names.ranks.iter().filter_map(|id| RankName::find(id, names)).filter(leads);
    ranks.map(|rank| (rank, row.to_vec())).collect()
}

/// Every rank that leads generations needs its row, so that one that was forgotten is seen.
fn read_rows(
    item: &Item<'_>,
    names: &Names<'_>,
    boundary: Option<&Boundary>,
    scope: &Scope,
    pool: Option<Decimal>,
) -> Option<Rows> {
    let rows = read_by_rank(item, names, "director = [\"0.05\"]", |rank, row| {
        if let Some(Boundary::Rank(boundary)) = boundary {
            check_leads(rank, boundary, row);
        }
        read_rates(row, scope, pool, RATED)
    })?;
    let Some(Boundary::Rank(boundary)) = boundary else { return Some(rows) };
    let given: Vec<&str> = item.entries()?.into_iter().map(|(id, _)| id).collect();
    for id in names.ranks.iter().skip(usize::from(boundary.place)) {
        if !given.contains(&id.as_str()) {
            item.problem(
                format!("the rank {id:?} leads generations and has no row"),
                format!("add {id} = [\"0.05\"], or {id} = [] if it earns nothing"),
            );
        }
    }
    Some(rows)
}

fn check_leads(rank: &RankName, boundary: &RankName, row: &Item<'_>) {
    if !boundary.reached_by(rank.place) {
        row.problem(
            format!("{} stands below the boundary {}, so it leads no generation", rank.id, boundary.id),
            "remove the row or lower the boundary",
        );
    }
}
