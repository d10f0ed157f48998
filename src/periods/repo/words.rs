//! The words of periods and runs, as they are stored and shown.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Text;

/// A stored word that this program does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a known word of periods")]
pub struct UnknownWord(String);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, FromSqlRow)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == name)
            }
        }

        impl FromSql<Text, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let name = <String as FromSql<Text, Pg>>::from_sql(value)?;
                Ok(Self::parse(&name).ok_or(UnknownWord(name))?)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

words!(
    /// How far a period's life has come.
    Status {
        Open = "open",
        /// Orders that are told from now on count in the next period.
        SoftClosed = "soft_closed",
        /// What the official run is calculated from is fixed.
        Frozen = "frozen",
        /// Its run is posted.
        Closed = "closed",
    }
);

words!(
    RunKind {
        Official = "official",
        /// For looking at; never posted.
        Unofficial = "unofficial",
        /// What later facts change of closed periods, posted into an open one.
        Adjustment = "adjustment",
    }
);

words!(
    RunStatus {
        Queued = "queued",
        Running = "running",
        /// Calculated; a person has to look.
        Review = "review",
        Approved = "approved",
        Posted = "posted",
        Discarded = "discarded",
        Failed = "failed",
    }
);

words!(
    /// What a running run does.
    RunStage {
        Loading = "loading",
        Calculating = "calculating",
        Writing = "writing",
    }
);

impl Status {
    /// Whether the freeze is behind it.
    pub fn is_frozen(self) -> bool {
        matches!(self, Self::Frozen | Self::Closed)
    }

    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SoftClosed => "softly closed",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }
}

impl RunStatus {
    /// Whether it can still become posted.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Review | Self::Approved)
    }
}
