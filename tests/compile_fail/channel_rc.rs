//! A message goes to another thread, so it cannot be an `Rc`.
//~ E0277 cannot be sent between threads safely

use manyhands::channel;
#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    let (sender, receiver) = channel::unbounded::<Shared<u8>>();
    manyhands::spawn(move || drop(receiver.recv())).detach();
    drop(sender);
}
