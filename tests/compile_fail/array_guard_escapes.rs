//! Items that are locked cannot leave the closure.
//~ lifetime may not live long enough

use manyhands::shared::Array;

fn main() {
    let array = Array::new(3, 0);
    #[cfg(not(feature = "repaired"))]
    let items = array.write(.., |items| items);
    #[cfg(feature = "repaired")]
    let items = array.write(.., |items| items.to_vec());
    assert_eq!(items.len(), 3);
}
