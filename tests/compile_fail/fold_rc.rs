//! Accumulators are merged by whichever thread is there, so they have to be `Send`.
//~ E0277 cannot be sent between threads safely

#[cfg(not(feature = "repaired"))]
use std::rc::Rc as Shared;
#[cfg(feature = "repaired")]
use std::sync::Arc as Shared;

fn main() {
    manyhands::fold(0..9, || Shared::new(0), |sum, n| Shared::new(*sum + n), |a, _| a);
}
