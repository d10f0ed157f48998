//! SQL of orders.

mod grounds;
mod heads;
mod holds;
mod outcomes;
mod revisions;

pub use grounds::{Ground, grounds, not_calculated};
pub use heads::{
    CommissionableHead, Head, lock, lock_for_commission, lock_or_insert, locked_classes, set_calculation_no,
    update_heads,
};
pub use holds::{held_for, held_for_any, insert_manual_attribution, replace_holds, waiting};
pub use outcomes::{Outcome, Verdict, insert_outcomes};
pub use revisions::{Revision, insert_revisions, states, states_of};

use serde::Serialize;

use crate::db::DbError;

/// Rows as one JSON document: one parameter for a whole batch, whatever its columns.
fn recordset<T: Serialize>(rows: &[T]) -> Result<String, DbError> {
    Ok(serde_json::to_string(rows)?)
}
