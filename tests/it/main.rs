//! One integration binary: it is linked once, and its tests share one PostgreSQL cluster.

// A test that cannot go on has failed, in its helpers too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

mod any_order;
mod chaos;
mod demo;
mod embedded;
mod pipeline;
mod proof;
mod support;
mod tidy;
