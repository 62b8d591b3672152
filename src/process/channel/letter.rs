//! A message on its way: encoded, with the files that travel with it.

use std::cell::Cell;
use std::mem;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::luggage::{pack, unpack};
use super::super::sys::{Carrier, OpenFile};
use super::failure::Failure;

/// The message.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) bytes: Vec<u8>,
    pub(super) files: Vec<OpenFile>,
}

/// Room up to this is kept for the next letter.
const KEPT: usize = 64 << 10;

thread_local! {
    /// Room that the last letter of this thread has left.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Letter {
    /// An empty one, to be filled.
    pub(super) fn blank() -> Self {
        let bytes = ROOM.try_with(Cell::take).unwrap_or_default();
        Self { bytes, files: Vec::new() }
    }

    /// Encodes `message`.
    pub(super) fn write<T: Serialize>(message: &T) -> Result<Self, Failure> {
        let mut letter = Self::blank();
        let bytes = mem::take(&mut letter.bytes);
        let (encoded, files) = pack(|| postcard::to_extend(message, bytes));
        letter.bytes = encoded.map_err(|error| Failure::Encode(error.into()))?;
        if files.len() > Carrier::LIMIT {
            return Err(Failure::Files(files.len()));
        }
        letter.files = files;
        Ok(letter)
    }

    /// Decodes the message, all of it.
    pub(super) fn read<T: DeserializeOwned>(mut self) -> Result<T, Failure> {
        let files = mem::take(&mut self.files);
        let decoded = unpack(files, || postcard::take_from_bytes(&self.bytes));
        match decoded {
            Ok((message, [])) => Ok(message),
            Ok(_) => Err(Failure::Decode(postcard::Error::DeserializeBadEncoding.into())),
            Err(error) => Err(Failure::Decode(error.into())),
        }
    }
}

impl Drop for Letter {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        if bytes.capacity() <= KEPT {
            bytes.clear();
            // While the thread ends there is no room to keep it in.
            let _ = ROOM.try_with(|room| room.set(bytes));
        }
    }
}
