//! What each step of a payout posts. Debit positive; every step balances by itself.
//!
//! ```text
//! prepared   payable     -> clearing (net), fees, withholding
//! cancelled  the reverse
//! confirmed  clearing    -> bank
//! returned   clearing, or bank once it was confirmed, and fees and withholding -> payable
//! ```

use rust_decimal::Decimal;
use serde::Serialize;

use super::ItemStatus;
use crate::core::ids::DistributorId;
use crate::core::journal::{Account, EntryKind, Posting};

/// The money of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemMoney {
    pub distributor: DistributorId,
    pub gross: Decimal,
    pub fee: Decimal,
    pub withheld: Decimal,
    pub net: Decimal,
}

/// What an arrow posts, if it moves money. `None` for an arrow that does not exist or moves nothing.
pub fn step(from: ItemStatus, to: ItemStatus, item: &ItemMoney) -> Option<(EntryKind, Vec<Posting>)> {
    use ItemStatus::{Cancelled, Confirmed, Returned};
    if !from.may_become(to) {
        return None;
    }
    match (from, to) {
        (_, Cancelled) => Some((EntryKind::PayoutCancelled, reversed(prepared(item)))),
        (_, Confirmed) => Some((EntryKind::PayoutConfirmed, confirmed(item))),
        (Confirmed, Returned) => Some((EntryKind::PayoutReturned, back_from(Account::Bank, item))),
        (_, Returned) => Some((EntryKind::PayoutReturned, back_from(Account::PayoutClearing, item))),
        _ => None,
    }
}

/// Money leaves what is due.
pub fn prepared(item: &ItemMoney) -> Vec<Posting> {
    reversed(back_from(Account::PayoutClearing, item))
}

fn confirmed(item: &ItemMoney) -> Vec<Posting> {
    vec![of(Account::PayoutClearing, item, item.net), of(Account::Bank, item, -item.net)]
}

/// Everything stands as before the payout.
fn back_from(account: Account, item: &ItemMoney) -> Vec<Posting> {
    vec![
        of(account, item, item.net),
        of(Account::Fees, item, item.fee),
        of(Account::Withholding, item, item.withheld),
        of(Account::CommissionPayable, item, -item.gross),
    ]
}

/// A negative balance becomes a debt.
pub fn carried(distributor: &DistributorId, amount: Decimal) -> Vec<Posting> {
    [(Account::ClawbackReceivable, amount), (Account::CommissionPayable, -amount)]
        .map(|(account, amount)| Posting {
            account,
            distributor: Some(distributor.clone()),
            amount,
            event: None,
        })
        .into()
}

/// A debt is paid back from what is due.
pub fn recovered(distributor: &DistributorId, amount: Decimal) -> Vec<Posting> {
    reversed(carried(distributor, amount))
}

fn of(account: Account, item: &ItemMoney, amount: Decimal) -> Posting {
    Posting { account, distributor: Some(item.distributor.clone()), amount, event: None }
}

fn reversed(postings: Vec<Posting>) -> Vec<Posting> {
    postings.into_iter().map(|posting| Posting { amount: -posting.amount, ..posting }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rust_decimal::dec;

    use super::*;
    use ItemStatus::{Approved, Cancelled, Confirmed, Exported, Prepared, Returned, Sent, Unknown};

    fn item() -> ItemMoney {
        let distributor = DistributorId::new("1");
        ItemMoney { distributor, gross: dec!(100), fee: dec!(0.5), withheld: dec!(24), net: dec!(75.5) }
    }

    /// What stands after everything that a way through the machine posts.
    fn stands(way: &[ItemStatus]) -> BTreeMap<Account, Decimal> {
        let mut sums = BTreeMap::new();
        let mut post = |postings: Vec<Posting>| {
            assert!(postings.iter().map(|posting| posting.amount).sum::<Decimal>().is_zero());
            for posting in postings {
                *sums.entry(posting.account).or_insert(Decimal::ZERO) += posting.amount;
            }
        };
        post(prepared(&item()));
        for pair in way.windows(2) {
            assert!(pair[0].may_become(pair[1]), "{pair:?}");
            post(step(pair[0], pair[1], &item()).map(|(_, postings)| postings).unwrap_or_default());
        }
        sums.retain(|_, amount| !amount.is_zero());
        sums
    }

    /// Every way from the beginning to an end.
    fn ways() -> Vec<Vec<ItemStatus>> {
        let mut open = vec![vec![Prepared]];
        let mut all = vec![];
        while let Some(way) = open.pop() {
            for next in ItemStatus::ALL {
                if way.last().unwrap().may_become(next) && !way.contains(&next) {
                    open.push(way.iter().copied().chain([next]).collect());
                }
            }
            all.push(way);
        }
        all
    }

    #[test]
    fn whatever_way_an_item_goes_its_money_is_in_one_place() {
        let on_its_way = BTreeMap::from([
            (Account::CommissionPayable, dec!(100)),
            (Account::PayoutClearing, dec!(-75.5)),
            (Account::Withholding, dec!(-24)),
            (Account::Fees, dec!(-0.5)),
        ]);
        let mut paid = on_its_way.clone();
        paid.remove(&Account::PayoutClearing);
        paid.insert(Account::Bank, dec!(-75.5));
        let all = ways();
        assert!(all.len() > 20);
        for way in all {
            let stood = stands(&way);
            match way.last().unwrap() {
                Prepared | Approved | Exported | Sent | Unknown => assert_eq!(stood, on_its_way, "{way:?}"),
                Confirmed => assert_eq!(stood, paid, "{way:?}"),
                Cancelled | Returned => assert!(stood.is_empty(), "{way:?}: {stood:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_arrow_posts_nothing() {
        for (from, to) in
            [(Returned, Confirmed), (Exported, Cancelled), (Cancelled, Approved), (Confirmed, Sent)]
        {
            assert_eq!(step(from, to, &item()), None);
        }
    }

    #[test]
    fn a_debt_that_is_paid_back_is_none() {
        let id = DistributorId::new("1");
        let all: Decimal =
            carried(&id, dec!(7)).iter().chain(&recovered(&id, dec!(7))).map(|p| p.amount).sum();
        assert!(all.is_zero());
        assert_eq!(carried(&id, dec!(7))[0].account, Account::ClawbackReceivable);
        assert_eq!(carried(&id, dec!(7))[0].amount, dec!(7));
    }
}
