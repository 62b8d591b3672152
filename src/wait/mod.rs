//! Blocking a thread, and releasing it: nothing here knows what is waited for.
//!
//! A [`Parker`] blocks one thread until it gets a token. A [`Latch`] is a one-way signal from one
//! thread to one waiter, a [`Bell`] one that rings again and again. [`Sleep`] keeps account of a
//! pool's threads, and loses no wake-up. [`step_aside`] has somebody take a thread's place while it
//! blocks.

mod aside;
mod bell;
mod counts;
mod latch;
mod parker;
mod sleep;
mod sleepers;

pub use aside::blocking;
pub(crate) use aside::{StandIn, set_stand_in, step_aside, wait_for};
pub(crate) use bell::Bell;
pub(crate) use latch::{Latch, Outcome};
pub(crate) use parker::Parker;
pub(crate) use sleep::{Rise, Sleep, Urgency, Wake};
pub(crate) use sleepers::Sleeper;
