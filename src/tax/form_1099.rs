//! Form 1099-NEC of a year: what each person of the United States was paid, and what is missing for the form.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::repo::paid::{self, PaidRow};
use super::sheet::{Sheet, digits, pinned, yes};
use super::{Figure, TaxProblem, refused, year_of};
use crate::access::audit;
use crate::core::ids::DistributorId;
use crate::core::money::Currency;
use crate::core::tax::{Form, Paid, TaxYear};
use crate::db::{Conn, DbError, Tx};
use crate::payees::{self, Address, TaxHead, TaxStatus, TinKind};
use crate::vault::Vault;

/// As many people as are asked for at a time.
const PAGE: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    UnitedStates,
    /// Neither form, number nor country says it. Reported like somebody of the United States until it is known.
    Unknown,
    Elsewhere,
}

impl Who {
    /// A signed form goes before the kind of number, and that before the country.
    fn of(head: &TaxHead, country: Option<&str>) -> Self {
        let country = country.map(str::trim).filter(|country| !country.is_empty());
        match (head.status, head.kind) {
            (TaxStatus::W8, _) => Self::Elsewhere,
            (TaxStatus::W9, _) => Self::UnitedStates,
            (_, kind) if kind.is_american() => Self::UnitedStates,
            (_, kind) => match country {
                Some(country) if country.eq_ignore_ascii_case("US") => Self::UnitedStates,
                Some(_) => Self::Elsewhere,
                None if matches!(kind, TinKind::Vat | TinKind::Foreign) => Self::Elsewhere,
                None => Self::Unknown,
            },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::UnitedStates => "us",
            Self::Unknown => "unknown",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One person's form. Amounts are US dollars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NecRow {
    pub distributor: DistributorId,
    pub who: Who,
    pub tin_kind: TinKind,
    pub tin_status: TaxStatus,
    /// Empty: there is no number.
    pub tin_masked: String,
    #[serde(flatten)]
    pub paid: Paid,
    pub payouts: i64,
    pub bought: Decimal,
    #[serde(flatten)]
    pub form: Form,
    /// Without what the form cannot be sent.
    pub missing: Vec<&'static str>,
}

/// Paid in money that is no US dollar: no box holds it before somebody has converted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherCurrency {
    pub distributor: DistributorId,
    pub currency: Currency,
    pub paid: Decimal,
    pub withheld: Decimal,
    pub bought: Decimal,
}

#[derive(Clone, Debug, Serialize)]
pub struct Form1099 {
    pub year: TaxYear,
    pub rows: Vec<NecRow>,
    pub other_currencies: Vec<OtherCurrency>,
    /// People of other countries who were paid.
    pub elsewhere: usize,
}

pub fn form_1099(conn: &mut Conn, year: i32) -> Result<Form1099, TaxProblem> {
    let known = TaxYear::known(year)?;
    let (from, until) = year_of(year)?;
    let rows = paid::of_year(conn, (from.date_naive(), until.date_naive()), (from, until))?;
    let heads = heads(conn, &rows)?;
    let mut told = Form1099 { year: known, rows: vec![], other_currencies: vec![], elsewhere: 0 };
    for row in rows {
        let id = DistributorId::new(row.distributor_id.as_str());
        let Some(head) = heads.get(&id) else { continue };
        let who = Who::of(head, row.country.as_deref());
        let currency = Currency::parse(&row.currency)
            .ok_or_else(|| DbError::Damaged(format!("currency of what {id} was paid")))?;
        match (who, currency.code()) {
            (Who::Elsewhere, _) => told.elsewhere += usize::from(row.payouts > 0),
            (_, "USD") => told.rows.push(nec(&known, id, (who, head), &row, currency)),
            _ => told.other_currencies.push(other(id, &row, currency)),
        }
    }
    Ok(told)
}

fn heads(conn: &mut Conn, rows: &[PaidRow]) -> Result<HashMap<DistributorId, TaxHead>, DbError> {
    let mut heads = HashMap::new();
    for page in rows.chunks(PAGE) {
        let ids: Vec<&str> = page.iter().map(|row| row.distributor_id.as_str()).collect();
        heads.extend(payees::tax_heads(conn, &ids)?);
    }
    Ok(heads)
}

fn nec(
    year: &TaxYear,
    distributor: DistributorId,
    (who, head): (Who, &TaxHead),
    row: &PaidRow,
    usd: Currency,
) -> NecRow {
    let paid =
        Paid { net: pinned(row.net, usd), fees: pinned(row.fees, usd), withheld: pinned(row.withheld, usd) };
    let bought = pinned(row.bought, usd);
    let form = year.form(&paid, bought);
    NecRow {
        distributor,
        who,
        tin_kind: head.kind,
        tin_status: head.status,
        tin_masked: head.masked.clone(),
        paid,
        payouts: row.payouts,
        bought,
        missing: if form.is_due { missing(who, head) } else { vec![] },
        form,
    }
}

fn missing(who: Who, head: &TaxHead) -> Vec<&'static str> {
    let reasons = [
        (who == Who::Unknown, "country"),
        (head.masked.is_empty(), "tin"),
        (head.status == TaxStatus::Mismatch, "tin_that_matches"),
        (!matches!(head.status, TaxStatus::W9 | TaxStatus::Mismatch), "w9"),
    ];
    reasons.into_iter().filter(|(lacks, _)| *lacks).map(|(_, what)| what).collect()
}

