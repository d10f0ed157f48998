//! Who is paid by a batch, how much, and who is left out and why.
//!
//! What a distributor owes goes first: a negative balance becomes a debt, and a debt is paid back from what was
//! earned since, before anything leaves. What is withheld is of the whole sum; the fee is kept from what is left.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Originator, Rail};
use crate::core::ids::DistributorId;
use crate::core::money::{Currency, Money, MoneyError, Rounding};

/// What holds for payouts on one rail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub currency: Currency,
    /// Less than this waits for the next batch.
    pub minimum: Decimal,
    /// Kept from each payment.
    pub fee: Decimal,
    /// Above it an approval has to say that it knows.
    pub item_limit: Decimal,
    pub batch_limit: Decimal,
    /// Working days from the approval until the money should arrive.
    pub value_days: u32,
    /// Nothing is exported without one.
    #[serde(default)]
    pub originator: Option<Originator>,
}

/// Where somebody is paid, as far as choosing needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub version: i32,
    pub rail: Rail,
    pub currency: Currency,
    /// For people; never the number.
    pub masked: String,
    pub held_until: Option<DateTime<Utc>>,
}

/// Somebody with a balance in the batch's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub distributor: DistributorId,
    /// What is due; negative where refunds took more than there was.
    pub due: Decimal,
    /// What is owed from before.
    pub debt: Decimal,
    pub destination: Option<Destination>,
    /// Tax has to be withheld.
    pub withhold: bool,
    /// An earlier payout in this currency has not come to its end.
    pub in_flight: bool,
}

/// One payment to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    pub distributor: DistributorId,
    /// What leaves the balance: fee, tax and the payment.
    pub gross: Decimal,
    pub fee: Decimal,
    pub withheld: Decimal,
    pub net: Decimal,
    pub payee_version: i32,
    pub masked: String,
}

/// Why somebody with a balance is not paid by the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Refunds took more than was earned.
    Negative,
    /// All of it went into what was owed.
    Recovered,
    /// Nobody has said where the money should go.
    NoPayee,
    /// Is paid on another rail.
    OtherRail,
    /// The account is in another currency.
    OtherCurrency,
    /// Bank details have changed; waits, or is released by a second person.
    Held,
    BelowMinimum,
    /// Nothing would be left after fee and tax.
    NothingLeft,
    /// An earlier payout is still on its way, or nobody knows what became of it.
    InFlight,
}

impl Why {
    pub const ALL: [Self; 9] = [
        Self::Negative,
        Self::Recovered,
        Self::NoPayee,
        Self::OtherRail,
        Self::OtherCurrency,
        Self::Held,
        Self::BelowMinimum,
        Self::NothingLeft,
        Self::InFlight,
    ];

    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Negative => "refunds took more than was earned; it is carried",
            Self::Recovered => "all of it paid back what was owed",
            Self::NoPayee => "has not said where the money should go",
            Self::OtherRail => "is paid on another rail",
            Self::OtherCurrency => "has an account in another currency",
            Self::Held => "bank details have changed and are held",
            Self::BelowMinimum => "below the minimum; waits for the next batch",
            Self::NothingLeft => "nothing is left after fee and tax",
            Self::InFlight => "an earlier payout is still on its way",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub distributor: DistributorId,
    pub why: Why,
    /// What stays due; negative: what was carried.
    pub amount: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// A debt that grows or is paid back, before anything is paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settled {
    pub distributor: DistributorId,
    pub amount: Decimal,
}

/// What a batch does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub items: Vec<Chosen>,
    pub left_out: Vec<LeftOut>,
    /// A negative balance becomes a debt.
    pub carried: Vec<Settled>,
    /// A debt is paid back from what is due.
    pub recovered: Vec<Settled>,
}

