//! The crate from outside, as its users see it.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests, too")]

mod api;
mod bad_input;
mod beside;
mod channels;
mod compile_fail;
mod crowds;
mod joins;
mod pools;
mod processes;
mod promises;
mod scopes;
mod shared;
mod shutdown;
mod support;
mod sweeps;
mod tasks;
