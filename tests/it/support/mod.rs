

pub mod app;
pub mod cluster;
pub mod desk;
pub mod digest;
pub mod encode;
pub mod facts;
pub mod hosted;
pub mod live;
pub mod payload;
pub mod pipeline;
pub mod server;
pub mod wait;
