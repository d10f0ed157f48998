//! The Admin GraphQL API's order node, brought into the REST shape that [`super::order`] reads.
//!
//! Run on what a pull reads. A field that was not asked for is treated as absent, never as zero where that
//! would change a sum: without its discounts per line, the order's subtotal tells them.

use serde::Deserialize;

use super::agreements::Agreement;
use super::model::{self, MoneySet};
use super::{order, short_id};
use crate::core::order::OrderSnapshot;
use crate::stores::DeliveryMeta;
use crate::stores::body::{ParseError, Scalar, read};
use crate::stores::reader::Reader;

pub fn parse(meta: &DeliveryMeta, text: &str) -> Result<OrderSnapshot, ParseError> {
    let node: Node<'_> = read(text)?;
    order::snapshot(meta, &rest_order(node))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Node<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    name: Scalar<'a>,
    currency_code: Scalar<'a>,
    created_at: Scalar<'a>,
    processed_at: Scalar<'a>,
    updated_at: Scalar<'a>,
    cancelled_at: Scalar<'a>,
    display_financial_status: Scalar<'a>,
    test: Scalar<'a>,
    taxes_included: Scalar<'a>,
    subtotal_price_set: Option<MoneySet<'a>>,
    current_subtotal_price_set: Option<MoneySet<'a>>,
    total_price_set: Option<MoneySet<'a>>,
    current_total_price_set: Option<MoneySet<'a>>,
    total_tax_set: Option<MoneySet<'a>>,
    current_total_tax_set: Option<MoneySet<'a>>,
    total_tip_received_set: Option<MoneySet<'a>>,
    total_shipping_price_set: Option<MoneySet<'a>>,
    current_shipping_price_set: Option<MoneySet<'a>>,
    original_total_duties_set: Option<MoneySet<'a>>,
    current_total_duties_set: Option<MoneySet<'a>>,
    original_total_additional_fees_set: Option<MoneySet<'a>>,
    current_total_additional_fees_set: Option<MoneySet<'a>>,
    line_items: Option<Connection<'a, Line<'a>>>,
    shipping_lines: Option<Connection<'a, Shipping<'a>>>,
    agreements: Option<Connection<'a, Agreement<'a>>>,
    refunds: Option<Vec<Refund<'a>>>,
    discount_codes: Option<Vec<Scalar<'a>>>,
    custom_attributes: Option<Vec<model::Attribute<'a>>>,
    customer_journey_summary: Option<Journey<'a>>,
    tags: Scalar<'a>,
    customer: Option<model::Customer<'a>>,
}

/// A connection's items come as `nodes` or as `edges`, as the query asked.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Connection<'a, T> {
    nodes: Option<Vec<T>>,
    edges: Option<Vec<Edge<T>>>,
    #[serde(borrow, rename = "pageInfo")]
    page: Option<PageInfo<'a>>,
}

#[derive(Deserialize)]
struct Edge<T> {
    node: T,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageInfo<'a> {
    #[serde(borrow)]
    has_next_page: Scalar<'a>,
}

impl<T> Connection<'_, T> {
    pub fn items(&self) -> impl Iterator<Item = &T> {
        let edges = self.edges.iter().flatten().map(|edge| &edge.node);
        self.nodes.iter().flatten().chain(edges)
    }

    fn into_items(self) -> Vec<T> {
        let edges = self.edges.unwrap_or_default().into_iter().map(|edge| edge.node);
        self.nodes.unwrap_or_default().into_iter().chain(edges).collect()
    }

    /// There is more than this.
    pub fn is_cut(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.has_next_page.is_true())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    title: Scalar<'a>,
    name: Scalar<'a>,
    sku: Scalar<'a>,
    quantity: Scalar<'a>,
    current_quantity: Scalar<'a>,
    is_gift_card: Scalar<'a>,
    product: Option<Reference<'a>>,
    variant: Option<Reference<'a>>,
    original_unit_price_set: Option<MoneySet<'a>>,
    discount_allocations: Option<Vec<Allocation<'a>>>,
    tax_lines: Option<Vec<TaxLine<'a>>>,
    custom_attributes: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Reference<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
}

