//! Assessing orders by the books as one database transaction sees them. Recording and replay share it, so that both
//! can only say the same.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Books;
use super::circle::{Book, Seen, Timelines};
use crate::core::assess::{
    Assessment, Knowledge, LockedClass, PlanTerms, Standing, StoreTerms, assess, binds_to,
};
use crate::core::attribution::{Named, PLACE_CUSTOMER};
use crate::core::binding::{Policy, Terms, is_at, terms_at};
use crate::core::ids::{DistributorId, StoreId};
use crate::core::order::OrderState;
use crate::core::plan::PlanHash;
use crate::core::sku::Catalog;
use crate::db::{Conn, DbError};
use crate::distributors::Network;
use crate::ingest::Store;
use crate::plans::Published;
use crate::stores::Platform;

/// What is known of one order besides the books.
pub struct Grounds<'a> {
    /// An admin's decision who earns on it.
    pub manual: Option<&'a DistributorId>,
    pub locked: &'a [LockedClass],
    /// Of its customer.
    pub book: &'a Book,
    /// What it may know of that, if not everything.
    pub seen: Option<Seen>,
}

/// The books, opened at one database transaction's view of them.
pub struct Assessor {
    /// Each store with the places where it is asked for a distributor.
    stores: Vec<(Store, Vec<String>)>,
    catalog: Arc<Catalog>,
    network: Arc<Network>,
    published: Arc<Published>,
    /// By the plan's hash, so that the classes are listed once per plan and not once per order.
    classes: HashMap<PlanHash, Vec<String>>,
}

impl Assessor {
    pub fn open(conn: &mut Conn, books: &Books) -> Result<Self, DbError> {
        let stores = books.stores.all(conn)?;
        let published = books.plans.get(conn)?;
        let classes = published.all().map(|plan| (plan.hash(), plan.class_ids())).collect();
        Ok(Self {
            stores: stores.iter().map(|store| (store.clone(), explicit_first(&store.attribution))).collect(),
            catalog: books.mappings.get(conn)?,
            network: books.networks.get(conn)?,
            published,
            classes,
        })
    }

    /// The stores where an order asks whom its customer is bound to.
    pub fn binding_stores(&self) -> Vec<StoreId> {
        let asks = |places: &[String]| places.iter().any(|place| place == PLACE_CUSTOMER);
        let binding = self.stores.iter().filter(|(store, places)| {
            asks(places) && store.bindings.iter().any(|terms| terms.policy != Policy::None)
        });
        binding.map(|(store, _)| store.id).collect()
    }

    pub fn policy(&self, store: StoreId, seen: Option<Seen>, at: DateTime<Utc>) -> Policy {
        let known = self.stores.iter().find(|(known, _)| known.id == store);
        known.and_then(|(store, _)| binding_terms(store, seen, at)).map_or(Policy::None, |terms| terms.policy)
    }

    /// Everything that there is to know of a customer now.
    pub fn newest(&self, store: StoreId, book: &Book) -> Result<Seen, DbError> {
        let (store, _) = self.store(store)?;
        Ok(Seen {
            policy_no: store.bindings.iter().map(|terms| terms.no).max().unwrap_or(0),
            binding_no: book.decisions.iter().map(|decision| decision.no).max().unwrap_or(0),
        })
    }

    fn store(&self, id: StoreId) -> Result<&(Store, Vec<String>), DbError> {
        let found = self.stores.iter().find(|(store, _)| store.id == id);
        found.ok_or_else(|| DbError::Damaged(format!("store {} of an order", id.0)))
    }

    pub fn assess(
        &self,
        store: StoreId,
        state: &OrderState,
        grounds: &Grounds<'_>,
    ) -> Result<Assessment, DbError> {
        let customer = self.standing(store, state, grounds)?;
        self.with_knowledge(store, state, grounds, &customer, |known| assess(state, known))
    }

    /// Whom the order binds its customer to. It does not depend on whom the customer is bound to.
    pub fn binds_to(
        &self,
        store: StoreId,
        state: &OrderState,
        grounds: &Grounds<'_>,
    ) -> Result<Option<DistributorId>, DbError> {
        let customer = Standing { is: self.buyer(state, grounds), bound: None };
        self.with_knowledge(store, state, grounds, &customer, |known| binds_to(state, known))
    }

    fn standing(
        &self,
        store: StoreId,
        state: &OrderState,
        grounds: &Grounds<'_>,
    ) -> Result<Standing, DbError> {
        let Some(order) = state.snapshot.as_ref().filter(|order| order.customer_id.is_some()) else {
            return Ok(Standing::default());
        };
        let (_, places) = self.store(store)?;
        let asks = places.iter().any(|place| place == PLACE_CUSTOMER);
        let policy = if asks { self.policy(store, grounds.seen, order.ordered_at) } else { Policy::None };
        let known = grounds.seen.map(|seen| seen.binding_no);
        let bound = Timelines::of(grounds.book).bound((policy, known), order.ordered_at, &order.external_id);
        Ok(Standing { is: self.buyer(state, grounds), bound })
    }

    /// The distributor that the customer was at the order's time.
    fn buyer(&self, state: &OrderState, grounds: &Grounds<'_>) -> Option<DistributorId> {
        let order = state.snapshot.as_ref().filter(|order| order.customer_id.is_some())?;
        let known = grounds.seen.map(|seen| seen.binding_no);
        let is = is_at(&grounds.book.decisions, known, order.ordered_at)?;
        match self.network.named(is.as_str(), order.ordered_at) {
            Named::Distributor(id) => Some(id),
            Named::Terminated(_) | Named::NotYetEnrolled(_) | Named::Nobody => None,
        }
    }

    fn with_knowledge<T>(
        &self,
        store: StoreId,
        state: &OrderState,
        grounds: &Grounds<'_>,
        customer: &Standing,
        ask: impl FnOnce(&Knowledge<'_>) -> T,
    ) -> Result<T, DbError> {
        let (store, places) = self.store(store)?;
        let plan = state.snapshot.as_ref().and_then(|order| self.published.at(order.ordered_at));
        let terms = plan.and_then(|plan| {
            Some(PlanTerms { currency: plan.currency(), classes: self.classes.get(&plan.hash())? })
        });
        let named = |reference: &str, at: DateTime<Utc>| self.network.named(reference, at);
        let decides = state
            .snapshot
            .as_ref()
            .is_some_and(|order| binding_terms(store, grounds.seen, order.ordered_at).is_some());
        let known = Knowledge {
            store: StoreTerms {
                store: store.id,
                platform: &store.platform,
                places,
                shares_ids: store.platform == Platform::Direct.as_str() || !decides,
            },
            catalog: &self.catalog,
            plan: terms,
            named: &named,
            manual: grounds.manual,
            customer,
            locked: grounds.locked,
        };
        Ok(ask(&known))
    }
}

fn binding_terms(store: &Store, seen: Option<Seen>, at: DateTime<Utc>) -> Option<&Terms> {
    terms_at(&store.bindings, seen.map(|seen| seen.policy_no), at)
}

/// Only orders of the direct API have these places, and there they are the caller's word: no list needs them.
const EXPLICIT: [&str; 2] = ["distributor_ref", "referrer_id"];

fn explicit_first(places: &[String]) -> Vec<String> {
    let listed = places.iter().map(String::as_str).filter(|place| !EXPLICIT.contains(place));
    EXPLICIT.into_iter().chain(listed).map(str::to_owned).collect()
}
