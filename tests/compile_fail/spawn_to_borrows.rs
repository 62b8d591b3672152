//! A task that delivers its result may outlive its caller, so it cannot borrow.
//~ E0373 closure may outlive the current function

use manyhands::Pool;

fn main() {
    let (sender, receiver) = manyhands::channel::unbounded();
    let text = String::from("text");
    #[cfg(not(feature = "repaired"))]
    Pool::global().spawn_to(&sender, || text.len());
    #[cfg(feature = "repaired")]
    Pool::global().spawn_to(&sender, move || text.len());
    drop(receiver.recv());
}
