//! Files that travel with a value.
//!
//! Some values stand for something that is open: the end of a channel, a piece of shared memory.
//! Such a value is encoded as the place that its file has among those that travel with the message.
//! serde knows of no such company, so the files wait beside the thread while it encodes or decodes.
//!
//! ```text
//!   sender                                 receiver
//!   ──────                                 ────────
//!   pack(|| encode(value))                 unpack(files, || decode(bytes))
//!     serialize: stow(file) -> place         deserialize: fetch(place) -> file
//!   sends bytes and files                  files nobody has fetched are closed
//! ```

use std::cell::RefCell;

use super::sys::OpenFile;

thread_local! {
    /// What the value that this thread encodes or decodes has with it, if it does.
    static LUGGAGE: RefCell<Option<Vec<Option<OpenFile>>>> = const { RefCell::new(None) };
}

/// No value is under way that the file could travel with, or could have come with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LuggageError {
    /// Encoded by something else than a message.
    #[error("this can be sent to other processes by arguments, results and messages only")]
    NotTravelling,
    /// The message names a file that did not come with it.
    #[error("the message has no file of that number")]
    Missing,
}

/// Runs `encode`; returns what it returned, and the files that were stowed meanwhile.
pub(super) fn pack<R>(encode: impl FnOnce() -> R) -> (R, Vec<OpenFile>) {
    let (result, files) = travelling(Vec::new(), encode);
    (result, files.into_iter().flatten().collect())
}

/// Runs `decode`, which may fetch each of `files` once. The others are closed.
pub(super) fn unpack<R>(files: Vec<OpenFile>, decode: impl FnOnce() -> R) -> R {
    travelling(files.into_iter().map(Some).collect(), decode).0
}

/// Adds a file to the value that this thread encodes; returns its place.
pub(super) fn stow(file: OpenFile) -> Result<u32, LuggageError> {
    LUGGAGE.with_borrow_mut(|luggage| {
        let files = luggage.as_mut().ok_or(LuggageError::NotTravelling)?;
        files.push(Some(file));
        Ok((files.len() - 1) as u32)
    })
}

/// Takes a file of the value that this thread decodes.
pub(super) fn fetch(place: u32) -> Result<OpenFile, LuggageError> {
    LUGGAGE.with_borrow_mut(|luggage| {
        let files = luggage.as_mut().ok_or(LuggageError::NotTravelling)?;
        files.get_mut(place as usize).and_then(Option::take).ok_or(LuggageError::Missing)
    })
}

/// Runs `f` with `files` beside this thread; returns those that are there afterwards. What was there
/// before, of a value that this one is a part of, comes back even if `f` panics.
fn travelling<R>(
    files: Vec<Option<OpenFile>>,
    f: impl FnOnce() -> R,
) -> (R, Vec<Option<OpenFile>>) {
    struct Outer(Option<Vec<Option<OpenFile>>>);

    impl Drop for Outer {
        fn drop(&mut self) {
            LUGGAGE.set(self.0.take());
        }
    }

    let _outer = Outer(LUGGAGE.replace(Some(files)));
    let result = f();
    (result, LUGGAGE.take().unwrap_or_default())
}
