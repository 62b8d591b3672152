//! A scope cannot be smuggled out of its body.
//~ E0521 borrowed data escapes outside of closure

fn main() {
    let mut smuggled = None;
    manyhands::scope(|s| {
        #[cfg(not(feature = "repaired"))]
        {
            smuggled = Some(s);
        }
        #[cfg(feature = "repaired")]
        {
            smuggled = Some(s.spawn(|| 1).join());
        }
    });
    drop(smuggled);
}
