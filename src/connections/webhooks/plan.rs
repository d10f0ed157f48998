//! What is there, what we remember, what should be: the acts between them.

use serde::Serialize;

use super::super::repo::Subscription;
use crate::clients::Webhook;

pub struct Wanted<'a> {
    pub topics: &'a [&'static str],
    pub address: &'a str,
    /// The store's secret that everything should be signed with.
    pub secret_no: i32,
    /// The platform signs with what we say; otherwise it has a secret of its own.
    pub we_choose: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Create {
        topic: &'static str,
        why: Why,
    },
    Mend {
        topic: &'static str,
        external_id: String,
        why: Why,
    },
    Keep {
        topic: &'static str,
        external_id: String,
    },
    /// A second one for the same topic, or one that is not wanted any more.
    Delete {
        topic: String,
        external_id: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There was none yet.
    First,
    /// It was there and is gone.
    Gone,
    /// The store does not send any more.
    Disabled,
    /// It leads to another address.
    Moved { from: String },
    /// It signs with another of our secrets.
    Secret,
    /// Somebody made it for our address by hand: nobody knows what it signs with.
    Adopted,
}

impl Why {
    /// Something happened to it at the store, which a person should know.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Gone | Self::Disabled | Self::Moved { .. })
    }
}

/// Exactly one active subscription for each topic. Ours are those that we made and those that lead to us;
/// nobody else's appear in the result.
pub fn plan(there: &[Webhook], known: &[Subscription], wanted: &Wanted<'_>) -> Vec<Act> {
    let mut acts = vec![];
    for topic in wanted.topics {
        let mut ours: Vec<&Webhook> = there
            .iter()
            .filter(|webhook| same(&webhook.topic, topic) && is_ours(webhook, known, wanted))
            .collect();
        // The one that we know; else one that works; else the first.
        ours.sort_by_key(|webhook| {
            (
                remembered(webhook, known).is_none(),
                !same_address(&webhook.address, wanted.address),
                !webhook.active,
            )
        });
        let remembered_topic = known.iter().find(|row| same(&row.topic, topic));
        let mut ours = ours.into_iter();
        acts.push(match ours.next() {
            Some(webhook) => one(topic, webhook, known, wanted),
            None => {
                let gone = remembered_topic.is_some_and(|row| row.external_id.is_some());
                Act::Create { topic, why: if gone { Why::Gone } else { Why::First } }
            }
        });
        acts.extend(ours.map(delete));
    }
    let wanted_no_more = |webhook: &&Webhook| {
        !wanted.topics.iter().any(|topic| same(&webhook.topic, topic)) && remembered(webhook, known).is_some()
    };
    acts.extend(there.iter().filter(wanted_no_more).map(delete));
    acts
}

/// Everything that [`plan`] would call ours.
pub fn ours<'a>(there: &'a [Webhook], known: &[Subscription], wanted: &Wanted<'_>) -> Vec<&'a Webhook> {
    let ours = |webhook: &&Webhook| {
        let topic = wanted.topics.iter().any(|topic| same(&webhook.topic, topic));
        remembered(webhook, known).is_some() || (topic && is_ours(webhook, known, wanted))
    };
    there.iter().filter(ours).collect()
}

fn one(topic: &'static str, webhook: &Webhook, known: &[Subscription], wanted: &Wanted<'_>) -> Act {
    let external_id = webhook.external_id.clone();
    let row = remembered(webhook, known);
    let why = if !same_address(&webhook.address, wanted.address) {
        Some(Why::Moved { from: webhook.address.clone() })
    } else if !webhook.active {
        Some(Why::Disabled)
    } else {
        match row {
            _ if !wanted.we_choose => None,
            None => Some(Why::Adopted),
            Some(row) => (row.secret_no != wanted.secret_no).then_some(Why::Secret),
        }
    };
    match why {
        Some(why) => Act::Mend { topic, external_id, why },
        None => Act::Keep { topic, external_id },
    }
}

fn delete(webhook: &Webhook) -> Act {
    Act::Delete { topic: webhook.topic.clone(), external_id: webhook.external_id.clone() }
}

fn remembered<'a>(webhook: &Webhook, known: &'a [Subscription]) -> Option<&'a Subscription> {
    known.iter().find(|row| row.external_id.as_ref() == Some(&webhook.external_id))
}

fn is_ours(webhook: &Webhook, known: &[Subscription], wanted: &Wanted<'_>) -> bool {
    remembered(webhook, known).is_some()
        || same_address(&webhook.address, wanted.address)
        || known.iter().any(|row| same_address(&webhook.address, &row.address))
}

fn same(topic: &str, other: &str) -> bool {
    topic.eq_ignore_ascii_case(other)
}

