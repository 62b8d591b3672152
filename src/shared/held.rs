//! What this thread has locked: a closure that uses its own value again panics instead of hanging.

use std::cell::RefCell;

thread_local! {
    /// The addresses of what is locked, outermost first.
    static HELD: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f`, which locks the thing at `address` and runs user code.
///
/// # Panics
///
/// If this thread is inside such a call for the same thing already. `operation` names the call.
pub(super) fn hold<R>(address: usize, operation: &str, f: impl FnOnce() -> R) -> R {
    /// Takes it off the list, by unwinding as well.
    struct Off;

    impl Drop for Off {
        fn drop(&mut self) {
            // The list may be gone where the thread's locals are being destroyed.
            let _ = HELD.try_with(|held| held.borrow_mut().pop());
        }
    }

    let is_held = |held: &RefCell<Vec<usize>>| {
        let mut held = held.borrow_mut();
        let is_held = held.contains(&address);
        held.push(address);
        is_held
    };
    let is_held = HELD.try_with(is_held).unwrap_or(false);
    let _off = Off;
    assert!(!is_held, "{operation} is called by a closure that has the same thing locked");
    f()
}
