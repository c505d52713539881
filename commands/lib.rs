//! What is said.
pub mod chat;
pub mod spec;
