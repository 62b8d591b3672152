//! What a lock guards cannot leave the closure.
//~ lifetime may not live long enough

use manyhands::shared::Value;

fn main() {
    let value = Value::new(vec![1]);
    #[cfg(not(feature = "repaired"))]
    let list = value.read(|list| list);
    #[cfg(feature = "repaired")]
    let list = value.read(|list| list.clone());
    assert_eq!(list.len(), 1);
}
