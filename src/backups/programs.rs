//! Calls PostgreSQL's own programs.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{BackupProblem, archive, file};
use crate::db::embedded::client_programs;

/// Writes everything to a file in PostgreSQL's own compressed format.
pub fn dump(bin: Option<&Path>, url: &str, to: &Path) -> Result<(), BackupProblem> {
    // Made by us before, so that nobody else may read it.
    archive::private(to).map_err(file(to))?;
    let mut command = command(bin, "pg_dump")?;
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(to);
    run("pg_dump", command, url)
}

/// Fills an empty database; the first thing that does not fit ends it.
pub fn fill(bin: Option<&Path>, url: &str, from: &Path) -> Result<(), BackupProblem> {
    let mut command = command(bin, "pg_restore")?;
    command.args(["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]).arg(from);
    run("pg_restore", command, url)
}

fn command(bin: Option<&Path>, name: &'static str) -> Result<Command, BackupProblem> {
    let (path, environment) = client_programs(bin, name).ok_or(BackupProblem::NoProgram(name))?;
    let mut command = Command::new(path);
    command.envs(environment).stdin(Stdio::null());
    Ok(command)
}

fn run(program: &'static str, mut command: Command, url: &str) -> Result<(), BackupProblem> {
    let failed = |said: String| BackupProblem::Failed { program, said };
    let url = crate::db::without_password(url).map_err(failed)?;
    if let Some(password) = &url.password {
        command.env("PGPASSWORD", password);
    }
    let Output { status, stderr, .. } =
        command.arg("--dbname").arg(&url.address).output().map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr);
    Err(failed(said.lines().take(5).collect::<Vec<_>>().join("; ")))
}
