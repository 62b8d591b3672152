//! The result of a task comes from another thread, so it cannot be an `Rc`.
//~ E0277 cannot be sent between threads safely

#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    manyhands::spawn(|| Shared::new(1)).detach();
}
