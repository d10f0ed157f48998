//! `upline inspect`: what a payload says, read by the same parsers as the pipeline.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Global, Outcome, output};
use crate::clock::Clock;
use crate::core::net::{OrderNet, commissionable};
use crate::core::order::{OrderSnapshot, OrderState, Refund, Report};
use crate::orders;
use crate::stores::{self, DeliveryMeta, Platform};

/// Read payloads as the pipeline would: lines, net, sums that do not close, places, problems
///
/// Needs no database. Exit code 1 if a file cannot be read as a payload of the platform.
#[derive(Args)]
#[command(after_help = "Examples:
  upline inspect --platform shopify --topic orders/paid order.json
  upline inspect --platform woocommerce --json captured/*.json")]
pub struct Inspect {
    #[arg(long, value_name = "PLATFORM", help = "shopify, woocommerce, magento or direct")]
    platform: Platform,
    /// As in the delivery's header, such as orders/paid or order.updated
    #[arg(long)]
    topic: Option<String>,
    /// Currency of an order that names none (direct only)
    #[arg(long, value_parser = parse_currency)]
    currency: Option<crate::core::money::Currency>,
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_currency(text: &str) -> Result<crate::core::money::Currency, String> {
    crate::core::money::Currency::parse(text).ok_or_else(|| format!("{text:?} is no currency code"))
}

#[derive(Serialize)]
struct Inspected {
    file: PathBuf,
    error: Option<String>,
    reports: Vec<Read>,
}

#[derive(Serialize)]
struct Read {
    #[serde(flatten)]
    report: Report,
    /// Of a snapshot, with its own refunds.
    net: Option<OrderNet>,
    commissionable: Option<Decimal>,
}

impl Inspect {
    pub fn run(self, _: &Global) -> anyhow::Result<Outcome> {
        let now = Clock::system().now();
        let meta = DeliveryMeta {
            topic: self.topic.clone(),
            triggered_at: Some(now),
            currency: self.currency,
            ..DeliveryMeta::default()
        };
        let mut all = vec![];
        for file in &self.files {
            let body = super::read_bytes(file)?;
            let (error, reports) = match stores::parse(self.platform, &meta, &body) {
                Ok(reports) => (None, read(reports, now)),
                Err(error) => (Some(error.to_string()), vec![]),
            };
            all.push(Inspected { file: file.clone(), error, reports });
        }
        if self.json {
            output::json(&all)?;
        } else {
            all.iter().try_for_each(tell)?;
        }
        let failed = all.iter().any(|inspected| inspected.error.is_some());
        Ok(if failed { Outcome::Failed } else { Outcome::Done })
    }
}

/// The net of a snapshot counts the refunds that the same payload tells beside it.
fn read(reports: Vec<Report>, now: DateTime<Utc>) -> Vec<Read> {
    let mut states: BTreeMap<String, OrderState> = BTreeMap::new();
    for report in &reports {
        if let Some(order) = orders::order_of(report) {
            states.entry(order.to_owned()).or_default().absorb(report.clone(), now);
        }
    }
    let net = |report: &Report| match report {
        Report::Snapshot(order) => {
            let state = states.get(&order.external_id)?;
            Some(commissionable(order, &state.refunds()))
        }
        _ => None,
    };
    let read = |report: Report| {
        let net = net(&report);
        Read { commissionable: net.as_ref().map(OrderNet::net), net, report }
    };
    reports.into_iter().map(read).collect()
}

fn tell(inspected: &Inspected) -> anyhow::Result<()> {
    output::line(format_args!("{}", inspected.file.display()))?;
    if let Some(error) = &inspected.error {
        output::line(format_args!("  unreadable: {error}"))?;
    }
    for read in &inspected.reports {
        match (&read.report, &read.net) {
            (Report::Snapshot(order), Some(net)) => tell_order(order, net)?,
            (Report::Refund { order, refund }, _) => {
                output::line(format_args!("  refund of order {order}"))?;
                tell_refund(refund)?;
            }
            (Report::Deleted { order, .. }, _) => output::line(format_args!("  order {order} was deleted"))?,
            (Report::Restored { order }, _) => output::line(format_args!("  order {order} was restored"))?,
            (Report::Hint { order, what }, _) => output::line(format_args!("  order {order}: {what}"))?,
            (Report::Product(product), _) => output::line(format_args!(
                "  product {} {:?}, {} variant(s)",
                product.external_id,
                product.title,
                product.variants.len()
            ))?,
            (Report::ProductGone { product, .. }, _) => {
                output::line(format_args!("  product {product} is gone"))?
            }
            (Report::Stock(level), _) => output::line(format_args!("  stock of {}", level.inventory_id))?,
            (Report::Customer(customer), _) => {
                output::line(format_args!("  customer {}", customer.external_id))?;
                for place in &customer.places {
                    output::line(format_args!("  place {} = {}", place.place, place.value))?;
                }
            }
            (Report::CustomerGone { customer, .. }, _) => {
                output::line(format_args!("  customer {customer} is gone"))?
            }
            (Report::Privacy(request), _) => {
                output::line(format_args!("  privacy request: {}", request.kind.name()))?
            }
            (Report::Ignored { why }, _) => output::line(format_args!("  ignored: {why}"))?,
            (Report::Snapshot(_), None) => {}
        }
    }
    Ok(())
}

fn tell_order(order: &OrderSnapshot, net: &OrderNet) -> anyhow::Result<()> {
    let flags = [(order.cancelled, "cancelled"), (order.test, "test")];
    let flags: String = flags.iter().filter(|(is, _)| *is).map(|(_, name)| format!(", {name}")).collect();
    let OrderSnapshot { external_id, currency, payment, ordered_at, total, .. } = order;
    output::line(format_args!(
        "  order {external_id}, {ordered_at}, {payment:?}{flags}, total {total} {currency}"
    ))?;
    let rows: Vec<Vec<String>> = order
        .lines
        .iter()
        .zip(&net.lines)
        .map(|(line, net)| {
            let key = [&line.product.sku, &line.product.variant_id, &line.product.product_id];
            let key = key.into_iter().flatten().next().cloned().unwrap_or_else(|| "-".to_owned());
            let money =
                [line.quantity, line.gross, line.discount, line.included_tax, net.refunded, net.net()];
            let kind = format!("{:?}", line.kind).to_lowercase();
            let money = money.iter().map(|amount| amount.normalize().to_string());
            [format!("  {}", line.external_id), key, kind].into_iter().chain(money).collect()
        })
        .collect();
    output::table(
        &["  line", "key", "kind", "quantity", "gross", "discount", "tax", "refunded", "net"],
        &rows,
    )?;
    output::line(format_args!("  net {} (sold {}, refunded {})", net.net(), net.sold(), net.refunded()))?;
    order.refunds.iter().try_for_each(tell_refund)?;
    for closing in order.closings.iter().filter(|closing| !closing.difference().is_zero()) {
        let (field, by) = (&closing.field, closing.difference());
        output::line(format_args!(
            "  does not close: {field} states {}, computed {}, difference {by}",
            closing.stated, closing.computed
        ))?;
    }
    for place in order.places.iter().chain(order.lines.iter().flat_map(|line| &line.places)) {
        output::line(format_args!("  place {} = {}", place.place, place.value))?;
    }
    for problem in &order.problems {
        output::line(format_args!("  problem {}: {}", problem.field, problem.message))?;
    }
    Ok(())
}

fn tell_refund(refund: &Refund) -> anyhow::Result<()> {
    let Refund { external_id, lines, unallocated, amount, .. } = refund;
    output::line(format_args!(
        "  refund {external_id}: {amount}, of it {unallocated} for no named line, {} line(s)",
        lines.len()
    ))?;
    Ok(())
}
