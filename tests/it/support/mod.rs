pub mod app;
pub mod cluster;
pub mod digest;
pub mod live;
pub mod payload;
pub mod pipeline;
pub mod server;
pub mod wait;
