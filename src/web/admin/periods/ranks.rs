//! Who is paid as another rank in a run than in the one posted before it.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::super::desk::{Desk, nothing};
use super::super::format::{Link, Pager, Pill, Tone};
use super::super::shell::Shell;
use super::super::words;
use super::run_address;
use crate::reports::periods as report;
use crate::reports::periods::review::{self as read, RankMove};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/run_ranks.html")]
pub struct RanksPage {
    pub shell: Shell,
    pub run: Link,
    /// What it is compared with; none before the first posted run.
    pub against: Option<Link>,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub distributor: Link,
    pub name: String,
    pub was: String,
    pub now: String,
    pub change: Pill,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    after: String,
}

pub async fn page(
    viewer: Viewer,
    desk: Desk,
    id: Path<Uuid>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let (id, after, plans) = (id.into_inner(), asked.into_inner().after, desk.state.plans.clone());
    let key = after.clone();
    let (shell, found) = desk
        .read(&viewer, "periods", move |conn| {
            let Some(run) = report::run(conn, id)? else { return Ok(None) };
            let before = report::posted_before(conn, run.starts_at, 1)?.pop();
            let moved = match &before {
                Some(before) => Some(read::rank_moves(conn, before.run_id, id, &key)?),
                None => None,
            };
            Ok(Some((run, before, moved, plans.get(conn)?)))
        })
        .await?;
    let (run, before, moved, plans) = found.ok_or_else(|| nothing("run"))?;
    let hash = run.plan_hash.as_deref().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let plan = hash.and_then(|hash| plans.by_hash(crate::core::plan::PlanHash(hash)));
    let order: Vec<String> = plan.map_or_else(Vec::new, |plan| plan.ranks().to_vec());
    let (rows, next) = moved.map_or_else(Default::default, |page| (page.rows, page.next));
    let here = |after: &str| words::address(&format!("{}/ranks", run_address(id)), &[("after", after)]);
    let page = RanksPage {
        shell,
        run: Link::new(run_address(id), format!("Run of {}", run.period)),
        against: before.map(|before| Link::new(run_address(before.run_id), before.period)),
        pager: Pager {
            shown: rows.len(),
            first: (!after.is_empty()).then(|| here("")),
            next: next.map(|id| here(&id)),
        },
        rows: rows.into_iter().map(|moved| row(moved, &order)).collect(),
    };
    desk.show(&page)
}

fn row(moved: RankMove, order: &[String]) -> Row {
    Row {
        distributor: words::distributor_link(&moved.distributor_id),
        name: moved.name.unwrap_or_default(),
        change: change(moved.was.as_deref(), moved.is_now.as_deref(), order),
        was: moved.was.unwrap_or_else(|| "no rank".to_owned()),
        now: moved.is_now.unwrap_or_else(|| "no rank".to_owned()),
    }
}

/// Nobody's rank is below the lowest; a rank that the plan no longer has cannot be judged.
pub fn change(was: Option<&str>, now: Option<&str>, order: &[String]) -> Pill {
    let place = |rank: Option<&str>| match rank {
        None => Some(0),
        Some(rank) => order.iter().position(|known| known == rank).map(|place| place + 1),
    };
    match (place(was), place(now)) {
        (Some(was), Some(now)) if now > was => Pill::new(Tone::Ok, "promotion"),
        (Some(was), Some(now)) if now < was => Pill::new(Tone::Warn, "demotion"),
        _ => Pill::new(Tone::Muted, "change"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_and_down_follow_the_plans_order() {
        let order = ["silver".to_owned(), "gold".to_owned()];
        let said = |was, now| change(was, now, &order).text;
        assert_eq!(said(None, Some("silver")), "promotion");
        assert_eq!(said(Some("gold"), Some("silver")), "demotion");
        assert_eq!(said(Some("silver"), None), "demotion");
        assert_eq!(said(Some("bronze"), Some("gold")), "change");
    }
}
