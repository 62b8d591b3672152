//! Results that borrow from items cannot outlive them.
//~ E0505 cannot move out of `texts`

fn main() {
    let texts = vec![String::from("a")];
    let borrowed = manyhands::map(&texts, |text| text.as_str());
    #[cfg(not(feature = "repaired"))]
    drop(texts);
    assert_eq!(borrowed, ["a"]);
}
