//! Orders that wait for a person, grouped by what has to be mended.

pub mod cause;
pub mod mend;

use actix_web::HttpResponse;
use askama::Template;
use rust_decimal::Decimal;

use super::desk::Desk;
use super::format::{self, Amount, When};
use super::shell::Shell;
use super::words;
use crate::reports::held as report;
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/held.html")]
pub struct HeldPage {
    pub shell: Shell,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub groups: Vec<Group>,
}

/// One kind of reason, with the causes under it.
pub struct Group {
    pub reason: String,
    pub title: String,
    pub about: String,
    pub causes: Vec<Cause>,
}

pub struct Cause {
    pub cause: String,
    pub detail: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub oldest: When,
    pub href: String,
    pub action: String,
}

/// The page that mends a cause.
pub fn cause_address(reason: &str, cause: &str) -> String {
    words::address("/admin/held/cause", &[("reason", reason), ("cause", cause)])
}

pub async fn list(viewer: Viewer, desk: Desk) -> Result<HttpResponse, Denied> {
    let (shell, (causes, totals)) =
        desk.read(&viewer, "held", |conn| Ok((report::causes(conn, "")?, report::totals(conn)?))).await?;
    let page = HeldPage {
        shell,
        orders: format::count(totals.iter().map(|total| total.orders).sum()),
        amounts: totals.iter().map(|total| net(total.net, &total.currency)).collect(),
        groups: groups(&causes),
    };
    desk.show(&page)
}

fn net(amount: Decimal, currency: &Option<String>) -> Amount {
    words::amount(amount, currency.as_deref().unwrap_or("?"))
}

/// One group a reason, one row a cause, one amount a currency. The rows come sorted.
fn groups(found: &[report::Cause]) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![];
    let mut last: Option<(&str, &str)> = None;
    let mut orders = 0;
    for row in found {
        if groups.last().is_none_or(|group| group.reason != row.reason) {
            let (title, about, _) = words::hold(&row.reason);
            groups.push(Group {
                reason: row.reason.clone(),
                title: title.to_owned(),
                about: about.to_owned(),
                causes: vec![],
            });
        }
        let Some(group) = groups.last_mut() else { continue };
        if last != Some((&row.reason, &row.cause)) {
            orders = 0;
            group.causes.push(cause(row));
        }
        last = Some((&row.reason, &row.cause));
        orders += row.orders;
        if let Some(cause) = group.causes.last_mut() {
            cause.orders = format::count(orders);
            cause.amounts.push(net(row.net, &row.currency));
            cause.oldest = When(cause.oldest.0.min(row.oldest));
        }
    }
    groups
}

fn cause(row: &report::Cause) -> Cause {
    Cause {
        cause: row.cause.clone(),
        detail: format!("{} · {}", row.stores.join(", "), row.detail),
        orders: String::new(),
        amounts: vec![],
        oldest: When(row.oldest),
        href: cause_address(&row.reason, &row.cause),
        action: words::hold(&row.reason).2.to_owned(),
    }
}
