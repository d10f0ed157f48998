//! One cause of held orders: what it is, whom it holds, and the form that mends it for all of them at once.
//!
//! The form is sent twice: first as a question, which only shows what would happen, then as the change itself.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::super::desk::{Desk, nothing};
use super::super::format::{self, Amount, Link, Pager, Tone, When};
use super::super::shell::Shell;
use super::super::words;
use super::mend::{self, Answer};
use super::{cause_address, net};
use crate::core::assess::Hold;
use crate::reports::held as report;
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/held_cause.html")]
pub struct CausePage {
    pub shell: Shell,
    pub title: String,
    pub about: String,
    pub reason: String,
    pub cause: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    pub fix: Fix,
    /// Filled once the form is complete: what applying it would do.
    pub preview: Option<Preview>,
    pub problem: Option<String>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub enum Fix {
    /// A product without a mapping.
    Map(MapForm),
    /// A reference that names nobody, or the wrong one.
    Bind(BindForm),
    /// Nothing here mends it; the text says what does. The orders can be looked at again.
    Elsewhere { text: String, link: Option<Link> },
}

#[derive(Clone, Debug, Default)]
pub struct MapForm {
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: String,
    pub classes: Vec<String>,
    /// A date, or empty for "has always been so".
    pub from: String,
    /// Where it holds: empty for everywhere, `platform:NAME` or `store:SLUG`; and the choices in words.
    pub place: String,
    pub places: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
pub struct BindForm {
    /// What saying it does, in a sentence.
    pub about: String,
    pub distributor: String,
}

/// What a fix does before it is done.
pub struct Preview {
    pub text: String,
    pub orders: String,
    pub amounts: Vec<Amount>,
    /// Orders of these that wait for something else too.
    pub still_held: String,
    /// The form's values, to be sent again with the confirmation.
    pub fields: Vec<(&'static str, String)>,
}

pub struct Row {
    pub order: Link,
    pub store: String,
    pub at: Option<When>,
    pub detail: String,
    pub others: String,
    pub net: Option<Amount>,
}

/// Everything that the forms of this page can say; what does not belong to the cause is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Said {
    pub reason: String,
    pub cause: String,
    pub after: Option<Uuid>,
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: String,
    pub from: String,
    pub place: String,
    pub distributor: String,
}

pub async fn page(viewer: Viewer, desk: Desk, said: Query<Said>) -> Result<HttpResponse, Denied> {
    let said = said.into_inner();
    let reason = Hold::parse(&said.reason).ok_or_else(|| nothing("reason to hold an order"))?;
    let (asked, state, now) = (said.clone(), desk.state.clone(), desk.now());
    let (shell, (answer, waiting, found)) = desk
        .read(&viewer, "held", move |conn| {
            let answer = mend::ask(conn, &state, reason, &asked, now)?;
            let waiting = report::effect(conn, &asked.reason, &asked.cause, &[], None)?;
            Ok((answer, waiting, report::orders(conn, &asked.reason, &asked.cause, asked.after)?))
        })
        .await?;
    let (title, about, _) = words::hold(&said.reason);
    let Answer { fix, preview, problem, .. } = answer;
    let here = |after: &str| {
        let pairs = [("reason", said.reason.as_str()), ("cause", &said.cause), ("after", after)];
        words::address("/admin/held/cause", &pairs)
    };
    let page = CausePage {
        shell,
        title: title.to_owned(),
        about: about.to_owned(),
        orders: format::count(waiting.iter().map(|row| row.orders).sum()),
        amounts: amounts(&waiting),
        fix,
        preview,
        problem,
        pager: Pager {
            shown: found.rows.len(),
            first: said.after.map(|_| here("")),
            next: found.next.map(|id| here(&id.to_string())),
        },
        rows: found.rows.iter().map(row).collect(),
        reason: said.reason,
        cause: said.cause,
    };
    desk.show(&page)
}

/// What waits, whether or not for something else too.
fn amounts(waiting: &[report::Effect]) -> Vec<Amount> {
    waiting.iter().map(|row| net(row.waiting, &row.currency)).collect()
}

fn row(found: &report::Row) -> Row {
    let others = found.others.iter().map(|other| {
        let (reason, cause) = other.split_once(' ').unwrap_or((other, ""));
        format!("{}: {cause}", words::hold(reason).0)
    });
    Row {
        order: words::order_link(found.order_id, found.number.as_str()),
        store: found.store.clone(),
        at: found.ordered_at.map(When),
        detail: found.detail.clone(),
        others: others.collect::<Vec<_>>().join("; "),
        net: Some(net(found.net, &found.currency)),
    }
}

pub async fn apply(operator: Operator, desk: Desk, form: Form<Said>) -> Result<HttpResponse, Denied> {
    let said = form.0;
    let reason = Hold::parse(&said.reason).ok_or_else(|| nothing("reason to hold an order"))?;
    let (wanted, state, now, by) = (said.clone(), desk.state.clone(), desk.now(), operator.email.clone());
    let released = desk
        .write(move |tx| {
            let answer = mend::ask(tx.conn, &state, reason, &wanted, now)?;
            mend::apply(tx, answer, reason, &wanted, &by, now)
        })
        .await?;
    Ok(match released {
        Ok(1) => desk.done("/admin/held", "1 order is looked at again."),
        Ok(orders) => desk.done("/admin/held", &format!("{orders} orders are looked at again.")),
        Err(problem) => desk.go(&cause_address(&said.reason, &said.cause), Tone::Bad, &problem),
    })
}
