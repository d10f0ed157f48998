//! What the product holds of a store's orders, read from its tables, beside the truth of the shop.
//!
//! The plan of these tests pays the whole net to the distributor who is named, so that what the ledger holds of
//! a line has to be the line's net, to the cent.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Array, Jsonb, Numeric, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use serde::Deserialize;
use upline::core::ids::StoreId;
use upline::db::{Db, DbError, Lane};

use super::sim::shop::{Id, Money, Order, Shop};

pub struct Books {
    /// By the store's id.
    orders: BTreeMap<String, Held>,
}

#[derive(Debug, Default)]
struct Held {
    status: String,
    /// Of an exemption or a hold.
    reasons: Vec<String>,
    /// Net by line, as assessed.
    nets: BTreeMap<String, Decimal>,
    /// All money given back, by refund.
    refunds: BTreeMap<String, Decimal>,
    /// Posted in sum, by line; zeros left out.
    posted: BTreeMap<String, Decimal>,
}

#[derive(QueryableByName)]
struct Head {
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Array<Text>)]
    reasons: Vec<String>,
    #[diesel(sql_type = Jsonb)]
    lines: serde_json::Value,
}

#[derive(QueryableByName)]
struct Posted {
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Text)]
    line: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

#[derive(Deserialize)]
struct Line {
    line: String,
    net: Decimal,
}

const HEADS: &str = "select o.external_id, o.status, o.lines,
        array(select distinct r from (select unnest(o.exemptions) union all
              select h.reason from holds h where h.order_id = o.order_id) t(r) order by r) as reasons
 from orders o join stores s using (store_id) where s.slug = $1";
const POSTED: &str = "select o.external_id, e.line, sum(e.amount) as amount
 from commission_events e join orders o using (order_id) join stores s using (store_id)
 where s.slug = $1 group by 1, 2 having sum(e.amount) <> 0";

impl Books {
    pub fn read(db: &Db, store: &str) -> Self {
        db.read(Lane::Admin, |conn| Self::load(conn, store)).expect("read the books")
    }

    fn load(conn: &mut PgConnection, store: &str) -> Result<Self, DbError> {
        let heads: Vec<Head> = sql_query(HEADS).bind::<Text, _>(store).load(conn)?;
        let mut orders: BTreeMap<String, Held> = heads
            .into_iter()
            .map(|head| {
                let lines: Vec<Line> = serde_json::from_value(head.lines).expect("assessed lines");
                let nets = lines.into_iter().map(|line| (line.line, line.net)).collect();
                let Head { external_id, status, reasons, .. } = head;
                (external_id, Held { status, reasons, nets, ..Held::default() })
            })
            .collect();
        for posted in sql_query(POSTED).bind::<Text, _>(store).load::<Posted>(conn)? {
            let order = orders.get_mut(&posted.external_id).expect("postings of a known order");
            order.posted.insert(posted.line, posted.amount);
        }
        let ids: Vec<String> = orders.keys().cloned().collect();
        let store_id = store_id(conn, store)?;
        for some in ids.chunks(2_000) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            for (id, state) in upline::orders::states_of(conn, store_id, &some)? {
                let refunds = state.refunds().into_iter().map(|told| (told.external_id.clone(), told.amount));
                orders.get_mut(&id).expect("a state of a known order").refunds = refunds.collect();
            }
        }
        Ok(Self { orders })
    }

    /// Every difference to the truth, in words; none when all is right.
    pub fn differences(&self, shop: &Shop, style: Style) -> Vec<String> {
        let mut found = vec![];
        for order in shop.orders.values() {
            let id = order.id.to_string();
            match self.orders.get(&id) {
                Some(held) => held.compare(order, style, &mut found),
                // What was in the trash before we ever heard of it need not be known.
                None if order.trashed => (),
                None => found.push(format!("order {id} is missing")),
            }
        }
        let known: BTreeSet<String> = shop.orders.keys().map(Id::to_string).collect();
        let unknown = self.orders.keys().filter(|id| !known.contains(*id));
        found.extend(unknown.map(|id| format!("order {id} is in no shop")));
        found
    }

    /// Net by order and line of all that may earn, to compare two runs of one shop.
    pub fn nets(&self) -> Vec<String> {
        let nets = self.orders.iter().flat_map(|(id, held)| {
            held.nets.iter().map(move |(line, net)| {
                let posted = held.posted.get(line).copied().unwrap_or_default();
                format!("{id} {} {line} net {} posted {}", held.status, net.normalize(), posted.normalize())
            })
        });
        nets.collect()
    }

    pub fn len(&self) -> usize {
        self.orders.len()
    }
}

