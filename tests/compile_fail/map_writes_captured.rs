//! A sweep's closure is called by several threads at once, so it cannot write what it captures.
//~ E0594

fn main() {
    let mut sum = 0;
    #[cfg(not(feature = "repaired"))]
    manyhands::for_each([1, 2], |n| sum += n);
    #[cfg(feature = "repaired")]
    [1, 2].into_iter().for_each(|n| sum += n);
    let _ = sum;
}
