//! A sweep's closure is called by several threads, so it cannot borrow an `Rc`.
//~ E0277 cannot be shared between threads safely

#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    let shared = Shared::new(1);
    manyhands::map([1, 2], |n| n + *shared);
}
