//! Provost: finds Okta provisioning failures, tells the people who can mend them, and proves the cure.
//!
//! This crate is everything that touches the world; what is true lives in `domain`, what is said in `commands`.

pub mod clock;
pub mod config;
pub mod discord;
pub mod okta;
pub mod store;
pub mod tls;
