//! Magento's REST V1 order as it is, only the fields that an order's money and references need.
//!
//! Every amount comes twice, in the website's base currency and in the order's. I/O Events send the same names
//! with every number as a string.

use serde::Deserialize;

use crate::stores::body::Scalar;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Order<'a> {
    #[serde(borrow)]
    pub entity_id: Scalar<'a>,
    pub increment_id: Scalar<'a>,
    pub state: Scalar<'a>,
    pub base_currency_code: Scalar<'a>,
    pub order_currency_code: Scalar<'a>,
    pub created_at: Scalar<'a>,
    pub updated_at: Scalar<'a>,
    pub customer_id: Scalar<'a>,
    pub coupon_code: Scalar<'a>,
    pub base_grand_total: Scalar<'a>,
    pub grand_total: Scalar<'a>,
    pub base_subtotal: Scalar<'a>,
    pub subtotal: Scalar<'a>,
    pub base_discount_amount: Scalar<'a>,
    pub discount_amount: Scalar<'a>,
    pub base_shipping_amount: Scalar<'a>,
    pub shipping_amount: Scalar<'a>,
    pub base_shipping_discount_amount: Scalar<'a>,
    pub shipping_discount_amount: Scalar<'a>,
    pub base_tax_amount: Scalar<'a>,
    pub tax_amount: Scalar<'a>,
    pub base_discount_tax_compensation_amount: Scalar<'a>,
    pub discount_tax_compensation_amount: Scalar<'a>,
    /// Cut short by the platform itself.
    pub base_shipping_discount_tax_compensation_amnt: Scalar<'a>,
    pub shipping_discount_tax_compensation_amount: Scalar<'a>,
    pub base_total_paid: Scalar<'a>,
    pub total_paid: Scalar<'a>,
    pub base_total_canceled: Scalar<'a>,
    pub total_canceled: Scalar<'a>,
    pub base_total_invoiced: Scalar<'a>,
    pub total_invoiced: Scalar<'a>,
    pub base_subtotal_invoiced: Scalar<'a>,
    pub subtotal_invoiced: Scalar<'a>,
    pub base_total_refunded: Scalar<'a>,
    pub total_refunded: Scalar<'a>,
    pub base_adjustment_positive: Scalar<'a>,
    pub adjustment_positive: Scalar<'a>,
    pub base_adjustment_negative: Scalar<'a>,
    pub adjustment_negative: Scalar<'a>,
    pub items: Option<Vec<Item<'a>>>,
    pub creditmemos: Option<Vec<CreditMemo<'a>>>,
    /// An object, or an empty array where PHP has nothing to tell.
    pub extension_attributes: Scalar<'a>,
    pub custom_attributes: Scalar<'a>,
}

/// An item of an order, of an invoice or of a credit memo.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Item<'a> {
    #[serde(borrow)]
    pub item_id: Scalar<'a>,
    pub order_item_id: Scalar<'a>,
    pub parent_item_id: Scalar<'a>,
    pub parent_item: Option<ParentItem<'a>>,
    pub product_id: Scalar<'a>,
    pub product_type: Scalar<'a>,
    pub sku: Scalar<'a>,
    pub name: Scalar<'a>,
    pub qty: Scalar<'a>,
    pub qty_ordered: Scalar<'a>,
    pub qty_refunded: Scalar<'a>,
    pub qty_canceled: Scalar<'a>,
    pub base_price: Scalar<'a>,
    pub price: Scalar<'a>,
    pub base_row_total: Scalar<'a>,
    pub row_total: Scalar<'a>,
    pub base_discount_amount: Scalar<'a>,
    pub discount_amount: Scalar<'a>,
    pub base_discount_tax_compensation_amount: Scalar<'a>,
    pub discount_tax_compensation_amount: Scalar<'a>,
}

/// The parent's item again, inside its child; sometimes the only mention of it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ParentItem<'a> {
    #[serde(borrow)]
    pub item_id: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CreditMemo<'a> {
    #[serde(borrow)]
    pub entity_id: Scalar<'a>,
    /// 1 open, 2 refunded, 3 canceled.
    pub state: Scalar<'a>,
    pub created_at: Scalar<'a>,
    pub base_grand_total: Scalar<'a>,
    pub grand_total: Scalar<'a>,
    /// Given back beyond the items.
    pub base_adjustment_positive: Scalar<'a>,
    pub adjustment_positive: Scalar<'a>,
    /// Kept by the merchant.
    pub base_adjustment_negative: Scalar<'a>,
    pub adjustment_negative: Scalar<'a>,
    pub items: Option<Vec<Item<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Invoice<'a> {
    /// 1 open, 2 paid, 3 canceled.
    #[serde(borrow)]
    pub state: Scalar<'a>,
    pub base_grand_total: Scalar<'a>,
    pub grand_total: Scalar<'a>,
    pub items: Option<Vec<Item<'a>>>,
}

/// One of `custom_attributes`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CustomAttribute<'a> {
    #[serde(borrow)]
    pub attribute_code: Scalar<'a>,
    pub value: Scalar<'a>,
}

/// Which of the two currencies a payload is counted in: base wherever it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    pub base: bool,
    /// Both currencies are one, so either figure will do.
    pub same: bool,
}

impl Side {
    pub fn of(base_code: Scalar<'_>, order_code: Scalar<'_>, base_total: Scalar<'_>) -> Self {
        let base = base_code.literal().is_some() && base_total.literal().is_some();
        Self { base, same: base_code.text() == order_code.text() }
    }

    pub fn pick<'a>(self, base: Scalar<'a>, plain: Scalar<'a>) -> Scalar<'a> {
        match (self.base, base.literal().is_some()) {
            (true, true) => base,
            (true, false) if self.same => plain,
            (true, false) => Scalar::default(),
            (false, _) => plain,
        }
    }
}
