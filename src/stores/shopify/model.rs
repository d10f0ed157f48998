//! Shopify's REST payloads as they are, only the fields that an order's money and references need.

use serde::Deserialize;

use super::agreements::Agreement;
use crate::stores::body::Scalar;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Order<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub name: Scalar<'a>,
    pub currency: Scalar<'a>,
    pub created_at: Scalar<'a>,
    pub processed_at: Scalar<'a>,
    pub updated_at: Scalar<'a>,
    pub cancelled_at: Scalar<'a>,
    pub financial_status: Scalar<'a>,
    pub test: Scalar<'a>,
    pub taxes_included: Scalar<'a>,
    pub duties_included: Scalar<'a>,
    pub subtotal_price: Scalar<'a>,
    pub current_subtotal_price: Scalar<'a>,
    pub total_price: Scalar<'a>,
    pub current_total_price: Scalar<'a>,
    pub total_tax: Scalar<'a>,
    pub current_total_tax: Scalar<'a>,
    pub total_tip_received: Scalar<'a>,
    pub total_shipping_price_set: Option<MoneySet<'a>>,
    pub current_shipping_price_set: Option<MoneySet<'a>>,
    pub original_total_duties_set: Option<MoneySet<'a>>,
    pub current_total_duties_set: Option<MoneySet<'a>>,
    pub original_total_additional_fees_set: Option<MoneySet<'a>>,
    pub current_total_additional_fees_set: Option<MoneySet<'a>>,
    pub line_items: Option<Vec<Line<'a>>>,
    pub shipping_lines: Option<Vec<ShippingLine<'a>>>,
    pub refunds: Option<Vec<Refund<'a>>>,
    pub discount_codes: Option<Vec<DiscountCode<'a>>>,
    pub note_attributes: Option<Vec<Attribute<'a>>>,
    pub landing_site: Scalar<'a>,
    pub landing_site_ref: Scalar<'a>,
    pub referring_site: Scalar<'a>,
    pub tags: Scalar<'a>,
    pub customer: Option<Customer<'a>>,
    /// The payload was read without its lines' discounts: they are what the subtotal lacks.
    #[serde(skip)]
    pub discounts_by_subtotal: bool,
    /// The platform's own ledger of sales; only a pull reads it.
    #[serde(skip)]
    pub agreements: Option<Vec<Agreement<'a>>>,
    /// Lists that go on after what the payload holds of them.
    #[serde(skip)]
    pub cut: Vec<&'static str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Line<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub product_id: Scalar<'a>,
    pub variant_id: Scalar<'a>,
    pub sku: Scalar<'a>,
    pub name: Scalar<'a>,
    pub title: Scalar<'a>,
    pub quantity: Scalar<'a>,
    pub current_quantity: Scalar<'a>,
    pub price: Scalar<'a>,
    pub gift_card: Scalar<'a>,
    pub tip: Scalar<'a>,
    pub discount_allocations: Option<Vec<Allocation<'a>>>,
    pub tax_lines: Option<Vec<TaxLine<'a>>>,
    /// An array; an empty one has been seen as object.
    pub properties: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ShippingLine<'a> {
    #[serde(borrow)]
    pub price: Scalar<'a>,
    pub discount_allocations: Option<Vec<Allocation<'a>>>,
    pub is_removed: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Allocation<'a> {
    #[serde(borrow)]
    pub amount: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct TaxLine<'a> {
    #[serde(borrow)]
    pub price: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct DiscountCode<'a> {
    #[serde(borrow)]
    pub code: Scalar<'a>,
}

/// A cart attribute, a line property; `key` in GraphQL.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Attribute<'a> {
    #[serde(borrow, alias = "key")]
    pub name: Scalar<'a>,
    pub value: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Customer<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    /// Comma-separated in REST, an array in GraphQL.
    pub tags: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Refund<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub order_id: Scalar<'a>,
    pub created_at: Scalar<'a>,
    pub processed_at: Scalar<'a>,
    pub refund_line_items: Option<Vec<RefundLine<'a>>>,
    pub refund_shipping_lines: Option<Vec<RefundShipping<'a>>>,
    pub order_adjustments: Option<Vec<Adjustment<'a>>>,
    pub transactions: Option<Vec<Transaction<'a>>>,
    pub total_duties_set: Option<MoneySet<'a>>,
    /// GraphQL's sum of what went back, in shop money at the refund's own rate; REST has transactions.
    #[serde(skip)]
    pub total_refunded_set: Option<MoneySet<'a>>,
    /// The payload was read without the shipping that went back.
    #[serde(skip)]
    pub shipping_untold: bool,
}

/// `subtotal` and `total_tax` are JSON numbers here, unlike everywhere else.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RefundLine<'a> {
    #[serde(borrow)]
    pub line_item_id: Scalar<'a>,
    pub quantity: Scalar<'a>,
    pub subtotal: Scalar<'a>,
    pub subtotal_set: Option<MoneySet<'a>>,
    pub total_tax: Scalar<'a>,
    pub total_tax_set: Option<MoneySet<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RefundShipping<'a> {
    #[serde(borrow)]
    pub subtotal_amount_set: Option<MoneySet<'a>>,
    pub tax_amount_set: Option<MoneySet<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Adjustment<'a> {
    #[serde(borrow)]
    pub kind: Scalar<'a>,
    pub amount: Scalar<'a>,
    pub amount_set: Option<MoneySet<'a>>,
    pub tax_amount: Scalar<'a>,
    pub tax_amount_set: Option<MoneySet<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Transaction<'a> {
    #[serde(borrow)]
    pub kind: Scalar<'a>,
    pub status: Scalar<'a>,
    pub amount: Scalar<'a>,
    pub currency: Scalar<'a>,
}

/// One amount in the shop's and in the customer's currency. Everything here is counted in the shop's.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct MoneySet<'a> {
    #[serde(borrow, alias = "shopMoney")]
    pub shop_money: Money<'a>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Money<'a> {
    #[serde(borrow)]
    pub amount: Scalar<'a>,
    #[serde(alias = "currencyCode")]
    pub currency_code: Scalar<'a>,
}
