//! The whole program at work: both simulators on loopback, a real websocket, a store in a file, people who type and
//! click. What must survive a kill runs as the real binary.
//!
//! Nothing here sleeps but to wait for something, with a time limit.

#[path = "../documents/mod.rs"]
mod documents;

mod answering;
mod deciding;
mod elsewhere;
mod gateway;
mod hands;
mod killing;
mod linking;
mod program;
mod reassigning;
mod refusing;
mod remediating;
mod secrets;
mod settling;
mod starting;
mod stopping;
mod ticking;
mod watching;
mod world;
