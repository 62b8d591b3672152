//! The boundary between this crate and the code of its users.
//!
//! User code runs inside [`catch`] and nowhere else. Crate code between two states of a protocol
//! runs under an [`AbortGuard`]. A value of a user's that nobody wants any more goes through
//! [`discard`], since its `Drop` may panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `f`, and turns a panic into its payload.
///
/// Unwind safety is asserted here once: whoever calls with user code either resumes the panic on
/// the thread that the user waits on, or hands it over as an error, as `std::thread` does.
#[inline]
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Drops `value`; a panic of its `Drop` ends here. The payload of such a panic is leaked, since
/// dropping it might panic again.
pub(crate) fn discard<T>(value: T) {
    if let Err(payload) = catch(|| drop(value)) {
        std::mem::forget(payload);
    }
}

/// A value whose `Drop` may panic while this thread is panicking already: such a panic ends here.
#[derive(Debug, Default)]
pub(crate) struct Discarded<T: Default>(pub(crate) T);

impl<T: Default> Drop for Discarded<T> {
    fn drop(&mut self) {
        discard(std::mem::take(&mut self.0));
    }
}

/// Ends the process if it is dropped by unwinding: between two states there is no way back.
#[derive(Debug)]
pub(crate) struct AbortGuard;

impl AbortGuard {
    /// The critical part is over.
    #[inline]
    pub(crate) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for AbortGuard {
    fn drop(&mut self) {
        std::process::abort();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("from drop");
        }
    }

    #[test]
    fn a_panic_comes_back_as_its_payload() {
        let payload = catch(|| panic!("boom")).map(|()| 1).unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"boom"));
    }

    #[test]
    fn a_panicking_drop_ends_in_discard() {
        discard(PanicsOnDrop);
        discard(catch(|| std::panic::panic_any(PanicsOnDrop)));
    }
}
