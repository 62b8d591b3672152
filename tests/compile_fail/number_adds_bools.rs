//! Truths do not add up.
//~ E0599 the method `add` exists for struct `Number<bool>`, but its trait bounds were not satisfied

use manyhands::shared::Number;

fn main() {
    let flag = Number::new(false);
    #[cfg(not(feature = "repaired"))]
    flag.add(true);
    #[cfg(feature = "repaired")]
    flag.store(true);
}
