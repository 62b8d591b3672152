//! A lock is released by the thread that took it, so a task cannot have its guard.
//~ E0277 cannot be sent between threads safely

use std::sync::Mutex;

static LOCK: Mutex<i32> = Mutex::new(1);

fn main() {
    let guard = LOCK.lock().unwrap();
    #[cfg(feature = "repaired")]
    let guard = *guard;
    manyhands::spawn(move || drop(guard)).detach();
}
