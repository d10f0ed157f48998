//! A shop's life by chance, from a seed: orders are placed over some days, paid, changed, refunded, cancelled.
//!
//! What a platform cannot do is left out ([`Habits`]), and so is what its own figures do not tell exactly: an
//! amount refunded beside an edit (the total that it is spread over is another one on each platform), two
//! amounts refunded on one order, and an order that was refunded whole and then not.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;

use super::shop::{Basket, Carried, Id, Money, Order, Referral, Shop};

/// What the platform lets a merchant do.
#[derive(Clone, Debug)]
pub struct Habits {
    pub edits: Edits,
    /// Refunds can be taken back; `Some(true)`: and the platform keeps it to itself.
    pub takes_refunds_back: Option<bool>,
    pub trash: Trash,
    /// A paid order can be cancelled without a refund.
    pub cancels_paid: bool,
    /// Knows test orders.
    pub tests: bool,
    pub carried: &'static [Carried],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edits {
    /// Lines of the order change.
    InPlace,
    /// Another order takes its place, before it is paid.
    ByReplacing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trash {
    Never,
    /// Gone for good, and only after it was cancelled.
    ForGood,
    AndBack,
}

impl Habits {
    pub fn shopify() -> Self {
        Self {
            edits: Edits::InPlace,
            takes_refunds_back: None,
            trash: Trash::ForGood,
            cancels_paid: true,
            tests: true,
            carried: &[Carried::Attribute, Carried::Coupon, Carried::LandingUrl],
        }
    }

    pub fn woocommerce() -> Self {
        Self {
            edits: Edits::InPlace,
            takes_refunds_back: Some(true),
            trash: Trash::AndBack,
            cancels_paid: true,
            tests: false,
            carried: &[Carried::Meta, Carried::Coupon, Carried::LandingUrl],
        }
    }

    pub fn magento() -> Self {
        Self {
            edits: Edits::ByReplacing,
            takes_refunds_back: None,
            trash: Trash::Never,
            cancels_paid: false,
            tests: false,
            carried: &[Carried::Meta, Carried::Coupon],
        }
    }
}

pub struct Life {
    habits: Habits,
    /// Codes of distributors who may be named.
    codes: Vec<String>,
    variants: Vec<Id>,
    customers: Vec<Id>,
    /// Orders that may still change, and those still to be placed.
    open: Vec<Id>,
    to_place: usize,
    placed: usize,
    until: DateTime<Utc>,
    /// Two steps may change an order within one second, which no platform's times can tell apart.
    pub hurried: bool,
}

/// Later acts fall on the last so many orders.
const OPEN: usize = 400;

impl Life {
    /// Stocks the shop. `orders` will be placed from its present time until `until`.
    pub fn new(
        shop: &mut Shop,
        habits: Habits,
        codes: &[String],
        orders: usize,
        until: DateTime<Utc>,
        rng: &mut Rng,
    ) -> Self {
        for number in 1..=12 {
            let sizes = if number % 3 == 0 { 3 } else { 1 };
            let variants: Vec<(String, Money)> =
                (1..=sizes).map(|size| (format!("SKU-{number}-{size}"), rng.i64(199..9_999))).collect();
            let variants: Vec<(&str, Money)> =
                variants.iter().map(|(sku, price)| (sku.as_str(), *price)).collect();
            shop.add_product(&format!("Product {number}"), &variants);
        }
        let variants =
            shop.products.values().flat_map(|product| &product.variants).map(|variant| variant.id).collect();
        let customers = (0..40).map(|_| shop.add_customer(None)).collect();
        Self {
            habits,
            codes: codes.to_vec(),
            variants,
            customers,
            open: vec![],
            to_place: orders,
            placed: 0,
            until,
            hurried: true,
        }
    }

    /// Orders so far.
    pub fn placed(&self) -> usize {
        self.placed
    }

    pub fn is_over(&self) -> bool {
        self.to_place == 0
    }

    /// Lives until every order is placed.
    pub fn live(&mut self, shop: &mut Shop, rng: &mut Rng) {
        while !self.is_over() {
            self.step(shop, rng);
        }
    }

    /// Time passes, and one thing happens.
    pub fn step(&mut self, shop: &mut Shop, rng: &mut Rng) {
        if self.to_place > 0 {
            let left = (self.until - shop.now).num_seconds().max(0);
            // About two and a half acts come with an order.
            let mean = left * 2 / (5 * i64::try_from(self.to_place).unwrap());
            shop.now += TimeDelta::seconds(rng.i64(0..=2 * mean.max(1)).min(left));
        } else {
            shop.now += TimeDelta::seconds(rng.i64(0..=60));
        }
        if self.to_place > 0 && (self.open.is_empty() || rng.u8(0..5) < 2) {
            self.place(shop, rng);
        } else if !self.open.is_empty() {
            let order = self.open[rng.usize(0..self.open.len())];
            self.happen(shop, order, rng);
        }
    }

