//! The Okta client against servers that behave as Okta does on its worse days.

#[path = "../documents/mod.rs"]
mod documents;
mod fake;
mod faults;
mod limits;
mod pages;
mod refusals;
mod secrets;
mod service_app;
mod users;
mod writes;
