//! A range without an end has no length.
//~ E0277 is not a source of a sweep

fn main() {
    #[cfg(not(feature = "repaired"))]
    manyhands::map(1.., |n: u32| n);
    #[cfg(feature = "repaired")]
    manyhands::map(1..5, |n: u32| n);
}
