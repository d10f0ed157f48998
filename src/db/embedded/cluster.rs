//! Makes the cluster once. A killed `initdb` leaves nothing half made: the directory gets its name last.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::client::SUPERUSER;
use super::error::{At, EmbeddedError};
use super::locate::Programs;
use super::place::Place;

/// Makes the cluster when there is none, and checks that the programs fit it.
pub fn ensure(programs: &Programs, place: &Place, durable: bool) -> Result<(), EmbeddedError> {
    if place.major().is_none() {
        create(programs, place, durable)?;
    }
    let path = || place.data.clone();
    let cluster = place.major().ok_or_else(|| EmbeddedError::NotACluster { path: path() })?;
    if cluster != programs.major {
        return Err(EmbeddedError::OtherMajor { path: path(), cluster, programs: programs.major });
    }
    Ok(())
}

fn create(programs: &Programs, place: &Place, durable: bool) -> Result<(), EmbeddedError> {
    let unfinished = place.home.join("data.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).at("remove", &unfinished)?;
    }
    if place.data.exists() && fs::remove_dir(&place.data).is_err() {
        return Err(EmbeddedError::NotACluster { path: place.data.clone() });
    }
    DirBuilder::new().mode(0o700).create(&unfinished).at("create", &unfinished)?;
    place.account.give(&unfinished)?;
    initdb(programs, place, &unfinished, durable)?;
    fs::rename(&unfinished, &place.data).at("name", &place.data)
}

/// No password and no host access: who may enter the socket's directory is the whole of the permission.
fn initdb(programs: &Programs, place: &Place, dir: &Path, durable: bool) -> Result<(), EmbeddedError> {
    let mut command = place.account.command(programs, "initdb");
    command.args(["-U", SUPERUSER, "--auth-local=trust", "--auth-host=reject"]);
    command.args(["-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"]);
    if !durable {
        command.arg("--no-sync");
    }
    let output = command.arg("-D").arg(dir).output().at("run initdb of", &programs.bin)?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(EmbeddedError::Initdb { output: String::from_utf8_lossy(&said).trim().to_string() })
}
