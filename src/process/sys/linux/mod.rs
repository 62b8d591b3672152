//! Linux.

mod bell;
mod carrier;
mod child;
mod chime;
mod poll;
mod program;
mod settle;
mod socket;
mod takeover;
mod tape;
mod turnstile;

/// A file that is open, closed when dropped.
pub(in crate::process) use std::os::fd::OwnedFd as OpenFile;

pub(in crate::process) use bell::Bell;
pub(in crate::process) use carrier::{Carrier, Loaded};
pub(in crate::process) use child::{Child, Launch, raw_status};
pub(in crate::process) use chime::{Chime, Heard};
pub(in crate::process) use poll::{Wait, poll};
pub(in crate::process) use program::{build, entry_at, offset_of};
pub(in crate::process) use settle::{become_worker, leave, watch_parent};
pub(in crate::process) use socket::Socket;
pub(in crate::process) use takeover::{keep_takeover, start_here};
pub(in crate::process) use tape::{Mapping, Tape};
pub(in crate::process) use turnstile::{Passage, Turnstile};
