//! Finds the PostgreSQL server programs. Never fetches them: that is the work of `./start`.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::EmbeddedError;
use super::place::Place;

const OLDEST_MAJOR: u32 = 14;

/// Directories whose children are named after a major version and have a `bin`.
const VERSIONED: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/usr/local/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/upline/pgsql", ""),
];

/// A `bin` directory that works, and its version.
#[derive(Clone, Debug)]
pub struct Programs {
    pub bin: PathBuf,
    pub major: u32,
}

impl Programs {
    /// Shared libraries of a private copy lie in `libs` beside its `bin`.
    pub fn library_path(&self) -> BTreeMap<&'static str, OsString> {
        library_path(&self.bin)
    }
}

/// The programs named by the caller or the environment, else those of the cluster's own version, else
/// the newest.
pub fn programs(explicit: Option<&Path>, place: &Place) -> Result<Programs, EmbeddedError> {
    let named = explicit.map(PathBuf::from).or_else(|| env::var_os("UPLINE_PG_BIN").map(PathBuf::from));
    if let Some(bin) = named {
        return probe(&bin).map_err(|problem| EmbeddedError::UnusablePrograms { path: bin, problem });
    }
    let candidates = candidates(&place.home);
    let mut found: Vec<Programs> = candidates.iter().filter_map(|bin| probe(bin).ok()).collect();
    found.sort_by_key(|programs| programs.major);
    let fitting = place.major().and_then(|major| found.iter().rposition(|p| p.major == major));
    let newest = found.len().checked_sub(1);
    fitting.or(newest).map(|index| found.swap_remove(index)).ok_or_else(|| EmbeddedError::NoPrograms {
        looked_in: candidates.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "),
    })
}

/// A client program such as `pg_dump`, of the newest version there is, and the environment that it needs. A newer one
/// reads an older server, not the other way round.
pub fn client_programs(
    explicit: Option<&Path>,
    name: &str,
) -> Option<(PathBuf, BTreeMap<&'static str, OsString>)> {
    let named = explicit.map(PathBuf::from).or_else(|| env::var_os("UPLINE_PG_BIN").map(PathBuf::from));
    let path = env::var_os("PATH").unwrap_or_default();
    let nowhere = Path::new("/nonexistent");
    let bins = named.into_iter().chain(candidates(nowhere)).chain(env::split_paths(&path));
    let newest =
        bins.filter_map(|bin| Some((version(&bin, name).ok()?, bin))).max_by_key(|(major, _)| *major);
    newest.map(|(_, bin)| (bin.join(name), library_path(&bin)))
}

fn candidates(home: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (base, prefix) in VERSIONED {
        found.extend(children(Path::new(base)).filter(|child| is_versioned(child, prefix)));
    }
    found.extend(children(&home.join("pgsql")));
    if let Some(checkout) = checkout() {
        found.extend(children(&checkout.join("var/pgsql")));
    }
    let mut bins: Vec<PathBuf> = found.into_iter().map(|dir| dir.join("bin")).collect();
    let path = env::var_os("PATH").unwrap_or_default();
    let real = env::split_paths(&path).filter_map(|dir| fs::canonicalize(dir.join("postgres")).ok());
    bins.extend(real.filter_map(|program| program.parent().map(PathBuf::from)));
    bins
}

fn children(dir: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn is_versioned(dir: &Path, prefix: &str) -> bool {
    let name = dir.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.strip_prefix(prefix)).is_some_and(|rest| rest.parse::<u32>().is_ok())
}

/// The checkout this program was built in, for the private copy that `./start` puts there.
fn checkout() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let target = program.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == "target"))?;
    target.parent().map(PathBuf::from)
}

/// A copy that misses a program or a library, or is too old, is no candidate.
fn probe(bin: &Path) -> Result<Programs, String> {
    version(bin, "initdb")?;
    match version(bin, "postgres")? {
        major if major >= OLDEST_MAJOR => Ok(Programs { bin: bin.into(), major }),
        major => Err(format!("it is version {major}")),
    }
}

fn version(bin: &Path, name: &str) -> Result<u32, String> {
    let output = Command::new(bin.join(name)).arg("--version").envs(library_path(bin)).output();
    let output = output.map_err(|error| format!("`{name}` does not run: {error}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    major_of(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| format!("`{name} --version` fails: {}", complaint.trim()))
}

fn library_path(bin: &Path) -> BTreeMap<&'static str, OsString> {
    let own = bin.parent().map(|dir| dir.join("libs")).filter(|libs| libs.is_dir());
    let given = env::var_os("LD_LIBRARY_PATH").filter(|paths| !paths.is_empty());
    let given: Vec<PathBuf> = given.iter().flat_map(env::split_paths).collect();
    let all = env::join_paths(own.into_iter().chain(given)).unwrap_or_default();
    if all.is_empty() { BTreeMap::new() } else { BTreeMap::from([("LD_LIBRARY_PATH", all)]) }
}

/// `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)` is 15; `postgres (PostgreSQL) 18beta1` is 18.
fn major_of(version: &str) -> Option<u32> {
    version.split_whitespace().find_map(|word| {
        let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        word.get(..end)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("command not found"), None);
    }

    #[test]
    fn a_directory_without_programs_is_refused_with_its_reason() {
        let problem = probe(Path::new("/nowhere")).expect_err("there is nothing");
        assert!(problem.starts_with("`initdb` does not run"), "{problem}");
    }

    #[test]
    fn only_numbered_directories_count() {
        assert!(is_versioned(Path::new("/usr/pgsql-16"), "pgsql-"));
        assert!(!is_versioned(Path::new("/usr/local"), "pgsql-"));
        assert!(!is_versioned(Path::new("/usr/lib/postgresql/common"), ""));
    }
}
