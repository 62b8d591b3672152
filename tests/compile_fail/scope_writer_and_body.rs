//! What a task of a scope writes, the body cannot read as long as the scope may run.
//~ E0502 cannot borrow `counts` as immutable

fn main() {
    let mut counts = vec![1, 2];
    manyhands::scope(|s| {
        s.spawn(|| counts.push(3));
        #[cfg(not(feature = "repaired"))]
        assert!(!counts.is_empty());
    });
    assert!(!counts.is_empty());
}
