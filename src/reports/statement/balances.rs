//! What stood before a statement, and what its kinds of entries and bonuses come to. One walk over the distributor's
//! postings; the lines are not needed for it.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, BigInt, Bool, Numeric, SmallInt, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;

use super::{Amounts, COLUMNS, Purse, Span, Sum, numbers, words};
use crate::db::DbError;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = SmallInt)]
    account: i16,
    /// Posted before the statement begins.
    #[diesel(sql_type = Bool)]
    before: bool,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    bonus: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

const SUMS: &str = "
select e.currency::text as currency, p.account, e.posted_at < $3 as before,
       case when e.posted_at < $3 then '' else e.kind end as kind,
       case when e.posted_at < $3 then '' else coalesce(c.bonus, '') end as bonus, -sum(p.amount) as amount
from postings p
join journal_entries e on e.source_id = p.source_id and e.entry_no = p.entry_no
left join commission_events c on e.posted_at >= $3 and c.order_id = p.source_id and c.event_id = p.event_id
where p.distributor_id = $1 and p.account = any($2) and e.posted_at < $4
group by 1, 2, 3, 4, 5";

const COUNTS: &str = "
select e.currency::text as currency, count(distinct (p.source_id, p.entry_no)) as lines
from postings p
join journal_entries e on e.source_id = p.source_id and e.entry_no = p.entry_no
where p.distributor_id = $1 and p.account = any($2) and e.posted_at >= $3 and e.posted_at < $4
group by 1";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = BigInt)]
    lines: i64,
}

/// By currency, of everything that was ever posted for the distributor until the statement ends.
pub fn purses(conn: &mut PgConnection, distributor: &str, span: &Span) -> Result<Vec<Purse>, DbError> {
    let rows: Vec<Row> = sql_query(SUMS)
        .bind::<Text, _>(distributor)
        .bind::<Array<SmallInt>, _>(numbers())
        .bind::<Timestamptz, _>(span.from)
        .bind::<Timestamptz, _>(span.until)
        .load(conn)?;
    let mut purses: BTreeMap<String, Purse> = BTreeMap::new();
    for row in rows {
        purses.entry(row.currency.clone()).or_insert_with(|| empty(&row.currency)).take(&row);
    }
    let counts: Vec<Count> = sql_query(COUNTS)
        .bind::<Text, _>(distributor)
        .bind::<Array<SmallInt>, _>(numbers())
        .bind::<Timestamptz, _>(span.from)
        .bind::<Timestamptz, _>(span.until)
        .load(conn)?;
    for count in counts {
        if let Some(purse) = purses.get_mut(&count.currency) {
            purse.lines = count.lines;
        }
    }
    Ok(purses.into_values().map(closed).collect())
}

fn empty(currency: &str) -> Purse {
    let nothing = Amounts::default;
    Purse {
        currency: currency.to_owned(),
        opening: nothing(),
        sums: vec![],
        moved: nothing(),
        closing: nothing(),
        lines: 0,
        used: [false; COLUMNS.len()],
    }
}

impl Purse {
    fn take(&mut self, row: &Row) {
        for (used, column) in self.used.iter_mut().zip(&COLUMNS) {
            let is_it = column.account.number() == row.account;
            *used |= is_it && !(row.before && row.amount.is_zero());
        }
        if row.before {
            self.opening.add(row.account, row.amount);
            return;
        }
        self.moved.add(row.account, row.amount);
        let known = self.sums.iter_mut().find(|sum| sum.kind == row.kind && sum.bonus == row.bonus);
        if let Some(sum) = known {
            sum.amounts.add(row.account, row.amount);
            return;
        }
        let mut amounts = Amounts::default();
        amounts.add(row.account, row.amount);
        self.sums.push(Sum { kind: row.kind.clone(), bonus: row.bonus.clone(), amounts });
    }
}

fn closed(mut purse: Purse) -> Purse {
    purse.sums.sort_by_cached_key(|sum| (words::place(&sum.kind), sum.bonus.clone()));
    purse.closing = purse.opening.clone();
    purse.closing += &purse.moved;
    purse
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::core::journal::Account;

    fn row(account: i16, before: bool, kind: &str, bonus: &str, amount: Decimal) -> Row {
        Row { currency: "USD".into(), account, before, kind: kind.into(), bonus: bonus.into(), amount }
    }

    #[test]
    fn opening_and_sums_close() {
        let mut purse = empty("USD");
        for row in [
            row(2100, true, "", "", dec!(7)),
            row(2110, true, "", "", dec!(0)),
            row(1000, false, "payout_confirmed", "", dec!(9)),
            row(2120, false, "payout_confirmed", "", dec!(-9)),
            row(2120, false, "payout", "", dec!(9)),
            row(2100, false, "payout", "", dec!(-9)),
            row(2100, false, "commission", "levels", dec!(2)),
            row(2100, false, "commission", "direct", dec!(3)),
        ] {
            purse.take(&row);
        }
        let purse = closed(purse);
        let told: Vec<(&str, &str)> =
            purse.sums.iter().map(|sum| (sum.kind.as_str(), sum.bonus.as_str())).collect();
        let wanted =
            [("commission", "direct"), ("commission", "levels"), ("payout", ""), ("payout_confirmed", "")];
        assert_eq!(told, wanted);
        assert_eq!(purse.closing.of(Account::CommissionPayable), dec!(3));
        assert_eq!(purse.closing.of(Account::Bank), dec!(9));
        let columns: Vec<&str> = purse.columns().map(|column| column.key).collect();
        assert_eq!(columns, ["payable", "on_its_way", "paid"], "moved there and back again counts");
    }
}
