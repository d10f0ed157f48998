//! The truth's own arithmetic: what an order costs, what is left of it, and the commissionable net of each line.

use std::collections::BTreeMap;

use super::shop::{Change, Id, Line, Money, Order, Refund, RefundLine, Shop};

/// What a line earns from. `net = sold - removed - refunded`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineNet {
    /// As ordered, after discount.
    pub sold: Money,
    /// What edits took away.
    pub removed: Money,
    /// Named by refunds, and its share of refunds that name no line.
    pub refunded: Money,
}

impl LineNet {
    pub fn net(&self) -> Money {
        self.sold - self.removed - self.refunded
    }
}

impl Line {
    /// The whole line, after discount, without tax.
    pub fn net(&self) -> Money {
        self.unit_price * self.quantity - self.discount
    }
}

impl Refund {
    pub fn goods(&self) -> Money {
        self.lines.iter().map(|line| line.net).sum()
    }

    pub fn tax(&self) -> Money {
        self.lines.iter().map(|line| line.tax).sum::<Money>() + self.shipping_tax
    }

    /// All money given back.
    pub fn amount(&self) -> Money {
        self.goods() + self.tax() + self.shipping + self.extra
    }
}

impl Order {
    /// Those that were not taken back.
    pub fn live_refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(|refund| refund.taken_back.is_none())
    }

    pub fn find_line(&self, line: Id) -> &Line {
        self.lines.iter().find(|known| known.id == line).expect("a line of the order")
    }

    pub fn removals(&self) -> impl Iterator<Item = &RefundLine> {
        self.edits.iter().filter_map(|edit| match &edit.change {
            Change::Lowered(part) => Some(part),
            Change::Added { .. } => None,
        })
    }

    /// Whether the line came with an edit.
    pub fn was_added(&self, line: Id) -> bool {
        self.edits.iter().any(|edit| matches!(edit.change, Change::Added { line: added } if added == line))
    }

    /// Quantity, net and tax of a line that edits took away.
    pub fn removed(&self, line: Id) -> (i64, Money, Money) {
        total(self.removals().filter(|part| part.line == line))
    }

    /// Quantity, net and tax of a line that live refunds took back.
    pub fn refunded(&self, line: Id) -> (i64, Money, Money) {
        total(self.live_refunds().flat_map(|refund| &refund.lines).filter(|part| part.line == line))
    }

    /// What can still be refunded or removed of a line.
    pub fn quantity_left(&self, line: Id) -> i64 {
        self.find_line(line).quantity - self.removed(line).0 - self.refunded(line).0
    }

    /// The worth of `quantity` of what is left of a line, so that all parts of a line add up to it.
    pub fn part(&self, line: Id, quantity: i64) -> RefundLine {
        let whole = self.find_line(line);
        let (removed, refunded) = (self.removed(line), self.refunded(line));
        let left = whole.quantity - removed.0 - refunded.0;
        assert!((1..=left).contains(&quantity), "{quantity} of {left} left of line {line}");
        let net = whole.net() - removed.1 - refunded.1;
        let tax = whole.tax - removed.2 - refunded.2;
        RefundLine { line, quantity, net: share(net, quantity, left), tax: share(tax, quantity, left) }
    }

    /// Shipping and its tax that no live refund gave back.
    pub fn shipping_left(&self) -> (Money, Money) {
        let back = |of: fn(&Refund) -> Money| self.live_refunds().map(of).sum::<Money>();
        (
            self.shipping - back(|refund| refund.shipping),
            self.shipping_tax - back(|refund| refund.shipping_tax),
        )
    }

    /// Goods after discount and edits, without tax.
    pub fn goods(&self) -> Money {
        let removed: Money = self.removals().map(|part| part.net).sum();
        self.lines.iter().map(Line::net).sum::<Money>() - removed
    }

    /// All tax, after edits.
    pub fn tax(&self) -> Money {
        let removed: Money = self.removals().map(|part| part.tax).sum();
        self.lines.iter().map(|line| line.tax).sum::<Money>() - removed + self.shipping_tax
    }

    /// What the customer was asked to pay, after edits, before refunds.
    pub fn total(&self) -> Money {
        self.goods() + self.tax() + self.shipping
    }

    pub fn refunded_total(&self) -> Money {
        self.live_refunds().map(Refund::amount).sum()
    }

    /// Paid, not cancelled, not in the trash, no test: only such an order may earn.
    pub fn earns(&self) -> bool {
        self.paid_at.is_some() && self.cancelled_at.is_none() && !self.trashed && !self.test
    }

    /// Sold, removed and refunded of every line. Money for no line falls on the goods as far as they are part of
    /// the total, rounded half up, and on each of them by what is left of it, largest remainders first.
    pub fn net_by_line(&self) -> BTreeMap<Id, LineNet> {
        let mut nets: Vec<(Id, LineNet)> = self
            .lines
            .iter()
            .map(|line| {
                let (removed, refunded) = (self.removed(line.id).1, self.refunded(line.id).1);
                (line.id, LineNet { sold: line.net(), removed, refunded })
            })
            .collect();
        let extra: Money = self.live_refunds().map(|refund| refund.extra).sum();
        if extra > 0 {
            let left: Vec<Money> = nets.iter().map(|(_, net)| net.net().max(0)).collect();
            let all: Money = left.iter().sum();
            let goods =
                if extra >= self.total() { self.goods() } else { share(self.goods(), extra, self.total()) };
            for ((_, net), part) in nets.iter_mut().zip(spread(goods.min(all), &left)) {
                net.refunded += part;
            }
        }
        nets.into_iter().collect()
    }

    /// The order's commissionable net, whether it earns or not.
    pub fn net(&self) -> Money {
        self.net_by_line().values().map(LineNet::net).sum()
    }
}

