//! Values, one after another, as the items of a chunk and their results travel.
//!
//! ```text
//!   │ length: 4 │ value …                                        most
//!   │ FILES: 4 │ files: 4 │ length: 4 │ value …                  one that has files
//!   │ FAILED: 4 │ length: 4 │ failure …                          none, and why
//! ```
//!
//! Each has its length, so that one that cannot be read costs itself only.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::luggage::{pack, unpack};
use super::sys::OpenFile;
use super::wire::MAX_BODY;

const FAILED: u32 = u32::MAX;
const FILES: u32 = u32::MAX - 1;

/// Why there is no result, in the words of the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failure {
    /// The function panicked.
    Panicked { message: Option<String>, place: Option<String> },
    /// The value cannot be written.
    Encode(String),
    /// The value cannot be read.
    Decode(String),
    /// There is no such function in the program of the worker.
    NoFunction,
}

/// Writes values.
#[derive(Debug, Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    files: Vec<OpenFile>,
}

impl Packer {
    /// Begins behind `bytes`.
    pub(super) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, files: Vec::new() }
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        let (written, files) = pack(|| encode(value, &mut self.bytes));
        let len = self.bytes.len() - start - 4;
        let fits = len as u64 <= MAX_BODY / 2 && len < FILES as usize;
        if let Err(message) = written.and_then(|()| fits.then_some(()).ok_or_else(too_long)) {
            self.bytes.truncate(start);
            return Err(Failure::Encode(message));
        }
        self.bytes[start..start + 4].copy_from_slice(&(len as u32).to_le_bytes());
        if !files.is_empty() {
            let head = [FILES, files.len() as u32].map(u32::to_le_bytes);
            self.bytes.splice(start..start, head.concat());
            self.files.extend(files);
        }
        Ok(())
    }

    pub(super) fn failure(&mut self, failure: &Failure) {
        self.bytes.extend_from_slice(&FAILED.to_le_bytes());
        let written = postcard::to_stdvec(failure).unwrap_or_default();
        self.bytes.extend_from_slice(&(written.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(&written);
    }

    pub(super) fn finish(self) -> (Vec<u8>, Vec<OpenFile>) {
        (self.bytes, self.files)
    }
}

/// Reads them.
#[derive(Debug)]
pub(super) struct Unpacker<'a> {
    bytes: &'a [u8],
    files: std::vec::IntoIter<OpenFile>,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(bytes: &'a [u8], files: Vec<OpenFile>) -> Self {
        Self { bytes, files: files.into_iter() }
    }

    /// The next value; `None` if what is there is not as a [`Packer`] writes it.
    pub(super) fn value<T: DeserializeOwned>(&mut self) -> Option<Result<T, Failure>> {
        let mut len = self.word()?;
        let mut files = Vec::new();
        if len == FAILED {
            len = self.word()?;
            return postcard::from_bytes(self.take(len)?).ok().map(Err);
        }
        if len == FILES {
            let count = self.word()? as usize;
            files.extend(self.files.by_ref().take(count));
            len = self.word()?;
        }
        let bytes = self.take(len)?;
        Some(unpack(files, || decode(bytes)).map_err(Failure::Decode))
    }

    fn word(&mut self) -> Option<u32> {
        let (word, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u32::from_le_bytes(*word))
    }

    fn take(&mut self, len: u32) -> Option<&'a [u8]> {
        let (bytes, rest) = self.bytes.split_at_checked(len as usize)?;
        self.bytes = rest;
        Some(bytes)
    }
}

fn too_long() -> String {
    format!("more than {} bytes", MAX_BODY / 2)
}

/// Appends `value` to `bytes`.
fn encode<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    struct Append<'a>(&'a mut Vec<u8>);

    impl postcard::ser_flavors::Flavor for Append<'_> {
        type Output = ();

        #[inline]
        fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
            self.0.push(byte);
            Ok(())
        }

        #[inline]
        fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }

        fn finalize(self) -> postcard::Result<()> {
            Ok(())
        }
    }

    postcard::serialize_with_flavor(value, Append(bytes)).map_err(|error| error.to_string())
}

/// Reads a value that takes up all of `bytes`.
fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err("there is more than the value".to_string()),
        Err(error) => Err(error.to_string()),
    }
}
