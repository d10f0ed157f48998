//! Volume facts: what each calculation says of volume, in one dense order.
//!
//! A period is cut off by a number in this order. It is given out by one writer at a time, after the commit of
//! the calculation: so there is no number that appears later than a greater one, and no gap.

use uuid::Uuid;

use super::repo;
use crate::db::{Conn, DbError, Tx};
use crate::events::{Consumer, Event, Topic};

/// Puts posted calculations behind all others.
pub struct FactConsumer;

impl Consumer for FactConsumer {
    fn topic(&self) -> Topic {
        Topic::CalculationPosted
    }

    fn handle(&self, tx: &mut Tx<'_>, events: &[Event]) -> Result<(), DbError> {
        let orders: Vec<Uuid> = events.iter().map(|event| event.key).collect();
        repo::lock_sequence(tx.conn)?;
        repo::append(tx.conn, &orders)
    }
}

/// Puts every calculation that is committed and still waits for its number in order at once, and answers the last
/// number there is. Nobody gives out another one before this database transaction ends.
pub fn put_in_order(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    repo::lock_sequence(tx.conn)?;
    let orders = repo::waiting(tx.conn, Topic::CalculationPosted.name())?;
    repo::append(tx.conn, &orders)?;
    repo::newest_seq(tx.conn)
}

/// The last number that was given out; 0 when there is none.
pub fn newest_seq(conn: &mut Conn) -> Result<i64, DbError> {
    repo::newest_seq(conn)
}
