//! The sample company: what `upline demo`, the crash test and the benchmark feed to the real endpoints.
//!
//! Everything up to [`stream()`] is pure and depends on its arguments alone: the same seed, count and `now`
//! give the same bytes, so two runs can be compared by their digests. Nothing in here ever writes an order,
//! a commission or a ledger entry: deliveries go in through the webhook endpoints like anybody's.
//!
//! Read in this order: [`company`], [`catalogue`], [`sample`], [`story`], [`stream`](mod@stream), [`payload`].

pub mod catalogue;
pub mod company;
mod draw;
pub mod histogram;
pub mod json;
pub mod payload;
mod people;
mod play;
pub mod repo;
pub mod sample;
pub mod send;
mod set_up;
pub mod story;
pub mod stream;
mod summary;

pub use company::Company;
pub use draw::{EXAMPLES, Example};
pub use play::{Demo, DemoProblem, wait_until_done};
pub use set_up::{SetUpProblem, set_up};
pub use stream::{DemoDelivery, stream};
pub use summary::Summary;
