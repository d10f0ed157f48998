//! The sponsor tree and the placement tree around one person, as of the end of a day, branch by branch.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use super::super::desk::Desk;
use super::super::format::Pill;
use super::super::held::mend::date;
use super::super::order::{Names, names};
use super::super::words;
use super::At;
use crate::core::genealogy::{Genealogy, Node as Seat};
use crate::core::ids::DistributorId;
use crate::core::placement::{Node as Spot, Placement};
use crate::core::plan::TreeKind;
use crate::db::DbError;
use crate::distributors;
use crate::reports::Conn;
use crate::web::session::{Denied, Viewer};

/// Children of one that are shown before the rest is only counted.
const SHOWN: usize = 200;

/// The children of one distributor; also the answer to the request that opens a branch.
#[derive(Template)]
#[template(path = "admin/branch.html")]
pub struct Branch {
    pub as_of: String,
    pub nodes: Vec<Node>,
    /// Children beyond those that are shown.
    pub more: usize,
    pub parent: String,
}

pub struct Node {
    pub id: String,
    pub name: String,
    pub status: Pill,
    pub rank: String,
    pub children: usize,
}

/// One position of the person whose page it is, and what is around it.
pub struct Position {
    pub id: String,
    pub place: String,
    /// From the top down.
    pub upline: Vec<Place>,
    pub below: Places,
    /// In all, at any level.
    pub count: String,
}

/// The positions under one; also the answer to the request that opens a branch.
#[derive(Template)]
#[template(path = "admin/distributor_places.html")]
pub struct Places {
    pub as_of: String,
    pub places: Vec<Place>,
    pub more: usize,
}

pub struct Place {
    pub position: String,
    /// `left`, `right`, or the number of the place.
    pub side: String,
    pub owner: String,
    pub name: String,
    pub children: usize,
}

/// A day that is asked for means its end; none means now.
pub fn instant(day: &str, now: DateTime<Utc>) -> DateTime<Utc> {
    let last = TimeDelta::days(1) - TimeDelta::microseconds(1);
    date(day).ok().flatten().map_or(now, |start| start + last)
}

/// The branch that opens below a distributor.
pub async fn children(
    _viewer: Viewer,
    desk: Desk,
    id: Path<String>,
    at: Query<At>,
) -> Result<HttpResponse, Denied> {
    let (id, day, now) = (id.into_inner(), at.into_inner().as_of, desk.now());
    let networks = desk.state.networks.clone();
    let read = desk.state.db.read_async(crate::db::Lane::Admin, move |conn| {
        let network = networks.get(conn)?;
        Ok(sponsor_tree(conn, &network.genealogy, &id, &day, now)?.1)
    });
    let branch = read.await.map_err(crate::web::error::Refusal::from)?;
    desk.show(&branch)
}

/// The branch that opens below a position.
pub async fn places(
    _viewer: Viewer,
    desk: Desk,
    _owner: Path<String>,
    at: Query<At>,
) -> Result<HttpResponse, Denied> {
    let (At { as_of: day, position, .. }, now) = (at.into_inner(), desk.now());
    let state = desk.state.clone();
    let read = desk.state.db.read_async(crate::db::Lane::Admin, move |conn| {
        let (placement, tree) = (state.placements.get(conn)?, tree_kind(&*state.plans.get(conn)?, now));
        let found = placement.node(&position);
        match found {
            Some(node) => Grown { placement: &placement, tree, day: &day, now }.below(conn, node),
            None => Ok(Places { as_of: day.clone(), places: vec![], more: 0 }),
        }
    });
    let branch = read.await.map_err(crate::web::error::Refusal::from)?;
    desk.show(&branch)
}

/// The upline from the top down, and the children, as of the end of a day.
pub fn sponsor_tree(
    conn: &mut Conn,
    genealogy: &Genealogy,
    id: &str,
    day: &str,
    now: DateTime<Utc>,
) -> Result<(Vec<Node>, Branch), DbError> {
    let at = instant(day, now);
    let empty = Branch { as_of: day.to_owned(), nodes: vec![], more: 0, parent: id.to_owned() };
    let Some(seat) = genealogy.node(&DistributorId::new(id)) else { return Ok((vec![], empty)) };
    let mut upline: Vec<Seat> = genealogy.upline_at(seat, at).map(|(seat, _)| seat).skip(1).collect();
    upline.reverse();
    let mut below: Vec<Seat> = genealogy.children_at(seat, at).collect();
    let more = below.len().saturating_sub(SHOWN);
    below.truncate(SHOWN);
    let ids: Vec<String> = upline.iter().chain(&below).map(|seat| genealogy.id(*seat).to_owned()).collect();
    let names = names(distributors::profiles(conn, &ids)?);
    let node = |seat: Seat| node(genealogy, seat, at, &names);
    let nodes = below.into_iter().map(node).collect();
    Ok((upline.into_iter().map(node).collect(), Branch { nodes, more, ..empty }))
}

