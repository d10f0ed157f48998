//! Who approves, posts and handles bank details on the terminal: an admin of the pages, known by the same password. A name that anybody can
//! type would make one person two.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use console::Term;

use crate::access::{self, Role, User, password};
use crate::cli::read_text;
use crate::db::{Db, Lane};

/// Signs in for one command.
#[derive(Args)]
pub struct Person {
    /// The e-mail address of an admin; the password is asked for, or read from a line of the standard input
    #[arg(long, value_name = "EMAIL")]
    by: String,
    /// Read the password from the first line of this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Person {
    /// The name under which the pages record what the same person does.
    pub fn sign_in(&self, db: &Db) -> anyhow::Result<String> {
        let users = db.read(Lane::Admin, access::list_users)?;
        if users.is_empty() {
            bail!(
                "there is no user yet, and this is done by an admin; add one: \
                 `upline user add ann@example.com --role admin`, and set a password with the link that it prints"
            );
        }
        let password = self.password()?;
        let email = self.by.trim().to_lowercase();
        let account = db.read(Lane::Admin, |conn| access::account(conn, &email))?;
        let stored = account.and_then(|account| account.password_hash);
        let is_known = password::matches(&password, stored.as_deref());
        match users.into_iter().find(|user| user.email == email && is_active_admin(user)) {
            Some(admin) if is_known => Ok(admin.email),
            _ => bail!(
                "{email} with this password is no active admin; `upline user list` shows who is, and \
                 `upline user link EMAIL` helps who has lost the password"
            ),
        }
    }

    /// Never an argument: those can be read by everybody on the machine.
    fn password(&self) -> anyhow::Result<String> {
        let text = match &self.password_file {
            Some(file) => read_text(file)?,
            None if std::io::stdin().is_terminal() => {
                let term = Term::stderr();
                term.write_str(&format!("Password of {}: ", self.by))?;
                term.read_secure_line()?
            }
            None => {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).context("no password could be read")?;
                line
            }
        };
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            bail!("there is no password; type it, or name a file that has it: --password-file FILE");
        }
        Ok(password.to_owned())
    }
}

fn is_active_admin(user: &User) -> bool {
    user.role == Role::Admin.name() && user.disabled_at.is_none()
}
