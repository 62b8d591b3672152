//! What the tests share.

use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// Waits until `is_so`, for a while.
#[track_caller]
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "it never came to be");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether there is a process of this number, a zombie among them.
pub(crate) fn exists(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}
