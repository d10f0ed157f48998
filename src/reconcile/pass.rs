//! One reading of a day of a store, page by page.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::ours::{Told, Truth};
use super::reading::{BATCH, compare, each_of_ours, review};
use super::tally::{Stop, Tally, is_told_otherwise};
use super::{Heal, Reconciler, StoreDay};
use crate::clients::{PulledOrder, StoreApi};
use crate::core::ids::DeliveryId;
use crate::core::order::{OrderState, Report};
use crate::core::reconcile::{Compared, Kind};
use crate::db::{DbError, Lane};
use crate::ingest::{Store, StoredDelivery};
use crate::stores::PULLED_ORDER;
use crate::{orders, pulls};

pub struct Pass<'a> {
    pub room: &'a Reconciler,
    pub api: &'a dyn StoreApi,
    pub store: &'a Store,
    pub day: StoreDay,
    pub heal: Heal,
    pub tally: Tally,
}

/// More orders of ours than this may be unknown to the store without a doubt about the reading itself.
const FEW: usize = 5;

impl Pass<'_> {
    pub fn read(&mut self) -> Result<(), Stop> {
        let window = self.day.window();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.api.orders(&window, cursor.as_deref())?;
            self.page(&page.items)?;
            (self.room.progress)(u64::try_from(self.tally.seen.len()).unwrap_or(u64::MAX));
            if self.room.stop.wait(page.wait.unwrap_or_default()) {
                return Err(Stop::Told);
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return self.not_shown(),
            }
        }
    }

    fn page(&mut self, read: &[PulledOrder]) -> Result<(), Stop> {
        // An order may be shown twice; each is judged as it was first shown, unless that was no good.
        let judged = |tally: &Tally, id: &str| tally.seen.contains(id) && !tally.suspects.contains_key(id);
        let news: Vec<&PulledOrder> =
            read.iter().filter(|order| !judged(&self.tally, &order.external_id)).collect();
        let told: BTreeMap<String, Truth> =
            news.iter().map(|order| (order.external_id.clone(), self.truth(order))).collect();
        let told: Vec<Told> = told.into_iter().collect();
        self.tally.seen.extend(told.iter().map(|(order, _)| order.clone()));
        let compared = compare(self.room, self.store, &told)?;
        if self.heal == Heal::Yes {
            let wrong: HashSet<&str> =
                compared.iter().filter(|c| is_told_otherwise(c)).map(|c| c.order.as_str()).collect();
            let wrong = news.into_iter().filter(|order| wrong.contains(order.external_id.as_str()));
            self.take(wrong.cloned().collect())?;
        }
        self.tally.take(compared);
        Ok(())
    }

    fn take(&self, wrong: Vec<PulledOrder>) -> Result<(), DbError> {
        if wrong.is_empty() {
            return Ok(());
        }
        let now = self.room.clock.now();
        self.room.db.transact(Lane::Ingest, |tx| pulls::take(tx, self.store, &wrong, now).map(drop))
    }

    /// The order as it is read from the bytes, by the same parsers as any delivery.
    fn truth(&self, order: &PulledOrder) -> Truth {
        let delivery = StoredDelivery {
            id: DeliveryId(Uuid::nil()),
            store: self.store.id,
            topic: PULLED_ORDER.to_owned(),
            delivery_key: None,
            event_key: None,
            triggered_at: Some(order.read_at),
            received_at: order.read_at,
            headers: BTreeMap::new(),
            body: order.body.clone(),
        };
        let reports = match orders::parse_delivery(&self.store.platform, &delivery) {
            Ok(reports) => reports,
            Err(error) => return Truth::Unreadable(error.to_string()),
        };
        let mut state = OrderState::default();
        for report in reports {
            if matches!(&report, Report::Snapshot(snapshot) if snapshot.external_id != order.external_id) {
                return Truth::Unreadable("it is another order than the one that was asked for".to_owned());
            }
            state.absorb(report, order.read_at);
        }
        match state.snapshot {
            Some(_) => Truth::Shown(Box::new(state)),
            None => Truth::Unreadable("it holds no order".to_owned()),
        }
    }

    /// Our orders of the day that the store did not show: each is asked for before it is called deleted, unless we
    /// hold it as that already.
    fn not_shown(&mut self) -> Result<(), Stop> {
        let (mut absent, mut deleted, mut ours) = (vec![], vec![], 0usize);
        each_of_ours(self.room, self.store, self.day, |page| {
            ours += page.iter().filter(|order| !order.deleted).count();
            for order in page.iter().filter(|order| !self.tally.seen.contains(&order.external_id)) {
                match order.deleted {
                    true => deleted.push((order.external_id.clone(), Truth::Gone)),
                    false => absent.push(order.external_id.clone()),
                }
            }
            Ok::<_, DbError>(())
        })?;
        if absent.len() > FEW && absent.len() * 4 > ours {
            return Err(Stop::Doubtful(format!(
                "the store shows {} of the {ours} orders that we hold of this day; before all of them are called deleted, \
                 look whether our credentials may still see them (Shopify shows only the last 60 days without the scope \
                 read_all_orders)",
                ours - absent.len()
            )));
        }
        for batch in deleted.chunks(usize::try_from(BATCH).unwrap_or(1)) {
            self.tally.seen.extend(batch.iter().map(|(order, _)| order.clone()));
            let compared = compare(self.room, self.store, batch)?;
            self.tally.take(compared);
        }
        self.reread(&absent)
    }

    /// Asks the store for single orders.
    pub fn reread(&mut self, orders: &[String]) -> Result<(), Stop> {
        for batch in orders.chunks(usize::try_from(BATCH).unwrap_or(1)) {
            let mut told: Vec<Told> = vec![];
            let (mut read, mut gone) = (vec![], vec![]);
            let asked_at = self.room.clock.now();
            for order in batch {
                let shown = self.api.order(order)?;
                let truth = shown.as_ref().map_or(Truth::Gone, |shown| self.truth(shown));
                match shown {
                    Some(shown) => read.push(shown),
                    None => gone.push(order.clone()),
                }
                told.push((order.clone(), truth));
            }
            self.tally.seen.extend(batch.iter().cloned());
            let compared = compare(self.room, self.store, &told)?;
            self.heal_single(&compared, read, &gone, asked_at)?;
            self.tally.take(compared);
        }
        Ok(())
    }

    fn heal_single(
        &self,
        compared: &[Compared],
        read: Vec<PulledOrder>,
        gone: &[String],
        asked_at: DateTime<Utc>,
    ) -> Result<(), DbError> {
        if self.heal == Heal::No {
            return Ok(());
        }
        let wrong = |id: &str| compared.iter().any(|one| one.order == id && is_told_otherwise(one));
        self.take(read.into_iter().filter(|order| wrong(&order.external_id)).collect())?;
        let deleted =
            |one: &&Compared| one.differences.iter().any(|found| found.kind == Kind::DeletedAtStore);
        let gone: Vec<String> = compared
            .iter()
            .filter(deleted)
            .map(|one| one.order.clone())
            .filter(|order| gone.contains(order))
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let now = self.room.clock.now();
        self.room
            .db
            .transact(Lane::Ingest, |tx| pulls::take_absence(tx, self.store, &gone, asked_at, now).map(drop))
    }

    /// What could be mended of what was found: those told otherwise were taken already. Whether anything was.
    pub fn heal(&mut self) -> Result<bool, DbError> {
        if self.heal == Heal::No {
            return Ok(false);
        }
        let reviewed = review(self.room, &self.tally)?;
        Ok(reviewed || self.tally.suspects.values().any(is_told_otherwise) || self.tally.is_unsettled())
    }
}
