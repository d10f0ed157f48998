//! Moving a distributor: another sponsor, or another place. What it does is shown first; an admin confirms it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::super::desk::{Desk, nothing};
use super::super::field::Wrong;
use super::super::format::{Amount, Link, count};
use super::super::held::mend::date;
use super::super::shell::Shell;
use super::super::words;
use super::effect::{self, PeriodEffect};
use super::tree::{side_name, tree_kind};
use crate::access::audit;
use crate::commissions::{self, Books, MovePreview};
use crate::core::ids::DistributorId;
use crate::core::placement::{Placement, PlacementVersion};
use crate::db::DbError;
use crate::distributors::import::places::side_named;
use crate::distributors::{self, MoveProblem, PlaceProblem, SponsorMove};
use crate::periods::{MovedTrees, Trees};
use crate::reports::Conn;
use crate::web::AppState;
use crate::web::session::{Admin, Denied, Form};

/// Who loses and who gains that are listed; the rest is only counted.
const LISTED: usize = 200;

#[derive(Template)]
#[template(path = "admin/distributor_move.html")]
pub struct MovePage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub sponsor: SponsorForm,
    pub place: PlaceForm,
    pub wrong: Wrong,
    pub sponsor_effect: Option<Effect>,
    pub place_effect: Option<PlaceEffect>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct SponsorForm {
    /// Empty: to the top.
    #[serde(default)]
    pub sponsor: String,
    /// A day (UTC).
    #[serde(default)]
    pub sponsor_from: String,
    #[serde(default)]
    pub recalculate: String,
    #[serde(default)]
    pub step: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct PlaceForm {
    /// Empty: the distributor's own id.
    #[serde(default)]
    pub position: String,
    /// Empty: at the top.
    #[serde(default)]
    pub under: String,
    #[serde(default)]
    pub side: String,
    #[serde(default)]
    pub place_from: String,
    #[serde(default)]
    pub step: String,
}

/// What another sponsor does to what is posted, and to the bonuses of periods.
pub struct Effect {
    pub text: String,
    pub orders: String,
    pub changed: usize,
    pub closed: String,
    /// What goes from some to others.
    pub moves: Vec<Amount>,
    pub shares: Vec<Share>,
    pub more: usize,
    pub breakage: Vec<Amount>,
    pub periods: PeriodEffect,
}

pub struct Share {
    pub distributor: Link,
    pub posted: Amount,
    pub wanted: Amount,
    pub difference: Amount,
}

pub struct PlaceEffect {
    pub text: String,
    pub below: String,
    pub periods: PeriodEffect,
}

pub async fn page(admin: Admin, desk: Desk, id: Path<String>) -> Result<HttpResponse, Denied> {
    let answer = Answer { status: StatusCode::OK, ..Answer::default() };
    show(&admin, &desk, id.into_inner(), answer).await
}

/// What is on the page besides the person.
#[derive(Default)]
struct Answer {
    status: StatusCode,
    sponsor: SponsorForm,
    place: PlaceForm,
    wrong: Wrong,
    sponsor_effect: Option<Effect>,
    place_effect: Option<PlaceEffect>,
}

async fn show(admin: &Admin, desk: &Desk, id: String, answer: Answer) -> Result<HttpResponse, Denied> {
    let wanted = id.clone();
    let (mut shell, profile) = desk
        .read(admin, "distributors", move |conn| {
            Ok(distributors::profiles(conn, std::slice::from_ref(&wanted))?.pop())
        })
        .await?;
    let profile = profile.ok_or_else(|| nothing("distributor"))?;
    shell.here = format!("/admin/distributors/{}/move", words::encoded(&id));
    let Answer { status, mut sponsor, place, wrong, sponsor_effect, place_effect } = answer;
    if sponsor.step.is_empty() {
        sponsor.sponsor = profile.sponsor_id.unwrap_or_default();
    }
    let name = profile.name.unwrap_or_default();
    desk.show_as(status, &MovePage { shell, id, name, sponsor, place, wrong, sponsor_effect, place_effect })
}

/// The day, or what is wrong with it.
fn day(text: &str, field: &'static str) -> Result<DateTime<Utc>, Wrong> {
    let wrong = |text: String| Wrong::default().with(field, text);
    date(text).map_err(wrong)?.ok_or_else(|| wrong("Choose the day from which it holds.".to_owned()))
}

pub async fn sponsor(
    admin: Admin,
    desk: Desk,
    id: Path<String>,
    form: Form<SponsorForm>,
) -> Result<HttpResponse, Denied> {
    let (id, form) = (id.into_inner(), form.0);
    let refused = |wrong: Wrong, form: SponsorForm| Answer {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        sponsor: form,
        wrong,
        ..Answer::default()
    };
    let from = match day(&form.sponsor_from, "sponsor_from") {
        Ok(from) => from,
        Err(wrong) => return show(&admin, &desk, id, refused(wrong, form)).await,
    };
    let to = Some(form.sponsor.trim()).filter(|sponsor| !sponsor.is_empty()).map(DistributorId::new);
    let wanted = SponsorMove { distributor: DistributorId::new(id.as_str()), sponsor: to, from };
    let done = form.step == "move";
    let found = match done {
        true => {
            let applied = apply(&admin, &desk, wanted, form.recalculate == "yes").await?;
            applied.map(|preview| (preview, PeriodEffect::default()))
        }
        false => preview(&desk, wanted).await?,
    };
    match found {
        Err(problem) => {
            let wrong = Wrong::default().with("sponsor", problem);
            show(&admin, &desk, id, refused(wrong, form)).await
        }
        Ok((preview, _)) if done => {
            let text = match (form.recalculate.as_str(), preview.changed) {
                ("yes", 1..) => format!("Moved. Orders that are calculated again: {}.", preview.changed),
                _ => "Moved. Posted orders keep their upline.".to_owned(),
            };
            Ok(desk.done(&format!("/admin/distributors/{}", words::encoded(&id)), &text))
        }
        Ok((preview, periods)) => {
            let effect = Some(effect(&id, &form, &preview, periods));
            let answer = Answer { sponsor: form, sponsor_effect: effect, ..Answer::default() };
            show(&admin, &desk, id, answer).await
        }
    }
}

type Tried<T> = Result<Result<T, String>, Denied>;

async fn preview(desk: &Desk, wanted: SponsorMove) -> Tried<(MovePreview, PeriodEffect)> {
    let state = desk.state.clone();
    let read = desk.state.db.read_async(crate::db::Lane::Admin, move |conn| {
        let books = Books { networks: &state.networks, plans: &state.plans };
        let moves = match mendable(commissions::preview_move(conn, books, &wanted))? {
            Ok(moves) => moves,
            Err(problem) => return Ok(Err(problem)),
        };
        let (network, placement) = (state.networks.get(conn)?, state.placements.get(conn)?);
        let moved = match mendable(wanted.applied(&network.genealogy))? {
            Ok(moved) => moved,
            Err(problem) => return Ok(Err(problem)),
        };
        let before = Trees::now(&network.genealogy, &placement);
        let after = Trees::now(&moved, before.placement);
        let periods = effect::of(conn, "sponsor", MovedTrees { from: wanted.from, before, after })?;
        Ok(Ok((moves, periods)))
    });
    Ok(read.await.map_err(crate::web::error::Refusal::from)?)
}

async fn apply(admin: &Admin, desk: &Desk, wanted: SponsorMove, recalculate: bool) -> Tried<MovePreview> {
    let (state, by, now) = (desk.state.clone(), admin.email.clone(), desk.now());
    desk.write(move |tx| {
        let moved = commissions::move_sponsor(tx, &state.plans, &wanted, recalculate, &by, now);
        let moved = mendable(moved)?;
        if let Ok(preview) = &moved {
            let sponsor = wanted.sponsor.as_ref().map(DistributorId::as_str);
            let detail = json!({"sponsor": sponsor, "from": wanted.from, "recalculate": recalculate,
                                "orders": preview.changed});
            audit::record(tx, &by, "distributor.move", wanted.distributor.as_str(), detail, now)?;
        }
        Ok(moved)
    })
    .await
}

/// A problem of the move is the person's to mend; nothing was written then.
fn mendable<T>(tried: Result<T, MoveProblem>) -> Result<Result<T, String>, DbError> {
    match tried {
        Ok(value) => Ok(Ok(value)),
        Err(MoveProblem::Db(error)) => Err(error),
        Err(problem) => Ok(Err(problem.to_string())),
    }
}

fn effect(id: &str, form: &SponsorForm, preview: &MovePreview, periods: PeriodEffect) -> Effect {
    let to = match form.sponsor.trim() {
        "" => "the top".to_owned(),
        sponsor => format!("sponsor {sponsor}"),
    };
    let share = |share: &commissions::Share| Share {
        distributor: words::distributor_link(share.distributor.as_str()),
        posted: words::amount(share.posted, &share.currency),
        wanted: words::amount(share.wanted, &share.currency),
        difference: words::amount(share.difference(), &share.currency),
    };
    let number = |number: usize| count(i64::try_from(number).unwrap_or(i64::MAX));
    let lost = preview.from_losers();
    Effect {
        text: format!("{id} goes to {to} from {} on, with everybody below.", form.sponsor_from),
        orders: number(preview.orders),
        changed: preview.changed,
        closed: number(preview.closed),
        moves: lost.into_iter().map(|(currency, amount)| words::amount(amount, currency)).collect(),
        shares: preview.shares.iter().take(LISTED).map(share).collect(),
        more: preview.shares.len().saturating_sub(LISTED),
        breakage: preview.breakage.iter().map(|(currency, sum)| words::amount(*sum, currency)).collect(),
        periods,
    }
}

pub async fn place(
    admin: Admin,
    desk: Desk,
    id: Path<String>,
    form: Form<PlaceForm>,
) -> Result<HttpResponse, Denied> {
    let (id, form) = (id.into_inner(), form.0);
    let refused = |wrong: Wrong, form: PlaceForm| Answer {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        place: form,
        wrong,
        ..Answer::default()
    };
    let wanted = match wanted(&id, &form) {
        Ok(wanted) => wanted,
        Err(wrong) => return show(&admin, &desk, id, refused(wrong, form)).await,
    };
    let tried = match form.step.as_str() {
        "place" => put(&admin, &desk, wanted).await?.map(Placed::Done),
        _ => preview_place(&desk, wanted).await?.map(Placed::Shown),
    };
    match tried {
        Err(problem) => {
            let wrong = Wrong::default().with("under", problem);
            show(&admin, &desk, id, refused(wrong, form)).await
        }
        Ok(Placed::Done(text)) => {
            Ok(desk.done(&format!("/admin/distributors/{}", words::encoded(&id)), &text))
        }
        Ok(Placed::Shown(effect)) => {
            let answer = Answer { place: form, place_effect: Some(effect), ..Answer::default() };
            show(&admin, &desk, id, answer).await
        }
    }
}

enum Placed {
    Done(String),
    Shown(PlaceEffect),
}

async fn put(admin: &Admin, desk: &Desk, wanted: PlacementVersion) -> Tried<String> {
    let (state, by, now) = (desk.state.clone(), admin.email.clone(), desk.now());
    desk.write(move |tx| {
        let checked = match check(tx.conn, &state, &wanted, now)? {
            Ok(checked) => checked,
            Err(problem) => return Ok(Err(problem)),
        };
        let tree = tree_kind(&*state.plans.get(tx.conn)?, now);
        match distributors::place(tx, &checked.versions, tree, &by, now) {
            Ok(()) => {}
            Err(PlaceProblem::Db(error)) => return Err(error),
            Err(problem) => return Ok(Err(problem.to_string())),
        }
        let detail = json!({"owner": wanted.owner.as_str(), "under": wanted.parent, "side": wanted.side,
                            "from": wanted.from});
        audit::record(tx, &by, "position.place", &wanted.position, detail, now)?;
        Ok(Ok(checked.text))
    })
    .await
}

async fn preview_place(desk: &Desk, wanted: PlacementVersion) -> Tried<PlaceEffect> {
    let (state, now) = (desk.state.clone(), desk.now());
    let read = desk.state.db.read_async(crate::db::Lane::Admin, move |conn| {
        let checked = match check(conn, &state, &wanted, now)? {
            Ok(checked) => checked,
            Err(problem) => return Ok(Err(problem)),
        };
        let (network, placement) = (state.networks.get(conn)?, state.placements.get(conn)?);
        let before = Trees::now(&network.genealogy, &placement);
        let after = Trees::now(before.genealogy, &checked.moved);
        let from = wanted.from.unwrap_or(now);
        let periods = effect::of(conn, "place", MovedTrees { from, before, after })?;
        Ok(Ok(PlaceEffect { text: checked.text, below: checked.below, periods }))
    });
    Ok(read.await.map_err(crate::web::error::Refusal::from)?)
}

fn wanted(id: &str, form: &PlaceForm) -> Result<PlacementVersion, Wrong> {
    let from = day(&form.place_from, "place_from")?;
    let parent = Some(form.under.trim()).filter(|under| !under.is_empty()).map(str::to_owned);
    let side = match &parent {
        None => Some(0),
        Some(_) => side_named(&form.side),
    };
    let side = side.ok_or_else(|| Wrong::default().with("side", "Write left, right or a number from 0."))?;
    let position = Some(form.position.trim()).filter(|position| !position.is_empty()).unwrap_or(id);
    Ok(PlacementVersion {
        position: position.to_owned(),
        owner: DistributorId::new(id),
        parent,
        side,
        from: Some(from),
    })
}

/// A move that the tree bears.
struct Checked {
    versions: Vec<PlacementVersion>,
    moved: Placement,
    text: String,
    below: String,
}

fn check(
    conn: &mut Conn,
    state: &AppState,
    wanted: &PlacementVersion,
    now: DateTime<Utc>,
) -> Result<Result<Checked, String>, DbError> {
    let (placement, network) = (state.placements.get(conn)?, state.networks.get(conn)?);
    let tree = tree_kind(&*state.plans.get(conn)?, now);
    let versions = placement.moved(wanted);
    let moved = match placement.check(&versions, tree, |owner| network.genealogy.node(owner).is_some()) {
        Ok(moved) => moved,
        Err(problems) => return Ok(Err(PlaceProblem::Placement(problems).to_string())),
    };
    let node = placement.node(&wanted.position).zip(wanted.from);
    let below = node.map_or(0, |(node, from)| placement.count_below_at(node, from));
    let to = wanted.parent.as_ref().map_or_else(
        || "to the top".to_owned(),
        |parent| format!("under {parent}, {}", side_name(wanted.side, tree)),
    );
    let day = wanted.from.map(|from| from.format("%Y-%m-%d").to_string()).unwrap_or_default();
    let text = format!("Position {} goes {to} from {day} on.", wanted.position);
    Ok(Ok(Checked { versions, moved, text, below: below.to_string() }))
}
