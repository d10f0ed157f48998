//! The two documented bodies of `POST /api/mlm/orders`, as one struct: their keys do not clash.

use serde::Deserialize;

use crate::stores::body::Scalar;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Order<'a> {
    #[serde(borrow)]
    pub platform: Scalar<'a>,
    pub platform_order_id: Scalar<'a>,
    pub shopify_order_id: Scalar<'a>,
    pub woocommerce_order_id: Scalar<'a>,
    pub magento_order_id: Scalar<'a>,
    pub order_ts: Scalar<'a>,
    pub updated_at: Scalar<'a>,
    pub status: Scalar<'a>,
    pub test: Scalar<'a>,
    pub currency: Scalar<'a>,
    pub distributor_ref: Scalar<'a>,
    pub referrer_id: Scalar<'a>,
    pub discount_code: Scalar<'a>,
    pub customer_id: Scalar<'a>,
    pub items: Option<Vec<Item<'a>>>,
    pub total: Scalar<'a>,
    /// The short shape's only item.
    pub sku: Scalar<'a>,
    pub qty: Scalar<'a>,
    pub amount: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Item<'a> {
    #[serde(borrow)]
    pub line_id: Scalar<'a>,
    pub platform_sku: Scalar<'a>,
    pub product_id: Scalar<'a>,
    pub variant_id: Scalar<'a>,
    pub title: Scalar<'a>,
    pub qty: Scalar<'a>,
    pub unit_price: Scalar<'a>,
}
