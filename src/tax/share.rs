//! Whose purchases the commissions of a period come from: customers, the earner, or other distributors.
//!
//! Bonuses of a whole period come from volume and from no single order; they are told beside it, and the share of sales
//! says whose purchases the volume was.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::repo::share::{self, ShareRow};
use super::sheet::{Sheet, digits, pinned};
use super::{Figure, TaxProblem};
use crate::core::disclosure::share as share_of;
use crate::core::ids::DistributorId;
use crate::core::money::Currency;
use crate::db::{Conn, DbError};
use crate::periods;

/// Sums of one earner, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// Commissions of orders, by who bought.
    pub from_customers: Decimal,
    pub from_own: Decimal,
    pub from_distributors: Decimal,
    /// Bonuses of the whole period.
    pub of_period: Decimal,
    /// Net sales of orders that name the earner.
    pub sold_to_customers: Decimal,
    pub sold_to_distributors: Decimal,
}

impl Sources {
    fn of(row: &ShareRow, currency: Currency) -> Self {
        let pinned = |amount| pinned(amount, currency);
        Self {
            from_customers: pinned(row.from_customers),
            from_own: pinned(row.from_own),
            from_distributors: pinned(row.from_distributors),
            of_period: pinned(row.of_period),
            sold_to_customers: pinned(row.sold_to_customers),
            sold_to_distributors: pinned(row.sold_to_distributors),
        }
    }

    fn add(&mut self, other: &Self) {
        self.from_customers += other.from_customers;
        self.from_own += other.from_own;
        self.from_distributors += other.from_distributors;
        self.of_period += other.of_period;
        self.sold_to_customers += other.sold_to_customers;
        self.sold_to_distributors += other.sold_to_distributors;
    }

    /// Of commissions of orders; nothing where there are none.
    pub fn customer_share(&self) -> Option<Decimal> {
        let all = self.from_customers + self.from_own + self.from_distributors;
        share_of(self.from_customers, all)
    }

    /// Of net sales.
    pub fn sales_share(&self) -> Option<Decimal> {
        share_of(self.sold_to_customers, self.sold_to_customers + self.sold_to_distributors)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EarnerShare {
    pub distributor: DistributorId,
    pub currency: Currency,
    #[serde(flatten)]
    pub sources: Sources,
    pub customer_share: Option<Decimal>,
    pub sales_share: Option<Decimal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CompanyShare {
    pub currency: Currency,
    #[serde(flatten)]
    pub sources: Sources,
    pub customer_share: Option<Decimal>,
    pub sales_share: Option<Decimal>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShareTold {
    pub period: String,
    /// Whether the period is closed: before, everything can still change.
    pub is_closed: bool,
    pub company: Vec<CompanyShare>,
    pub earners: Vec<EarnerShare>,
}

pub fn customer_share(conn: &mut Conn, period: &str) -> Result<ShareTold, TaxProblem> {
    let known = periods::periods(conn)?.into_iter().find(|known| known.name == period);
    let period = known.ok_or_else(|| TaxProblem::UnknownPeriod(period.to_owned()))?;
    let rows = share::of_period(conn, period.period_id, (period.starts_at, period.ends_at))?;
    let earners = rows.iter().map(earner).collect::<Result<Vec<EarnerShare>, DbError>>()?;
    Ok(ShareTold {
        period: period.name,
        is_closed: period.run_id.is_some(),
        company: company(&earners),
        earners,
    })
}

fn earner(row: &ShareRow) -> Result<EarnerShare, DbError> {
    let currency = Currency::parse(&row.currency)
        .ok_or_else(|| DbError::Damaged(format!("currency of commissions of {}", row.distributor_id)))?;
    let sources = Sources::of(row, currency);
    Ok(EarnerShare {
        distributor: DistributorId::new(row.distributor_id.as_str()),
        currency,
        sources,
        customer_share: sources.customer_share(),
        sales_share: sources.sales_share(),
    })
}

fn company(earners: &[EarnerShare]) -> Vec<CompanyShare> {
    let mut sums = std::collections::BTreeMap::<Currency, Sources>::new();
    for earner in earners {
        sums.entry(earner.currency).or_default().add(&earner.sources);
    }
    let told = |(currency, sources): (Currency, Sources)| CompanyShare {
        currency,
        sources,
        customer_share: sources.customer_share(),
        sales_share: sources.sales_share(),
    };
    sums.into_iter().map(told).collect()
}

impl ShareTold {
    pub fn sheet(&self) -> Sheet {
        let row = |earner: &EarnerShare| {
            let sources = &earner.sources;
            let mut row = vec![earner.distributor.to_string(), earner.currency.to_string()];
            let amounts = [
                sources.from_customers,
                sources.from_own,
                sources.from_distributors,
                sources.of_period,
                sources.sold_to_customers,
                sources.sold_to_distributors,
            ];
            row.extend(amounts.map(|amount| digits(amount, earner.currency)));
            let shares = [earner.customer_share, earner.sales_share];
            row.extend(shares.map(|share| share.map(|share| share.to_string()).unwrap_or_default()));
            row
        };
        let header = vec![
            "distributor_id",
            "currency",
            "from_customers",
            "from_own_purchases",
            "from_distributors",
            "of_period",
            "sold_to_customers",
            "sold_to_distributors",
            "customer_share",
            "sales_share",
        ];
        Sheet { header, rows: self.earners.iter().map(row).collect() }
    }

    pub fn figure(&self) -> Figure {
        let by_currency: serde_json::Map<String, serde_json::Value> =
            self.company.iter().map(|sum| (sum.currency.to_string(), json!(sum))).collect();
        Figure {
            name: "customer_share",
            parameters: json!({"period": self.period}),
            query: share::QUERY,
            sheet: self.sheet(),
            summary: by_currency.into(),
        }
    }
}
