//! Functions that have no values, and so can be called in a process that has only their place.
//!
//! ```text
//!   parent                                worker
//!   ──────                                ──────
//!   F, zero-sized: its type is all        entry::<F, A, R>, compiled for this very F,
//!   offset of entry::<F, A, R> ─────────► makes F out of nothing, and a job of it
//! ```

#![expect(unsafe_code, reason = "makes values of types that have none to store")]

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::unwind::catch;

use super::parcel::{Failure, Packer, Unpacker};
use super::worker::last_words;

/// Makes the job of a function, from what it needs.
pub(super) type Entry = fn(&mut Unpacker<'_>) -> Result<Box<dyn Job>, Failure>;

/// What a worker does with items.
pub(super) trait Job {
    /// Takes one item and gives one result; `None` if there is no item.
    fn run(&mut self, items: &mut Unpacker<'_>, results: &mut Packer) -> Option<()>;
}

impl fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// Calls `f` with one item after another, each by value.
pub(super) fn call<F, A, R>(_: F) -> Entry
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    const {
        assert!(
            size_of::<F>() == 0,
            "a function for another process cannot capture anything and cannot be a function \
             pointer: put what it needs into its argument, or into the context of `map_with`"
        );
    }
    |_| {
        // SAFETY: `call` was called with a value of this type, or there were no such function; it can
        // be copied, and it has no bytes that could be wrong.
        let f = unsafe { NonNull::<F>::dangling().read() };
        Ok(Box::new(Call { f, item: PhantomData }))
    }
}

struct Call<F, A> {
    f: F,
    item: PhantomData<fn(A)>,
}

impl<F: Fn(A) -> R, A: DeserializeOwned, R: Serialize> Job for Call<F, A> {
    fn run(&mut self, items: &mut Unpacker<'_>, results: &mut Packer) -> Option<()> {
        let item = items.value::<A>()?;
        answer(item, |item| (self.f)(item), results);
        Some(())
    }
}

/// Writes what `f` makes of `item`, or why there is nothing.
fn answer<A, R: Serialize>(item: Result<A, Failure>, f: impl FnOnce(A) -> R, results: &mut Packer) {
    let written = item.and_then(|item| {
        // The result is the user's, too, and so is how it is written and dropped.
        catch(|| results.value(&f(item))).unwrap_or_else(|payload| Err(last_words(payload)))
    });
    if let Err(failure) = written {
        results.failure(&failure);
    }
}
