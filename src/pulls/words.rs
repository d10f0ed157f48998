//! What is read, why, and how that stands: the words of the table.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::clients::WindowBy;

/// What is read from a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Orders,
    Products,
    Customers,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Orders, Self::Products, Self::Customers];

    pub fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Products => "products",
            Self::Customers => "customers",
        }
    }
}

/// Why a window is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What changed since the last time.
    Schedule,
    /// Once a day further back: what the store told late, or changed without moving its time.
    Daily,
    /// The orders of the past, asked for by a person.
    Backfill,
    /// Asked for by a person, now.
    Manual,
    /// A day was compared with what is known.
    Reconcile,
}

impl Cause {
    pub const ALL: [Self; 5] = [Self::Schedule, Self::Daily, Self::Backfill, Self::Manual, Self::Reconcile];

    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Daily => "daily",
            Self::Backfill => "backfill",
            Self::Manual => "manual",
            Self::Reconcile => "reconcile",
        }
    }

    /// Long windows do not keep what is due every few minutes waiting: they have a turn of their own, and their
    /// failures put nothing off.
    pub fn is_aside(self) -> bool {
        self == Self::Backfill
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody reads, or died reading.
    Running,
    Done,
    /// The last try ended with a problem; the next one goes on from the cursor.
    Failed,
    /// Ended on the way without a problem; the next one goes on from the cursor.
    Stopped,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Failed, Self::Stopped];

    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// `[from, to)`; without a beginning, everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub by: WindowBy,
    pub from: Option<DateTime<Utc>>,
    pub to: DateTime<Utc>,
}

pub fn window_by_name(by: WindowBy) -> &'static str {
    match by {
        WindowBy::Changed => "changed",
        WindowBy::Ordered => "ordered",
    }
}

pub fn window_by(name: &str) -> Option<WindowBy> {
    [WindowBy::Changed, WindowBy::Ordered].into_iter().find(|by| window_by_name(*by) == name)
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no word of a pull")]
pub struct UnknownWord(String);

macro_rules! word {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let known = Self::ALL.into_iter().find(|word| word.name() == text);
                known.ok_or_else(|| UnknownWord(text.to_owned()))
            }
        }
    };
}

word!(Kind);
word!(Cause);
word!(State);
