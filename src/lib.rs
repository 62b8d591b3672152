//! Parallel work inside an application: a pool of worker threads, and on top of it `map` and its
//! family, tasks with handles, fork-join, scopes that borrow, messages and shared state.
//!
//! *Many hands make light work.*
//!
//! # A tour
//!
//! **Do the same to many things.** [`map`] calls a closure with each item and returns the results in
//! the order of the items. There is nothing to set up: the free functions use a global pool with a
//! thread for each CPU.
//!
//! ```
//! let words = ["many", "hands", "make", "light", "work"];
//! let lengths = manyhands::map(&words, |word| word.len());
//! assert_eq!(lengths, [4, 5, 4, 5, 4]);
//! ```
//!
//! Items are whatever can be reached by index: vectors and arrays, by value, by reference or by
//! mutable reference, slices, integer ranges, and what [`source`] makes of them.
//!
//! ```
//! use manyhands::source;
//!
//! let (width, mut image) = (3, vec![0; 9]);
//! manyhands::for_each(source::chunks_mut(&mut image, width).enumerate(), |(y, row)| {
//!     for (x, pixel) in row.iter_mut().enumerate() {
//!         *pixel = 10 * y + x;
//!     }
//! });
//! assert_eq!(image, [0, 1, 2, 10, 11, 12, 20, 21, 22]);
//! ```
//!
//! **Let one item fail.** A panic in [`map`] stops the call and goes on in the caller. With
//! [`map_catch`] it costs its own item only; [`try_map`] is for closures that return a `Result`, and
//! gives the error that a loop would have met first.
//!
//! ```
//! let results = manyhands::map_catch(["7", "x"], |text| text.parse::<u32>().unwrap());
//! assert_eq!(results[0].as_ref().unwrap(), &7);
//! assert!(results[1].as_ref().unwrap_err().message().unwrap().contains("InvalidDigit"));
//!
//! let numbers = manyhands::try_map(["7", "x", "y"], |text| text.parse::<u32>().map_err(|_| text));
//! assert_eq!(numbers, Err("x"));
//! ```
//!
//! **Make one value of many.** [`map_reduce`] and [`fold`] combine by a tree that depends on the
//! number of items alone, so floats have the same bits on every machine.
//!
//! ```
//! let sum = manyhands::map_reduce(0..1000, |n| f64::from(n).sqrt(), |a, b| a + b);
//! let same = manyhands::Pool::serial().map_reduce(0..1000, |n| f64::from(n).sqrt(), |a, b| a + b);
//! assert_eq!(sum.unwrap().to_bits(), same.unwrap().to_bits());
//! ```
//!
//! **Start something and fetch it later.** [`spawn`] returns a [`TaskHandle`]: join it, await it in
//! any async runtime, ask it, cancel it.
//!
//! ```
//! let report = manyhands::spawn(|| "done".to_string());
//! assert_eq!(report.join()?, "done");
//! # Ok::<(), manyhands::TaskError>(())
//! ```
//!
//! **Divide and conquer.** [`join`] runs two closures, at the same time if a thread is free. A join
//! that nobody steals costs a few nanoseconds.
//!
//! ```
//! fn quicksort(numbers: &mut [i32]) {
//!     let Some((&mut pivot, rest)) = numbers.split_first_mut() else { return };
//!     let middle = partition(rest, pivot);
//!     numbers.swap(0, middle);
//!     let (left, right) = numbers.split_at_mut(middle);
//!     manyhands::join(|| quicksort(left), || quicksort(&mut right[1..]));
//! }
//! # fn partition(rest: &mut [i32], pivot: i32) -> usize {
//! #     let mut middle = 0;
//! #     for i in 0..rest.len() { if rest[i] < pivot { rest.swap(i, middle); middle += 1; } }
//! #     middle
//! # }
//!
//! let mut numbers = [3, 1, 2];
//! quicksort(&mut numbers);
//! assert_eq!(numbers, [1, 2, 3]);
//! ```
//!
//! **Borrow.** Tasks of a [`scope`] may use what outlives it; all have ended when it returns.
//!
//! ```
//! let text = String::from("borrowed");
//! let length = manyhands::scope(|s| s.spawn(|| text.len()).join().unwrap());
//! assert_eq!(length, 8);
//! ```
//!
//! **Let tasks talk.** [`channel`] has queues and pipes that end by themselves, [`shared`] has values
//! that many threads change. A task that waits does not hold up its pool, not even one of a single
//! thread; [`blocking`] says so of anything else that waits.
//!
//! ```
//! use manyhands::{channel, shared::Value};
//!
//! let pool = manyhands::Pool::new(1)?;
//! let (words, inbox) = channel::bounded(1);
//! let seen = Value::new(Vec::new());
//! let list = seen.clone();
//! let reader = pool.spawn(move || inbox.iter().for_each(|word| list.update(|it| it.push(word))));
//! let writer = pool.spawn(move || ["many", "hands"].into_iter().try_for_each(|it| words.send(it)));
//! seen.wait_until(|list| list.len() == 2);
//! writer.join()??;
//! reader.join()?;
//! assert_eq!(seen.get(), ["many", "hands"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Have a pool of your own.** [`Pool`] has all of these as methods, and [`PoolBuilder`] says how
//! it is to be. Inside a pool's code the free functions use that pool.
//!
//! ```
//! let pool = manyhands::Pool::builder().threads(2).name("decoder").build()?;
//! let squares = pool.limit(1).map(0..4, |n| n * n);
//! assert_eq!(squares, [0, 1, 4, 9]);
//! # Ok::<(), manyhands::BuildError>(())
//! ```
//!
//! # What you can rely on
//!
//! - **It never deadlocks on itself.** Whoever waits for a parallel call takes part in it and can
//!   finish it alone: with all workers blocked, with none at all, inside a worker, inside another
//!   pool, after a `fork`.
//! - **A wait never runs a stranger.** A thread that waits runs only pieces of what it waits for.
//!   So a lock held across a call is not taken again by another task on the same stack.
//! - **A small call stays small.** From the second call of a closure on, one that is too small to
//!   share runs as a plain loop.
//! - **Nothing is lost.** A panic, a cancellation, a shutdown comes back as a value with its cause.
//!   Results keep the order of the items, the failure reported is that of the lowest index, what is
//!   dropped is dropped once.
//!
//! # Three surprises
//!
//! - Your own thread takes part. So [`on_start`](PoolBuilder::on_start) and
//!   [`stack_size`](PoolBuilder::stack_size) do not hold for it; [`Pool::install`] runs code on a
//!   worker, and [`workers_only`](PoolBuilder::workers_only) keeps spawned tasks there.
//! - A closure that runs is not interrupted. [`TaskHandle::cancel`] is for tasks that have not begun.
//! - Dropping a [`TaskHandle`] detaches its task, which runs all the same;
//!   [`cancel_on_drop`](TaskHandle::cancel_on_drop) makes it cancel instead.

pub mod channel;
mod cpu;
mod error;
mod fork;
mod job;
mod join;
mod map;
mod memory;
mod pages;
mod pool;
#[cfg(feature = "process")]
pub mod process;
mod scheduler;
mod scope;
pub mod shared;
pub mod source;
mod sync;
mod task;
mod unwind;
mod wait;

/// The README's program is tested with the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use error::{BuildError, JoinTimeoutError, Panic, StillRunning, TaskError, TryJoinError};
pub use join::join;
pub use map::{
    filter_map, flat_map, fold, for_each, map, map_catch, map_init, map_iter, map_reduce,
    try_for_each, try_map,
};
pub use pool::{Pool, PoolBuilder, Stats, spawn};
pub use scope::{Scope, ScopedHandle, scope};
pub use task::{AsCompleted, CancelOnDrop, TaskHandle, TaskId, as_completed, join_all};
pub use wait::blocking;
