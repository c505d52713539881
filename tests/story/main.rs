//! Stories: what was, what happens, what is now; told over both simulators' HTTP, asserting the words and the state.
//!
//! The passes are called by hand and the clock is the simulators', so an hour passes in a line.

mod alerts;
mod commands;
mod faults;
mod healing;
mod restarts;
mod world;
