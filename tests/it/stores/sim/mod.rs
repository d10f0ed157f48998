//! A simulated shop on a real port: what is true in it ([`shop`], [`sums`]), how it lives ([`life`]), how its platform
//! tells it ([`dialect`], [`server`], [`post`]), and what goes wrong on the way ([`chaos`]).

pub mod chaos;
pub mod dialect;
pub mod life;
pub mod magento;
pub mod post;
pub mod server;
pub mod shop;
pub mod shopify;
pub mod sums;
pub mod wire;
pub mod woocommerce;

mod tests;
