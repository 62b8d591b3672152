//! A source borrows what it runs over.
//~ E0505 cannot move out of `items`

fn main() {
    let items = vec![1, 2, 3];
    #[cfg(not(feature = "repaired"))]
    let chunks = manyhands::source::chunks(&items, 2);
    drop(items);
    #[cfg(feature = "repaired")]
    let chunks = manyhands::source::enumerate([1, 2, 3]);
    manyhands::for_each(chunks, |_| ());
}
