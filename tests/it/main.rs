//! One integration binary: it is linked once, and its tests share one PostgreSQL cluster.

mod embedded;
mod pipeline;
mod support;
