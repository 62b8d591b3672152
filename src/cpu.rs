//! Which core this thread runs on, where the system says so cheaply.
//!
//! It is a hint: the answer may be out of date as soon as it is there.

#![expect(unsafe_code, reason = "asks the C library")]

/// The number of the core that this thread runs on. `None`: nobody knows.
#[cfg(target_os = "linux")]
pub(crate) fn current() -> Option<usize> {
    // SAFETY: this is the declaration of glibc, musl and uClibc alike.
    unsafe extern "C" {
        fn sched_getcpu() -> i32;
    }
    // SAFETY: it takes nothing, and reads what the system keeps for this thread.
    let cpu = unsafe { sched_getcpu() };
    // -1 where the system does not know.
    usize::try_from(cpu).ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn current() -> Option<usize> {
    None
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn linux_knows_where_a_thread_runs() {
        assert_eq!(current().is_some(), cfg!(target_os = "linux"));
    }
}