fn same_address(address: &str, other: &str) -> bool {
    address.trim_end_matches('/') == other.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const HERE: &str = "https://u.example/webhooks/main";
    const BEFORE: &str = "https://old.example/webhooks/main";
    const TOPICS: [&str; 2] = ["order.created", "order.updated"];

    fn there(id: &str, topic: &str, address: &str, active: bool) -> Webhook {
        Webhook { external_id: id.into(), topic: topic.into(), address: address.into(), active }
    }

    fn known(id: Option<&str>, topic: &str, address: &str, secret_no: i32) -> Subscription {
        Subscription {
            topic: topic.into(),
            external_id: id.map(str::to_owned),
            address: address.into(),
            secret_no,
            secret_since: DateTime::UNIX_EPOCH,
            problem: None,
            created_at: DateTime::UNIX_EPOCH,
            checked_at: DateTime::UNIX_EPOCH,
            mended_at: None,
            mended: 0,
        }
    }

    fn wanted(secret_no: i32) -> Wanted<'static> {
        Wanted { topics: &TOPICS, address: HERE, secret_no, we_choose: true }
    }

    fn keep(topic: &'static str, id: &str) -> Act {
        Act::Keep { topic, external_id: id.into() }
    }

    fn mend(topic: &'static str, id: &str, why: Why) -> Act {
        Act::Mend { topic, external_id: id.into(), why }
    }

    fn delete(topic: &str, id: &str) -> Act {
        Act::Delete { topic: topic.into(), external_id: id.into() }
    }

    #[test]
    fn an_empty_store_gets_one_for_each_topic() {
        let others = [there("9", "order.created", "https://erp.example/hook", true)];
        let created = plan(&others, &[], &wanted(1));
        let create = |topic| Act::Create { topic, why: Why::First };
        assert_eq!(created, [create("order.created"), create("order.updated")]);
        // What the store refused to make is no loss when it is tried again.
        let refused = [known(None, "order.created", HERE, 1)];
        assert_eq!(plan(&others, &refused, &wanted(1)), created);
    }

    #[test]
    fn what_is_as_it_should_be_is_kept() {
        let all = [
            there("1", "order.created", HERE, true),
            there("2", "Order.Updated", "https://u.example/webhooks/main/", true),
        ];
        let rows = [known(Some("1"), "order.created", HERE, 1), known(Some("2"), "order.updated", HERE, 1)];
        assert_eq!(plan(&all, &rows, &wanted(1)), [keep("order.created", "1"), keep("order.updated", "2")]);
    }

    #[test]
    fn deleted_and_disabled_ones_are_mended() {
        let all = [there("2", "order.updated", HERE, false)];
        let rows = [known(Some("1"), "order.created", HERE, 1), known(Some("2"), "order.updated", HERE, 1)];
        let acts = plan(&all, &rows, &wanted(1));
        assert_eq!(
            acts,
            [
                Act::Create { topic: "order.created", why: Why::Gone },
                mend("order.updated", "2", Why::Disabled)
            ]
        );
    }

    #[test]
    fn ours_follow_our_address() {
        let all = [
            there("1", "order.created", BEFORE, true),
            // Made by us, but the answer that told its id was lost: known by its address alone.
            there("7", "order.updated", BEFORE, false),
            there("8", "order.updated", "https://other.example/webhooks/main", true),
        ];
        let rows = [known(Some("1"), "order.created", BEFORE, 1)];
        let from = || Why::Moved { from: BEFORE.into() };
        let acts = plan(&all, &rows, &wanted(1));
        assert_eq!(acts, [mend("order.created", "1", from()), mend("order.updated", "7", from())]);
    }

    #[test]
    fn a_second_one_goes_and_the_known_one_stays() {
        let all = [
            there("5", "order.created", HERE, true),
            there("1", "order.created", HERE, false),
            there("6", "order.updated", HERE, false),
            there("2", "order.updated", HERE, true),
        ];
        let rows = [known(Some("1"), "order.created", HERE, 1)];
        assert_eq!(
            plan(&all, &rows, &wanted(1)),
            [
                mend("order.created", "1", Why::Disabled),
                delete("order.created", "5"),
                mend("order.updated", "2", Why::Adopted),
                delete("order.updated", "6"),
            ]
        );
    }

    #[test]
    fn a_rotation_goes_on_where_it_was_interrupted() {
        let all = [there("1", "order.created", HERE, true), there("2", "order.updated", HERE, true)];
        let rows = [known(Some("1"), "order.created", HERE, 2), known(Some("2"), "order.updated", HERE, 1)];
        assert_eq!(
            plan(&all, &rows, &wanted(2)),
            [keep("order.created", "1"), mend("order.updated", "2", Why::Secret)]
        );
        let platforms_own = Wanted { we_choose: false, ..wanted(2) };
        assert_eq!(plan(&all, &[], &platforms_own), [keep("order.created", "1"), keep("order.updated", "2")]);
    }

    #[test]
    fn only_our_own_are_taken_away() {
        let all = [
            there("1", "order.created", HERE, true),
            there("2", "order.updated", HERE, true),
            there("3", "coupon.created", HERE, true),
            there("4", "order.deleted", HERE, true),
            there("5", "order.created", "https://erp.example/hook", true),
        ];
        let rows = [
            known(Some("1"), "order.created", HERE, 1),
            known(Some("2"), "order.updated", HERE, 1),
            known(Some("4"), "order.deleted", HERE, 1),
        ];
        let acts = plan(&all, &rows, &wanted(1));
        assert_eq!(
            acts,
            [keep("order.created", "1"), keep("order.updated", "2"), delete("order.deleted", "4")]
        );
        let ours: Vec<&str> =
            ours(&all, &rows, &wanted(1)).iter().map(|webhook| webhook.external_id.as_str()).collect();
        assert_eq!(ours, ["1", "2", "4"]);
    }
}
