//! Nor can a reference be stored in something outside.
//~ E0521 borrowed data escapes outside of closure

use manyhands::shared::Value;

fn main() {
    let value = Value::new(String::new());
    let mut kept = None;
    #[cfg(not(feature = "repaired"))]
    value.update(|text| kept = Some(text));
    #[cfg(feature = "repaired")]
    value.update(|text| kept = Some(text.clone()));
    drop(kept);
}
