//! Whose customer somebody is: bound by the first order that names a distributor, or by a decision.
//!
//! A binding is never stored as a result: it follows from the customer's orders and from decisions, each with its
//! time, so it is the same whatever came in first. The earliest order that names a distributor binds; while that
//! holds, later orders bind nobody. A late order with an earlier time takes its place, and the orders in between
//! are assessed again. Decisions go the other way: they reach orders that are not calculated yet, and no others.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ids::DistributorId;

/// How long a binding holds, whoever made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    #[default]
    None,
    Days(u32),
    Life,
}

impl Policy {
    /// As stored: no days are for life.
    pub fn of_days(days: Option<u32>) -> Self {
        match days {
            None => Self::Life,
            Some(0) => Self::None,
            Some(days) => Self::Days(days),
        }
    }

    pub fn days(self) -> Option<u32> {
        match self {
            Self::None => Some(0),
            Self::Days(days) => Some(days),
            Self::Life => None,
        }
    }

    /// `life`, `none` or a number of days.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "life" => Some(Self::Life),
            "none" => Some(Self::None),
            days => days.parse().ok().filter(|days| (1..=36_500).contains(days)).map(Self::Days),
        }
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Days(days) => write!(f, "{days} days"),
            Self::Life => f.write_str("life"),
        }
    }
}

/// One version of a store's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub no: i32,
    pub policy: Policy,
    /// Where a customer's record names its own code as a distributor.
    pub own_place: Option<String>,
    /// Where it names whom it is bound to.
    pub bound_place: Option<String>,
    /// `None`: has always been so.
    pub from: Option<DateTime<Utc>>,
}

/// What holds for orders of that time; `None` before a store has any. `known`: the newest version that counts, if
/// not all do.
pub fn terms_at(terms: &[Terms], known: Option<i32>, at: DateTime<Utc>) -> Option<&Terms> {
    terms
        .iter()
        .filter(|terms| known.is_none_or(|known| terms.no <= known))
        .filter(|terms| terms.from.is_none_or(|from| from <= at))
        .max_by_key(|terms| (terms.from, terms.no))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The customer is the distributor.
    Is,
    /// The customer's orders earn for the distributor.
    Bound,
}

impl What {
    pub fn name(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::Bound => "bound",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Is, Self::Bound].into_iter().find(|what| what.name() == name)
    }
}

/// What a person, an import or the customer's own record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Dense per customer, in the order of recording.
    pub no: i32,
    pub what: What,
    /// `None`: nobody from then on.
    pub distributor: Option<DistributorId>,
    /// `None`: has always been so.
    pub from: Option<DateTime<Utc>>,
}

/// An order of the customer that names a distributor itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    pub at: DateTime<Utc>,
    /// The store's id: decides between two orders of one instant.
    pub order: String,
    pub distributor: DistributorId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    pub distributor: DistributorId,
    pub since: Option<DateTime<Utc>>,
    /// The store's id of the order that binds; `None`: a decision does.
    pub by_order: Option<String>,
}

/// The distributor that the customer is. `known`: the newest decision that counts, if not all do.
pub fn is_at(decisions: &[Decision], known: Option<i32>, at: DateTime<Utc>) -> Option<&DistributorId> {
    counting(decisions, What::Is, known)
        .filter(|decision| decision.from.is_none_or(|from| from <= at))
        .max_by_key(|decision| (decision.from, decision.no))
        .and_then(|decision| decision.distributor.as_ref())
}

fn counting(decisions: &[Decision], what: What, known: Option<i32>) -> impl Iterator<Item = &Decision> {
    decisions
        .iter()
        .filter(move |decision| decision.what == what && known.is_none_or(|known| decision.no <= known))
}

/// Of an order among those of its customer: its time, then the store's id. Decisions of an instant go first.
type Moment = (Option<DateTime<Utc>>, Option<String>);

/// Who a customer is bound to, at every instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    policy: Policy,
    /// From each moment on, until the next or until it is over.
    spans: Vec<(Moment, Option<Bound>)>,
}

impl Timeline {
    pub fn build<'c>(
        policy: Policy,
        decisions: &[Decision],
        known: Option<i32>,
        claims: impl IntoIterator<Item = &'c Claim>,
    ) -> Self {
        let mut timeline = Self { policy, spans: vec![] };
        if policy == Policy::None {
            return timeline;
        }
        let mut decided: Vec<&Decision> = counting(decisions, What::Bound, known).collect();
        decided.sort_by_key(|decision| (decision.from, decision.no));
        let claims: BTreeSet<&Claim> = claims.into_iter().collect();
        let mut claims = claims.into_iter().peekable();
        for decision in decided {
            while let Some(claim) = claims.next_if(|claim| Some(claim.at) < decision.from) {
                timeline.claim(claim);
            }
            let bound = decision.distributor.clone().map(|distributor| Bound {
                distributor,
                since: decision.from,
                by_order: None,
            });
            timeline.spans.push(((decision.from, None), bound));
        }
        claims.for_each(|claim| timeline.claim(claim));
        timeline
    }

    /// Binds, unless a binding holds.
    fn claim(&mut self, claim: &Claim) {
        if self.spans.last().is_some_and(|(_, bound)| self.holding(bound, claim.at).is_some()) {
            return;
        }
        let bound = Bound {
            distributor: claim.distributor.clone(),
            since: Some(claim.at),
            by_order: Some(claim.order.clone()),
        };
        self.spans.push(((Some(claim.at), Some(claim.order.clone())), Some(bound)));
    }

    fn holding<'b>(&self, bound: &'b Option<Bound>, at: DateTime<Utc>) -> Option<&'b Bound> {
        let bound = bound.as_ref()?;
        let holds = match (self.policy, bound.since) {
            (Policy::None, _) => false,
            (Policy::Life, _) => true,
            // A binding without a beginning has none to count from.
            (Policy::Days(_), None) => true,
            (Policy::Days(days), Some(since)) => TimeDelta::try_days(i64::from(days))
                .is_some_and(|days| at.signed_duration_since(since) < days),
        };
        holds.then_some(bound)
    }

    /// Who the customer was bound to when it made this order, which does not bind for itself.
    pub fn at(&self, at: DateTime<Utc>, order: &str) -> Option<&Bound> {
        let moment = (Some(at), Some(order.to_owned()));
        let after = self.spans.partition_point(|(from, _)| *from < moment);
        let (_, bound) = self.spans.get(after.checked_sub(1)?)?;
        self.holding(bound, at)
    }
}

#[cfg(test)]
mod tests;
