//! What is known and posted while a scenario runs: the smallest thing that behaves like the app.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::close::Periods;
use super::facts::Fact;
use super::{Scenario, Store};
use crate::core::assess::{
    Assessment, Knowledge, LockedClass, PlanTerms, Standing, StoreTerms, Verdict, assess,
};
use crate::core::attribution::Named;
use crate::core::engine::{
    Award, Calculation, CommissionLine, CommissionOrder, EventKind, PostedAward, UplineMember,
    calculate_order, difference, upline_of,
};
use crate::core::genealogy::{DistributorVersion, Genealogy, Status};
use crate::core::ids::{DistributorId, StoreId};
use crate::core::order::{OrderState, Report};
use crate::core::placement::PlacementVersion;
use crate::core::sku::{Catalog, SkuMapping};

pub(super) struct Book<'s> {
    pub scenario: &'s Scenario,
    pub versions: Vec<DistributorVersion>,
    pub placed: Vec<PlacementVersion>,
    genealogy: Option<Genealogy>,
    mappings: Vec<SkuMapping>,
    pub orders: BTreeMap<String, Kept>,
    /// Of the fact that was learned last; they are counted from 1.
    pub seq: u64,
    pub periods: Periods,
}

/// One order.
pub(super) struct Kept {
    store: String,
    pub state: OrderState,
    pub assessment: Assessment,
    manual: Option<DistributorId>,
    locked: Vec<LockedClass>,
    /// The upline of the first calculation, which every later one uses while it starts at the same distributor
    /// and the order keeps its time.
    upline: Option<LockedUpline>,
    pub calculation: Option<Calculation>,
    pub posted: Vec<PostedAward>,
    pub kinds: Vec<EventKind>,
    /// The newest; `None` as long as it was never calculated.
    fact: Option<Fact>,
}

#[derive(Clone)]
struct LockedUpline {
    of: DistributorId,
    at: DateTime<Utc>,
    members: Vec<UplineMember>,
}

impl<'s> Book<'s> {
    pub fn new(scenario: &'s Scenario) -> Self {
        Self {
            scenario,
            versions: vec![],
            placed: vec![],
            genealogy: None,
            mappings: vec![],
            orders: BTreeMap::new(),
            seq: 0,
            periods: Periods::default(),
        }
    }

    pub fn learn_distributor(&mut self, version: DistributorVersion) {
        self.versions.push(version);
        self.genealogy = None;
    }

    pub fn learn_mapping(&mut self, store: Option<&str>, mapping: &SkuMapping) {
        let store = store.map(|slug| self.store_id(slug));
        self.mappings.push(SkuMapping { store, ..mapping.clone() });
    }

    /// The order that the report is about, in its state after it.
    pub fn absorb(&mut self, store: &str, report: Report) -> Option<String> {
        let (order, at) = match &report {
            Report::Snapshot(snapshot) => (snapshot.external_id.clone(), snapshot.updated_at),
            Report::Refund { order, .. } | Report::Restored { order } | Report::Hint { order, .. } => {
                (order.clone(), self.clock(order))
            }
            Report::Deleted { order, at } => (order.clone(), at.unwrap_or_else(|| self.clock(order))),
            // The rest is not about an order.
            _ => return None,
        };
        let kept = self.orders.entry(order.clone()).or_insert_with(|| Kept::new(store));
        kept.state.absorb(report, at);
        Some(order)
    }

    pub fn assign(&mut self, order: &str, distributor: &DistributorId) -> bool {
        let Some(kept) = self.orders.get_mut(order) else { return false };
        kept.manual = Some(distributor.clone());
        true
    }

