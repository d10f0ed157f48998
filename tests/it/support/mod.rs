pub mod cluster;
pub mod wait;