/// Rates between 0 and 1.
pub fn choose(
    rail: Rail,
    terms: &Terms,
    withholding: Decimal,
    candidates: &[Candidate],
    now: DateTime<Utc>,
) -> Result<Choice, MoneyError> {
    let mut choice = Choice::default();
    for candidate in candidates {
        let due = settle(candidate, &mut choice);
        if candidate.due.is_zero() {
            continue;
        }
        match decide(rail, terms, withholding, candidate, due, now)? {
            Ok(chosen) => choice.items.push(chosen),
            Err(why) => choice.left_out.push(LeftOut {
                distributor: candidate.distributor.clone(),
                why,
                amount: if why == Why::Negative { candidate.due } else { due },
                until: candidate
                    .destination
                    .as_ref()
                    .and_then(|to| to.held_until)
                    .filter(|_| why == Why::Held),
            }),
        }
    }
    choice.items.sort_by(|one, other| one.distributor.cmp(&other.distributor));
    Ok(choice)
}

/// What is due once debts are settled.
fn settle(candidate: &Candidate, choice: &mut Choice) -> Decimal {
    let settled = |amount| Settled { distributor: candidate.distributor.clone(), amount };
    if candidate.due < Decimal::ZERO {
        choice.carried.push(settled(-candidate.due));
        return Decimal::ZERO;
    }
    let back = candidate.due.min(candidate.debt.max(Decimal::ZERO));
    if !back.is_zero() {
        choice.recovered.push(settled(back));
    }
    candidate.due - back
}

fn decide(
    rail: Rail,
    terms: &Terms,
    withholding: Decimal,
    candidate: &Candidate,
    due: Decimal,
    now: DateTime<Utc>,
) -> Result<Result<Chosen, Why>, MoneyError> {
    let destination = match payable_to(rail, terms, candidate, due, now) {
        Ok(destination) => destination,
        Err(why) => return Ok(Err(why)),
    };
    let rate = if candidate.withhold { withholding } else { Decimal::ZERO };
    let gross = Money::exact(due, terms.currency)?.amount();
    let withheld = Money::rounded(gross * rate, terms.currency, Rounding::HalfUp)?.amount();
    let fee = Money::exact(terms.fee, terms.currency)?.amount();
    let net = gross - withheld - fee;
    if net <= Decimal::ZERO {
        return Ok(Err(Why::NothingLeft));
    }
    Ok(Ok(Chosen {
        distributor: candidate.distributor.clone(),
        gross,
        fee,
        withheld,
        net,
        payee_version: destination.version,
        masked: destination.masked.clone(),
    }))
}

