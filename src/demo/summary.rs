//! What the demo tells at its end: computed from the database, for people as a table, for programs as JSON.

use std::fmt;
use std::time::Duration;

use rust_decimal::Decimal;

use super::draw::EXAMPLES;
use super::json::{Json, object};
use super::repo::{Counts, ResultRow, Sums};

#[derive(Clone, Debug)]
pub struct Summary {
    /// Sent and acknowledged, repeats and pings included.
    pub deliveries: usize,
    pub duplicates: i64,
    pub counts: Counts,
    pub sums: Vec<Sums>,
    /// Median and 99th percentile.
    pub ack: (Duration, Duration),
    /// Likewise, in seconds.
    pub receipt_to_ledger: (Decimal, Decimal),
    /// The result table of the examples.
    pub rows: Vec<ResultRow>,
    pub took: Duration,
}

impl Summary {
    /// One JSON object; money as strings by currency.
    pub fn json(&self) -> String {
        let percentiles = |(p50, p99): (Decimal, Decimal)| object! { "p50": p50, "p99": p99 };
        let json = object! {
            "deliveries": count(self.deliveries),
            "duplicates": Decimal::from(self.duplicates),
            "orders": Decimal::from(self.counts.orders),
            "held": Decimal::from(self.counts.held),
            "commission_events": Decimal::from(self.counts.commission_events),
            "ledger_entries": Decimal::from(self.counts.ledger_entries),
            "net": self.by_currency(|sums| sums.net),
            "commissions": self.by_currency(|sums| sums.commissions),
            "drift": self.by_currency(|sums| sums.drift),
            "ack_ms": percentiles(self.ack_ms()),
            "receipt_to_ledger_ms": percentiles(self.ledger_ms()),
        };
        String::from_utf8_lossy(&json.plain()).into_owned()
    }

    /// Whether what is posted is not what should be.
    pub fn drifts(&self) -> bool {
        self.sums.iter().any(|sums| !sums.drift.is_zero())
    }

    fn ack_ms(&self) -> (Decimal, Decimal) {
        let seconds =
            |took: Duration| Decimal::from(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)) / MICROS;
        (milliseconds(seconds(self.ack.0)), milliseconds(seconds(self.ack.1)))
    }

    fn ledger_ms(&self) -> (Decimal, Decimal) {
        (milliseconds(self.receipt_to_ledger.0), milliseconds(self.receipt_to_ledger.1))
    }

    fn by_currency(&self, amount: impl Fn(&Sums) -> Decimal) -> Json {
        Json::Map(self.sums.iter().map(|sums| (sums.currency.clone(), Json::money(amount(sums)))).collect())
    }

    fn money(&self, amount: impl Fn(&Sums) -> Decimal) -> String {
        let each: Vec<String> =
            self.sums.iter().map(|sums| format!("{:.2} {}", amount(sums), sums.currency)).collect();
        each.join(", ")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ack, ledger) = (self.ack_ms(), self.ledger_ms());
        writeln!(f, "  deliveries          {} in {:.1?}", self.deliveries, self.took)?;
        writeln!(f, "  told before         {}", self.duplicates)?;
        writeln!(f, "  orders              {}", self.counts.orders)?;
        writeln!(f, "  held                {}", self.counts.held)?;
        writeln!(f, "  commission events   {}", self.counts.commission_events)?;
        writeln!(f, "  ledger entries      {}", self.counts.ledger_entries)?;
        writeln!(f, "  commissionable net  {}", self.money(|sums| sums.net))?;
        writeln!(f, "  commissions         {}", self.money(|sums| sums.commissions))?;
        writeln!(f, "  drift               {}", self.money(|sums| sums.drift))?;
        writeln!(f, "  acknowledged in     {} ms median, {} ms p99", ack.0, ack.1)?;
        writeln!(f, "  receipt to ledger   {} ms median, {} ms p99", ledger.0, ledger.1)?;
        writeln!(f)?;
        writeln!(
            f,
            "  {:<7}{:<10}{:<8}{:<10}{:>10}  status",
            "order", "product", "buyer", "referrer", "commission"
        )?;
        for row in &self.rows {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let payment = text(&row.payment).to_uppercase();
            writeln!(
                f,
                "  {:<7}{:<10}{:<8}{:<10}{:>10.2}  {payment}",
                row.order,
                text(&row.sku),
                text(&row.buyer),
                text(&row.referrer),
                row.commission,
            )?;
        }
        if self.rows.len() < EXAMPLES.len() {
            writeln!(f, "  (the example orders are the first two: send at least {})", EXAMPLES.len())?;
        }
        Ok(())
    }
}

fn count(number: usize) -> Decimal {
    Decimal::from(u64::try_from(number).unwrap_or(u64::MAX))
}

const MICROS: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// With one digit after the point.
fn milliseconds(seconds: Decimal) -> Decimal {
    (seconds * Decimal::ONE_THOUSAND).round_dp(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let sums = Sums {
            currency: "USD".into(),
            net: "164.5".parse().unwrap(),
            commissions: "29.55".parse().unwrap(),
            drift: Decimal::ZERO,
        };
        Summary {
            deliveries: 21,
            duplicates: 2,
            counts: Counts { repeats: 2, orders: 10, held: 1, commission_events: 30, ledger_entries: 9 },
            sums: vec![sums],
            ack: (Duration::from_micros(1_840), Duration::from_micros(12_060)),
            receipt_to_ledger: ("0.00813".parse().unwrap(), "0.04".parse().unwrap()),
            rows: vec![ResultRow {
                order: "301".into(),
                sku: Some("SUPP001".into()),
                buyer: Some("11200".into()),
                referrer: Some("11043".into()),
                commission: "19.8".parse().unwrap(),
                payment: Some("paid".into()),
            }],
            took: Duration::from_secs(3),
        }
    }

    #[test]
    fn the_json_has_money_as_strings_by_currency() {
        assert_eq!(
            summary().json(),
            r#"{"deliveries":21,"duplicates":2,"orders":10,"held":1,"commission_events":30,"ledger_entries":9,"net":{"USD":"164.50"},"commissions":{"USD":"29.55"},"drift":{"USD":"0.00"},"ack_ms":{"p50":1.8,"p99":12.1},"receipt_to_ledger_ms":{"p50":8.1,"p99":40.0}}"#
        );
    }

    #[test]
    fn the_table_shows_the_examples() {
        let text = summary().to_string();
        assert!(text.contains("  acknowledged in     1.8 ms median, 12.1 ms p99\n"), "{text}");
        assert!(text.contains("  receipt to ledger   8.1 ms median, 40.0 ms p99\n"), "{text}");
        assert!(text.contains("  301    SUPP001   11200   11043          19.80  PAID\n"), "{text}");
    }
}