impl Shop {
    /// Of every order that may earn.
    pub fn net_by_line(&self) -> BTreeMap<(Id, Id), LineNet> {
        let earning = self.orders.values().filter(|order| order.earns());
        earning
            .flat_map(|order| order.net_by_line().into_iter().map(|(line, net)| ((order.id, line), net)))
            .collect()
    }
}

/// `amount x part / whole`, half up; not for negative amounts.
pub fn share(amount: Money, part: i64, whole: i64) -> Money {
    if whole == 0 {
        return 0;
    }
    let doubled = 2 * i128::from(amount) * i128::from(part);
    let (whole, doubled_whole) = (i128::from(whole), 2 * i128::from(whole));
    Money::try_from((doubled + whole).div_euclid(doubled_whole)).expect("money of a shop")
}

/// `amount` over `weights`, exactly: whole units first, then one more for the largest remainders, earlier first.
pub fn spread(amount: Money, weights: &[Money]) -> Vec<Money> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<i128> = weights.iter().map(|weight| i128::from(amount) * i128::from(*weight)).collect();
    let mut parts: Vec<Money> = exact.iter().map(|exact| Money::try_from(exact / sum).unwrap()).collect();
    let missing = amount - parts.iter().sum::<Money>();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|&i| (std::cmp::Reverse(exact[i] % sum), i));
    for i in by_remainder.into_iter().take(usize::try_from(missing).unwrap()) {
        parts[i] += 1;
    }
    parts
}

fn total<'a>(parts: impl Iterator<Item = &'a RefundLine>) -> (i64, Money, Money) {
    parts.fold((0, 0, 0), |sum, part| (sum.0 + part.quantity, sum.1 + part.net, sum.2 + part.tax))
}

#[cfg(test)]
mod tests {
    use super::super::shop::Basket;
    use super::*;

    fn shop() -> (Shop, Id, Id) {
        let mut shop = Shop::new("Test", "USD", 2, 1, "2026-08-28T08:00:00Z".parse().unwrap());
        let a = shop.add_product("A", &[("A-1", 1_999)]);
        let b = shop.add_product("B", &[("B-1", 500), ("B-2", 700)]);
        let b = shop.products[&b].variants[0].id;
        (shop, a, b)
    }

    fn basket(a: Id, b: Id) -> Basket {
        let lines = vec![(a, 3, 100, 590), (b, 2, 0, 100)];
        Basket { lines, shipping: 500, shipping_tax: 50, ..Basket::default() }
    }

