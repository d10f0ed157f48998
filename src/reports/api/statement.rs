//! A statement of a distributor as programs read it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ledger;
use crate::reports::statement::{Amounts, Key, Line, Purse, Statement, told};

/// Of every account of the distributor: payable, held_back, on_its_way, debt, withheld, fees, paid. Positive is the
/// distributor's.
pub type AmountsView = BTreeMap<&'static str, String>;

/// What happened on a distributor's accounts between two instants. Entries count by when they were posted.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementView {
    pub distributor_id: String,
    /// Only for tokens with the scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Null if days were asked for.
    #[schema(example = "2026-10")]
    pub period: Option<String>,
    pub from: DateTime<Utc>,
    /// Not in it any more.
    pub until: DateTime<Utc>,
    pub currencies: Vec<PurseView>,
    /// By currency, then as they were posted.
    pub lines: Vec<StatementLineView>,
    /// `after` of the next page; null on the last.
    pub next: Option<String>,
    /// The last link of the chain when this was read; null while nothing is chained.
    pub chain: Option<HeadView>,
}

/// Everything in one currency: `opening` and all lines are `closing`, exactly.
#[derive(Debug, Serialize, ToSchema)]
pub struct PurseView {
    #[schema(example = "USD")]
    pub currency: String,
    #[schema(value_type = std::collections::HashMap<String, String>, example = json!({"payable": "19.38"}))]
    pub opening: AmountsView,
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub moved: AmountsView,
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub closing: AmountsView,
    pub sums: Vec<SumView>,
    /// How many lines there are on all pages.
    pub entries: i64,
}

/// What one kind of entry, and a bonus of it, comes to.
#[derive(Debug, Serialize, ToSchema)]
pub struct SumView {
    #[schema(example = "commission")]
    pub kind: String,
    /// Null for kinds that no bonus makes.
    #[schema(example = "levels")]
    pub bonus: Option<String>,
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub amounts: AmountsView,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StatementLineView {
    /// `source_id/entry_no` of the journal entry.
    pub entry_id: String,
    pub posted_at: DateTime<Utc>,
    #[schema(example = "commission")]
    pub kind: String,
    #[schema(example = "USD")]
    pub currency: String,
    #[schema(example = "Order 301 of main: levels (level 1)")]
    pub about: String,
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub amounts: AmountsView,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HeadView {
    pub seq: i64,
    /// Hexadecimal.
    pub hash: String,
}

pub fn statement_view(found: Statement, personal: bool) -> StatementView {
    StatementView {
        name: found.name.filter(|_| personal),
        distributor_id: found.distributor,
        period: found.span.period,
        from: found.span.from,
        until: found.span.until,
        currencies: found.purses.iter().map(purse).collect(),
        lines: found.lines.iter().map(line).collect(),
        next: found.next.as_ref().map(after),
        chain: found.head.map(|head| HeadView { seq: head.seq, hash: head.hash }),
    }
}

fn purse(purse: &Purse) -> PurseView {
    let amounts = |amounts: &Amounts| told(amounts, &purse.currency);
    let sum = |sum: &crate::reports::statement::Sum| SumView {
        kind: sum.kind.clone(),
        bonus: (!sum.bonus.is_empty()).then(|| sum.bonus.clone()),
        amounts: amounts(&sum.amounts),
    };
    PurseView {
        currency: purse.currency.clone(),
        opening: amounts(&purse.opening),
        moved: amounts(&purse.moved),
        closing: amounts(&purse.closing),
        sums: purse.sums.iter().map(sum).collect(),
        entries: purse.lines,
    }
}

fn line(line: &Line) -> StatementLineView {
    StatementLineView {
        entry_id: ledger::reference(line.source, line.number),
        posted_at: line.at,
        kind: line.kind.clone(),
        currency: line.currency.clone(),
        about: line.about.clone(),
        amounts: told(&line.amounts, &line.currency),
    }
}

/// `USD/1793500000000000/source/1`: nothing in it has to be escaped in an address.
fn after(key: &Key) -> String {
    let Key { currency, at, source, number } = key;
    format!("{currency}/{}/{source}/{number}", at.timestamp_micros())
}

/// What [`after`] wrote.
pub fn statement_key(text: &str) -> Option<Key> {
    let parts: Vec<&str> = text.split('/').collect();
    let [currency, at, source, number] = parts.try_into().ok()?;
    Some(Key {
        currency: crate::core::money::Currency::parse(currency)?.to_string(),
        at: DateTime::from_timestamp_micros(at.parse().ok()?)?,
        source: Uuid::parse_str(source).ok()?,
        number: number.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was() {
        let key = Key {
            currency: "USD".to_owned(),
            at: "2026-10-03T10:00:00.123456Z".parse().unwrap(),
            source: Uuid::max(),
            number: 3,
        };
        assert_eq!(statement_key(&after(&key)), Some(key));
        for wrong in ["", "USD", "USD/1/x/1", "USD/x/ffffffff-ffff-ffff-ffff-ffffffffffff/1", "1/2/3/4/5"] {
            assert_eq!(statement_key(wrong), None, "{wrong}");
        }
    }
}
