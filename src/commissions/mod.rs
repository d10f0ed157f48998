//! Commissions: what each recorded order pays to whom, posted to the ledger as the difference to what stands.
//!
//! A calculation is made on a context (plan, upline, standings) that is locked when an order is first
//! calculated. Later revisions of the order use the same context, so a refund takes back exactly what was
//! given, and the same order gives the same result for ever.
//!
//! What each calculation says of volume is also put in one dense order, for the periods: see [`FactConsumer`].

mod consumer;
mod facts;
mod preview;
mod repo;
mod snapshot;
mod target;

pub use consumer::{CommissionConsumer, Totals};
pub use facts::{FactConsumer, newest_seq, put_in_order};
pub use preview::{Books, MovePreview, Share, move_sponsor, preview_move};
pub use repo::{
    Before, StoredCalculation, StoredEvent, before, calculations, calculations_at, event, events_at,
    events_of,
};
pub use snapshot::{CalcSnapshot, Context, evidence};
pub use target::{Order, Standings, target};

use rust_decimal::Decimal;
use serde_json::Value;

use crate::core::ids::{DistributorId, EventId};
use crate::core::journal::{Account, Posting};
use crate::db::{DbError, Tx};

/// Stores calculations with their snapshots and what they post, beside the journal entries of the same numbers.
pub fn store(
    tx: &mut Tx<'_>,
    calculations: &[(StoredCalculation, Value)],
    events: &[StoredEvent],
) -> Result<(), DbError> {
    repo::insert_calculations(tx.conn, calculations)?;
    repo::insert_events(tx.conn, events)
}

/// Expense takes the pool, each distributor's payable what was awarded, the rest is breakage and rounding.
pub fn postings(events: &[StoredEvent], [pool, breakage, rounding]: [Decimal; 3]) -> Vec<Posting> {
    let house = |account, amount| Posting { account, distributor: None, amount, event: None };
    let mut postings = vec![
        house(Account::CommissionExpense, pool),
        house(Account::Breakage, -breakage),
        house(Account::Rounding, -rounding),
    ];
    postings.extend(events.iter().map(|event| Posting {
        account: Account::CommissionPayable,
        distributor: Some(DistributorId::new(event.distributor_id.as_str())),
        amount: -event.amount,
        event: Some(EventId(event.event_id)),
    }));
    postings
}
