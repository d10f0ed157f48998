//! The only caller of "now", and of the ids that begin with it.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// Where the time comes from. Tests fix it; everything below the composition root takes instants as arguments.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self(Arc::new(move || at))
    }

    /// A clock that somebody else moves.
    pub fn told_by(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// To the microsecond, which is what the database keeps.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)().trunc_subsecs(6)
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// A UUIDv7: time first, so that rows made together lie together.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// The smallest id of that time: ids begin with the millisecond that they were made in.
pub fn first_id_of(at: DateTime<Utc>) -> Uuid {
    Uuid::from_u128(u128::try_from(at.timestamp_millis()).unwrap_or(0) << 80)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ids_from_an_instant_on() {
        let id = Uuid::parse_str("01990c1e-5a4f-7b2c-9d3e-0a1b2c3d4e5f").unwrap();
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        let made = DateTime::from_timestamp(seconds.cast_signed(), nanos).unwrap();
        assert!(first_id_of(made) <= id && id < first_id_of(made + TimeDelta::milliseconds(1)));
    }
}
