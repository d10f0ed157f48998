//! `upline distributor`: one person in both trees, moves with their effect shown first, and free places filled.

use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

mod code;
mod effect;
mod show;

use super::import::placement_rule;
use super::{Global, Outcome, output, parse_instant, transact};
use crate::access::audit;
use crate::app::{Backend, Opening};
use crate::commissions::{self, Books, MovePreview};
use crate::core::ids::DistributorId;
use crate::core::placement::{Placement, PlacementVersion};
use crate::db::{DbError, Lane};
use crate::distributors::{self, Filled, MoveProblem, Networks, PlaceProblem, Placements, SponsorMove};
use crate::periods::{MovedTrees, PeriodMoved, Trees};
use crate::plans::Plans;

const BY: &str = "console";

/// One person in the sponsor tree and the placement tree: look, move, place
#[derive(Args)]
pub struct DistributorCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Uplines, positions and those directly below, as of an instant
    #[command(after_help = "Example:\n  upline distributor show 11043 --as-of 2026-01-31")]
    Show {
        id: String,
        /// As 2026-01-31 (UTC) or 2026-01-31T00:00:00+01:00 [default: now]
        #[arg(long, value_name = "DATE", value_parser = parse_instant)]
        as_of: Option<DateTime<Utc>>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The names under which orders and links refer to somebody
    #[command(subcommand)]
    Code(code::Code),
    /// Another sponsor from a day on
    #[command(
        after_help = "Orders from that day on get the upline of the moved tree. Those that are posted already keep theirs,
unless --recalculate has them calculated again: the difference is posted, in periods that are still open.

Examples:
  upline distributor move 11043 --sponsor 10090 --from 2026-01-01 --dry-run
  upline distributor move 11043 --sponsor 10090 --from 2026-01-01 --recalculate
  upline distributor move 11043 --top --from 2026-01-01"
    )]
    Move(Move),
    /// A position: a first one, a further one, or another place for one that is there
    #[command(
        after_help = "A position is moved with everybody below it. It has the distributor's own id unless --position says
another one; a distributor may own several.

Examples:
  upline distributor place 11043 --under 10090 --side left --from 2026-01-01 --dry-run
  upline distributor place 11043 --position 11043-2 --under 11043 --side right
  upline distributor place 10001 --top"
    )]
    Place(Place),
    /// Place everybody who has no position by the rule of the plan that holds
    #[command(
        after_help = "First come, first served: by the day of enrolment, each below the sponsor's position.

