//! The crate from outside, as its users see it.

mod api;
mod support;
