//! One integration binary: it is linked once, and its tests share one PostgreSQL cluster.

mod any_order;
mod chaos;
mod embedded;
mod pipeline;
mod proof;
mod support;
mod tidy;