fn payable_to<'c>(
    rail: Rail,
    terms: &Terms,
    candidate: &'c Candidate,
    due: Decimal,
    now: DateTime<Utc>,
) -> Result<&'c Destination, Why> {
    if candidate.due < Decimal::ZERO {
        return Err(Why::Negative);
    }
    if due.is_zero() {
        return Err(Why::Recovered);
    }
    let destination = candidate.destination.as_ref().ok_or(Why::NoPayee)?;
    if destination.rail != rail {
        return Err(Why::OtherRail);
    }
    if destination.currency != terms.currency {
        return Err(Why::OtherCurrency);
    }
    if candidate.in_flight {
        return Err(Why::InFlight);
    }
    if destination.held_until.is_some_and(|until| until > now) {
        return Err(Why::Held);
    }
    if due < terms.minimum {
        return Err(Why::BelowMinimum);
    }
    Ok(destination)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::dec;

    use super::*;

    fn usd() -> Currency {
        Currency::parse("USD").unwrap()
    }

    fn terms() -> Terms {
        Terms {
            currency: usd(),
            minimum: dec!(10),
            fee: dec!(0.50),
            item_limit: dec!(1000),
            batch_limit: dec!(10000),
            value_days: 1,
            originator: None,
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn candidate(due: Decimal, debt: Decimal) -> Candidate {
        Candidate {
            distributor: DistributorId::new("1"),
            due,
            debt,
            destination: Some(Destination {
                version: 3,
                rail: Rail::Nacha,
                currency: usd(),
                masked: "US bank ****1234".into(),
                held_until: None,
            }),
            withhold: false,
            in_flight: false,
        }
    }

    fn one(candidate: Candidate) -> Choice {
        choose(Rail::Nacha, &terms(), dec!(0.24), &[candidate], now()).unwrap()
    }

    #[test]
    fn what_is_due_leaves_once_fee_and_tax_are_kept() {
        let paid = one(candidate(dec!(100.00), dec!(0)));
        let item = &paid.items[0];
        assert_eq!(
            (item.gross, item.fee, item.withheld, item.net),
            (dec!(100), dec!(0.5), dec!(0), dec!(99.5))
        );
        let withheld = one(Candidate { withhold: true, ..candidate(dec!(99.99), dec!(0)) });
        let item = &withheld.items[0];
        assert_eq!((item.withheld, item.net), (dec!(24.00), dec!(75.49)), "of the whole sum, half up");
    }

    #[test]
    fn debts_go_first() {
        let some = one(candidate(dec!(100), dec!(30)));
        assert_eq!((some.items[0].gross, some.recovered[0].amount), (dec!(70), dec!(30)));
        let all = one(candidate(dec!(20), dec!(30)));
        assert!(all.items.is_empty());
        assert_eq!((all.left_out[0].why, all.recovered[0].amount), (Why::Recovered, dec!(20)));
        let negative = one(candidate(dec!(-12.34), dec!(30)));
        assert_eq!((negative.left_out[0].why, negative.carried[0].amount), (Why::Negative, dec!(12.34)));
        assert!(negative.recovered.is_empty());
        let nothing = one(candidate(dec!(0), dec!(30)));
        assert_eq!(nothing, Choice::default(), "whoever has no balance is no news");
    }

    #[test]
    fn everybody_who_is_left_out_is_told_why() {
        let to = |change: fn(&mut Destination)| {
            let mut changed = candidate(dec!(100), dec!(0));
            changed.destination.as_mut().into_iter().for_each(change);
            one(changed)
        };
        let why = |choice: Choice| (choice.items.len(), choice.left_out[0].why);
        assert_eq!(
            why(one(Candidate { destination: None, ..candidate(dec!(100), dec!(0)) })),
            (0, Why::NoPayee)
        );
        assert_eq!(why(to(|to| to.rail = Rail::Sepa)), (0, Why::OtherRail));
        assert_eq!(why(to(|to| to.currency = Currency::NONE)), (0, Why::OtherCurrency));
        assert_eq!(why(to(|to| to.held_until = Some(now() + chrono::TimeDelta::seconds(1)))), (0, Why::Held));
        assert_eq!(to(|to| to.held_until = Some(now())).items.len(), 1, "over is over");
        assert_eq!(why(one(candidate(dec!(9.99), dec!(0)))), (0, Why::BelowMinimum));
        assert_eq!(
            why(one(Candidate { in_flight: true, ..candidate(dec!(50), dec!(0)) })),
            (0, Why::InFlight)
        );
        let dear = Terms { fee: dec!(100), ..terms() };
        let choice = choose(Rail::Nacha, &dear, dec!(0), &[candidate(dec!(100), dec!(0))], now()).unwrap();
        assert_eq!(why(choice), (0, Why::NothingLeft));
    }

    #[test]
    fn digits_below_the_smallest_unit_are_never_paid() {
        let refused = choose(Rail::Nacha, &terms(), dec!(0), &[candidate(dec!(100.001), dec!(0))], now());
        assert!(refused.is_err());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_made(cents in -100_000i64..1_000_000, debt in 0i64..100_000, withhold: bool) {
            let (due, debt) = (Decimal::new(cents, 2), Decimal::new(debt, 2));
            let choice = one(Candidate { withhold, ..candidate(due, debt) });
            let sum = |parts: Vec<Decimal>| parts.into_iter().sum::<Decimal>();
            let paid = sum(choice.items.iter().map(|item| item.net + item.fee + item.withheld).collect());
            let stays = sum(choice.left_out.iter().filter(|out| out.why != Why::Negative).map(|out| out.amount).collect());
            let back = sum(choice.recovered.iter().map(|settled| settled.amount).collect());
            let carried = sum(choice.carried.iter().map(|settled| settled.amount).collect());
            prop_assert_eq!(due, paid + stays + back - carried);
            prop_assert!(back <= debt);
            prop_assert!(choice.items.iter().all(|item| item.net > Decimal::ZERO && item.gross >= terms().minimum));
        }
    }
}
