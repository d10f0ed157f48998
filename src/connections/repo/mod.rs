//! SQL of connections and their webhooks.

mod connections;
mod heard;
mod webhooks;

pub use connections::*;
pub use heard::*;
pub use webhooks::*;
