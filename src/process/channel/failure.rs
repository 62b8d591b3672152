//! Why a message could not be sent or received, although the channel is there.

use std::{fmt, io};

use thiserror::Error;

use super::super::sys::Carrier;

/// Why one message could not be sent or received. The channel goes on, and others may do better.
///
/// # Examples
///
/// ```
/// # if !cfg!(target_os = "linux") { return }
/// use manyhands::process::{self, SendError};
/// use serde::{Deserialize, Serialize, Serializer};
///
/// #[derive(Debug, Deserialize)]
/// struct Secret;
///
/// impl Serialize for Secret {
///     fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
///         Err(serde::ser::Error::custom("this stays here"))
///     }
/// }
///
/// let (sender, _receiver) = process::unbounded().unwrap();
/// let Err(SendError::Failed(Secret, why)) = sender.send(Secret) else { panic!("it was sent") };
/// assert!(why.is_unencodable());
/// ```
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(transparent)]
pub struct MessageError(Failure);

/// What went wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Failure {
    #[error("the message cannot be encoded")]
    Encode(#[source] Codec),
    #[error("the message cannot be decoded")]
    Decode(#[source] Codec),
    #[error("there are {0} open files in the message, and at most {limit} can travel with one", limit = Carrier::LIMIT)]
    Files(usize),
    #[error("open files of the message are missing: this process may have too many")]
    Missing,
    #[error("the message is too long for a channel")]
    Long,
    #[error("what is in the channel makes no sense")]
    Nonsense,
    #[error("the system refuses the message")]
    System(#[source] Refusal),
}

/// What the encoding says. It is a foreign type, and stays behind ours.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(transparent)]
pub(super) struct Codec(#[from] postcard::Error);

/// An error of the system that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(Option<i32>, io::ErrorKind);

impl MessageError {
    /// Whether its type's `Serialize` failed.
    #[must_use]
    pub fn is_unencodable(&self) -> bool {
        matches!(self.0, Failure::Encode(_))
    }

    /// Whether what came is no value of the type of the receiver's messages.
    #[must_use]
    pub fn is_undecodable(&self) -> bool {
        matches!(self.0, Failure::Decode(_))
    }

    /// Whether more open files are in it than travel with one message. An end of a channel is three.
    #[must_use]
    pub fn has_too_many_files(&self) -> bool {
        matches!(self.0, Failure::Files(_))
    }

    /// Whether the channel's memory makes no sense: some process has written to it that should not
    /// have. The channel will not recover.
    #[must_use]
    pub fn is_nonsense(&self) -> bool {
        matches!(self.0, Failure::Nonsense)
    }
}

impl From<Failure> for MessageError {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A file that is not what it should be.
            io::ErrorKind::InvalidData => Self::Nonsense,
            kind => Self::System(Refusal(error.raw_os_error(), kind)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(code) => io::Error::from_raw_os_error(code).fmt(f),
            None => self.1.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}
