//! What one order is: whose, of what, in which store, named after whom, and what becomes of it.
//!
//! The first orders of a stream are chosen, so that a short run shows every case; the rest is chance with the
//! shares of a quiet month.

use chrono::{DateTime, Utc};
use fastrand::Rng;
use rust_decimal::Decimal;

use super::catalogue::{Class, Product};
use super::company::{Company, DemoStore};
use super::sample::{Place, Referral, SampleLine, SampleOrder, cents};
use super::story::{Story, Telling, tell};
use crate::stores::Platform;

/// The two orders of the seed's result table, told as any other order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    pub platform: Platform,
    pub order: u64,
    pub sku: &'static str,
    pub buyer: u64,
    pub referrer: u64,
}

pub const EXAMPLES: [Example; 2] = [
    Example { platform: Platform::Shopify, order: 301, sku: "SUPP001", buyer: 11_200, referrer: 11_043 },
    Example { platform: Platform::WooCommerce, order: 302, sku: "BEAUTY02", buyer: 11_150, referrer: 10_090 },
];

/// Draws one order.
pub struct Draw<'a> {
    company: &'a Company,
    rng: Rng,
    at: DateTime<Utc>,
    nth: u32,
    seed: u64,
}

/// How an order names its distributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    Active,
    Unknown,
    /// Suspended or terminated.
    Lapsed,
    OneSelf,
    Nobody,
}