    fn nets(shop: &Shop, order: Id) -> Vec<Money> {
        shop.order(order).net_by_line().values().map(LineNet::net).collect()
    }

    #[test]
    fn an_order_costs_its_goods_tax_and_shipping() {
        let (mut shop, a, b) = shop();
        let id = shop.place(&basket(a, b));
        let order = shop.order(id);
        assert_eq!((order.goods(), order.tax(), order.total()), (5_897 + 1_000, 740, 8_137));
        assert_eq!(nets(&shop, id), [5_897, 1_000]);
        assert!(!shop.order(id).earns() && shop.net_by_line().is_empty());
        shop.pay(id);
        assert!(shop.order(id).earns() && shop.net_by_line().len() == 2);
    }

    #[test]
    fn parts_of_a_line_add_up() {
        let (mut shop, a, b) = shop();
        let id = shop.place(&basket(a, b));
        let line = shop.order(id).lines[0].id;
        for expected in [1_966, 1_966, 1_965] {
            assert_eq!(shop.order(id).part(line, 1).net, expected);
            shop.refund(id, &[(line, 1)], false, 0);
        }
        assert_eq!(nets(&shop, id), [0, 1_000]);
        assert_eq!(shop.order(id).refunded(line), (3, 5_897, 590));
    }

    #[test]
    fn extra_money_falls_on_the_goods_by_what_is_left() {
        let (mut shop, a, b) = shop();
        let id = shop.place(&basket(a, b));
        let second = shop.order(id).lines[1].id;
        shop.refund(id, &[(second, 1)], true, 0);
        // 1000 x 6897 / 8137 = 847.6; over 5897 and 500: 781.9 and 66.3.
        let refund = shop.refund(id, &[], false, 1_000);
        assert_eq!(nets(&shop, id), [5_897 - 782, 500 - 66]);
        shop.take_refund_back(id, refund, true);
        assert_eq!(nets(&shop, id), [5_897, 500]);
    }

    #[test]
    fn all_money_back_takes_all_goods() {
        let (mut shop, a, b) = shop();
        let id = shop.place(&basket(a, b));
        let total = shop.order(id).total();
        shop.refund(id, &[], false, total);
        assert_eq!(nets(&shop, id), [0, 0]);
    }

    #[test]
    fn edits_take_away_and_add() {
        let (mut shop, a, b) = shop();
        let id = shop.place(&basket(a, b));
        let first = shop.order(id).lines[0].id;
        shop.lower(id, first, 2);
        let added = shop.add_line(id, (b, 1, 0, 50));
        assert_eq!(nets(&shop, id), [5_897 - 3_931, 1_000, 500]);
        let order = shop.order(id);
        assert!(order.was_added(added) && !order.was_added(first));
        assert_eq!((order.goods(), order.quantity_left(first)), (3_466, 1));
        assert_eq!(order.total(), 3_466 + (590 - 393) + 100 + 50 + 500 + 50);
    }

    #[test]
    fn every_act_moves_the_time_and_is_an_event_but_for_what_is_silent() {
        let (mut shop, a, b) = shop();
        let id = shop.place(&basket(a, b));
        let before = shop.events.len();
        shop.now += chrono::TimeDelta::seconds(5);
        shop.pay(id);
        assert_eq!(shop.order(id).changed_at, shop.now);
        let refund = shop.refund(id, &[], false, 100);
        shop.now += chrono::TimeDelta::seconds(5);
        shop.take_refund_back(id, refund, true);
        assert!(shop.order(id).changed_at < shop.now);
        shop.trash(id);
        assert_eq!(shop.listed().count(), 0);
        shop.restore(id, false);
        assert_eq!((shop.listed().count(), shop.events.len() - before), (1, 5));
        assert_eq!(shop.order(id).net(), 6_897);
    }

    #[test]
    fn spreading_is_exact_and_favours_the_earlier() {
        assert_eq!(spread(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(spread(2, &[1, 1, 1]), [1, 1, 0]);
        assert_eq!(spread(5, &[0, 0]), [0, 0]);
        assert_eq!((share(5, 1, 2), share(4, 1, 3), share(7, 0, 0)), (3, 1, 0));
    }
}
