//! Every other system: nothing is supported, and says so.

/// A file that is open. There are none.
#[derive(Debug)]
pub(in crate::process) enum OpenFile {}
