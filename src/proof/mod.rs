//! Proof: that nothing posted was touched, that everything posted follows from what the stores sent, and why
//! any single cent is what it is. Reads only; never repairs.

mod chain;
mod circles;
mod digest;
mod explain;
mod explain_run;
mod export;
mod offline;
mod replay;
mod repo;
mod verify;

pub use crate::periods::RunDifference;
pub use digest::Digest;
pub use explain::{Explanation, explain};
pub use explain_run::{AwardTold, RunExplanation, SourceTold, Trace, explain_run};
pub use export::{ExportProblem, Exported, export};
pub use offline::{OfflineProblem, VerifiedFile, verify_file};
pub use replay::{Difference, Replayed, replay};
pub use verify::{Problem, Verified, verify};
