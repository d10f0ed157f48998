//! The truth of a shop: its orders, products, customers and subscriptions, and what can happen to them.
//!
//! Nothing of the product is used here. Money is whole minor units of the order's currency (`i64`, 1234 = 12.34
//! with two decimals, 1234 = 1234 with none); prices, discounts, shipping and refunds are without tax, the tax
//! stands beside them. Times are whole seconds, UTC, and the shop's own: [`Shop::now`] is set by who plays the
//! shop. Every act moves the order's `changed_at` and records an event; the acts that some platform keeps to
//! itself say so.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub type Id = u64;
pub type Money = i64;

pub struct Shop {
    pub name: String,
    /// ISO 4217; every order is in it.
    pub currency: String,
    /// Digits after the point of `currency`.
    pub decimals: u32,
    /// IANA name: the shop's days begin there.
    pub zone: String,
    /// The shop's clock.
    pub now: DateTime<Utc>,
    pub orders: BTreeMap<Id, Order>,
    pub products: BTreeMap<Id, Product>,
    pub customers: BTreeMap<Id, Customer>,
    pub subscriptions: BTreeMap<Id, Subscription>,
    /// Everything that happened, oldest first.
    pub events: Vec<ShopEvent>,
    next_id: Id,
    next_number: u64,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub id: Id,
    /// Counts up from 1001; platforms dress it (`#1001`, `000001001`).
    pub number: u64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    /// In the trash (WooCommerce), deleted (Shopify): not listed, not readable.
    pub trashed: bool,
    pub test: bool,
    pub currency: String,
    pub decimals: u32,
    pub customer: Option<Id>,
    pub referral: Option<Referral>,
    /// As ordered, and what edits added. Quantities stay as ordered: what edits took away is in `edits`.
    pub lines: Vec<Line>,
    pub shipping: Money,
    pub shipping_tax: Money,
    /// Oldest first, with those that were taken back.
    pub refunds: Vec<Refund>,
    pub edits: Vec<Edit>,
    /// Where an edit makes another order (Magento): the cancelled one and its successor.
    pub replaces: Option<Id>,
    pub replaced_by: Option<Id>,
}

/// The distributor's code and where the order carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    pub code: String,
    pub carried: Carried,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Shopify: `note_attributes` (custom attributes), named `ref`.
    Attribute,
    /// WooCommerce `meta_data`, Magento `extension_attributes`: `distributor_code`.
    Meta,
    /// A coupon or discount code; it takes nothing off by itself, as discounts stand on the lines.
    Coupon,
    /// `?ref=CODE` of the page where the visit began (Shopify, WooCommerce's order attribution).
    LandingUrl,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub id: Id,
    pub product: Id,
    /// Equal to `product` where the product has no variants of its own ([`Product::simple`]).
    pub variant: Id,
    pub sku: String,
    pub title: String,
    pub quantity: i64,
    /// One unit, without tax, before discount.
    pub unit_price: Money,
    /// Of the whole line.
    pub discount: Money,
    /// Of the whole line, after discount; on top of the price.
    pub tax: Money,
}

#[derive(Clone, Debug)]
pub struct Refund {
    pub id: Id,
    pub at: DateTime<Utc>,
    pub lines: Vec<RefundLine>,
    pub shipping: Money,
    pub shipping_tax: Money,
    /// Money for no line: goodwill, or a refund of an amount.
    pub extra: Money,
    /// Deleted (WooCommerce) or cancelled (Magento's credit memo) again: not told any more.
    pub taken_back: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLine {
    pub line: Id,
    pub quantity: i64,
    pub net: Money,
    pub tax: Money,
}

/// A change of what was ordered, after the fact.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Shopify tells a lowered quantity as a refund without money under this id; agreements carry it, too.
    pub id: Id,
    pub at: DateTime<Utc>,
    pub change: Change,
}

impl Edit {
    pub fn is_removal(&self) -> bool {
        matches!(self.change, Change::Lowered(_))
    }
}

#[derive(Clone, Debug)]
pub enum Change {
    /// So much of a line is not wanted any more; `net` and `tax` are that part's.
    Lowered(RefundLine),
    /// The line came with the edit.
    Added { line: Id },
}

#[derive(Clone, Debug)]
pub struct Product {
    pub id: Id,
    pub title: String,
    /// Sold as itself: one variant, whose id is the product's (WooCommerce simple, Magento simple).
    pub simple: bool,
    pub variants: Vec<Variant>,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub struct Variant {
    pub id: Id,
    pub sku: String,
    pub title: String,
    pub price: Money,
    pub stock: i64,
    /// Shopify tells stock under another id.
    pub inventory: Id,
}

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: Id,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    /// A distributor's code on the customer's record (tag, meta or attribute `distributor_code`).
    pub code: Option<String>,
}

