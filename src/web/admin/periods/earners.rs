//! Who earns in a run: the list, and one earner's awards with what was taken off them.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::super::desk::{Desk, nothing};
use super::super::format::{self, Amount, Link, Pager, Pill};
use super::super::order::{names, upline};
use super::super::shell::Shell;
use super::super::words;
use super::{run_address, run_status};
use crate::distributors;
use crate::periods;
use crate::reports::periods as report;
use crate::reports::periods::earners::{self as read, Award, Cut, Earner, Lot, Standing};
use crate::web::session::{Denied, Viewer};

#[derive(Template)]
#[template(path = "admin/run_earners.html")]
pub struct EarnersPage {
    pub shell: Shell,
    pub run: Link,
    pub address: String,
    pub status: Pill,
    pub q: String,
    pub rows: Vec<Row>,
    pub pager: Pager,
}

pub struct Row {
    pub link: Link,
    pub name: String,
    pub rank: String,
    pub awards: String,
    pub earned: Amount,
    pub amount: Amount,
}

#[derive(Template)]
#[template(path = "admin/run_earner.html")]
pub struct EarnerPage {
    pub shell: Shell,
    pub run: Link,
    pub address: String,
    pub distributor: Link,
    pub sum: Amount,
    pub standing: Vec<(String, String)>,
    pub awards: Vec<AwardRow>,
    pub lots: Vec<LotRow>,
}

pub struct AwardRow {
    /// Of an adjustment: the period that it corrects.
    pub period: String,
    pub bonus: String,
    pub position: String,
    pub base: String,
    pub earned: Amount,
    pub cuts: Vec<(String, Amount)>,
    pub amount: Amount,
    /// Once it is posted.
    pub explain: Option<Link>,
}

