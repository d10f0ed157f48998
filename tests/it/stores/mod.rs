//! Whole stores, simulated: the truth of a shop, its platform's API and webhooks, and the runs that end with our
//! books equal to that truth.

// One vocabulary for three platforms: none of them uses all of it.
#[allow(dead_code)]
mod sim;
