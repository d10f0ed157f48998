//! Files of an export: written aside, compared, and put in their place together.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::parquet_file::ParquetFile;
use super::problem::WarehouseProblem;
use super::values::{Column, Format, Row};

const ASIDE: &str = ".partial";

/// Where files are written until all of them are there. One export at a time works in a directory; what a killed one
/// has left is written over.
pub struct Aside {
    target: PathBuf,
    dir: PathBuf,
    /// Held as long as this lives.
    _lock: File,
}

impl Aside {
    pub fn new(target: &Path) -> Result<Self, WarehouseProblem> {
        let dir = target.join(ASIDE);
        fs::create_dir_all(&dir).map_err(WarehouseProblem::file(&dir))?;
        let path = dir.join("lock");
        let lock = File::create(&path).map_err(WarehouseProblem::file(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { target: target.to_owned(), dir, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(WarehouseProblem::Busy(target.to_owned())),
            Err(TryLockError::Error(error)) => Err(WarehouseProblem::File { path, error }),
        }
    }

    pub fn create(&self, name: &str) -> Result<Hashed, WarehouseProblem> {
        let path = self.dir.join(name);
        let file = File::create(&path).map_err(WarehouseProblem::file(&path))?;
        Ok(Hashed { file: io::BufWriter::new(file), hash: Sha256::new(), bytes: 0, path })
    }

    /// The hash of a file that stands in its place already.
    pub fn standing(&self, name: &str) -> Result<Option<String>, WarehouseProblem> {
        let path = self.target.join(name);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(WarehouseProblem::File { path, error }),
        };
        let mut hash = HashOnly(Sha256::new());
        io::copy(&mut file, &mut hash).map_err(WarehouseProblem::file(&path))?;
        Ok(Some(hex::encode(hash.0.finalize())))
    }

    /// Puts a file into its place.
    pub fn place(&self, name: &str) -> Result<(), WarehouseProblem> {
        let path = self.target.join(name);
        fs::rename(self.dir.join(name), &path).map_err(WarehouseProblem::file(&path))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.target.join(name)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What stays is written over by the next export.
        let _cleaned = fs::remove_dir_all(&self.dir);
    }
}

struct HashOnly(Sha256);

impl Write for HashOnly {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.update(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file whose hash is known when it is written.
pub struct Hashed {
    file: io::BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    path: PathBuf,
}

impl Hashed {
    /// On the disk, with its size and its hash.
    pub fn finish(mut self) -> Result<(u64, String), WarehouseProblem> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(WarehouseProblem::file(&self.path))?;
        Ok((self.bytes, hex::encode(self.hash.finalize())))
    }
}

impl Write for Hashed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hash.update(buffer.get(..written).unwrap_or(buffer));
        self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Rows on their way into a file of either format.
pub enum Sheet {
    Csv(Box<csv::Writer<Hashed>>),
    Parquet(Box<ParquetFile<Hashed>>),
}

impl Sheet {
    pub fn new(
        format: Format,
        out: Hashed,
        dataset: &str,
        schema_version: i32,
        columns: &[Column],
    ) -> Result<Self, WarehouseProblem> {
        Ok(match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(columns.iter().map(|column| &column.name)).map_err(in_csv)?;
                Self::Csv(Box::new(writer))
            }
            Format::Parquet => {
                Self::Parquet(Box::new(ParquetFile::new(out, dataset, schema_version, columns.to_vec())?))
            }
        })
    }

    pub fn add(&mut self, row: Row) -> Result<(), WarehouseProblem> {
        match self {
            Self::Csv(writer) => writer
                .write_record(row.iter().map(|cell| cell.as_deref().unwrap_or_default()))
                .map_err(in_csv),
            Self::Parquet(file) => file.add(row),
        }
    }

    pub fn finish(self) -> Result<(u64, String), WarehouseProblem> {
        match self {
            Self::Csv(writer) => writer
                .into_inner()
                .map_err(|error| WarehouseProblem::Refused(format!("CSV cannot be written: {error}")))?
                .finish(),
            Self::Parquet(file) => file.finish()?.finish(),
        }
    }
}

fn in_csv(error: csv::Error) -> WarehouseProblem {
    WarehouseProblem::Refused(format!("CSV cannot be written: {error}"))
}
