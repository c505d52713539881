//! Okta over HTTP.

mod lenient;
mod targets;
pub mod wire;
