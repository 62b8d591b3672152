//! State that tasks and threads share: values, arrays, and what they wait at.
//!
//! Each of these is a handle: its clones are handles of the same thing, and go into tasks. Waiting
//! for one does not starve the pool: another thread takes the place of a worker that waits.
//!
//! | | |
//! |---|---|
//! | [`Value`] | anything, behind a lock; waits until it is as wanted |
//! | [`Number`] | an integer, float or bool, without a lock |
//! | [`Array`] | many values, changed one by one or a range at a time |
//! | [`Event`] | something has happened |
//! | [`Barrier`] | all are here |
//! | [`Semaphore`] | at most so many at a time |
//!
//! There are no lock guards: what is done under a lock is a closure, so that no lock outlives it. A
//! panic in such a closure leaves the value as the closure left it, unlocked, and goes on to the
//! caller; nothing is ever poisoned. A closure must not use the same value again (it panics, rather
//! than hang), nor wait for somebody who will.
//!
//! # Examples
//!
//! ```
//! use manyhands::shared::Value;
//!
//! let words = Value::new(Vec::new());
//! manyhands::for_each(["many", "hands"], |word| words.update(|words| words.push(word)));
//! assert_eq!(words.read(|words| words.len()), 2);
//! ```

mod array;
mod barrier;
mod event;
mod held;
mod lock;
mod monitor;
mod number;
mod semaphore;
mod value;

pub use array::Array;
pub use barrier::Barrier;
pub use event::Event;
pub use number::{Addable, Number, Numeric};
pub use semaphore::{Permit, Semaphore};
pub use value::Value;
