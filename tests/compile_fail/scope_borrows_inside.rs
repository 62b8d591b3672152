//! What is made inside a scope's body goes before the scope ends.
//~ E0597 `inside` does not live long enough

fn main() {
    #[cfg(feature = "repaired")]
    let inside = vec![1];
    manyhands::scope(|s| {
        #[cfg(not(feature = "repaired"))]
        let inside = vec![1];
        let borrowed = &inside;
        s.spawn(move || borrowed.len());
    });
}
