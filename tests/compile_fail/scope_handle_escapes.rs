//! The handle of a scope's task cannot leave the scope.
//~ lifetime may not live long enough

fn main() {
    #[cfg(not(feature = "repaired"))]
    let handle = manyhands::scope(|s| s.spawn(|| 1));
    #[cfg(feature = "repaired")]
    let handle = manyhands::scope(|s| s.spawn(|| 1).join());
    drop(handle);
}
