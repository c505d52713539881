//! Provost: finds Okta provisioning failures, tells the people who can mend them, and proves the cure.
//!
//! This crate is everything that touches the world; what is true lives in `domain`, what is said in `commands`.

pub mod app;
pub mod board;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod discord;
pub mod doctor;
pub mod every;
pub mod executor;
pub mod health;
pub mod http;
pub mod metrics;
pub mod okta;
pub mod plain;
pub mod scan;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod waker;
pub mod watcher;
