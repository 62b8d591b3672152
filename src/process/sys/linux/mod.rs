//! Linux.

/// A file that is open, closed when dropped.
pub(in crate::process) use std::os::fd::OwnedFd as OpenFile;