fn other(distributor: DistributorId, row: &PaidRow, currency: Currency) -> OtherCurrency {
    let gross = row.net + row.fees + row.withheld;
    OtherCurrency {
        distributor,
        currency,
        paid: pinned(gross, currency),
        withheld: pinned(row.withheld, currency),
        bought: pinned(row.bought, currency),
    }
}

impl Form1099 {
    pub fn due(&self) -> impl Iterator<Item = &NecRow> {
        self.rows.iter().filter(|row| row.form.is_due)
    }

    /// Forms that cannot be sent as things are.
    pub fn incomplete(&self) -> usize {
        self.due().filter(|row| !row.missing.is_empty()).count()
    }

    pub fn is_complete(&self) -> bool {
        self.incomplete() == 0 && self.other_currencies.is_empty()
    }

    pub fn sums(&self) -> (Decimal, Decimal) {
        self.due().fold(Default::default(), |(box_1, box_4): (Decimal, Decimal), row| {
            (box_1 + row.form.box_1, box_4 + row.form.box_4)
        })
    }

    /// Everybody who was paid, without tax numbers. What could not be counted is there too, in its own currency.
    pub fn sheet(&self) -> Sheet {
        let usd = |row: &NecRow| {
            let [paid, fees, withheld, box_1, bought, box_4] =
                [row.paid.net, row.paid.fees, row.paid.withheld, row.form.box_1, row.bought, row.form.box_4]
                    .map(|amount| amount.to_string());
            vec![
                row.distributor.to_string(),
                row.who.name().to_owned(),
                row.tin_kind.name().to_owned(),
                row.tin_status.name().to_owned(),
                "USD".to_owned(),
                paid,
                fees,
                withheld,
                box_1,
                bought,
                yes(row.form.box_2),
                box_4,
                yes(row.form.is_due),
                row.missing.join(" "),
            ]
        };
        let other = |row: &OtherCurrency| {
            let nothing = String::new;
            vec![
                row.distributor.to_string(),
                nothing(),
                nothing(),
                nothing(),
                row.currency.to_string(),
                digits(row.paid, row.currency),
                nothing(),
                digits(row.withheld, row.currency),
                nothing(),
                digits(row.bought, row.currency),
                nothing(),
                nothing(),
                nothing(),
                "conversion".to_owned(),
            ]
        };
        Sheet {
            header: HEADER.to_vec(),
            rows: self.rows.iter().map(usd).chain(self.other_currencies.iter().map(other)).collect(),
        }
    }

    pub fn figure(&self) -> Figure {
        let (box_1, box_4) = self.sums();
        let box_2 = self.due().filter(|row| row.form.box_2).count();
        Figure {
            name: "form_1099",
            parameters: json!({"year": self.year.year}),
            query: paid::QUERY,
            sheet: self.sheet(),
            summary: json!({"forms": self.due().count(), "box_1": box_1, "box_2": box_2, "box_4": box_4,
                            "incomplete": self.incomplete(), "other_currencies": self.other_currencies.len()}),
        }
    }
}

const HEADER: [&str; 14] = [
    "distributor_id",
    "who",
    "tin_kind",
    "tin_status",
    "currency",
    "paid",
    "fees_kept",
    "tax_withheld",
    "box_1",
    "own_purchases",
    "box_2",
    "box_4",
    "form_due",
    "missing",
];

/// What a form is filled with. No `Debug`: it is somebody's number and address.
#[derive(Clone, Serialize)]
pub struct TinRow {
    pub distributor: DistributorId,
    pub tin: Option<String>,
    pub legal_name: Option<String>,
    pub address: Option<Address>,
    pub box_1: Decimal,
    pub box_2: bool,
    pub box_4: Decimal,
}

/// Forms that are due, with numbers and addresses in the clear. That somebody asked, and why, stays in the log.
pub fn with_numbers(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (told, reason): (&Form1099, &str),
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<TinRow>, TaxProblem> {
    let reason = reason.trim();
    if reason.is_empty() {
        return refused("say why the tax numbers are needed");
    }
    let due: Vec<&NecRow> = told.due().collect();
    let mut rows = vec![];
    for page in due.chunks(PAGE) {
        let ids: Vec<&str> = page.iter().map(|row| row.distributor.as_str()).collect();
        let mut opened = payees::open_tax(tx.conn, vault, &ids)?;
        rows.extend(page.iter().map(|row| {
            let data = opened.remove(&row.distributor).unwrap_or_default();
            TinRow {
                distributor: row.distributor.clone(),
                tin: data.number,
                legal_name: data.legal_name,
                address: data.address,
                box_1: row.form.box_1,
                box_2: row.form.box_2,
                box_4: row.form.box_4,
            }
        }));
    }
    let detail = json!({"year": told.year.year, "people": rows.len(), "reason": reason});
    audit::record(tx, by, "tax.numbers_opened", &format!("1099 {}", told.year.year), detail, now)?;
    Ok(rows)
}

impl TinRow {
    pub fn sheet(rows: &[Self]) -> Sheet {
        let row = |row: &Self| {
            let address = row.address.clone().unwrap_or_default();
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            vec![
                row.distributor.to_string(),
                text(&row.tin),
                text(&row.legal_name),
                address.street,
                address.city,
                address.region,
                address.postal_code,
                address.country,
                row.box_1.to_string(),
                yes(row.box_2),
                row.box_4.to_string(),
            ]
        };
        let header = vec![
            "distributor_id",
            "tin",
            "legal_name",
            "street",
            "city",
            "region",
            "postal_code",
            "country",
            "box_1",
            "box_2",
            "box_4",
        ];
        Sheet { header, rows: rows.iter().map(row).collect() }
    }
}
