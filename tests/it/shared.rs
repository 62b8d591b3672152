//! Shared state.

mod arrays;
mod numbers;
mod signals;
mod values;
