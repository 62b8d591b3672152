//! A message that borrows does not outlive what it borrows.
//~ E0597 `text` does not live long enough

use manyhands::channel;

fn main() {
    #[cfg(feature = "repaired")]
    let text = String::from("text");
    let (sender, receiver) = channel::unbounded();
    {
        #[cfg(not(feature = "repaired"))]
        let text = String::from("text");
        sender.send(text.as_str()).ok();
    }
    assert_eq!(receiver.recv(), Ok("text"));
}
