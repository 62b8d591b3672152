//! Items behind `&` go to other threads as `&T`, so they have to be `Sync`.
//~ E0277 is not a source of a sweep
//~ have to be `Sync`

#[cfg(not(feature = "repaired"))]
type Number = std::cell::Cell<i32>;
#[cfg(feature = "repaired")]
type Number = std::sync::atomic::AtomicI32;

fn main() {
    let numbers = vec![Number::new(1)];
    manyhands::map(&numbers, |_| 1);
}
