//! Orders: what the deliveries say, folded to one state per order, assessed, held or passed on.
//!
//! A batch of deliveries is parsed, grouped by order and recorded in one database transaction. A change of
//! what orders are assessed with (a mapping, a code, a plan) sends the orders that waited for it through the
//! same assessment again. Nothing here moves money.

mod assessor;
mod beside;
mod circle;
mod consumer;
mod customers;
mod forgotten;
mod record;
mod release;
mod repo;

use std::sync::Arc;

pub use assessor::{Assessor, Grounds};
pub use circle::{Book, CustomerBooks, Seen};
pub use consumer::{DeliveryConsumer, ReviewConsumer};
pub use customers::{bind_customers, forget_customer, forget_store, record_customers, set_binding_policy};
pub use forgotten::Forgetter;
pub use record::{OrderKey, order_of, parse_delivery, platform_of};
pub use release::{Waiting, attribute_manually, release, review_all_of, waiting};
pub use repo::{CommissionableHead, lock_for_commission, locked_classes, set_calculation_no, states_of};

use crate::catalog::Mappings;
use crate::distributors::Networks;
use crate::ingest::StoreDirectory;
use crate::plans::Plans;

/// What orders are assessed with; each part is as fresh as the asking database transaction.
#[derive(Clone)]
pub struct Books {
    pub stores: Arc<StoreDirectory>,
    pub mappings: Arc<Mappings>,
    pub networks: Arc<Networks>,
    pub plans: Arc<Plans>,
}
