//! A sweep cannot reach the items of a hash map by index; the error says what can.
//~ E0277 is not a source of a sweep
//~ map_iter

use std::collections::HashMap;

fn main() {
    let ages = HashMap::from([("Ann", 30)]);
    #[cfg(not(feature = "repaired"))]
    manyhands::map(ages.iter(), |(name, _)| name.len());
    #[cfg(feature = "repaired")]
    manyhands::map_iter(ages.iter(), |(name, _)| name.len());
}