    fn place(&mut self, shop: &mut Shop, rng: &mut Rng) {
        let order = shop.place(&self.basket(shop, rng));
        self.to_place -= 1;
        self.placed += 1;
        if rng.u8(0..10) < 7 {
            shop.pay(order);
        }
        self.remember(order);
    }

    fn remember(&mut self, order: Id) {
        if self.open.len() == OPEN {
            self.open.remove(0);
        }
        self.open.push(order);
    }

    fn basket(&self, shop: &Shop, rng: &mut Rng) -> Basket {
        let mut lines: Vec<(Id, i64, Money, Money)> = vec![];
        for _ in 0..rng.usize(1..=4) {
            let line = self.line(shop, rng);
            if lines.iter().all(|known| known.0 != line.0) {
                lines.push(line);
            }
        }
        let shipping = if rng.bool() { rng.i64(300..1_500) } else { 0 };
        let referral = (rng.u8(0..20) > 0).then(|| Referral {
            code: self.codes[rng.usize(0..self.codes.len())].clone(),
            carried: self.habits.carried[rng.usize(0..self.habits.carried.len())],
        });
        Basket {
            lines,
            shipping,
            shipping_tax: shipping / 5,
            customer: rng.bool().then(|| self.customers[rng.usize(0..self.customers.len())]),
            referral,
            test: self.habits.tests && rng.u8(0..50) == 0,
        }
    }

    fn line(&self, shop: &Shop, rng: &mut Rng) -> (Id, i64, Money, Money) {
        let variant = self.variants[rng.usize(0..self.variants.len())];
        let price = shop.variant(variant).expect("a variant").1.price;
        let quantity = rng.i64(1..=4);
        let discount = if rng.u8(0..4) == 0 { price * quantity * rng.i64(1..=30) / 100 } else { 0 };
        let tax = (price * quantity - discount) * [0, 8, 20][rng.usize(0..3)] / 100;
        (variant, quantity, discount, tax)
    }

    /// One thing that can happen to this order, if what is drawn can.
    fn happen(&mut self, shop: &mut Shop, id: Id, rng: &mut Rng) {
        if !self.hurried && shop.order(id).changed_at == shop.now {
            shop.now += TimeDelta::seconds(1);
        }
        let order = shop.order(id).clone();
        let closed = order.trashed || order.cancelled_at.is_some();
        match rng.u8(0..100) {
            _ if order.trashed => self.restore(shop, &order, rng),
            _ if closed => self.after_the_end(shop, &order, rng),
            0..30 if order.paid_at.is_none() => shop.pay(id),
            30..38 => shop.touch(id),
            38..50 => self.edit(shop, &order, rng),
            50..70 if order.paid_at.is_some() => refund_lines(shop, &order, rng),
            70..77 if order.paid_at.is_some() => refund_amount(shop, &order, rng),
            77..84 if order.paid_at.is_some() => refund_all(shop, &order),
            84..90 => self.take_back(shop, &order, rng),
            90..94 if order.paid_at.is_none() || self.habits.cancels_paid => shop.cancel(id),
            94..97 if self.habits.trash == Trash::AndBack => shop.trash(id),
            97..100 => self.change_catalogue(shop, rng),
            _ => (),
        }
    }

    fn restore(&self, shop: &mut Shop, order: &Order, rng: &mut Rng) {
        if self.habits.trash == Trash::AndBack && rng.bool() {
            shop.restore(order.id, rng.u8(0..4) == 0);
        }
    }

    fn after_the_end(&self, shop: &mut Shop, order: &Order, rng: &mut Rng) {
        match rng.u8(0..10) {
            0 if self.habits.trash != Trash::Never => shop.trash(order.id),
            1 => shop.touch(order.id),
            _ => (),
        }
    }

    fn edit(&mut self, shop: &mut Shop, order: &Order, rng: &mut Rng) {
        if order.refunds.iter().any(|refund| refund.extra > 0 || refund.shipping > 0) {
            return;
        }
        if self.habits.edits == Edits::ByReplacing {
            if order.paid_at.is_none() && order.replaced_by.is_none() {
                let basket = Basket {
                    referral: order.referral.clone(),
                    customer: order.customer,
                    ..self.basket(shop, rng)
                };
                let successor = shop.replace(order.id, &basket);
                self.remember(successor);
            }
            return;
        }
        if order.paid_at.is_none() && rng.u8(0..3) == 0 {
            let line = self.line(shop, rng);
            shop.add_line(order.id, line);
            return;
        }
        let line = &order.lines[rng.usize(0..order.lines.len())];
        let left = order.quantity_left(line.id);
        let others: i64 = order.lines.iter().map(|line| order.quantity_left(line.id)).sum::<i64>() - left;
        // Something stays, and a line of which a part was refunded is not edited.
        if order.refunded(line.id).0 == 0 && left > 0 && others > 0 {
            shop.lower(order.id, line.id, rng.i64(1..=left));
        }
    }

