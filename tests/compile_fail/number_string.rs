//! Numbers are without a lock, so they are what fits into 64 bits.
//~ E0277 a `Number` cannot be a `String`
//~ `shared::Value` takes anything

#[cfg(not(feature = "repaired"))]
use manyhands::shared::Number as Shared;
#[cfg(feature = "repaired")]
use manyhands::shared::Value as Shared;

fn main() {
    drop(Shared::new(String::new()));
}
