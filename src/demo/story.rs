//! What happens to an order between its first delivery and its last.
//!
//! Each snapshot of an order has its own second, except where two deliberately share one. What is told late or
//! twice is told late or twice here; the contents never depend on it.

use chrono::{DateTime, Duration, Utc};
use fastrand::Rng;
use rust_decimal::Decimal;

use super::payload::{Happening, Told};
use super::sample::{SampleOrder, SampleRefund, cents};
use crate::stores::Platform;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    PaidAtOnce,
    PaidLater,
    /// Created and paid within one second: two snapshots of the same age.
    PaidInTheSameSecond,
    NeverPaid,
    Test,
    CancelledUnpaid,
    /// Paid, then cancelled with the money back.
    CancelledPaid,
    LineRefund,
    /// Money back for no line.
    AmountRefund,
    FullRefund,
    /// Two refunds of parts.
    TwoRefunds,
    /// The refund arrives before the order, and the order never tells it.
    RefundFirst,
    /// The newer snapshot arrives first, the older one hours later.
    OlderLate,
    UpdatedBeforeCreated,
    /// Trashed in the shop.
    Deleted,
}

/// One delivery to be sent at `at`.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    pub at: DateTime<Utc>,
    pub told: Told,
}

/// `order` is fresh and unpaid; what is returned is in the order in which it is sent.
pub fn tell(story: Story, order: SampleOrder, platform: Platform, rng: &mut Rng) -> Vec<Telling> {
    let mut life = Life { order, told: Vec::new(), platform };
    match story {
        Story::PaidAtOnce => life.paid_at_once(),
        Story::PaidLater => life.created().wait(rng).paid(),
        Story::PaidInTheSameSecond => life.created().paid(),
        Story::NeverPaid => life.created(),
        Story::Test => life.test().paid_at_once(),
        Story::CancelledUnpaid => life.created().wait(rng).cancelled(),
        Story::CancelledPaid => life.paid_at_once().wait(rng).refunded_in_full(false).cancelled(),
        Story::LineRefund => life.paid_at_once().wait(rng).refunded_line().told_refund(),
        Story::AmountRefund => life.paid_at_once().wait(rng).refunded_amount().told_refund(),
        Story::FullRefund => life.paid_at_once().wait(rng).refunded_in_full(true).told_refund(),
        Story::TwoRefunds => life
            .paid_at_once()
            .wait(rng)
            .refunded_line()
            .told_refund()
            .wait(rng)
            .refunded_amount()
            .told_refund(),
        Story::RefundFirst => life.refund_before_order(rng),
        Story::OlderLate => life.created().wait(rng).paid().first_arrives_after_last(),
        Story::UpdatedBeforeCreated => life.paid_at_once().tick().updated().swapped(),
        Story::Deleted => life.paid_at_once().wait(rng).deleted(),
    };
    life.told
}

struct Life {
    order: SampleOrder,
    told: Vec<Telling>,
    platform: Platform,
}

impl Life {
    fn say(&mut self, told: Told) -> &mut Self {
        self.told.push(Telling { at: self.order.updated_at + Duration::seconds(1), told });
        self
    }

    fn snapshot(&mut self, happening: Happening) -> &mut Self {
        self.say(Told::Order(Box::new(self.order.clone()), happening))
    }

    fn created(&mut self) -> &mut Self {
        self.snapshot(Happening::Created)
    }

    fn updated(&mut self) -> &mut Self {
        self.snapshot(Happening::Updated)
    }

    fn paid(&mut self) -> &mut Self {
        self.order.paid_at = Some(self.order.updated_at);
        self.snapshot(Happening::Paid)
    }

    /// The usual case: the first that is told is the paid order.
    fn paid_at_once(&mut self) -> &mut Self {
        self.order.paid_at = Some(self.order.updated_at);
        self.created()
    }

    fn test(&mut self) -> &mut Self {
        self.order.test = true;
        self
    }

    fn tick(&mut self) -> &mut Self {
        self.order.updated_at += Duration::seconds(2);
        self
    }

    fn wait(&mut self, rng: &mut Rng) -> &mut Self {
        self.order.updated_at += Duration::seconds(rng.i64(60..40_000));
        self
    }

    fn cancelled(&mut self) -> &mut Self {
        self.order.cancelled_at = Some(self.order.updated_at);
        self.snapshot(Happening::Cancelled)
    }

    fn deleted(&mut self) -> &mut Self {
        self.say(Told::Deleted(self.order.id))
    }

    fn refunded_line(&mut self) -> &mut Self {
        let lines = self.order.lines.first().map(|line| (line.id, 1)).into_iter().collect();
        self.refunded(lines, Decimal::ZERO, Decimal::ZERO)
    }

    /// A tenth of what has not been given back yet.
    fn refunded_amount(&mut self) -> &mut Self {
        let goodwill = cents((self.order.total() - self.order.refunded()) / Decimal::TEN);
        self.refunded(Vec::new(), Decimal::ZERO, goodwill)
    }

    fn refunded_in_full(&mut self, with_shipping: bool) -> &mut Self {
        let all = self.order.full_refund(0, self.order.updated_at);
        let shipping = if with_shipping { all.shipping } else { Decimal::ZERO };
        self.refunded(all.lines, shipping, all.goodwill)
    }

    fn refunded(&mut self, lines: Vec<(u64, u32)>, shipping: Decimal, goodwill: Decimal) -> &mut Self {
        let nth = u64::try_from(self.order.refunds.len()).unwrap_or(0) + 1;
        let id = self.order.id * 10 + nth;
        self.order.refunds.push(SampleRefund { id, at: self.order.updated_at, lines, shipping, goodwill });
        self
    }

    /// Shopify tells the refund alone and the order with the refund in it; the others only the order.
    fn told_refund(&mut self) -> &mut Self {
        if self.platform == Platform::Shopify {
            self.say(Told::Refund(Box::new(self.order.clone())));
        }
        self.updated()
    }

    fn refund_before_order(&mut self, rng: &mut Rng) -> &mut Self {
        self.paid_at_once().wait(rng).refunded_line();
        self.say(Told::Refund(Box::new(self.order.clone()))).swapped()
    }

    /// The last two change places on the way.
    fn swapped(&mut self) -> &mut Self {
        if let [.., first, second] = self.told.as_mut_slice() {
            std::mem::swap(&mut first.at, &mut second.at);
        }
        self.told.sort_by_key(|telling| telling.at);
        self
    }

    fn first_arrives_after_last(&mut self) -> &mut Self {
        let last = self.told.iter().map(|telling| telling.at).max();
        if let (Some(first), Some(last)) = (self.told.first_mut(), last) {
            first.at = last + Duration::hours(3);
        }
        self.told.sort_by_key(|telling| telling.at);
        self
    }
}