Example:
  upline distributor fill --dry-run"
    )]
    Fill {
        /// Only say who would be placed where
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct Move {
    id: String,
    /// Who sponsors from then on
    #[arg(long, value_name = "ID", required_unless_present = "top")]
    sponsor: Option<String>,
    /// Nobody sponsors from then on
    #[arg(long, conflicts_with = "sponsor")]
    top: bool,
    /// From when on, as 2026-01-31 (UTC) or 2026-01-31T00:00:00+01:00
    #[arg(long, value_name = "DATE", value_parser = parse_instant)]
    from: DateTime<Utc>,
    /// Calculate posted orders of open periods again
    #[arg(long, conflicts_with = "dry_run")]
    recalculate: bool,
    /// Only say what it would change
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Place {
    /// Who owns the position
    id: String,
    /// Id of the position [default: the distributor's own]
    #[arg(long, value_name = "ID")]
    position: Option<String>,
    /// The position above it
    #[arg(long, value_name = "POSITION", required_unless_present = "top", requires = "side")]
    under: Option<String>,
    /// left, right, or a number from 0
    #[arg(long, value_parser = parse_side)]
    side: Option<u16>,
    /// At the top of a tree
    #[arg(long, conflicts_with_all = ["under", "side"])]
    top: bool,
    /// From when on, as 2026-01-31 (UTC) or 2026-01-31T00:00:00+01:00 [default: now]
    #[arg(long, value_name = "DATE", value_parser = parse_instant)]
    from: Option<DateTime<Utc>>,
    /// Only say what it would change
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_side(text: &str) -> Result<u16, String> {
    let side = distributors::import::places::side_named(text);
    side.ok_or_else(|| format!("{text:?} is no side; write left, right or a number from 0"))
}

impl DistributorCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        if let Action::Code(code) = self.action {
            return code.run(global);
        }
        global.with_backend(Opening::Ready, |backend, clock| {
            let now = clock.now();
            match self.action {
                Action::Code(_) => {}
                Action::Show { id, as_of, json } => show::run(backend, &id, as_of.unwrap_or(now), json)?,
                Action::Move(wanted) => wanted.run(backend, now)?,
                Action::Place(wanted) => wanted.run(backend, now)?,
                Action::Fill { dry_run, json } => fill(backend, now, dry_run, json)?,
            }
            Ok(Outcome::Done)
        })
    }
}

impl Move {
    fn run(self, backend: &Backend, now: DateTime<Utc>) -> anyhow::Result<()> {
        let wanted = SponsorMove {
            distributor: DistributorId::new(self.id.as_str()),
            sponsor: self.sponsor.as_deref().map(DistributorId::new),
            from: self.from,
        };
        let plans = Plans::default();
        let (preview, periods) = if self.dry_run {
            let networks = Networks::default();
            let books = Books { networks: &networks, plans: &plans };
            let preview = backend
                .db
                .read(Lane::Admin, |conn| Ok(commissions::preview_move(conn, books, &wanted)))??;
            (preview, Some(periods_under(backend, &networks, &wanted)?))
        } else {
            let preview = transact(&backend.db, |tx| {
                let preview = commissions::move_sponsor(tx, &plans, &wanted, self.recalculate, BY, now)?;
                let detail = json!({"sponsor": self.sponsor, "from": self.from, "recalculate": self.recalculate,
                                    "orders": preview.changed});
                audit::record(tx, BY, "distributor.move", &self.id, detail, now)?;
                Ok::<_, MoveProblem>(preview)
            })?;
            (preview, None)
        };
        if self.json {
            let done = json!({"applied": !self.dry_run, "recalculated": self.recalculate, "effect": preview,
                              "periods": periods});
            return output::json(&done);
        }
        self.tell(&preview)?;
        periods.as_deref().map_or(Ok(()), effect::tell)
    }

    fn tell(&self, preview: &MovePreview) -> anyhow::Result<()> {
        let to = self.sponsor.as_ref().map_or("the top".to_owned(), |sponsor| format!("under {sponsor}"));
        let day = self.from.to_rfc3339();
        match self.dry_run {
            true => output::line(format_args!("Dry run, nothing changed. {} to {to} from {day}:", self.id))?,
            false => output::line(format_args!("{} stands {to} from {day} on.", self.id))?,
        }
        let MovePreview { orders, changed, closed, .. } = preview;
        output::line(format_args!(
            "{orders} order(s) of open periods are reached; {changed} would pay otherwise."
        ))?;
        if *closed > 0 {
            output::line(format_args!("{closed} order(s) of frozen or closed periods stay as they are."))?;
        }
        for (currency, amount) in preview.from_losers() {
            output::line(format_args!("{} {currency} would go to others.", amount.normalize()))?;
        }
        let row = |share: &commissions::Share| {
            let amounts = [share.posted, share.wanted, share.difference()];
            let amounts = amounts.map(|amount| amount.normalize().to_string());
            [share.distributor.0.clone()].into_iter().chain(amounts).chain([share.currency.clone()]).collect()
        };
        let rows: Vec<Vec<String>> = preview.shares.iter().map(row).collect();
        if !rows.is_empty() {
            output::table(&["distributor", "posted", "would be", "difference", "currency"], &rows)?;
        }
        match (self.recalculate, *changed) {
            (_, 0) => {}
            (true, _) => output::line("They are calculated again; the difference is posted.")?,
            (false, _) => output::line("Posted orders keep their upline unless --recalculate is given.")?,
        }
        Ok(())
    }
}

fn periods_under(
    backend: &Backend,
    networks: &Networks,
    wanted: &SponsorMove,
) -> anyhow::Result<Vec<PeriodMoved>> {
    let read = |conn: &mut _| Ok((networks.get(conn)?, Placements::default().get(conn)?));
    let (network, placement) = backend.db.read(Lane::Admin, read)?;
    let moved = wanted.applied(&network.genealogy)?;
    let before = Trees::now(&network.genealogy, &placement);
    effect::of(backend, MovedTrees { from: wanted.from, before, after: Trees::now(&moved, before.placement) })
}

impl Place {
    fn run(self, backend: &Backend, now: DateTime<Utc>) -> anyhow::Result<()> {
        let tree = placement_rule(backend, now)?.map(|rule| rule.tree);
        let wanted = PlacementVersion {
            position: self.position.clone().unwrap_or_else(|| self.id.clone()),
            owner: DistributorId::new(self.id.as_str()),
            parent: self.under.clone(),
            side: self.side.unwrap_or(0),
            from: Some(self.from.unwrap_or(now)),
        };
        let known = backend.db.read(Lane::Admin, |conn| Placements::default().get(conn))?;
        let versions = known.moved(&wanted);
        let mut periods = None;
        if self.dry_run {
            let network = backend.db.read(Lane::Admin, |conn| Networks::default().get(conn))?;
            let moved = known
                .check(&versions, tree, |owner| network.genealogy.node(owner).is_some())
                .map_err(PlaceProblem::Placement)?;
            let before = Trees::now(&network.genealogy, &known);
            let after = Trees::now(before.genealogy, &moved);
            let from = wanted.from.unwrap_or(now);
            periods = Some(effect::of(backend, MovedTrees { from, before, after })?);
        } else {
            transact(&backend.db, |tx| {
                distributors::place(tx, &versions, tree, BY, now)?;
                let detail =
                    json!({"owner": self.id, "under": self.under, "side": self.side, "from": wanted.from});
                audit::record(tx, BY, "position.place", &wanted.position, detail, now)?;
                Ok::<_, PlaceProblem>(())
            })?;
        }
        let below = below(&known, &wanted);
        if self.json {
            return output::json(
                &json!({"applied": !self.dry_run, "position": wanted.position, "owner": self.id,
                "under": self.under, "side": self.side, "from": wanted.from, "below": below,
                "periods": periods}),
            );
        }
        let dry = if self.dry_run { "Dry run, nothing changed. " } else { "" };
        let to = match &self.under {
            Some(under) => format!("under {under}, place {}", wanted.side),
            None => "at the top".to_owned(),
        };
        let day = wanted.from.unwrap_or(now).to_rfc3339();
        output::line(format_args!(
            "{dry}Position {} of {} stands {to} from {day} on.",
            wanted.position, self.id
        ))?;
        output::line(format_args!(
            "{below} position(s) below it go along. Order bonuses do not ask for the placement tree; the bonuses of a \
             period take it as it stands at the period's end."
        ))?;
        periods.as_deref().map_or(Ok(()), effect::tell)
    }
}

/// How many go along with a position that is there already.
fn below(known: &Placement, wanted: &PlacementVersion) -> usize {
    let node = known.node(&wanted.position);
    node.zip(wanted.from).map_or(0, |(node, from)| known.count_below_at(node, from))
}

fn fill(backend: &Backend, now: DateTime<Utc>, dry_run: bool, json: bool) -> anyhow::Result<()> {
    let Some(rule) = placement_rule(backend, now)? else {
        bail!(
            "the plan that holds has no [placement]; publish one that has, or place by hand with `distributor place`"
        );
    };
    let working = output::working("placing");
    let filled = if dry_run {
        backend.db.read(Lane::Admin, |conn| {
            let (network, known) = (Networks::default().get(conn)?, Placements::default().get(conn)?);
            Ok::<_, DbError>(distributors::preview_fill(&known, &network.genealogy, &rule, now))
        })?
    } else {
        transact(&backend.db, |tx| {
            let filled = distributors::fill(tx, &rule, BY, now)?;
            let detail = json!({"placed": filled.placed.len(), "unplaced": filled.unplaced.len()});
            audit::record(tx, BY, "position.fill", "positions", detail, now)?;
            Ok::<_, PlaceProblem>(filled)
        })?
    };
    working.finish_and_clear();
    tell_filled(&filled, dry_run, json)
}

fn tell_filled(filled: &Filled, dry_run: bool, json: bool) -> anyhow::Result<()> {
    if json {
        let place = |v: &PlacementVersion| json!({"position": v.position, "under": v.parent, "side": v.side, "from": v.from});
        let why = |unplaced: &distributors::Unplaced| json!({"distributor": unplaced.id().as_str(), "why": unplaced.to_string()});
        return output::json(&json!({
            "applied": !dry_run,
            "placed": filled.placed.iter().map(place).collect::<Vec<_>>(),
            "unplaced": filled.unplaced.iter().map(why).collect::<Vec<_>>(),
        }));
    }
    if dry_run {
        let row = |v: &PlacementVersion| {
            let parent = v.parent.clone().unwrap_or_else(|| "top".to_owned());
            vec![v.position.clone(), parent, v.side.to_string()]
        };
        output::table(&["position", "under", "side"], &filled.placed.iter().map(row).collect::<Vec<_>>())?;
    }
    let dry = if dry_run { "Dry run, nothing changed. " } else { "" };
    output::line(format_args!("{dry}{} placed.", filled.placed.len()))?;
    if !filled.unplaced.is_empty() {
        output::note(format_args!("{} could not be placed:", filled.unplaced.len()))?;
        output::problems(&filled.unplaced)?;
    }
    Ok(())
}