/// A webhook subscription as the platform keeps it.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: Id,
    /// In the platform's own spelling.
    pub topic: String,
    pub address: String,
    /// What deliveries are signed with; Shopify signs with the app's secret instead.
    pub secret: String,
    pub active: bool,
    /// In a row.
    pub failures: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopEvent {
    /// Dense, from 0: its place in [`Shop::events`].
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    OrderPlaced(Id),
    OrderPaid(Id),
    /// Nothing of the order's money: a note, a view, a saved form.
    OrderTouched(Id),
    OrderEdited(Id),
    OrderCancelled(Id),
    OrderTrashed(Id),
    OrderRestored(Id),
    /// Out of the trash without a word (WooCommerce, `PUT status`).
    OrderRevived(Id),
    RefundMade {
        order: Id,
        refund: Id,
    },
    RefundTakenBack {
        order: Id,
        refund: Id,
    },
    ProductCreated(Id),
    ProductChanged(Id),
    ProductDeleted(Id),
    StockChanged {
        product: Id,
        variant: Id,
    },
    CustomerCreated(Id),
    CustomerChanged(Id),
}

/// What an order is placed with; ids and the number are the shop's to give.
#[derive(Clone, Debug, Default)]
pub struct Basket {
    /// Variant id and quantity, discount of the line, tax of the line.
    pub lines: Vec<(Id, i64, Money, Money)>,
    pub shipping: Money,
    pub shipping_tax: Money,
    pub customer: Option<Id>,
    pub referral: Option<Referral>,
    pub test: bool,
}

impl Shop {
    /// `first_id` as large as the platform's ids are: 5_000_000_000_001 at Shopify, 101 at a small WooCommerce.
    pub fn new(name: &str, currency: &str, decimals: u32, first_id: Id, now: DateTime<Utc>) -> Self {
        Self {
            name: name.to_owned(),
            currency: currency.to_owned(),
            decimals,
            zone: "UTC".to_owned(),
            now,
            orders: BTreeMap::new(),
            products: BTreeMap::new(),
            customers: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            events: Vec::new(),
            next_id: first_id,
            next_number: 1001,
        }
    }

    /// Never given before.
    pub fn fresh_id(&mut self) -> Id {
        self.next_id += 1;
        self.next_id - 1
    }

    fn happened(&mut self, what: What) {
        let seq = u64::try_from(self.events.len()).unwrap();
        self.events.push(ShopEvent { seq, at: self.now, what });
    }

    pub fn order(&self, id: Id) -> &Order {
        &self.orders[&id]
    }

