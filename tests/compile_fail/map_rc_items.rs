//! Items go to other threads, so they have to be `Send`, and the error says so.
//~ E0277 is not a source of a sweep
//~ owned items have to be `Send`

#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    manyhands::map(vec![Shared::new(1)], |n| *n);
}
