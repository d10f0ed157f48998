//! One pool per lane, so that a slow report cannot stop a webhook.

use std::time::Duration;

use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection};
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};

use super::error::DbError;

pub type Connected = PooledConnection<ConnectionManager<PgConnection>>;

/// Who is asking. Lanes never wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Storing deliveries.
    Ingest,
    /// Consumers: orders, commissions; the calculation of periods.
    Pipeline,
    /// Pages, API reads, the command line.
    Admin,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Pipeline, Self::Admin];

    pub fn connections(self) -> u32 {
        match self {
            Self::Ingest => 2,
            Self::Pipeline => 6,
            Self::Admin => 8,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ingest => "upline ingest",
            Self::Pipeline => "upline pipeline",
            Self::Admin => "upline admin",
        }
    }

    fn statement_timeout(self) -> Duration {
        match self {
            Self::Ingest => Duration::from_secs(5),
            Self::Pipeline => Duration::from_secs(60),
            Self::Admin => Duration::from_secs(30),
        }
    }
}

/// How long anybody waits for a free connection before hearing that the database is busy.
pub const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub struct Pools {
    ingest: Pool<ConnectionManager<PgConnection>>,
    pipeline: Pool<ConnectionManager<PgConnection>>,
    admin: Pool<ConnectionManager<PgConnection>>,
}

impl Pools {
    /// Opens no connection yet: the first caller does.
    pub fn new(url: &str) -> Self {
        let pool = |lane: Lane| {
            Pool::builder()
                .max_size(lane.connections())
                .min_idle(Some(0))
                .connection_timeout(PATIENCE)
                .connection_customizer(Box::new(Session(lane)))
                .build_unchecked(ConnectionManager::new(url))
        };
        Self { ingest: pool(Lane::Ingest), pipeline: pool(Lane::Pipeline), admin: pool(Lane::Admin) }
    }

    pub fn get(&self, lane: Lane) -> Result<Connected, DbError> {
        let pool = match lane {
            Lane::Ingest => &self.ingest,
            Lane::Pipeline => &self.pipeline,
            Lane::Admin => &self.admin,
        };
        pool.get().map_err(|error| {
            let state = pool.state();
            if state.idle_connections == 0 && state.connections >= lane.connections() {
                return DbError::Busy;
            }
            DbError::Unavailable(Box::new(error))
        })
    }
}

#[derive(Debug)]
struct Session(Lane);

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Session {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        let set = format!(
            "select set_config('application_name', '{}', false), set_config('statement_timeout', '{}', false), \
             set_config('TimeZone', 'UTC', false)",
            self.0.name(),
            self.0.statement_timeout().as_millis(),
        );
        sql_query(set).execute(conn).map(drop).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// A connection of its own, outside the pools, for those who hold a session lock for as long as they live.
pub fn connect(url: &str) -> Result<PgConnection, DbError> {
    PgConnection::establish(url).map_err(|error| DbError::Unavailable(Box::new(error)))
}
