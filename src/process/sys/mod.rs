//! What the operating system does for us. Nothing else in [`process`](crate::process) talks to it.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub(in crate::process) use elsewhere::OpenFile;
#[cfg(target_os = "linux")]
pub(in crate::process) use linux::OpenFile;
