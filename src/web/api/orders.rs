//! `POST /api/mlm/orders`.

/// The store of orders whose token names none.
pub const DIRECT_STORE: &str = "direct";
/// Where its orders name a distributor.
pub const DIRECT_PLACES: [&str; 2] = ["distributor_ref", "referrer_id"];
