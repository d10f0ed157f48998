//! What surrounds every page: who is signed in, where we are, what waits for a person.

use super::assets;
use super::format::{Tone, When};

#[derive(Clone, Debug, Default)]
pub struct Shell {
    pub user: String,
    pub role: String,
    /// Echoed by every form that changes something.
    pub csrf: String,
    pub theme: Theme,
    pub nav: &'static str,
    /// Path and query of this page, to come back to.
    pub here: String,
    pub flash: Option<Flash>,
    pub badges: Badges,
    pub search: String,
    /// `None`: the ledger was never verified.
    pub verified: Option<LastVerified>,
}

/// What the last `upline verify` came to.
#[derive(Clone, Debug)]
pub struct LastVerified {
    pub at: When,
    pub ok: bool,
}

impl Shell {
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    pub fn is_at(&self, nav: &str) -> bool {
        self.nav == nav
    }

    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// One sentence about what the last form did, shown once.
#[derive(Clone, Debug)]
pub struct Flash {
    pub tone: Tone,
    pub text: String,
}

/// What waits, as text (`12`, `1,000+`); empty when nothing does.
#[derive(Clone, Debug, Default)]
pub struct Badges {
    pub held: String,
    pub unmapped: String,
    pub parked: String,
    pub notices: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the reader's system says.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub fn parse(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    pub fn name(self) -> &'static str {
        self.attribute().unwrap_or("auto")
    }

    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    pub fn is(self, name: &str) -> bool {
        self.name() == name
    }
}
