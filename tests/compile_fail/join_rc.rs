//! Either half of a join may run on another thread, so none can borrow an `Rc`.
//~ E0277 cannot be shared between threads safely

#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    let shared = Shared::new(1);
    manyhands::join(|| *shared, || *shared);
}
