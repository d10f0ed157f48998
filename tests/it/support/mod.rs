pub mod cluster;
pub mod digest;
pub mod pipeline;
pub mod wait;
