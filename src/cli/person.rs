//! Who does something on the terminal. What needs a second person needs an admin of the pages, known by the same
//! password: a name that anybody can type would make one person two.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use console::Term;

use crate::access::{self, Role, password};
use crate::db::{Db, Lane};

use super::read_text;

/// Who does it, and how it is told.
#[derive(Args)]
pub struct By {
    /// Who does this; recorded as console:NAME [default: the name of the system's user]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl By {
    /// Nobody who signs in has such a name, so that nobody is taken for somebody else.
    pub fn name(&self) -> String {
        let user = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let named = self.by.clone().or_else(user).map(|name| name.trim().to_owned());
        match named.filter(|name| !name.is_empty()) {
            Some(name) => format!("console:{name}"),
            None => "console".to_owned(),
        }
    }
}

/// Signs in for one command.
#[derive(Args)]
pub struct Person {
    /// The e-mail address that you sign in to the pages with; the password is asked for, or read from a line of the standard input
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
    /// For a command that asks for somebody only sometimes.
    pub fn named(email: &str, password_file: Option<PathBuf>, json: bool) -> Self {
        Self { by: email.to_owned(), password_file, json }
    }

    /// The name under which the pages record what the same admin does.
    pub fn sign_in(&self, db: &Db) -> anyhow::Result<String> {
        Ok(self.sign_in_as(db, "admin", |role| role == Role::Admin)?.0)
    }

    /// Somebody whose role `may`; `who` names those that do.
    pub fn sign_in_as(
        &self,
        db: &Db,
        who: &str,
        may: impl Fn(Role) -> bool,
    ) -> anyhow::Result<(String, Role)> {
        let users = db.read(Lane::Admin, access::list_users)?;
        if users.is_empty() {
            bail!(
                "there is no user yet, and this is done by an {who}; add one: `upline user add ann@example.com --role \
                 admin`, and set a password with the link that it prints"
            );
        }
        let password = self.password()?;
        let email = self.by.trim().to_lowercase();
        let account = db.read(Lane::Admin, |conn| access::account(conn, &email))?;
        let stored = account.and_then(|account| account.password_hash);
        let is_known = password::matches(&password, stored.as_deref());
        let found = users.into_iter().find(|user| user.email == email && user.disabled_at.is_none());
        let role = found.as_ref().and_then(|user| Role::parse(&user.role)).filter(|role| may(*role));
        match found.zip(role) {
            Some((user, role)) if is_known => Ok((user.email, role)),
            _ => bail!(
                "{email} with this password is no active {who}; `upline user list` shows who is, and \
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
