//! `provost demo` from outside: who gets in, what they see, what they can do, and what is left when it ends.

mod browser;
mod page;
mod program;