impl Reference<'_> {
    /// The number, as webhooks tell it.
    pub fn short(&self, reader: &mut Reader, field: &str) -> Option<String> {
        reader.id(field, self.id).map(short_id)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Allocation<'a> {
    #[serde(borrow)]
    allocated_amount_set: MoneySet<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TaxLine<'a> {
    #[serde(borrow)]
    price_set: MoneySet<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Shipping<'a> {
    #[serde(borrow)]
    original_price_set: MoneySet<'a>,
    discount_allocations: Option<Vec<Allocation<'a>>>,
    is_removed: Scalar<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refund<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    created_at: Scalar<'a>,
    processed_at: Scalar<'a>,
    total_refunded_set: Option<MoneySet<'a>>,
    refund_line_items: Option<Connection<'a, RefundLine<'a>>>,
    refund_shipping_lines: Option<Connection<'a, RefundShipping<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RefundLine<'a> {
    #[serde(borrow)]
    line_item: Reference<'a>,
    quantity: Scalar<'a>,
    subtotal_set: Option<MoneySet<'a>>,
    total_tax_set: Option<MoneySet<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RefundShipping<'a> {
    #[serde(borrow)]
    subtotal_amount_set: Option<MoneySet<'a>>,
    tax_amount_set: Option<MoneySet<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Journey<'a> {
    #[serde(borrow)]
    first_visit: Option<Visit<'a>>,
    last_visit: Option<Visit<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Visit<'a> {
    #[serde(borrow)]
    landing_page: Scalar<'a>,
    referrer_url: Scalar<'a>,
}

fn amount<'a>(set: Option<MoneySet<'a>>) -> Scalar<'a> {
    set.unwrap_or_default().shop_money.amount
}