/// Every case once, before chance decides, so that a short run shows them all.
const SHOWN_FIRST: [(Story, Naming, Extra); 18] = [
    (Story::PaidAtOnce, Naming::Active, Extra::Unmapped),
    (Story::PaidLater, Naming::Unknown, Extra::Nothing),
    (Story::LineRefund, Naming::Active, Extra::Nothing),
    (Story::UpdatedBeforeCreated, Naming::Active, Extra::Nothing),
    (Story::AmountRefund, Naming::Active, Extra::Nothing),
    (Story::FullRefund, Naming::Active, Extra::Nothing),
    (Story::CancelledPaid, Naming::Active, Extra::Nothing),
    (Story::OlderLate, Naming::Active, Extra::Nothing),
    (Story::RefundFirst, Naming::Active, Extra::Nothing),
    (Story::Deleted, Naming::Active, Extra::Nothing),
    (Story::Test, Naming::Active, Extra::Nothing),
    (Story::PaidInTheSameSecond, Naming::Active, Extra::Nothing),
    (Story::NeverPaid, Naming::Active, Extra::Nothing),
    (Story::PaidAtOnce, Naming::Lapsed, Extra::Nothing),
    (Story::PaidAtOnce, Naming::OneSelf, Extra::Nothing),
    (Story::PaidAtOnce, Naming::Nobody, Extra::Nothing),
    (Story::PaidAtOnce, Naming::Active, Extra::GiftCard),
    (Story::CancelledUnpaid, Naming::Active, Extra::Nothing),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extra {
    Nothing,
    Unmapped,
    GiftCard,
}

impl<'a> Draw<'a> {
    /// `nth` counts the orders of the stream; `at` is when this one is placed.
    pub fn new(company: &'a Company, rng: Rng, at: DateTime<Utc>, nth: u32, seed: u64) -> Self {
        Self { company, rng, at, nth, seed }
    }

    /// For the platform's own ids of a delivery.
    pub fn nonce(&mut self) -> u64 {
        self.rng.u64(..)
    }

    /// The store it is placed in and everything that is told of it.
    pub fn order(&mut self) -> Option<(&'a DemoStore, Vec<Telling>)> {
        let nth = usize::try_from(self.nth).ok()?;
        if let Some(example) = EXAMPLES.get(nth) {
            return self.example(*example);
        }
        let (story, naming, extra) = match SHOWN_FIRST.get(nth.checked_sub(EXAMPLES.len())?) {
            Some(shown) => *shown,
            None => (self.story(), self.naming(), self.extra()),
        };
        let store = self.store(story, naming, extra)?;
        let order = self.draw(store.platform, naming, extra);
        Some((store, tell(story, order, store.platform, &mut self.rng)))
    }

    fn example(&mut self, example: Example) -> Option<(&'a DemoStore, Vec<Telling>)> {
        let store = self.company.store(example.platform)?;
        let product = self.company.products.iter().find(|product| product.sku == example.sku)?;
        let mut order = self.empty(example.order, example.buyer);
        order.lines = vec![line(example.order, 0, product, 1)];
        order.referral = Some(Referral { place: Place::Order, code: example.referrer.to_string() });
        Some((store, tell(Story::PaidLater, order, store.platform, &mut self.rng)))
    }

    /// Some cases can only be told by one platform.
    fn store(&mut self, story: Story, naming: Naming, extra: Extra) -> Option<&'a DemoStore> {
        let drawn = match self.rng.u8(0..10) {
            0..=4 => Platform::Shopify,
            5..=7 => Platform::WooCommerce,
            _ => Platform::Magento,
        };
        let needed = match (story, naming, extra) {
            (Story::Test | Story::RefundFirst, _, _) | (_, _, Extra::GiftCard) => Platform::Shopify,
            (Story::Deleted, _, _) => Platform::WooCommerce,
            // Magento names distributors by coupon only, and a coupon that names nobody is only a coupon.
            (_, Naming::Unknown, _) if drawn == Platform::Magento => Platform::WooCommerce,
            _ => drawn,
        };
        self.company.store(needed)
    }

    fn story(&mut self) -> Story {
        match self.rng.u8(0..100) {
            0..=54 => Story::PaidAtOnce,
            55..=70 => Story::PaidLater,
            71..=74 => Story::LineRefund,
            75..=76 => Story::AmountRefund,
            77..=78 => Story::FullRefund,
            79 => Story::TwoRefunds,
            80..=81 => Story::CancelledPaid,
            82..=83 => Story::CancelledUnpaid,
            84..=86 => Story::NeverPaid,
            87..=90 => Story::UpdatedBeforeCreated,
            91..=93 => Story::OlderLate,
            94 => Story::RefundFirst,
            95 => Story::Deleted,
            96 => Story::Test,
            _ => Story::PaidInTheSameSecond,
        }
    }

    fn naming(&mut self) -> Naming {
        match self.rng.u8(0..100) {
            0..=89 => Naming::Active,
            90..=91 => Naming::Unknown,
            92..=93 => Naming::Lapsed,
            94 => Naming::OneSelf,
            _ => Naming::Nobody,
        }
    }

    fn extra(&mut self) -> Extra {
        match self.rng.u8(0..50) {
            0 => Extra::Unmapped,
            1 => Extra::GiftCard,
            _ => Extra::Nothing,
        }
    }

    fn draw(&mut self, platform: Platform, naming: Naming, extra: Extra) -> SampleOrder {
        let customer = 20_000 + self.rng.u64(0..4_000);
        let mut order = self.empty(self.id(platform), customer);
        order.tax_rate = match platform {
            Platform::Shopify => Decimal::new(825, 4),
            Platform::WooCommerce => Decimal::new(19, 2),
            Platform::Magento | Platform::Direct => Decimal::new(20, 2),
        };
        order.tax_included = platform == Platform::Shopify && self.rng.u8(0..5) == 0;
        order.lines = self.lines(order.id, extra);
        order.shipping = Decimal::new(i64::from(self.rng.u8(0..4)) * 495, 2);
        if platform != Platform::Magento && self.rng.u8(0..12) == 0 {
            order.tip = Decimal::new(self.rng.i64(100..900), 2);
        }
        self.refer(&mut order, platform, naming);
        if order.coupon.is_some() || self.rng.u8(0..9) == 0 {
            order.coupon.get_or_insert_with(|| "WELCOME10".to_owned());
            discount(&mut order.lines);
        }
        order
    }

    /// Ids that no other order of this platform and seed has.
    fn id(&self, platform: Platform) -> u64 {
        let nth = u64::from(self.nth);
        match platform {
            Platform::Shopify => 5_400_000_000_000 + self.seed % 1_000 * 1_000_000_000 + nth * 131,
            Platform::WooCommerce | Platform::Magento | Platform::Direct => {
                1_000 + self.seed % 1_000 * 10_000_000 + nth
            }
        }
    }

    fn empty(&self, id: u64, customer_id: u64) -> SampleOrder {
        SampleOrder {
            id,
            customer_id,
            created_at: self.at,
            updated_at: self.at,
            paid_at: None,
            cancelled_at: None,
            test: false,
            tax_included: false,
            tax_rate: Decimal::ZERO,
            lines: Vec::new(),
            shipping: Decimal::ZERO,
            tip: Decimal::ZERO,
            coupon: None,
            referral: None,
            refunds: Vec::new(),
        }
    }

    fn lines(&mut self, order: u64, extra: Extra) -> Vec<SampleLine> {
        let company = self.company;
        let of =
            |class: fn(Class) -> bool| company.products.iter().filter(move |product| class(product.class));
        let mut products = self.rng.choose_multiple(of(|class| class.name().is_some()), 3);
        products.truncate(self.rng.usize(1..=3));
        match extra {
            Extra::Unmapped => products.extend(of(|class| class == Class::Unmapped).next()),
            Extra::GiftCard => products.extend(of(|class| class == Class::GiftCard).next()),
            Extra::Nothing => {}
        }
        (0u64..).zip(products).map(|(nth, product)| line(order, nth, product, self.rng.u32(1..=3))).collect()
    }

    fn refer(&mut self, order: &mut SampleOrder, platform: Platform, naming: Naming) {
        let mut place = match (platform, self.rng.u8(0..10)) {
            (Platform::Magento, _) | (_, 0..=2) => Place::Coupon,
            (Platform::WooCommerce, _) | (_, 3..=6) => Place::Order,
            (Platform::Shopify, 7) => Place::Line,
            _ => Place::Landing,
        };
        let code = match naming {
            Naming::Nobody => return,
            Naming::Unknown => {
                place = Place::Order;
                format!("GHOST-{}", self.rng.u32(1..40))
            }
            Naming::Active | Naming::OneSelf => self.distributor(|status| status == "active"),
            Naming::Lapsed => self.distributor(|status| status == "suspended" || status == "terminated"),
        };
        if naming == Naming::OneSelf {
            order.customer_id = code.parse().unwrap_or(order.customer_id);
        }
        if place == Place::Coupon {
            order.coupon = Some(code.clone());
        }
        order.referral = Some(Referral { place, code });
    }

    fn distributor(&mut self, status: impl Fn(&str) -> bool) -> String {
        let people = self.company.distributors.iter().filter(|person| status(person.status));
        self.rng.choice(people.collect::<Vec<_>>()).map(|person| person.id.clone()).unwrap_or_default()
    }
}

fn line(order: u64, nth: u64, product: &Product, quantity: u32) -> SampleLine {
    SampleLine {
        id: order * 100 + nth + 1,
        product: product.position,
        sku: product.sku,
        name: product.name,
        class: product.class,
        quantity,
        price: product.price,
        discount: Decimal::ZERO,
    }
}

/// Ten percent off everything but gift cards.
fn discount(lines: &mut [SampleLine]) {
    for line in lines.iter_mut().filter(|line| line.class != Class::GiftCard) {
        line.discount = cents(line.gross() / Decimal::TEN);
    }
}
