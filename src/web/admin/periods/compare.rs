//! Two runs side by side: the same to the last digit, or whom they pay otherwise.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::super::desk::{Desk, nothing};
use super::super::format::{Amount, Link};
use super::super::shell::Shell;
use super::super::words;
use super::review::{Mover, moved as row};
use super::{Told, run_address};
use crate::reports::periods::review as read;
use crate::reports::periods::{self as report, Run};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/run_compare.html")]
pub struct ComparePage {
    pub shell: Shell,
    pub period: Link,
    /// The other one first: differences are what this one pays more.
    pub sides: [Side; 2],
    /// Both have the same result hash.
    pub same: bool,
    pub rows: Vec<Mover>,
    /// There are more differences than are shown.
    pub more: bool,
}

pub struct Side {
    pub run: Link,
    pub hash: String,
    pub paid: Option<Amount>,
    pub cutoff: String,
}

#[derive(Deserialize)]
pub struct Asked {
    with: Uuid,
}

const SHOWN: usize = 200;

pub async fn page(
    viewer: Viewer,
    desk: Desk,
    id: Path<Uuid>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let (id, with, plans) = (id.into_inner(), asked.with, desk.state.plans.clone());
    let (shell, found) = desk
        .read(&viewer, "periods", move |conn| {
            let (Some(one), Some(other)) = (report::run(conn, id)?, report::run(conn, with)?) else {
                return Ok(None);
            };
            let same = one.result_hash.is_some() && one.result_hash == other.result_hash;
            let most = i64::try_from(SHOWN + 1).unwrap_or(i64::MAX);
            let moved = if same { vec![] } else { read::movers(conn, other.run_id, one.run_id, most)? };
            Ok(Some((one, other, same, moved, plans.get(conn)?)))
        })
        .await?;
    let (one, other, same, mut moved, plans) = found.ok_or_else(|| nothing("pair of runs"))?;
    let money = report::currency(&plans, one.plan_hash.as_deref(), one.ends_at);
    let more = moved.len() > SHOWN;
    moved.truncate(SHOWN);
    let page = ComparePage {
        shell,
        period: Link::new(super::address(&one.period), one.period.as_str()),
        sides: [side(&other, &money), side(&one, &money)],
        same,
        rows: moved.into_iter().map(|moved| row(moved, &money)).collect(),
        more,
    };
    desk.show(&page)
}

fn side(run: &Run, currency: &str) -> Side {
    let told = Told::of(run.summary.as_ref());
    Side {
        run: Link::new(
            run_address(run.run_id),
            format!(
                "{} run of {}, {}",
                run.kind,
                run.period,
                super::super::format::When(run.created_at).minute()
            ),
        ),
        hash: run.result_hash.as_deref().map(hex::encode).unwrap_or_default(),
        paid: told.map(|told| words::amount(told.paid, currency)),
        cutoff: run.cutoff_seq.map_or_else(String::new, |seq| format!("fact {seq}")),
    }
}
