//! A world in a box: a simulated Okta org and a simulated Discord, served on loopback for the demo and the tests.
//!
//! **Invariant:** the product never depends on how a simulator works inside; it talks to both over HTTP and a
//! websocket, as to the real ones. Nothing here depends on the product.

pub mod discord;
pub mod ledger;
pub mod okta;
