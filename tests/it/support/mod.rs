pub mod cluster;
pub mod payload;
pub mod pipeline;
pub mod wait;