/// How a platform tells what others tell differently.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// A lowered quantity is told as a refund without money (Shopify).
    pub edits_are_refunds: bool,
    /// A cancelled order tells its lines as taken back, under an id of our own (Magento).
    pub cancelled_is_refund: bool,
}

impl Held {
    fn compare(&self, order: &Order, style: Style, found: &mut Vec<String>) {
        let mut differs = |what: &str, truth: &dyn std::fmt::Debug, ours: &dyn std::fmt::Debug| {
            found.push(format!("order {}: {what} is {truth:?}, we hold {ours:?}", order.id));
        };
        let expected = verdict(order);
        let reasons: BTreeSet<&str> = self.reasons.iter().map(|reason| plain(reason)).collect();
        let gone = order.trashed && (reasons.contains("deleted") || reasons.contains("cancelled"));
        if self.status != expected.0 || (reasons != expected.1 && !gone) {
            differs("the verdict", &expected, &(&self.status, &self.reasons));
        }
        if order.trashed {
            // The platform does not show it any more: what it was last is anybody's guess.
            if !self.posted.is_empty() {
                differs("posted", &"nothing", &self.posted);
            }
            return;
        }
        let nets = nets(order);
        let cancelled = order.cancelled_at.is_some() && style.cancelled_is_refund;
        let ours = without_zeros(self.nets.clone());
        if nets != ours && !cancelled {
            differs("net by line", &nets, &ours);
        }
        let earned = if expected.0 == "commissionable" { nets } else { BTreeMap::new() };
        let posted = self.posted.iter().map(|(line, sum)| (line.clone(), sum.normalize())).collect();
        if earned != posted {
            differs("posted by line", &earned, &posted);
        }
        let refunds = refunds(order, style);
        let ours: BTreeMap<&String, Decimal> = self
            .refunds
            .iter()
            .filter(|(id, _)| !(cancelled && *id == "canceled"))
            .map(|(id, amount)| (id, amount.normalize()))
            .collect();
        if !refunds.iter().eq(ours.iter().map(|(id, amount)| (*id, amount))) {
            differs("refunds", &refunds, &ours);
        }
    }
}

/// Status and reasons that the product has to come to.
fn verdict(order: &Order) -> (&'static str, BTreeSet<&'static str>) {
    if order.trashed {
        return ("exempt", BTreeSet::from(["deleted"]));
    }
    let facts = [
        (order.cancelled_at.is_some(), "cancelled"),
        (order.test, "test"),
        (order.paid_at.is_none(), "unpaid"),
    ];
    let reasons: BTreeSet<&str> = facts.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
    match (reasons.is_empty(), &order.referral) {
        (false, _) => ("exempt", reasons),
        (true, None) => ("exempt", BTreeSet::from(["unattributed"])),
        (true, Some(_)) => ("commissionable", reasons),
    }
}

/// A payment that was undone before it came is none.
fn plain(reason: &str) -> &str {
    if reason == "voided" { "unpaid" } else { reason }
}

/// The truth's, of lines that are not at zero.
pub fn nets(order: &Order) -> BTreeMap<String, Decimal> {
    let nets = order.net_by_line().into_iter();
    without_zeros(nets.map(|(line, net)| (line.to_string(), money(order, net.net()))))
}

/// The truth's, by id: all money that went back.
pub fn refunds(order: &Order, style: Style) -> BTreeMap<String, Decimal> {
    let told = order.live_refunds().map(|refund| (refund.id, refund.amount()));
    let edits = order.edits.iter().filter(|edit| style.edits_are_refunds && edit.is_removal());
    let edits = edits.map(|edit| (edit.id, 0));
    told.chain(edits).map(|(id, amount)| (id.to_string(), money(order, amount))).collect()
}

pub fn money(order: &Order, amount: Money) -> Decimal {
    Decimal::new(amount, order.decimals).normalize()
}

fn without_zeros(nets: impl IntoIterator<Item = (String, Decimal)>) -> BTreeMap<String, Decimal> {
    let nets = nets.into_iter().filter(|(_, net)| !net.is_zero());
    nets.map(|(line, net)| (line, net.normalize())).collect()
}

#[derive(QueryableByName)]
struct Store {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    store_id: i32,
}

fn store_id(conn: &mut PgConnection, slug: &str) -> Result<StoreId, DbError> {
    let store: Store =
        sql_query("select store_id from stores where slug = $1").bind::<Text, _>(slug).get_result(conn)?;
    Ok(StoreId(store.store_id))
}