/// The lists of the node that were not read to their end.
fn cut(node: &Node<'_>) -> Vec<&'static str> {
    fn is<T>(list: &Option<Connection<'_, T>>) -> bool {
        list.as_ref().is_some_and(Connection::is_cut)
    }
    let refunds = || node.refunds.iter().flatten();
    let mut agreements = node.agreements.iter().flat_map(Connection::items);
    let lists = [
        ("lineItems", is(&node.line_items)),
        ("shippingLines", is(&node.shipping_lines)),
        ("agreements", is(&node.agreements)),
        ("agreements.sales", agreements.any(Agreement::is_cut)),
        ("refunds.refundLineItems", refunds().any(|refund| is(&refund.refund_line_items))),
        ("refunds.refundShippingLines", refunds().any(|refund| is(&refund.refund_shipping_lines))),
    ];
    lists.into_iter().filter(|(_, cut)| *cut).map(|(name, _)| name).collect()
}

fn rest_order(node: Node<'_>) -> model::Order<'_> {
    let cut = cut(&node);
    let shop = [node.total_price_set, node.current_total_price_set, node.subtotal_price_set];
    let shop = shop.into_iter().flatten().next().unwrap_or_default().shop_money.currency_code;
    let currency = Some(node.currency_code).filter(|code| code.literal().is_some()).unwrap_or(shop);
    let lines = node.line_items.map(Connection::into_items);
    let discounts_by_subtotal = lines.iter().flatten().all(|line| line.discount_allocations.is_none());
    let journey = node.customer_journey_summary.unwrap_or_default();
    let visit = journey.last_visit.or(journey.first_visit).unwrap_or_default();
    model::Order {
        id: node.id,
        name: node.name,
        currency,
        created_at: node.created_at,
        processed_at: node.processed_at,
        updated_at: node.updated_at,
        cancelled_at: node.cancelled_at,
        financial_status: node.display_financial_status,
        test: node.test,
        taxes_included: node.taxes_included,
        duties_included: Scalar::default(),
        subtotal_price: amount(node.subtotal_price_set),
        current_subtotal_price: amount(node.current_subtotal_price_set),
        total_price: amount(node.total_price_set),
        current_total_price: amount(node.current_total_price_set),
        total_tax: amount(node.total_tax_set),
        current_total_tax: amount(node.current_total_tax_set),
        total_tip_received: amount(node.total_tip_received_set),
        total_shipping_price_set: node.total_shipping_price_set,
        current_shipping_price_set: node.current_shipping_price_set,
        original_total_duties_set: node.original_total_duties_set,
        current_total_duties_set: node.current_total_duties_set,
        original_total_additional_fees_set: node.original_total_additional_fees_set,
        current_total_additional_fees_set: node.current_total_additional_fees_set,
        line_items: lines.map(|lines| lines.into_iter().map(rest_line).collect()),
        shipping_lines: node
            .shipping_lines
            .map(|lines| lines.into_items().into_iter().map(rest_shipping).collect()),
        refunds: node.refunds.map(|refunds| refunds.into_iter().map(rest_refund).collect()),
        discount_codes: node
            .discount_codes
            .map(|codes| codes.into_iter().map(|code| model::DiscountCode { code }).collect()),
        note_attributes: node.custom_attributes,
        landing_site: visit.landing_page,
        landing_site_ref: Scalar::default(),
        referring_site: visit.referrer_url,
        tags: node.tags,
        customer: node.customer,
        discounts_by_subtotal,
        agreements: node.agreements.map(Connection::into_items),
        cut,
    }
}

fn rest_allocations(given: Vec<Allocation<'_>>) -> Vec<model::Allocation<'_>> {
    given
        .into_iter()
        .map(|given| model::Allocation { amount: given.allocated_amount_set.shop_money.amount })
        .collect()
}

fn rest_line(line: Line<'_>) -> model::Line<'_> {
    let taxes = line.tax_lines.unwrap_or_default().into_iter();
    model::Line {
        id: line.id,
        product_id: line.product.unwrap_or_default().id,
        variant_id: line.variant.unwrap_or_default().id,
        sku: line.sku,
        name: line.name,
        title: line.title,
        quantity: line.quantity,
        current_quantity: line.current_quantity,
        price: amount(line.original_unit_price_set),
        gift_card: line.is_gift_card,
        tip: Scalar::default(),
        discount_allocations: line.discount_allocations.map(rest_allocations),
        tax_lines: Some(taxes.map(|tax| model::TaxLine { price: tax.price_set.shop_money.amount }).collect()),
        properties: line.custom_attributes,
    }
}

fn rest_shipping(line: Shipping<'_>) -> model::ShippingLine<'_> {
    model::ShippingLine {
        price: line.original_price_set.shop_money.amount,
        discount_allocations: line.discount_allocations.map(rest_allocations),
        is_removed: line.is_removed,
    }
}

fn rest_refund(refund: Refund<'_>) -> model::Refund<'_> {
    let shipping_untold = refund.refund_shipping_lines.is_none();
    model::Refund {
        id: refund.id,
        created_at: refund.created_at,
        processed_at: refund.processed_at,
        refund_line_items: refund
            .refund_line_items
            .map(|lines| lines.into_items().into_iter().map(rest_refund_line).collect()),
        refund_shipping_lines: refund
            .refund_shipping_lines
            .map(|lines| lines.into_items().into_iter().map(rest_refund_shipping).collect()),
        total_refunded_set: refund.total_refunded_set,
        shipping_untold,
        ..model::Refund::default()
    }
}

fn rest_refund_line(line: RefundLine<'_>) -> model::RefundLine<'_> {
    model::RefundLine {
        line_item_id: line.line_item.id,
        quantity: line.quantity,
        subtotal_set: line.subtotal_set,
        total_tax_set: line.total_tax_set,
        ..model::RefundLine::default()
    }
}

fn rest_refund_shipping(line: RefundShipping<'_>) -> model::RefundShipping<'_> {
    model::RefundShipping {
        subtotal_amount_set: line.subtotal_amount_set,
        tax_amount_set: line.tax_amount_set,
    }
}