pub struct LotRow {
    pub bonus: String,
    pub position: String,
    pub side: String,
    pub period: String,
    pub age: String,
    pub volume: String,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

pub async fn list(
    viewer: Viewer,
    desk: Desk,
    id: Path<Uuid>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Denied> {
    let (id, Asked { q, after }, plans) = (id.into_inner(), asked.into_inner(), desk.state.plans.clone());
    let (wanted, key) = (q.clone(), after.clone());
    let (shell, found) = desk
        .read(&viewer, "periods", move |conn| {
            let Some(run) = report::run(conn, id)? else { return Ok(None) };
            Ok(Some((read::list(conn, id, &wanted, &key)?, plans.get(conn)?, run)))
        })
        .await?;
    let (found, plans, run) = found.ok_or_else(|| nothing("run"))?;
    let (money, address) = (report::currency(&plans, run.plan_hash.as_deref(), run.ends_at), run_address(id));
    let here =
        |after: &str| words::address(&format!("{address}/earners"), &[("q", q.as_str()), ("after", after)]);
    let page = EarnersPage {
        shell,
        run: Link::new(address.as_str(), format!("Run of {}", run.period)),
        status: run_status(&run.status),
        pager: Pager {
            shown: found.rows.len(),
            first: (!after.is_empty()).then(|| here("")),
            next: found.next.map(|id| here(&id)),
        },
        rows: found.rows.into_iter().map(|earner| row(earner, &address, &money)).collect(),
        address: address.clone(),
        q: q.clone(),
    };
    desk.show(&page)
}

fn row(earner: Earner, address: &str, currency: &str) -> Row {
    let href = format!("{address}/earners/{}", words::encoded(&earner.distributor_id));
    Row {
        link: Link::new(href, earner.distributor_id),
        name: earner.name.unwrap_or_default(),
        rank: earner.paid_as.unwrap_or_default(),
        awards: format::count(earner.awards),
        earned: words::amount(earner.earned, currency),
        amount: words::amount(earner.amount, currency),
    }
}

struct Found {
    run: report::Run,
    awards: Vec<Award>,
    cuts: Vec<Cut>,
    standing: Option<Standing>,
    lots: Vec<Lot>,
    profiles: Vec<distributors::Profile>,
}

pub async fn one(viewer: Viewer, desk: Desk, path: Path<(Uuid, String)>) -> Result<HttpResponse, Denied> {
    let ((id, who), plans) = (path.into_inner(), desk.state.plans.clone());
    let wanted = who.clone();
    let (shell, found) = desk
        .read(&viewer, "periods", move |conn| {
            let Some(run) = report::run(conn, id)? else { return Ok(None) };
            let awards = read::awards_of(conn, id, &wanted)?;
            let numbers: Vec<i32> = awards.iter().map(|award| award.award_no).collect();
            let found = Found {
                cuts: read::cuts(conn, id, &numbers)?,
                standing: read::standing(conn, id, &wanted)?,
                lots: read::lots(conn, id, &wanted)?,
                profiles: distributors::profiles(conn, std::slice::from_ref(&wanted))?,
                awards,
                run,
            };
            Ok(Some((found, plans.get(conn)?)))
        })
        .await?;
    let (found, plans) = found.ok_or_else(|| nothing("run"))?;
    if found.awards.is_empty() && found.standing.is_none() {
        return Err(nothing("earner of this run"));
    }
    let money = report::currency(&plans, found.run.plan_hash.as_deref(), found.run.ends_at);
    let awards = rows(&found, &money);
    let page = EarnerPage {
        shell,
        run: Link::new(run_address(id), format!("Run of {}", found.run.period)),
        address: run_address(id),
        distributor: upline::named(&who, &names(found.profiles)),
        sum: words::amount(found.awards.iter().map(|award| award.amount).sum(), &money),
        standing: found.standing.map_or_else(Vec::new, stands),
        awards,
        lots: found.lots.into_iter().map(lot).collect(),
    };
    desk.show(&page)
}

fn rows(found: &Found, currency: &str) -> Vec<AwardRow> {
    let money = |amount| words::amount(amount, currency);
    let row = |award: &Award| {
        let own = found.cuts.iter().filter(|cut| cut.award_no == award.award_no);
        let is_posted = found.run.status == "posted" && !award.amount.is_zero();
        let event = is_posted.then(|| periods::event_id(found.run.run_id, award.award_no));
        AwardRow {
            period: award.period.clone(),
            bonus: award.bonus.clone(),
            position: award.position.clone(),
            base: format::grouped(&format::plain(award.base)),
            earned: money(award.earned),
            cuts: own.map(|cut| (cut.cut_by.clone(), money(-cut.amount))).collect(),
            amount: money(award.amount),
            explain: event.map(|event| Link::new(format!("/admin/events/{event}"), "why")),
        }
    };
    found.awards.iter().map(row).collect()
}

fn stands(standing: Standing) -> Vec<(String, String)> {
    let volume = |number| Some(format::grouped(&format::plain(number)));
    let told = [
        ("Active", Some(if standing.active { "yes" } else { "no" }.to_owned())),
        ("Paid as", Some(standing.paid_as.unwrap_or_else(|| "no rank".to_owned()))),
        ("Achieved in the period", standing.achieved),
        ("Highest rank ever", standing.title),
        ("Personal volume", volume(standing.pv)),
        ("Group volume", volume(standing.gv)),
        ("Group volume without breakaways", volume(standing.pgv)),
    ];
    told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Sides of a matrix have numbers; the two of a binary have names.
pub fn side(side: i16) -> String {
    match side {
        0 => "left".to_owned(),
        1 => "right".to_owned(),
        more => format!("place {}", more.saturating_add(1)),
    }
}

fn lot(lot: Lot) -> LotRow {
    LotRow {
        bonus: lot.bonus,
        position: lot.position,
        side: side(lot.side),
        period: lot.period,
        age: match lot.age {
            0 => "this period".to_owned(),
            1 => "one period old".to_owned(),
            more => format!("{more} periods old"),
        },
        volume: format::grouped(&format::plain(lot.volume)),
    }
}
