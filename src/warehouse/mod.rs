//! The warehouse: what analysts may read, as a schema of the database and as files of each closed period.
//!
//! The schema `report` is made by a migration: views, with their grain in comments, without personal data. [`grant`]
//! lets a role read it and nothing else. [`export`] writes what a closed period holds into files that are the same
//! bytes whenever they are written, with a manifest that says what is in them.

mod datasets;
mod export;
mod files;
mod grant;
mod manifest;
mod parquet_file;
mod problem;
mod repo;
mod scram;
mod sums;
mod values;

pub use export::{Asked, Exported, Wanted, export};
pub use grant::{Granted, Grants, grant};
pub use manifest::{ChainHead, FileOf, Manifest, PeriodOf, Sum};
pub use problem::WarehouseProblem;
pub use values::Format;
