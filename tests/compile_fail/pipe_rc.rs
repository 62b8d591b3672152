//! What either end of a pipe sends goes to another thread.
//~ E0277 cannot be sent between threads safely

use manyhands::channel;
#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    let (left, right) = channel::pipe::<u8, Shared<u8>>();
    manyhands::spawn(move || drop(left.recv())).detach();
    drop(right);
}
