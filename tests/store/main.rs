//! The store's contract, on a fresh database each: real SQL, no fake.
//!
//! Each story runs on SQLite; `postgres` has those that are not about a file told again on PostgreSQL.

mod audit;
mod faults;
mod hands;
mod links;
mod opening;
mod pages;
mod people;
mod postgres;
mod profiles;
mod requests;
mod settling;
mod showing;
mod world;
