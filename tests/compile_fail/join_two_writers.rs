//! The halves of a join cannot write the same value.
//~ E0499 cannot borrow `counts` as mutable more than once

fn main() {
    let mut counts = vec![1, 2];
    #[cfg(not(feature = "repaired"))]
    manyhands::join(|| counts.push(3), || counts.push(4));
    #[cfg(feature = "repaired")]
    {
        let (left, right) = counts.split_at_mut(1);
        manyhands::join(|| left[0] += 1, || right[0] += 1);
    }
}
