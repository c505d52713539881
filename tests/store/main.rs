//! The store's contract, on a fresh database each: real SQL, no fake.

mod faults;
mod opening;
mod pages;
mod people;
mod settling;
mod showing;
mod world;
