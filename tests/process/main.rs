//! Worker processes from outside, as users see them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests, too")]

mod channels;
mod faults;
mod fork;
mod lives;
mod support;