    fn take_back(&self, shop: &mut Shop, order: &Order, rng: &mut Rng) {
        let Some(silently) = self.habits.takes_refunds_back else { return };
        let live: Vec<Id> = order.live_refunds().map(|refund| refund.id).collect();
        if !live.is_empty() && order.refunded_total() < order.total() {
            shop.take_refund_back(order.id, live[rng.usize(0..live.len())], silently);
        }
    }

    fn change_catalogue(&self, shop: &mut Shop, rng: &mut Rng) {
        let ids: Vec<Id> = shop.products.keys().copied().collect();
        let id = ids[rng.usize(0..ids.len())];
        let price = rng.i64(199..9_999);
        shop.change_product(id, |product| {
            product.title.push('\'');
            product.variants[0].price = price;
        });
    }
}

fn refund_lines(shop: &mut Shop, order: &Order, rng: &mut Rng) {
    let mut taken = vec![];
    for line in &order.lines {
        let left = order.quantity_left(line.id);
        if left > 0 && rng.bool() {
            taken.push((line.id, rng.i64(1..=left)));
        }
    }
    let goes_with = rng.u8(0..5) == 0 && order.shipping_left().0 > 0;
    let worth: Money = taken
        .iter()
        .map(|(line, quantity)| order.part(*line, *quantity))
        .map(|part| part.net + part.tax)
        .sum();
    if worth > 0 && worth + order.refunded_total() <= order.total() {
        let edited = order.edits.is_empty();
        shop.refund(
            order.id,
            &taken,
            goes_with && edited && room(order) >= worth + order.shipping + order.shipping_tax,
            0,
        );
    }
}

fn refund_amount(shop: &mut Shop, order: &Order, rng: &mut Rng) {
    let room = room(order);
    if room > 1 && order.edits.is_empty() && order.live_refunds().all(|refund| refund.extra == 0) {
        shop.refund(order.id, &[], false, rng.i64(1..room));
    }
}

/// Everything that is left, by its lines.
fn refund_all(shop: &mut Shop, order: &Order) {
    let left = order.lines.iter().map(|line| (line.id, order.quantity_left(line.id)));
    let left: Vec<(Id, i64)> = left.filter(|(_, quantity)| *quantity > 0).collect();
    let untouched = order.edits.is_empty() && order.live_refunds().next().is_none();
    if untouched && !left.is_empty() {
        shop.refund(order.id, &left, true, 0);
    }
}

/// What the customer has not got back.
fn room(order: &Order) -> Money {
    order.total() - order.refunded_total()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn lived(habits: Habits, seed: u64) -> Shop {
        let mut rng = Rng::with_seed(seed);
        let mut shop = Shop::new("Test", "USD", 2, 1, "2026-08-20T00:00:00Z".parse().unwrap());
        let until = "2026-08-24T00:00:00Z".parse().unwrap();
        let mut life = Life::new(&mut shop, habits, &["D-1".to_owned()], 600, until, &mut rng);
        life.live(&mut shop, &mut rng);
        shop
    }

    #[test]
    fn a_life_is_full_and_its_sums_hold() {
        for habits in [Habits::shopify(), Habits::woocommerce(), Habits::magento()] {
            let shop = lived(habits.clone(), 3);
            let mut seen = BTreeMap::new();
            for event in &shop.events {
                let name = format!("{:?}", event.what);
                *seen.entry(name.split(['(', ' ']).next().unwrap().to_owned()).or_insert(0) += 1;
            }
            for what in ["OrderPlaced", "OrderPaid", "OrderEdited", "OrderCancelled", "RefundMade"] {
                let replaced = what == "OrderEdited" && habits.edits == Edits::ByReplacing;
                assert!(replaced || seen.get(what).is_some_and(|count| *count > 5), "{what}: {seen:?}");
            }
            for order in shop.orders.values() {
                assert!(order.refunded_total() <= order.total(), "{order:?}");
                assert!(order.net_by_line().values().all(|net| net.net() >= 0), "{order:?}");
                assert!(order.created_at <= order.changed_at && order.changed_at <= shop.now);
            }
            let days: std::collections::BTreeSet<_> =
                shop.orders.values().map(|order| order.created_at.date_naive()).collect();
            assert!(days.len() >= 4, "{days:?}");
        }
    }

    #[test]
    fn one_seed_is_one_life() {
        let told = |seed| lived(Habits::woocommerce(), seed).events;
        assert_eq!(told(5), told(5));
        assert_ne!(told(5), told(6));
    }
}
