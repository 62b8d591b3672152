//! Which worker this process is.

use std::sync::OnceLock;

use super::sys::start_here;

static CURRENT: OnceLock<Current> = OnceLock::new();

/// A worker process, seen from inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    name: String,
    pid: u32,
}

impl Current {
    /// Returns the name that the worker was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }
}

/// Returns which worker this process is; `None` where it is none of this crate's.
///
/// # Examples
///
/// ```
/// use manyhands::process::{self, Process};
///
/// assert_eq!(process::current(), None);
/// let name = |()| process::current().unwrap().name().to_string();
/// let process = Process::builder().name("decoder").spawn(name, ())?;
/// assert_eq!(process.join()?, "decoder");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn current() -> Option<Current> {
    CURRENT.get().cloned()
}

pub(super) fn set(name: String) {
    // A worker is told once who it is; whatever comes after does not change that.
    let _ = CURRENT.set(Current { name, pid: std::process::id() });
}

/// Returns how many CPUs this process may use.
///
/// # Examples
///
/// ```
/// assert!(manyhands::process::cpu_count() > 0);
/// ```
#[must_use]
pub fn cpu_count() -> usize {
    num_cpus::get()
}

/// Becomes a worker, if this process was started as one, and does not return then.
///
/// Nobody needs it: a worker takes over before `main` begins. It is for programs whose linker drops
/// what runs there. Call it first in `main`, before any thread is started and before standard input
/// is read.
///
/// # Examples
///
/// ```
/// manyhands::process::init();
/// println!("this is not a worker");
/// ```
pub fn init() {
    start_here();
}
