//! Sweeps: one parallel pass over a source, in many forms.
//!
//! ```text
//!   source   ████████████████████░░░░░░░░░░░░░░░░░░░░
//!                      ▲         ▲
//!            claimed,  │         └─ cursor: participants claim ascending ranges
//!            in work ──┘
//! ```
//!
//! A [`sweep`] has a [`cursor`] and as many participants as the pool has threads to spare, the
//! caller first. Each claims a range, works it off, and claims the next, until there is none; how
//! much at a time is a matter of the clock ([`pace`]), whom to wake for it one of what the same
//! closure cost last time ([`memory`](crate::memory)). What becomes of an item is the verb's own
//! ([`sweep::Body`]): `collect`, `each`, `gather`, `reduce`, `find`.

mod collect;
mod cursor;
mod each;
mod failure;
mod find;
mod free;
mod gather;
mod iterate;
mod pace;
mod reduce;
mod sweep;
mod tree;

pub use free::{
    filter_map, flat_map, fold, for_each, map, map_catch, map_init, map_iter, map_reduce,
    try_for_each, try_map,
};
