//! Heads that were given out: once written down elsewhere, nobody can write the chain anew unseen.
//!
//! The table has all of them; the file `heads.jsonl` in the data directory follows the table and is meant to be
//! copied to where the database's administrator has no hand.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::repo::{self, Head};
use crate::db::{Db, DbError, Lane, Tx};

/// A head, when and why it was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenHead {
    /// Grows; there may be gaps.
    pub no: i64,
    pub seq: i64,
    /// 64 hexadecimal digits.
    pub hash: String,
    /// `day 2026-11-22`, `run <id>`, `payout <id>`
    pub cause: String,
    pub at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum HeadProblem {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the file of heads {0} cannot be read or written")]
    File(PathBuf, #[source] io::Error),
    #[error("line {line} of {file} is no head: {message}", file = file.display())]
    Line { file: PathBuf, line: usize, message: String },
}

/// Where the file is, of a data directory.
pub fn heads_file(data_dir: &Path) -> PathBuf {
    data_dir.join("heads.jsonl")
}

/// Gives out the head as it is, once for a cause. `None` while nothing is chained. The caller sees to it that what the
/// cause has posted is chained: [`super::catch_up`].
pub fn give_head(tx: &mut Tx<'_>, cause: &str, now: DateTime<Utc>) -> Result<Option<Head>, DbError> {
    let Some(head) = repo::head(tx.conn)? else { return Ok(None) };
    repo::heads::insert(tx.conn, cause, now)?;
    Ok(Some(head))
}

/// Gives out what is due: one for the day, one for every posted run and every exported payout that has none.
pub fn give_due(db: &Db, now: DateTime<Utc>) -> Result<(), DbError> {
    let day = format!("day {}", now.date_naive());
    let runs: Vec<Uuid> = db.read(Lane::Pipeline, repo::heads::runs_without)?;
    let payouts = db.read(Lane::Pipeline, repo::heads::payouts_without)?;
    let is_new = db.read(Lane::Pipeline, |conn| repo::heads::is_due(conn, &day))?;
    if runs.is_empty() && payouts.is_empty() && !is_new {
        return Ok(());
    }
    db.transact(Lane::Pipeline, |tx| {
        for run in &runs {
            give_head(tx, &format!("run {run}"), now)?;
        }
        for payout in &payouts {
            give_head(tx, payout, now)?;
        }
        if is_new {
            give_head(tx, &day, now)?;
        }
        Ok(())
    })
}

/// Adds to the file what the table has and the file has not.
pub fn write_file(db: &Db, data_dir: &Path) -> Result<(), HeadProblem> {
    let path = heads_file(data_dir);
    let failed = |error| HeadProblem::File(path.clone(), error);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(&path).map_err(failed)?;
    // A command beside a server writes the same file.
    file.lock().map_err(failed)?;
    let last = last_no(&mut file).map_err(failed)?;
    let heads = db.read(Lane::Pipeline, |conn| repo::heads::after(conn, last))?;
    if heads.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for head in &heads {
        let line = serde_json::to_string(head).map_err(|error| failed(error.into()))?;
        text.push_str(&line);
        text.push('\n');
    }
    file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
}

/// Of the last whole line; a line that the end of a process tore is given another end, so that the next one is whole.
fn last_no(file: &mut File) -> io::Result<i64> {
    file.seek(SeekFrom::Start(0))?;
    let mut last = 0;
    let mut torn = false;
    for line in BufReader::new(&*file).split(b'\n') {
        let line = line?;
        match serde_json::from_slice::<GivenHead>(&line) {
            Ok(head) => (last, torn) = (head.no, false),
            Err(_) => torn = !line.is_empty(),
        }
    }
    if torn {
        file.write_all(b"\n")?;
    }
    Ok(last)
}

/// The heads of a file, as they were given out.
pub fn read_file(path: &Path) -> Result<Vec<GivenHead>, HeadProblem> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Err(HeadProblem::File(path.to_owned(), error)),
    };
    let mut heads = vec![];
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| HeadProblem::File(path.to_owned(), error))?;
        // Torn off when a process ended; what it should have said was written again behind it.
        if !line.trim_end().ends_with('}') {
            continue;
        }
        heads.push(serde_json::from_str(&line).map_err(|error| HeadProblem::Line {
            file: path.to_owned(),
            line: number.saturating_add(1),
            message: error.to_string(),
        })?);
    }
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_no_head_and_spoils_none() {
        let dir = std::env::temp_dir().join(format!("upline-heads-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = heads_file(&dir);
        let head = |no| GivenHead {
            no,
            seq: no * 10,
            hash: "ab".into(),
            cause: format!("day {no}"),
            at: "2026-11-22T00:00:00.000001Z".parse().unwrap(),
        };
        let line = |no| serde_json::to_string(&head(no)).unwrap();
        std::fs::write(&path, format!("{}\n{}", line(1), &line(2)[..20])).unwrap();
        let mut file = OpenOptions::new().read(true).append(true).open(&path).unwrap();
        assert_eq!(last_no(&mut file).unwrap(), 1);
        file.write_all(format!("{}\n", line(2)).as_bytes()).unwrap();
        assert_eq!(read_file(&path).unwrap(), [head(1), head(2)]);
        assert_eq!(last_no(&mut file).unwrap(), 2);
        std::fs::write(&path, "{\"no\": 1}\n").unwrap();
        assert!(read_file(&path).is_err(), "a whole line that is no head");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
