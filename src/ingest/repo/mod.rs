//! SQL of ingest.

mod deliveries;
mod stores;

pub use deliveries::{StoredDelivery, insert, insert_repeats, load, load_page};
pub use stores::{
    Secrets, exchange_sealed, insert_secret, insert_store, list_stores, lock_secrets, retire_secrets,
    sealed_secrets, set_attribution, set_storefront,
};
