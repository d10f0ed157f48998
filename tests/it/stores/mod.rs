//! Whole stores, simulated: the truth of a shop, its platform's API and webhooks, and the runs that end with our
//! books equal to that truth.

mod books;
mod connected;
mod faults;
mod kit;
mod magento;
mod reading;
mod runs;
// One vocabulary for three platforms: none of them uses all of it.
#[allow(dead_code)]
pub mod sim;
mod two_ways;
mod webhooks;
mod wizard;
mod woocommerce;
