//! What this thread has locked: a closure that uses its own value again panics instead of hanging.
//!
//! A list on the stack of the thread itself, innermost first.

#![expect(unsafe_code, reason = "reaches entries further down its own stack")]

use std::cell::Cell;
use std::ptr;

/// One thing that is locked.
struct Held {
    address: usize,
    outer: *const Held,
}

thread_local! {
    static INNERMOST: Cell<*const Held> = const { Cell::new(ptr::null()) };
}

/// Whether this thread has the thing at `address` locked.
#[inline]
pub(super) fn is_held(address: usize) -> bool {
    // SAFETY: entries stand on this stack, further down, until their `hold` returns.
    let innermost = unsafe { INNERMOST.get().as_ref() };
    // SAFETY: as above.
    let mut held = std::iter::successors(innermost, |held| unsafe { held.outer.as_ref() });
    held.any(|held| held.address == address)
}

/// Runs `f`, which locks the thing at `address` and runs user code.
///
/// # Panics
///
/// If this thread is inside such a call for the same thing already. `operation` names the call.
#[inline]
pub(super) fn hold<R>(address: usize, operation: &str, f: impl FnOnce() -> R) -> R {
    /// Takes the entry off the list, by unwinding as well.
    struct LetGo(*const Held);

    impl Drop for LetGo {
        fn drop(&mut self) {
            INNERMOST.set(self.0);
        }
    }

    let outer = INNERMOST.get();
    // Nearly always nothing is.
    let is_held = !outer.is_null() && is_held(address);
    assert!(!is_held, "{operation} is called by a closure that has the same thing locked");
    let entry = Held { address, outer };
    let _let_go = LetGo(outer);
    INNERMOST.set(&raw const entry);
    f()
}
