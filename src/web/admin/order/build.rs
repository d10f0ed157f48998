//! From what is known of an order to what its page shows.

use rust_decimal::Decimal;

use super::{
    Attribution, Closing, Event, Line, Looked, OrderPage, Reason, Revision, diff, entry, report, story,
};
use crate::commissions::StoredEvent;
use crate::core::assess::AssessedLine;
use crate::core::attribution::PLACE_MANUAL;
use crate::core::order::{self, LineKind, OrderSnapshot, Report};
use crate::web::admin::format::{self, Link, Pill, Tone, When};
use crate::web::admin::shell::Shell;
use crate::web::admin::{held, words};
use crate::web::session::Denied;

pub fn page(shell: Shell, order: &report::Order, compare: Option<i32>) -> Result<OrderPage, Denied> {
    let head = &order.head;
    let currency = head.currency.clone().unwrap_or_default();
    let known = head.currency.is_some();
    let paid: Decimal = order.events.iter().map(|event| event.amount).sum();
    let share = paid.checked_div(head.net).filter(|_| !order.events.is_empty());
    Ok(OrderPage {
        shell,
        id: head.order_id.to_string(),
        number: head.number.clone().unwrap_or_else(|| head.external_id.clone()),
        external_id: head.external_id.clone(),
        store: words::store_link(&head.store),
        at: When(head.ordered_at.unwrap_or(head.received_at)),
        state: words::order_state(&head.status),
        net: known.then(|| words::amount(head.net, &currency)),
        total: known.then(|| words::amount(head.total, &currency)),
        commissions: (!order.events.is_empty()).then(|| words::amount(paid, &currency)),
        share: share.map_or_else(String::new, |share| format::percent(share.round_dp(4))),
        why: head.exemptions.iter().map(|name| words::exemption(name)).collect::<Vec<_>>().join(", "),
        held: order.holds.iter().map(reason).collect(),
        timeline: story::timeline(order),
        lines: order.lines.iter().map(|told| line(told, &currency)).collect(),
        closings: snapshot(order).map_or_else(Vec::new, |snapshot| closings(snapshot, &currency)),
        revisions: order.revisions.iter().map(|told| revision(order, told)).collect(),
        diff: compare.and_then(|number| diff::against_the_one_before(order, number)),
        attribution: attribution(head),
        looked: snapshot(order).map_or_else(Vec::new, |snapshot| looked(head, snapshot)),
        can_pull: false,
        can_assign: false,
        calculation: None,
        events: order.events.iter().map(event).collect(),
        entries: order.entries.iter().map(entry).collect(),
    })
}

/// The newest snapshot, which is the one that counts.
fn snapshot(order: &report::Order) -> Option<&OrderSnapshot> {
    let newest = order.revisions.iter().find(|told| Some(told.number) == order.head.newest_revision)?;
    match &newest.report {
        Report::Snapshot(snapshot) => Some(snapshot),
        _ => None,
    }
}

fn reason(hold: &report::Hold) -> Reason {
    let (text, _, action) = words::hold(&hold.reason);
    Reason {
        text: text.to_owned(),
        detail: if hold.detail.is_empty() {
            hold.cause.clone()
        } else {
            format!("{} ({})", hold.cause, hold.detail)
        },
        fix: Link::new(held::cause_address(&hold.reason, &hold.cause), action),
    }
}

fn line(told: &AssessedLine, currency: &str) -> Line {
    let amount = |number| words::amount(number, currency);
    let product = &told.product;
    let keys = [("sku", &product.sku), ("variant", &product.variant_id), ("product", &product.product_id)];
    let keys = keys.iter().filter_map(|(kind, key)| Some(format!("{kind}:{}", key.as_ref()?)));
    let note = match told.kind {
        LineKind::Goods if told.estimated => {
            "what was taken back is spread over the order, until the store tells the lines"
        }
        LineKind::Goods => "",
        LineKind::GiftCard => "a gift card sold is no revenue",
        LineKind::Tip => "a tip earns nothing",
        LineKind::Other => "earns nothing",
    };
    Line {
        title: told.title.clone(),
        product: keys.collect::<Vec<_>>().join(" "),
        class: told.commission_class.as_deref().map(words::class),
        mapping: told.mapping_id.map(|id| Link::new(format!("/admin/skus/{id}"), "mapping")),
        quantity: format::plain(told.quantity),
        gross: amount(told.gross),
        discount: amount(told.discount),
        tax: amount(told.included_tax),
        refunded: amount(told.refunded),
        net: amount(told.net),
        note: note.to_owned(),
    }
}

fn closings(snapshot: &OrderSnapshot, currency: &str) -> Vec<Closing> {
    let closing = |told: &order::Closing| Closing {
        field: told.field.clone(),
        stated: words::amount(told.stated, currency),
        computed: words::amount(told.computed, currency),
        closes: told.difference().is_zero(),
    };
    snapshot.closings.iter().map(closing).collect()
}

fn revision(order: &report::Order, told: &report::Revision) -> Revision {
    let at = match &told.report {
        Report::Snapshot(snapshot) => snapshot.updated_at,
        _ => told.received_at,
    };
    Revision {
        number: told.number.to_string(),
        at: When(at),
        seen: When(told.received_at),
        delivery: Some(words::delivery_link(told.delivery_id, told.topic.as_str())),
        text: format!("{}, {}", told.kind, told.absorbed),
        compare: match told.number {
            1 => String::new(),
            number => format!("/admin/orders/{}?compare={number}#compare", order.head.order_id),
        },
        current: Some(told.number) == order.head.newest_revision,
    }
}

fn attribution(head: &report::Head) -> Option<Attribution> {
    Some(Attribution {
        distributor: words::distributor_link(head.distributor_id.as_deref()?),
        place: head.place.clone().unwrap_or_default(),
        value: head.place_value.clone().unwrap_or_default(),
    })
}

/// The store's places in their order, and what this order says at each.
fn looked(head: &report::Head, snapshot: &OrderSnapshot) -> Vec<Looked> {
    let mut decided = head.place.as_deref() == Some(PLACE_MANUAL);
    let of_lines = snapshot.lines.iter().flat_map(|line| &line.places);
    let told: Vec<_> = snapshot.places.iter().chain(of_lines).collect();
    let mut looked = vec![];
    for place in &head.places {
        let here = told.iter().filter(|told| told.place.eq_ignore_ascii_case(place));
        let values: Vec<&str> = here.map(|told| told.value.as_str()).collect();
        let chosen = head.place.as_deref() == Some(place);
        let verdict = match () {
            () if decided => Pill::new(Tone::Muted, "not asked"),
            () if chosen => Pill::new(Tone::Ok, "names who earns"),
            () if values.is_empty() => Pill::new(Tone::Muted, "nothing there"),
            () if head.distributor_id.is_none() => Pill::new(Tone::Warn, "names nobody we know"),
            () => Pill::new(Tone::Muted, "names nobody"),
        };
        decided = decided || chosen;
        looked.push(Looked { place: place.clone(), value: values.join(", "), verdict });
    }
    looked
}

fn event(posted: &StoredEvent) -> Event {
    Event {
        id: posted.event_id.to_string(),
        at: When(posted.created_at),
        kind: words::kind(&posted.kind),
        distributor: words::distributor_link(&posted.distributor_id),
        bonus: posted.bonus.clone(),
        level: posted.level.to_string(),
        line: posted.line.clone(),
        amount: words::amount(posted.amount, &posted.currency),
    }
}
