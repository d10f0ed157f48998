//! What is wrong with a placement tree, each with its remedy.

use chrono::{DateTime, Utc};

use crate::core::ids::DistributorId;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacementProblem {
    #[error("a position has an empty id; every position needs one")]
    EmptyId,
    #[error("position {position} has no owner; name the distributor who owns it")]
    NoOwner { position: String },
    #[error("position {position} is owned by {owner}, who is not known; import {owner} or correct the owner")]
    UnknownOwner { position: String, owner: DistributorId },
    #[error(
        "position {position} is under {parent}, which is not there; place {parent} too or correct the parent"
    )]
    UnknownParent { position: String, parent: String },
    #[error("position {position} is under itself; leave the parent empty for the top of a tree")]
    OwnParent { position: String },
    #[error(
        "position {position} is under {parent}{}, but {parent} is there only from {begins} on; place {position} from then on",
        since(.at)
    )]
    ParentLater { position: String, parent: String, at: Option<DateTime<Utc>>, begins: String },
    #[error("the positions go round in a circle{}: {}; correct the parent of one of them", since(.at), circle(.members))]
    Cycle { at: Option<DateTime<Utc>>, members: Vec<String> },
    #[error(
        "positions {first} and {second} are both at place {side} under {parent}{}; choose a free place (0 is the first, left in a binary)",
        since(.at)
    )]
    Taken { parent: String, side: u16, first: String, second: String, at: Option<DateTime<Utc>> },
    #[error(
        "position {position} is at place {side} under {parent}, but the plan has {width} places under a position; use 0 to {}",
        .width.saturating_sub(1)
    )]
    BeyondWidth { position: String, parent: String, side: u16, width: u16 },
    #[error(
        "position {position} would be {depth} levels below the top{}, but the plan's matrix has {most}; choose a place further up",
        since(.at)
    )]
    BeyondDepth { position: String, depth: u32, most: u16, at: Option<DateTime<Utc>> },
    #[error("position {position} has two versions{}; keep one", since(.from))]
    Duplicate { position: String, from: Option<DateTime<Utc>> },
    #[error("there are more positions or versions than a tree can hold")]
    TooMany,
}

impl PlacementProblem {
    /// The positions that it is about.
    pub fn positions(&self) -> Vec<&str> {
        match self {
            Self::NoOwner { position }
            | Self::UnknownOwner { position, .. }
            | Self::UnknownParent { position, .. }
            | Self::OwnParent { position }
            | Self::ParentLater { position, .. }
            | Self::BeyondWidth { position, .. }
            | Self::BeyondDepth { position, .. }
            | Self::Duplicate { position, .. } => vec![position],
            Self::Taken { first, second, .. } => vec![second, first],
            Self::Cycle { members, .. } => members.iter().map(String::as_str).collect(),
            Self::EmptyId | Self::TooMany => vec![],
        }
    }
}

fn since(at: &Option<DateTime<Utc>>) -> String {
    at.map(|at| format!(" from {}", at.to_rfc3339())).unwrap_or_default()
}

fn circle(members: &[String]) -> String {
    let names: Vec<&str> = members.iter().chain(members.first()).map(String::as_str).collect();
    names.join(" -> ")
}