    /// What the platform's API would list: not in the trash.
    pub fn listed(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| !order.trashed)
    }

    pub fn variant(&self, id: Id) -> Option<(&Product, &Variant)> {
        let mut all = self
            .products
            .values()
            .flat_map(|product| product.variants.iter().map(move |variant| (product, variant)));
        all.find(|(_, variant)| variant.id == id)
    }

    fn change(&mut self, order: Id, what: What, change: impl FnOnce(&mut Order)) {
        let now = self.now;
        let order = self.orders.get_mut(&order).expect("an order of the shop");
        change(order);
        order.changed_at = now;
        self.happened(what);
    }

    // --- catalogue and customers ---

    /// One variant: a simple product. Gives the product's id.
    pub fn add_product(&mut self, title: &str, variants: &[(&str, Money)]) -> Id {
        let id = self.fresh_id();
        let simple = variants.len() == 1;
        let variants = variants.iter().map(|(sku, price)| Variant {
            id: if simple { id } else { self.fresh_id() },
            sku: (*sku).to_owned(),
            title: (*sku).to_owned(),
            price: *price,
            stock: 1_000_000,
            inventory: self.fresh_id(),
        });
        let variants = variants.collect();
        let (created_at, changed_at) = (self.now, self.now);
        let product =
            Product { id, title: title.to_owned(), simple, variants, created_at, changed_at, deleted: false };
        self.products.insert(id, product);
        self.happened(What::ProductCreated(id));
        id
    }

    pub fn change_product(&mut self, id: Id, change: impl FnOnce(&mut Product)) {
        let product = self.products.get_mut(&id).expect("a product of the shop");
        change(product);
        product.changed_at = self.now;
        self.happened(What::ProductChanged(id));
    }

    pub fn delete_product(&mut self, id: Id) {
        self.products.get_mut(&id).expect("a product of the shop").deleted = true;
        self.happened(What::ProductDeleted(id));
    }

    pub fn add_customer(&mut self, code: Option<&str>) -> Id {
        let id = self.fresh_id();
        let (created_at, changed_at) = (self.now, self.now);
        let customer = Customer { id, created_at, changed_at, code: code.map(str::to_owned) };
        self.customers.insert(id, customer);
        self.happened(What::CustomerCreated(id));
        id
    }

    // --- orders ---

    pub fn place(&mut self, basket: &Basket) -> Id {
        let id = self.fresh_id();
        let lines = basket.lines.iter().map(|line| self.line(line)).collect();
        let number = self.next_number;
        self.next_number += 1;
        let order = Order {
            id,
            number,
            created_at: self.now,
            changed_at: self.now,
            paid_at: None,
            cancelled_at: None,
            trashed: false,
            test: basket.test,
            currency: self.currency.clone(),
            decimals: self.decimals,
            customer: basket.customer,
            referral: basket.referral.clone(),
            lines,
            shipping: basket.shipping,
            shipping_tax: basket.shipping_tax,
            refunds: Vec::new(),
            edits: Vec::new(),
            replaces: None,
            replaced_by: None,
        };
        self.orders.insert(id, order);
        self.happened(What::OrderPlaced(id));
        id
    }

    fn line(&mut self, (variant, quantity, discount, tax): &(Id, i64, Money, Money)) -> Line {
        let id = self.fresh_id();
        let (product, variant) = self.variant(*variant).expect("a variant of the shop");
        Line {
            id,
            product: product.id,
            variant: variant.id,
            sku: variant.sku.clone(),
            title: product.title.clone(),
            quantity: *quantity,
            unit_price: variant.price,
            discount: *discount,
            tax: *tax,
        }
    }

    pub fn pay(&mut self, order: Id) {
        let now = self.now;
        self.change(order, What::OrderPaid(order), |order| order.paid_at = Some(now));
    }

    /// Saved without a change of its money.
    pub fn touch(&mut self, order: Id) {
        self.change(order, What::OrderTouched(order), |_| ());
    }

    /// Takes quantities of lines back (line, quantity), with the shipping if `with_shipping`, and gives `extra`
    /// beside. Gives the refund's id.
    pub fn refund(&mut self, order: Id, taken: &[(Id, i64)], with_shipping: bool, extra: Money) -> Id {
        let (id, at) = (self.fresh_id(), self.now);
        let known = self.order(order);
        let lines = taken.iter().map(|(line, quantity)| known.part(*line, *quantity)).collect();
        let (shipping, shipping_tax) = if with_shipping { known.shipping_left() } else { (0, 0) };
        let refund = Refund { id, at, lines, shipping, shipping_tax, extra, taken_back: None };
        self.change(order, What::RefundMade { order, refund: id }, |order| order.refunds.push(refund));
        id
    }

    /// `silently`: the order's `changed_at` stays as it was (WooCommerce deletes a refund like that).
    pub fn take_refund_back(&mut self, order: Id, refund: Id, silently: bool) {
        let now = self.now;
        let changed_at = self.order(order).changed_at;
        self.change(order, What::RefundTakenBack { order, refund }, |order| {
            let refund = order.refunds.iter_mut().find(|known| known.id == refund).expect("its refund");
            refund.taken_back = Some(now);
        });
        if silently {
            self.orders.get_mut(&order).unwrap().changed_at = changed_at;
        }
    }

    /// An edit takes so much of a line away. Shopify and WooCommerce know that; Magento replaces the order.
    pub fn lower(&mut self, order: Id, line: Id, by: i64) {
        let (id, at) = (self.fresh_id(), self.now);
        let change = Change::Lowered(self.order(order).part(line, by));
        self.change(order, What::OrderEdited(order), |order| order.edits.push(Edit { id, at, change }));
    }

    /// The line's discount is another one after the fact (WooCommerce: somebody types another total).
    pub fn discount(&mut self, order: Id, line: Id, discount: Money) {
        self.change(order, What::OrderEdited(order), |order| {
            order.lines.iter_mut().find(|known| known.id == line).expect("its line").discount = discount;
        });
    }

    /// An edit adds a line (variant, quantity, discount, tax). Gives its id.
    pub fn add_line(&mut self, order: Id, line: (Id, i64, Money, Money)) -> Id {
        let line = self.line(&line);
        let (id, at, line_id) = (self.fresh_id(), self.now, line.id);
        self.change(order, What::OrderEdited(order), |order| {
            order.lines.push(line);
            order.edits.push(Edit { id, at, change: Change::Added { line: line_id } });
        });
        line_id
    }

    /// An edit as Magento makes it: the order is cancelled and another takes its place. Gives the other's id.
    pub fn replace(&mut self, order: Id, basket: &Basket) -> Id {
        let successor = self.place(basket);
        self.cancel(order);
        self.orders.get_mut(&order).unwrap().replaced_by = Some(successor);
        self.orders.get_mut(&successor).unwrap().replaces = Some(order);
        successor
    }

    pub fn cancel(&mut self, order: Id) {
        let now = self.now;
        self.change(order, What::OrderCancelled(order), |order| order.cancelled_at = Some(now));
    }

    pub fn trash(&mut self, order: Id) {
        self.change(order, What::OrderTrashed(order), |order| order.trashed = true);
    }

    /// Out of the trash; `silently` where the platform does not tell.
    pub fn restore(&mut self, order: Id, silently: bool) {
        let what = if silently { What::OrderRevived(order) } else { What::OrderRestored(order) };
        self.change(order, what, |order| order.trashed = false);
    }

    // --- subscriptions ---

    pub fn subscribe(&mut self, topic: &str, address: &str, secret: &str) -> Id {
        let id = self.fresh_id();
        let (topic, address, secret) = (topic.to_owned(), address.to_owned(), secret.to_owned());
        self.subscriptions.insert(id, Subscription { id, topic, address, secret, active: true, failures: 0 });
        id
    }
}
