//! The customers of replayed orders: what is decided of them, and whom their orders bind them to, from the folded
//! deliveries alone.

use std::collections::HashMap;

use super::repo;
use crate::core::binding::Claim;
use crate::core::ids::{DistributorId, StoreId};
use crate::core::order::OrderState;
use crate::customers::{self, CustomerKey};
use crate::db::{Conn, DbError};
use crate::orders::{Assessor, Book, Grounds, OrderKey, Seen};

pub struct Circles {
    books: HashMap<CustomerKey, Book>,
    nothing: Book,
}

const PAGE: i64 = 5000;

impl Circles {
    /// `states`: every order as its deliveries tell it.
    pub fn build(
        conn: &mut Conn,
        assessor: &Assessor,
        states: &HashMap<OrderKey, OrderState>,
    ) -> Result<Self, DbError> {
        let mut books: HashMap<CustomerKey, Book> = HashMap::new();
        for (key, decisions) in customers::all_decisions(conn)? {
            books.insert(key, Book { decisions, claims: vec![] });
        }
        let mut circles = Self { books, nothing: Book::default() };
        let stores: Vec<i32> = assessor.binding_stores().iter().map(|store| store.0).collect();
        let mut after = (0, String::new());
        loop {
            let page = repo::decided(conn, &stores, (after.0, &after.1), PAGE)?;
            let Some(last) = page.last() else { return Ok(circles) };
            after = (last.store_id, last.external_id.clone());
            for decided in &page {
                circles.claim(assessor, decided, states)?;
            }
        }
    }

    fn claim(
        &mut self,
        assessor: &Assessor,
        decided: &repo::Decided,
        states: &HashMap<OrderKey, OrderState>,
    ) -> Result<(), DbError> {
        let store = StoreId(decided.store_id);
        let Some(state) = states.get(&(store, decided.external_id.clone())) else { return Ok(()) };
        let Some(order) = &state.snapshot else { return Ok(()) };
        let Some(customer) = order.customer_id.clone() else { return Ok(()) };
        let manual = decided.manual.as_deref().map(DistributorId::new);
        let seen = Seen { policy_no: decided.policy_no, binding_no: decided.binding_no };
        let grounds = Grounds {
            manual: manual.as_ref(),
            locked: &[],
            book: self.of(store, state),
            seen: (decided.calculation_no > 0).then_some(seen),
        };
        if let Some(distributor) = assessor.binds_to(store, state, &grounds)? {
            let claim = Claim { at: order.ordered_at, order: order.external_id.clone(), distributor };
            self.books.entry((store, customer)).or_default().claims.push(claim);
        }
        Ok(())
    }

    /// Of the order's customer.
    pub fn of(&self, store: StoreId, state: &OrderState) -> &Book {
        let customer = state.snapshot.as_ref().and_then(|order| order.customer_id.clone());
        customer.and_then(|customer| self.books.get(&(store, customer))).unwrap_or(&self.nothing)
    }
}
