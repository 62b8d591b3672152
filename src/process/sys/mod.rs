//! What the operating system does for us. Nothing else in [`process`](crate::process) talks to it.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub(in crate::process) use elsewhere::{
    Bell, Carrier, Child, Chime, Heard, Launch, Loaded, Mapping, OpenFile, Passage, Socket, Tape,
    Turnstile, Wait, become_worker, build, entry_at, keep_takeover, leave, offset_of, poll,
    raw_status, start_here, watch_parent,
};
#[cfg(target_os = "linux")]
pub(in crate::process) use linux::{
    Bell, Carrier, Child, Chime, Heard, Launch, Loaded, Mapping, OpenFile, Passage, Socket, Tape,
    Turnstile, Wait, become_worker, build, entry_at, keep_takeover, leave, offset_of, poll,
    raw_status, start_here, watch_parent,
};
