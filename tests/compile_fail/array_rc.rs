//! An `Array` that several threads share holds nothing that must stay on one of them.
//~ E0277 cannot be sent between threads safely

use manyhands::shared::Array;
#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    let array = Array::new(3, Shared::new(1));
    manyhands::spawn(move || drop(array.get(0))).detach();
}