    /// The newest of every order, in the order of the orders' ids.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.orders.values().filter_map(|kept| kept.fact.as_ref())
    }

    /// Those that a fact can release.
    pub fn held(&self) -> Vec<String> {
        let held = self.orders.iter().filter(|(_, kept)| matches!(kept.assessment.verdict, Verdict::Held(_)));
        held.map(|(order, _)| order.clone()).collect()
    }

    /// Assess, calculate, post the difference.
    pub fn settle(&mut self, order: &str) -> Result<(), String> {
        if self.genealogy.is_none() {
            let built = Genealogy::build(self.versions.iter().cloned());
            let told =
                |problems: Vec<_>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            self.genealogy = Some(built.map_err(told)?);
        }
        let Some(kept) = self.orders.get(order) else { return Ok(()) };
        let assessment = self.assess(kept);
        let mut upline = kept.upline.clone();
        let mut calculation = None;
        if let (Verdict::Commissionable, Some(attributed), Some(snapshot)) =
            (&assessment.verdict, &assessment.attributed, &kept.state.snapshot)
        {
            let (of, at) = (&attributed.distributor, snapshot.ordered_at);
            let known = upline.take().filter(|locked| locked.of == *of && locked.at == at);
            let opened = || LockedUpline { of: of.clone(), at, members: self.upline(order, of, at) };
            let locked = upline.insert(known.unwrap_or_else(opened));
            let lines = CommissionLine::of(&assessment);
            let commissionable = CommissionOrder {
                currency: snapshot.currency,
                ordered_at: snapshot.ordered_at,
                store: &kept.store,
                lines: &lines,
            };
            let calculated = calculate_order(&self.scenario.plan, &commissionable, &locked.members);
            calculation = Some(calculated.map_err(|refusal| refusal.to_string())?);
        }
        if let Some(kept) = self.orders.get_mut(order) {
            kept.upline = upline;
            kept.post(assessment, calculation);
            kept.learn(&mut self.seq);
        }
        Ok(())
    }

    fn assess(&self, kept: &Kept) -> Assessment {
        let catalog = Catalog::new(self.mappings.iter().cloned());
        let classes = self.scenario.plan.class_ids();
        let store = self.store(&kept.store);
        let places = store.map(|store| store.places.as_slice()).unwrap_or_default();
        let platform = store.map(|store| store.platform.as_str()).unwrap_or_default();
        let known = Knowledge {
            store: StoreTerms { store: self.store_id(&kept.store), platform, places, shares_ids: true },
            catalog: &catalog,
            plan: Some(PlanTerms { currency: self.scenario.plan.currency(), classes: &classes }),
            named: &|reference, at| self.named(reference, at),
            manual: kept.manual.as_ref(),
            customer: &Standing::default(),
            locked: &kept.locked,
        };
        assess(&kept.state, &known)
    }

    fn named(&self, reference: &str, at: DateTime<Utc>) -> Named {
        let id = DistributorId::new(reference);
        let Some(genealogy) = &self.genealogy else { return Named::Nobody };
        let Some(node) = genealogy.node(&id) else { return Named::Nobody };
        match genealogy.standing_at(node, at) {
            None => Named::NotYetEnrolled(id),
            Some(standing) if standing.status == Status::Terminated => Named::Terminated(id),
            Some(standing) if !standing.enrolled => Named::NotYetEnrolled(id),
            Some(_) => Named::Distributor(id),
        }
    }

    fn upline(&self, order: &str, who: &DistributorId, at: DateTime<Utc>) -> Vec<UplineMember> {
        let Some(genealogy) = &self.genealogy else { return vec![] };
        let Some(node) = genealogy.node(who) else { return vec![] };
        upline_of(&self.scenario.plan, genealogy, node, at, |id| self.pv_to_date(order, id, at))
    }

    /// The PV of the other orders of the period that are attributed to a distributor and were placed before.
    fn pv_to_date(&self, order: &str, who: &DistributorId, at: DateTime<Utc>) -> Decimal {
        let Some((start, _)) = self.scenario.plan.period().bounds(at) else { return Decimal::ZERO };
        let earlier = self.orders.iter().filter(|(id, _)| id.as_str() != order).filter_map(|(_, kept)| {
            let calculation = kept.calculation.as_ref()?;
            let theirs = kept.upline.as_ref().is_some_and(|locked| locked.of == *who);
            (theirs && calculation.ordered_at >= start && calculation.ordered_at < at).then_some(calculation)
        });
        earlier.flat_map(|calculation| &calculation.lines).map(|line| line.volumes.pv).sum()
    }

    /// The scenario's own time: just after what was last told of the order.
    fn clock(&self, order: &str) -> DateTime<Utc> {
        let known = self.orders.get(order).and_then(|kept| kept.state.snapshot.as_ref());
        known.map_or(DateTime::UNIX_EPOCH, |snapshot| snapshot.updated_at + chrono::TimeDelta::seconds(1))
    }

    fn store(&self, slug: &str) -> Option<&'s Store> {
        self.scenario.stores.iter().find(|store| store.slug == slug)
    }

    fn store_id(&self, slug: &str) -> StoreId {
        let at = self.scenario.stores.iter().position(|store| store.slug == slug);
        StoreId(at.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1))
    }
}

impl Kept {
    fn new(store: &str) -> Self {
        let nothing = OrderState::default();
        let places: &[String] = &[];
        let known = Knowledge {
            store: StoreTerms { store: StoreId(-1), platform: "", places, shares_ids: true },
            catalog: &Catalog::default(),
            plan: None,
            named: &|_, _| Named::Nobody,
            manual: None,
            customer: &Standing::default(),
            locked: &[],
        };
        Self {
            store: store.to_owned(),
            assessment: assess(&nothing, &known),
            state: nothing,
            manual: None,
            locked: vec![],
            upline: None,
            calculation: None,
            posted: vec![],
            kinds: vec![],
            fact: None,
        }
    }

    fn post(&mut self, assessment: Assessment, calculation: Option<Calculation>) {
        let nothing: &[Award] = &[];
        let wanted = calculation.as_ref().map_or(nothing, |calculation| &calculation.awards);
        for draft in difference(&self.posted, wanted) {
            self.kinds.push(draft.kind);
            let (line, bonus, level, distributor) = (draft.line, draft.bonus, draft.level, draft.distributor);
            self.posted.push(PostedAward { line, bonus, level, distributor, amount: draft.amount });
        }
        if calculation.is_some() {
            self.locked = assessment.lines.iter().filter_map(locked).collect();
        }
        self.calculation = calculation;
        self.assessment = assessment;
    }

    /// What the calculation says of volume; an order that was never calculated says nothing.
    fn learn(&mut self, seq: &mut u64) {
        let before = self.fact.take();
        let told = self.calculation.as_ref().zip(self.assessment.attributed.as_ref());
        let (distributor, own) = match (told, &before) {
            (Some((_, attributed)), _) => (attributed.distributor.clone(), attributed.own),
            (None, Some(before)) => (before.distributor.clone(), before.own),
            (None, None) => return,
        };
        let Some(snapshot) = &self.state.snapshot else { return };
        *seq += 1;
        self.fact = Some(Fact {
            first: before.map_or(*seq, |before| before.first),
            ordered_at: snapshot.ordered_at,
            distributor,
            own,
            store: self.store.clone(),
            lines: told.map(|_| CommissionLine::of(&self.assessment)).unwrap_or_default(),
            awards: told.map(|(calculation, _)| calculation.awards.clone()).unwrap_or_default(),
        });
    }
}

fn locked(line: &crate::core::assess::AssessedLine) -> Option<LockedClass> {
    Some(LockedClass {
        line: line.line.clone(),
        product: line.product.clone(),
        mapping_id: line.mapping_id?,
        commission_class: line.commission_class.clone()?,
        sku_id: line.sku_id.clone()?,
    })
}
