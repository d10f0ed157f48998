pub mod cluster;
pub mod digest;
pub mod pipeline;
pub mod server;
pub mod wait;
