//! Two tasks of a scope cannot write the same value.
//~ E0499 cannot borrow `counts` as mutable more than once

fn main() {
    let mut counts = vec![1, 2];
    #[cfg(not(feature = "repaired"))]
    manyhands::scope(|s| {
        s.spawn(|| counts.push(3));
        s.spawn(|| counts.push(4));
    });
    #[cfg(feature = "repaired")]
    manyhands::scope(|s| {
        let (left, right) = counts.split_at_mut(1);
        s.spawn(|| left[0] += 1);
        s.spawn(|| right[0] += 1);
    });
}
