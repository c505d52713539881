//! `provost scan`: what an org's log says about provisioning, without a bot.
//!
//! [`entries`] reads an export and [`live`] an org; [`tally`] keeps what matters of it; [`report`] says what that
//! amounts to; [`table`], [`json`] and [`csv`] print it.

pub mod csv;
pub mod entries;
pub mod json;
pub mod live;
mod proofs;
mod recent;
pub mod report;
pub mod table;
pub mod tally;

#[cfg(test)]
mod tests;
