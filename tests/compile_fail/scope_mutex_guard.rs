//! A lock is released by the thread that took it, so a scope's task cannot have its guard.
//~ E0277 cannot be sent between threads safely

use std::sync::Mutex;

fn main() {
    let lock = Mutex::new(1);
    let guard = lock.lock().unwrap();
    #[cfg(feature = "repaired")]
    let guard = *guard;
    manyhands::scope(|s| {
        s.spawn(move || drop(guard));
    });
}
