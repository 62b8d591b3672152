//! Nobody else can write a source, whose contract is unsafe and may change.
//~ E0277 Sealed

struct Mine;

#[cfg(not(feature = "repaired"))]
impl manyhands::source::IntoSource for Mine {
    type Item = u8;
    type Source = manyhands::source::Owned<u8>;

    fn into_source(self) -> Self::Source {
        vec![1].into_source()
    }
}

fn main() {
    let _ = Mine;
}