fn node(genealogy: &Genealogy, seat: Seat, at: DateTime<Utc>, names: &Names) -> Node {
    let id = genealogy.id(seat).to_owned();
    let standing = genealogy.standing_at(seat, at);
    Node {
        name: names.get(&id).cloned().unwrap_or_default(),
        status: standing.map_or_else(|| words::status_named("?"), |standing| words::status(standing.status)),
        rank: standing.and_then(|standing| standing.rank).unwrap_or_default().to_owned(),
        children: genealogy.children_at(seat, at).count(),
        id,
    }
}

/// What the plan of now says of the placement tree.
pub fn tree_kind(published: &crate::plans::Published, now: DateTime<Utc>) -> Option<TreeKind> {
    published.at(now).and_then(|plan| plan.placement()).map(|rule| rule.tree)
}

/// `left` and `right` only where there are but two.
pub fn side_name(side: u16, tree: Option<TreeKind>) -> String {
    match (side, tree) {
        (0, Some(TreeKind::Binary)) => "left".to_owned(),
        (1, Some(TreeKind::Binary)) => "right".to_owned(),
        _ => format!("place {side}"),
    }
}

/// The placement tree as of the end of a day.
pub struct Grown<'a> {
    pub placement: &'a Placement,
    pub tree: Option<TreeKind>,
    pub day: &'a str,
    pub now: DateTime<Utc>,
}

impl Grown<'_> {
    /// Every position of a distributor; the branch of the one that is asked for may be another one's.
    pub fn around(&self, conn: &mut Conn, owner: &str, asked: &str) -> Result<Vec<Position>, DbError> {
        let at = instant(self.day, self.now);
        let mut spots = self.placement.of_owner_at(&DistributorId::new(owner), at);
        let asked = self.placement.node(asked).filter(|node| spots.contains(node));
        spots.retain(|spot| asked.is_none_or(|asked| asked == *spot));
        spots.into_iter().map(|spot| self.position(conn, spot)).collect()
    }

    fn position(&self, conn: &mut Conn, spot: Spot) -> Result<Position, DbError> {
        let at = instant(self.day, self.now);
        let mut upline: Vec<Spot> = self.placement.upline_at(spot, at).skip(1).collect();
        upline.reverse();
        let own = self.placement.standing_at(spot, at);
        let place = own.filter(|own| own.parent.is_some()).map(|own| side_name(own.side, self.tree));
        Ok(Position {
            id: self.placement.id(spot).to_owned(),
            place: place.unwrap_or_else(|| "top".to_owned()),
            upline: self.told(conn, &upline)?,
            below: self.below(conn, spot)?,
            count: self.placement.count_below_at(spot, at).to_string(),
        })
    }

    fn below(&self, conn: &mut Conn, spot: Spot) -> Result<Places, DbError> {
        let mut below = self.placement.children_at(spot, instant(self.day, self.now));
        let more = below.len().saturating_sub(SHOWN);
        below.truncate(SHOWN);
        Ok(Places { as_of: self.day.to_owned(), places: self.told(conn, &below)?, more })
    }

    fn told(&self, conn: &mut Conn, spots: &[Spot]) -> Result<Vec<Place>, DbError> {
        let at = instant(self.day, self.now);
        let standing = |spot: &Spot| self.placement.standing_at(*spot, at);
        let owners: Vec<String> = spots.iter().filter_map(standing).map(|s| s.owner.to_owned()).collect();
        let names = names(distributors::profiles(conn, &owners)?);
        let place = |spot: &Spot| {
            let standing = standing(spot)?;
            Some(Place {
                position: self.placement.id(*spot).to_owned(),
                side: standing
                    .parent
                    .map_or_else(|| "top".to_owned(), |_| side_name(standing.side, self.tree)),
                owner: standing.owner.to_owned(),
                name: names.get(standing.owner).cloned().unwrap_or_default(),
                children: self.placement.children_at(*spot, at).len(),
            })
        };
        Ok(spots.iter().filter_map(place).collect())
    }
}
