//! A distributor as programs read it. Personal data is a part of its own, for those who may see it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Text, Timestamptz};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;

use super::money;
use crate::core::journal::Account;
use crate::db::{Conn, DbError};
use crate::{distributors, ledger, payees};

#[derive(Debug, Serialize, ToSchema)]
pub struct DistributorView {
    #[schema(example = "11043")]
    pub distributor_id: String,
    /// Who enrolled it; null at the top of a tree.
    pub sponsor_id: Option<String>,
    /// prospect, active, suspended or terminated.
    #[schema(example = "active")]
    pub status: String,
    pub rank: Option<String>,
    #[schema(example = "US")]
    pub country: Option<String>,
    /// Enrolment.
    pub created_at: DateTime<Utc>,
    /// Names under which orders may refer to it, besides its id; lower case.
    pub codes: Vec<String>,
    /// What it has to get, by currency.
    #[schema(example = json!({"USD": "19.38"}))]
    pub payable: BTreeMap<String, String>,
    /// What was true from when on, oldest first.
    pub versions: Vec<VersionView>,
    /// Only for tokens with the scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal: Option<PersonalView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PersonalView {
    pub name: Option<String>,
    pub email: Option<String>,
    /// Its last four signs.
    #[schema(example = "****6789")]
    pub tax_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct VersionView {
    #[diesel(sql_type = Nullable<Text>)]
    pub sponsor_id: Option<String>,
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub rank: Option<String>,
    /// Null: since ever.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub effective_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Code {
    #[diesel(sql_type = Text)]
    code: String,
}

/// `None`: there is no such distributor.
pub fn distributor(conn: &mut Conn, id: &str, personal: bool) -> Result<Option<DistributorView>, DbError> {
    let Some(profile) = distributors::profiles(conn, &[id.to_owned()])?.pop() else { return Ok(None) };
    let versions: Vec<VersionView> = sql_query(
        "select sponsor_id, status, rank, nullif(effective_from, '-infinity') as effective_from, recorded_at
         from distributor_versions v where distributor_id = $1 order by v.effective_from, version_no",
    )
    .bind::<Text, _>(id)
    .load(conn)?;
    let codes: Vec<Code> =
        sql_query("select code from distributor_codes where distributor_id = $1 order by code")
            .bind::<Text, _>(id)
            .load(conn)?;
    let tax = payees::tax_heads(conn, &[id])?.into_values().next();
    // A credit is what we owe.
    let payable = ledger::payable(conn, id)?
        .into_iter()
        .filter(|balance| balance.account == Account::CommissionPayable.number())
        .map(|balance| (balance.currency.clone(), money(-balance.amount, Some(&balance.currency))));
    Ok(Some(DistributorView {
        payable: payable.collect(),
        versions,
        codes: codes.into_iter().map(|row| row.code).collect(),
        personal: personal.then_some(PersonalView {
            name: profile.name,
            email: profile.email,
            tax_id: tax.map(|tax| tax.masked).filter(|masked| !masked.is_empty()),
        }),
        distributor_id: profile.distributor_id,
        sponsor_id: profile.sponsor_id,
        status: profile.status,
        rank: profile.rank,
        country: profile.country,
        created_at: profile.created_at,
    }))
}
