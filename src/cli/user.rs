//! `upline user`: people who sign in to the admin pages.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, Outcome, output, transact};
use crate::access::{self, AccessProblem, Role, User};
use crate::app::{Backend, Opening};
use crate::db::Lane;

/// People who sign in to the admin pages
#[derive(Args)]
pub struct UserCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add somebody and print a link that signs in once, valid for a day
    #[command(after_help = "Example:\n  upline user add ann@example.com --role operator")]
    Add {
        email: String,
        #[arg(long, value_parser = parse_role, help = "viewer, finance-prepare, finance-approve, operator or admin")]
        role: Role,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print another link for somebody who has lost the password
    #[command(after_help = "Example:\n  upline user link ann@example.com")]
    Link {
        email: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End an account and everything that is signed in with it
    #[command(after_help = "Example:\n  upline user disable ann@example.com")]
    Disable { email: String },
    /// Everybody
    #[command(after_help = "Example:\n  upline user list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

fn parse_role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.map(Role::name).join(", ");
    Role::parse(text).ok_or_else(|| format!("{text:?} is no role; use one of {known}"))
}

impl UserCommand {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let base = global.settings(None)?.public_base();
        global.with_backend(Opening::Ready, |backend, clock| {
            let now = clock.now();
            match self.action {
                Action::Add { email, role, json } => {
                    let secret = transact(&backend.db, |tx| {
                        access::add_user(tx, &email, role, "console", now)?;
                        access::login_link(tx, &email, now)
                    })?;
                    tell_link(&email, &base, &secret, json)?;
                }
                Action::Link { email, json } => {
                    let secret = transact(&backend.db, |tx| access::login_link(tx, &email, now))?;
                    tell_link(&email, &base, &secret, json)?;
                }
                Action::Disable { email } => {
                    transact(&backend.db, |tx| access::disable_user(tx, &email, "console", now))
                        .map_err(|problem: AccessProblem| problem)?;
                    output::line(format_args!("{email} is disabled and signed out."))?;
                }
                Action::List { json } => list(backend, json)?,
            }
            Ok(Outcome::Done)
        })
    }
}

fn tell_link(email: &str, base: &str, secret: &str, json: bool) -> anyhow::Result<()> {
    let link = format!("{base}/login/once?token={secret}");
    if json { output::json(&json!({"email": email, "login_url": link})) } else { Ok(output::line(link)?) }
}

fn list(backend: &Backend, json: bool) -> anyhow::Result<()> {
    let users = backend.db.read(Lane::Admin, access::list_users)?;
    if json {
        let as_json = |user: &User| {
            json!({"email": user.email, "role": user.role, "has_password": user.has_password,
                   "created_at": user.created_at, "disabled_at": user.disabled_at})
        };
        return output::json(&users.iter().map(as_json).collect::<Vec<_>>());
    }
    let row = |user: &User| {
        let state = match (user.disabled_at, user.has_password) {
            (Some(_), _) => "disabled",
            (None, true) => "active",
            (None, false) => "has no password yet",
        };
        vec![user.email.clone(), user.role.clone(), state.to_owned()]
    };
    Ok(output::table(&["email", "role", "state"], &users.iter().map(row).collect::<Vec<_>>())?)
}
