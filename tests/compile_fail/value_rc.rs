//! A `Value` that several threads share holds nothing that must stay on one of them.
//~ E0277 cannot be sent between threads safely

use manyhands::shared::Value;
#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    let value = Value::new(Shared::new(1));
    manyhands::spawn(move || drop(value.get())).detach();
}
