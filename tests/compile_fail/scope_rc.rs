//! A scope's task runs on another thread, so it cannot have an `Rc`.
//~ E0277 cannot be sent between threads safely

#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    let shared = Shared::new(1);
    manyhands::scope(|s| {
        s.spawn(move || *shared);
    });
}
