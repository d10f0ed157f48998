//! WooCommerce's REST v3 shapes as they are, only the fields that money, references and the catalogue need.

use serde::Deserialize;

use crate::stores::body::Scalar;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Order<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub number: Scalar<'a>,
    pub status: Scalar<'a>,
    pub currency: Scalar<'a>,
    pub date_created_gmt: Scalar<'a>,
    pub date_modified_gmt: Scalar<'a>,
    pub date_paid_gmt: Scalar<'a>,
    pub total: Scalar<'a>,
    pub total_tax: Scalar<'a>,
    pub customer_id: Scalar<'a>,
    pub meta_data: Option<Vec<Meta<'a>>>,
    pub line_items: Option<Vec<Line<'a>>>,
    pub shipping_lines: Option<Vec<Charge<'a>>>,
    pub fee_lines: Option<Vec<Charge<'a>>>,
    pub coupon_lines: Option<Vec<Coupon<'a>>>,
    pub refunds: Option<Vec<RefundHeader<'a>>>,
    /// Gift cards that paid a part, by the plugin of that name: they lower the total without being a discount.
    pub gift_cards: Option<Vec<GiftCard<'a>>>,
    /// Only of a subscription, which is else just like an order.
    pub billing_period: Scalar<'a>,
    /// Only of an error that was sent in an order's place.
    pub code: Scalar<'a>,
}

/// A line of an order; in a refund the quantities and totals are negative.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Line<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub name: Scalar<'a>,
    pub product_id: Scalar<'a>,
    pub variation_id: Scalar<'a>,
    pub sku: Scalar<'a>,
    pub quantity: Scalar<'a>,
    pub subtotal: Scalar<'a>,
    pub total: Scalar<'a>,
    pub total_tax: Scalar<'a>,
    pub taxes: Option<Vec<Tax<'a>>>,
    pub meta_data: Option<Vec<Meta<'a>>>,
}

/// Kept at full precision where the line's own figures are rounded.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Tax<'a> {
    #[serde(borrow)]
    pub total: Scalar<'a>,
}

/// Shipping or a fee; a fee may be negative.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Charge<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub name: Scalar<'a>,
    pub total: Scalar<'a>,
    pub total_tax: Scalar<'a>,
    pub taxes: Option<Vec<Tax<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Coupon<'a> {
    #[serde(borrow)]
    pub code: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Meta<'a> {
    #[serde(borrow)]
    pub key: Scalar<'a>,
    pub value: Scalar<'a>,
}

/// Inside an order: no lines, no date, `total` negative and with tax.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RefundHeader<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub total: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct GiftCard<'a> {
    #[serde(borrow)]
    pub amount: Scalar<'a>,
}

/// One of `GET orders/{id}/refunds`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Refund<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub date_created_gmt: Scalar<'a>,
    pub amount: Scalar<'a>,
    pub line_items: Option<Vec<Line<'a>>>,
    pub shipping_lines: Option<Vec<Charge<'a>>>,
    pub fee_lines: Option<Vec<Charge<'a>>>,
}

/// A product or one of its variations, which name each other by `variations` and `parent_id`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Product<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub parent_id: Scalar<'a>,
    pub name: Scalar<'a>,
    #[serde(rename = "type")]
    pub kind: Scalar<'a>,
    pub sku: Scalar<'a>,
    pub date_modified_gmt: Scalar<'a>,
    /// `true`, `false`, or of a variation "parent".
    pub manage_stock: Scalar<'a>,
    pub stock_quantity: Scalar<'a>,
    pub variations: Option<Vec<Scalar<'a>>>,
    pub attributes: Option<Vec<Attribute<'a>>>,
}

/// Of a variation: what was chosen; a product has the list of all `options` instead.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Attribute<'a> {
    #[serde(borrow)]
    pub option: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Customer<'a> {
    #[serde(borrow)]
    pub id: Scalar<'a>,
    pub date_created_gmt: Scalar<'a>,
    pub date_modified_gmt: Scalar<'a>,
    pub meta_data: Option<Vec<Meta<'a>>>,
}
