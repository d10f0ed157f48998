//! What has to be known of a PostgreSQL before money is trusted to it.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Integer, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::DbError;

/// The oldest major version that is supported.
pub const OLDEST_MAJOR: i32 = 14;

#[derive(Clone, Debug, QueryableByName)]
pub struct ServerFacts {
    #[diesel(sql_type = Text)]
    pub version: String,
    /// Such as 150004 for 15.4.
    #[diesel(sql_type = Integer)]
    pub version_number: i32,
    #[diesel(sql_type = Text)]
    pub fsync: String,
    #[diesel(sql_type = Text)]
    pub full_page_writes: String,
    #[diesel(sql_type = Text)]
    pub synchronous_commit: String,
    #[diesel(sql_type = Text)]
    pub encoding: String,
    #[diesel(sql_type = Bool)]
    pub read_only: bool,
    /// The server's own clock.
    #[diesel(sql_type = Timestamptz)]
    pub now: DateTime<Utc>,
}

/// Asks the server.
pub fn server_facts(conn: &mut PgConnection) -> Result<ServerFacts, DbError> {
    Ok(sql_query(
        "select current_setting('server_version') as version,
                current_setting('server_version_num')::int as version_number,
                current_setting('fsync') as fsync,
                current_setting('full_page_writes') as full_page_writes,
                current_setting('synchronous_commit') as synchronous_commit,
                current_setting('server_encoding') as encoding,
                pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as read_only,
                clock_timestamp() as now",
    )
    .get_result(conn)?)
}

impl ServerFacts {
    pub fn is_too_old(&self) -> bool {
        self.version_number / 10_000 < OLDEST_MAJOR
    }

    /// Settings under which the server may forget what it has confirmed.
    pub fn unsafe_settings(&self) -> Vec<String> {
        let settings = [
            ("fsync", &self.fsync),
            ("full_page_writes", &self.full_page_writes),
            ("synchronous_commit", &self.synchronous_commit),
        ];
        settings
            .into_iter()
            .filter(|(_, value)| value.as_str() == "off")
            .map(|(name, value)| format!("{name} = {value}"))
            .collect()
    }
}
