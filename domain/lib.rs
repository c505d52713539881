//! What is true: events, causes, incidents, verdicts.
//!
//! **Invariant:** no I/O, no platform, no clock of its own. Nothing here derives `Serialize` or a database trait:
//! JSON and rows have types of their own at the adapters' edge. (`Deserialize` is used for `causes.toml` alone.)

pub mod assignment;
pub mod audit;
pub mod casebook;
pub mod cause;
pub mod diagnosis;
pub mod event;
pub mod facts;
pub mod ids;
pub mod incident;
pub mod links;
pub mod notice;
pub mod ports;
pub mod request;
pub mod requests;
pub mod review;
pub mod store;
