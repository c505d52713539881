//! The store's contract, on a fresh database each: real SQL, no fake.

mod audit;
mod faults;
mod opening;
mod pages;
mod people;
mod requests;
mod settling;
mod showing;
mod world;
