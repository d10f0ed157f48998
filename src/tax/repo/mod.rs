//! SQL of the room. The texts of figures are constants: they are published with the figure.

pub mod income;
pub mod invoices;
pub mod paid;
pub mod published;
pub mod share;

use diesel::{PgConnection, RunQueryDsl, sql_query};

use super::TaxProblem;
use crate::db::DbError;

impl From<diesel::result::Error> for TaxProblem {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Everything that `work` reads is of one instant, and may take as long as it takes.
pub fn in_one_snapshot<T>(
    conn: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, TaxProblem>,
) -> Result<T, TaxProblem> {
    conn.build_transaction().read_only().repeatable_read().run(|conn| {
        take_your_time(conn)?;
        work(conn)
    })
}

/// For the rest of the database transaction: a year of postings is more than a page reads.
pub fn take_your_time(conn: &mut PgConnection) -> Result<(), DbError> {
    sql_query("select set_config('statement_timeout', '0', true)").execute(conn)?;
    Ok(())
}
