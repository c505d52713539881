//! Stories: what was, what happens, what is now; told over both simulators' HTTP, asserting the words and the state.
//!
//! Whatever is asked and answered in them is held against the official documents at their end. The passes are called by hand and the clock is the simulators', so an hour passes in a line.

mod alerts;
mod approvals;
mod approving;
mod audit_channel;
mod auditing;
mod breaking_glass;
mod channels;
mod clocks;
mod commands;
mod deciding;
#[path = "../documents/mod.rs"]
mod documents;
mod drafts;
mod enabling;
mod ending;
mod faults;
mod fixing;
mod forbidden;
mod guided;
mod half_done;
mod hands;
mod healing;
mod ladder;
mod linking;
mod lost_cards;
mod naming;
mod pausing;
mod reassigning;
mod restarts;
mod retrying;
mod retyping;
mod retyping_each;
mod rights;
mod service_app;
mod sessions;
mod showing;
mod stopping;
mod thronging;
mod unclear;
mod unrecorded;
mod world;
