//! Results come from other threads, so none can be an `Rc`.
//~ E0277 cannot be sent between threads safely

#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    manyhands::map([1, 2], |n| Shared::new(n));
}
