//! A choice borrows its channels.
//~ E0505 cannot move out of `receiver` because it is borrowed

use manyhands::channel::{self, Select};

fn main() {
    let (_sender, receiver) = channel::unbounded::<u8>();
    #[cfg(not(feature = "repaired"))]
    {
        let select = Select::new().recv(&receiver, |message| message);
        drop(receiver);
        select.try_wait();
    }
    #[cfg(feature = "repaired")]
    {
        let select = Select::new().recv(&receiver, |message| message);
        select.try_wait();
        drop(receiver);
    }
}
