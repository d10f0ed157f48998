//! What deliveries tell beside orders: products, stock, customers, and what is asked for by law.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::consumer::Outcomes;
use super::customers as of_customers;
use crate::catalog::products::{self, Effect};
use crate::core::customer::{Customer, PrivacyRequest};
use crate::core::ids::{DeliveryId, StoreId};
use crate::core::order::{Absorbed, Report};
use crate::core::product::{Product, StockLevel};
use crate::customers::{self, privacy};
use crate::db::{DbError, Tx};
use crate::ingest::{Store, StoredDelivery};

/// By store, so that each kind is one statement a store.
#[derive(Default)]
pub struct Beside(BTreeMap<StoreId, OfStore>);

#[derive(Default)]
struct OfStore {
    products: Told<Product>,
    products_gone: Told<(String, DateTime<Utc>)>,
    stock: Told<StockLevel>,
    customers: Told<Customer>,
    customers_gone: Told<(String, DateTime<Utc>)>,
    requests: Vec<(DeliveryId, DateTime<Utc>, PrivacyRequest)>,
}

/// Things, and the delivery that told each.
struct Told<T> {
    by: Vec<DeliveryId>,
    all: Vec<T>,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self { by: vec![], all: vec![] }
    }
}

impl<T> Told<T> {
    fn push(&mut self, by: DeliveryId, told: T) {
        self.by.push(by);
        self.all.push(told);
    }

    fn each(&self) -> impl Iterator<Item = (DeliveryId, &T)> {
        self.by.iter().copied().zip(&self.all)
    }
}

impl Beside {
    pub fn add(&mut self, delivery: &StoredDelivery, report: Report) {
        let (by, at) = (delivery.id, delivery.received_at);
        let of = self.0.entry(delivery.store).or_default();
        match report {
            Report::Product(product) => of.products.push(by, *product),
            Report::ProductGone { product, at: told } => {
                of.products_gone.push(by, (product, told.unwrap_or(at)));
            }
            Report::Stock(level) => of.stock.push(by, level),
            Report::Customer(customer) => of.customers.push(by, customer),
            Report::CustomerGone { customer, at: told } => {
                of.customers_gone.push(by, (customer, told.unwrap_or(at)));
            }
            Report::Privacy(request) => of.requests.push((by, at, request)),
            Report::Snapshot(_)
            | Report::Refund { .. }
            | Report::Deleted { .. }
            | Report::Restored { .. }
            | Report::Hint { .. }
            | Report::Ignored { .. } => {}
        }
    }

    pub fn record(
        self,
        tx: &mut Tx<'_>,
        stores: &[Store],
        now: DateTime<Utc>,
        outcomes: &mut Outcomes,
    ) -> Result<(), DbError> {
        for (id, told) in self.0 {
            let Some(store) = stores.iter().find(|store| store.id == id) else { continue };
            told.record_products(tx, id, now, outcomes)?;
            told.record_customers(tx, store, now, outcomes)?;
            told.record_requests(tx, store, now, outcomes)?;
        }
        Ok(())
    }
}

impl OfStore {
    fn record_products(
        &self,
        tx: &mut Tx<'_>,
        store: StoreId,
        now: DateTime<Utc>,
        outcomes: &mut Outcomes,
    ) -> Result<(), DbError> {
        let effects = products::record(tx, store, &self.products.all, now)?;
        for ((delivery, product), effect) in self.products.each().zip(effects) {
            let id = &product.external_id;
            let what = match (effect, product.variants.len()) {
                (Effect::Older, _) => format!("product {id}: a newer telling of it was known"),
                (Effect::Same, _) => format!("product {id} was known so"),
                (Effect::News, 0) => format!("product {id} recorded"),
                (Effect::News, variants) => format!("product {id} recorded, with {variants} variant(s)"),
            };
            let part = if product.partial { "; its other variants are told apart" } else { "" };
            outcomes.beside(delivery, absorbed(effect), format!("{what}{part}"));
        }
        products::gone(tx, store, &self.products_gone.all, now)?;
        for (delivery, (product, _)) in self.products_gone.each() {
            outcomes.beside(delivery, Absorbed::Applied, format!("product {product} is sold no more"));
        }
        products::stock(tx, store, &self.stock.all, now)?;
        for (delivery, level) in self.stock.each() {
            outcomes.beside(
                delivery,
                Absorbed::Applied,
                format!("stock of item {} recorded", level.inventory_id),
            );
        }
        Ok(())
    }

    fn record_customers(
        &self,
        tx: &mut Tx<'_>,
        store: &Store,
        now: DateTime<Utc>,
        outcomes: &mut Outcomes,
    ) -> Result<(), DbError> {
        let stands = of_customers::record_customers(tx, store, &self.customers.all, now)?;
        for ((delivery, customer), stands) in self.customers.each().zip(stands) {
            let id = &customer.external_id;
            let what =
                if stands { "recorded" } else { "a newer record, or that it was to be forgotten, was known" };
            let absorbed = if stands { Absorbed::Applied } else { Absorbed::Superseded };
            outcomes.beside(delivery, absorbed, format!("customer {id}: {what}"));
        }
        customers::gone(tx, store.id, &self.customers_gone.all)?;
        for (delivery, (customer, _)) in self.customers_gone.each() {
            outcomes.beside(delivery, Absorbed::Applied, format!("customer {customer} was deleted"));
        }
        let told = self.customers.each().map(|(delivery, customer)| (customer.external_id.clone(), delivery));
        let gone = self.customers_gone.each().map(|(delivery, (customer, _))| (customer.clone(), delivery));
        customers::remember_deliveries(tx, store.id, &told.chain(gone).collect::<Vec<_>>())
    }

    fn record_requests(
        &self,
        tx: &mut Tx<'_>,
        store: &Store,
        now: DateTime<Utc>,
        outcomes: &mut Outcomes,
    ) -> Result<(), DbError> {
        for (delivery, received_at, request) in &self.requests {
            let news = privacy::record(tx, store, *delivery, request, *received_at, now)?;
            let what = if news { "recorded, to be done within 30 days" } else { "was recorded before" };
            let absorbed = if news { Absorbed::Applied } else { Absorbed::Unchanged };
            outcomes.beside(*delivery, absorbed, format!("privacy request {}: {what}", request.kind.name()));
        }
        Ok(())
    }
}

fn absorbed(effect: Effect) -> Absorbed {
    match effect {
        Effect::Older => Absorbed::Superseded,
        Effect::Same => Absorbed::Unchanged,
        Effect::News => Absorbed::Applied,
    }
}
