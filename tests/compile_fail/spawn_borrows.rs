//! A detached task may outlive the function that spawns it.
//~ E0597 `text` does not live long enough

fn main() {
    #[cfg(not(feature = "repaired"))]
    let text = String::from("gone");
    #[cfg(feature = "repaired")]
    static text: &str = "here";
    let borrowed = &text;
    manyhands::spawn(move || borrowed.len()).detach();
}
