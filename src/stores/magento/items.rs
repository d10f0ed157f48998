//! Which of Magento's flat list of items are lines, and what each is worth.
//!
//! A configurable product comes as a parent with the money and a child that is the product; a bundle has its
//! money on the parent (fixed price) or on the children (dynamic price). Counting both sells everything twice.
//! `row_total` of an order is rewritten by the platform, differently by version: it is never the amount.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::model::{Item, Side};
use crate::core::money::{Currency, Rounding, round};
use crate::core::order::{LineKind, OrderLine, ProductKey};
use crate::stores::reader::Reader;

/// One line with what its item tells about refunds and cancellations.
#[derive(Clone, Debug)]
pub struct ItemLine {
    pub line: OrderLine,
    /// The discount as the order's own total counts it.
    pub discount: Decimal,
    pub refunded: Decimal,
    pub canceled: Decimal,
    /// The items that are this line's parts and no lines: a credit memo may tell the money on them.
    pub parts: Vec<String>,
    /// The platform's row amount, where it is a rounding of price x quantity.
    row: Option<Decimal>,
}

struct Node<'i, 'a> {
    id: String,
    item: &'i Item<'a>,
    children: Vec<(String, &'i Item<'a>)>,
}

/// The lines whose sum is the stated subtotal: first as the product types say, then with every bundle's money
/// on its parent (versions that repeat the parent's price on the children), then with rows rounded as the
/// platform rounds them when catalogue prices include tax. If none of them is, the first, which will not close.
pub fn lines(
    reader: &mut Reader,
    items: &[Item<'_>],
    side: Side,
    currency: Currency,
    subtotal: Option<Decimal>,
) -> Vec<ItemLine> {
    let tree = tree(reader, items);
    let build = |children: bool| {
        let mut scratch = Reader::default();
        let lines = flatten(&mut scratch, &tree, side, children);
        (lines, scratch.problems)
    };
    let (first, problems) = build(true);
    let closes = |lines: &[ItemLine]| subtotal.is_none_or(|subtotal| sum(lines) == subtotal);
    let (parents, other_problems) = build(false);
    let candidates = [
        (first.clone(), problems.clone()),
        (parents.clone(), other_problems.clone()),
        (rounded(first.clone(), currency), problems.clone()),
        (rounded(parents, currency), other_problems),
    ];
    let chosen = candidates.into_iter().find(|(lines, _)| closes(lines)).unwrap_or((first, problems));
    reader.problems.extend(chosen.1);
    chosen.0
}

fn sum(lines: &[ItemLine]) -> Decimal {
    lines.iter().map(|item| item.line.gross).sum()
}

fn tree<'i, 'a>(reader: &mut Reader, items: &'i [Item<'a>]) -> Vec<Node<'i, 'a>> {
    let mut nodes: Vec<Node<'i, 'a>> = Vec::new();
    let mut position: BTreeMap<String, usize> = BTreeMap::new();
    let mut orphans = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let id = reader.id(format_args!("items[{i}].item_id"), item.item_id).unwrap_or_else(|| {
            reader.problem(format_args!("items[{i}].item_id"), "is missing");
            format!("item:{i}")
        });
        let embedded = item.parent_item.as_ref().map(|parent| parent.item_id).unwrap_or_default();
        let parent = Some(item.parent_item_id).filter(|id| id.literal().is_some()).unwrap_or(embedded);
        match reader.id(format_args!("items[{i}].parent_item_id"), parent) {
            Some(parent) => orphans.push((i, parent, id, item)),
            None => {
                position.insert(id.clone(), nodes.len());
                nodes.push(Node { id, item, children: Vec::new() });
            }
        }
    }
    for (i, parent, id, item) in orphans {
        match position.get(&parent).and_then(|at| nodes.get_mut(*at)) {
            Some(node) => node.children.push((id, item)),
            None => reader.problem(format_args!("items[{i}].parent_item_id"), "names no item of the order"),
        }
    }
    nodes
}

fn flatten(
    reader: &mut Reader,
    tree: &[Node<'_, '_>],
    side: Side,
    bundles_by_children: bool,
) -> Vec<ItemLine> {
    let mut lines = Vec::new();
    for node in tree {
        let bundle = node.item.product_type.text().as_deref() == Some("bundle");
        if bundle && bundles_by_children {
            let children: Vec<ItemLine> =
                node.children.iter().map(|(id, child)| item_line(reader, id, child, child, side)).collect();
            if !sum(&children).is_zero() {
                lines.extend(children);
                continue;
            }
        }
        // A bundle is its own product; a configurable product is the variant that was chosen.
        let product = node.children.first().filter(|_| !bundle).map_or(node.item, |(_, child)| child);
        let mut line = item_line(reader, &node.id, node.item, product, side);
        line.parts = node.children.iter().map(|(id, _)| id.clone()).collect();
        lines.push(line);
    }
    lines
}

fn item_line(reader: &mut Reader, id: &str, money: &Item<'_>, product: &Item<'_>, side: Side) -> ItemLine {
    let field = |name: &str| format!("items[{id}].{name}");
    let quantity = reader.non_negative(field("qty_ordered"), money.qty_ordered);
    let unit_price = reader.non_negative(field("price"), side.pick(money.base_price, money.price));
    let gross = reader.product(field("price"), unit_price, quantity);
    let discount = reader
        .amount(field("discount_amount"), side.pick(money.base_discount_amount, money.discount_amount))
        .abs();
    // Where catalogue prices include tax the discount does too; the platform tells that tax apart.
    let compensation =
        side.pick(money.base_discount_tax_compensation_amount, money.discount_tax_compensation_amount);
    let compensation = reader.amount(field("discount_tax_compensation_amount"), compensation);
    let row = side.pick(money.base_row_total, money.row_total).decimal().ok().flatten();
    let configured = !std::ptr::eq(money, product);
    let product_id = reader.id(field("product_id"), money.product_id);
    let variant_id = reader.id(field("product_id"), product.product_id).filter(|_| configured);
    let line = OrderLine {
        external_id: id.to_owned(),
        product: ProductKey { product_id, variant_id, sku: product.sku.text().or(money.sku.text()) },
        title: money.name.text().unwrap_or_default(),
        kind: if money.product_type.text().as_deref() == Some("giftcard") {
            LineKind::GiftCard
        } else {
            LineKind::Goods
        },
        quantity,
        unit_price,
        gross,
        discount: discount - compensation,
        included_tax: Decimal::ZERO,
        places: Vec::new(),
    };
    ItemLine {
        row: row.and_then(|row| row_before_discount(row, gross, discount, quantity)),
        refunded: reader.amount(field("qty_refunded"), money.qty_refunded),
        canceled: reader.amount(field("qty_canceled"), money.qty_canceled),
        parts: Vec::new(),
        discount,
        line,
    }
}

/// With tax inside catalogue prices the unit price is a rounded figure and the row is the exact one. The row is
/// told before or after discount, by version: whichever lies within the rounding of the price is meant.
fn row_before_discount(
    row: Decimal,
    gross: Decimal,
    discount: Decimal,
    quantity: Decimal,
) -> Option<Decimal> {
    let slack = (quantity + Decimal::ONE) * Decimal::new(5, 3);
    [row, row + discount].into_iter().find(|row| (row - gross).abs() <= slack)
}

fn rounded(mut lines: Vec<ItemLine>, currency: Currency) -> Vec<ItemLine> {
    let scale = currency.exponent().unwrap_or(2);
    for item in &mut lines {
        item.line.gross =
            item.row.unwrap_or_else(|| round(item.line.gross, scale, Rounding::HalfUp)).normalize();
    }
    lines
}
