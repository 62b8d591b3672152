//! Before `main`: a process that was started as a worker never gets there.
//!
//! ```text
//!   the loader ──► constructors … ──► ours ──► main
//!                                      │ started by us, as a worker?
//!                                      └──► the constructors after ours ──► worker::serve
//! ```
//!
//! A variable of the environment alone turns no program into a worker: its standard input must be
//! one end of a pair of sockets that its own parent has made, of the same user, and the program must
//! not have more rights than whoever started it.

#![expect(unsafe_code, reason = "a function that runs before `main`, which moves descriptors")]

use std::ffi::{c_char, c_int};
use std::fs::File;
use std::hint::black_box;
use std::os::fd::BorrowedFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::sockopt::{socket_domain, socket_peercred, socket_type};
use rustix::net::{AddressFamily, SocketType};
use rustix::process::{getppid, getuid};
use rustix::stdio::dup2_stdin;

use super::Socket;
use super::program::constructors_after;
use crate::process::worker;

/// The variable that says so.
pub(super) const SIGN: &str = "MANYHANDS_WORKER";

type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

// SAFETY: the section holds functions of this type, which the loader calls once, before `main`.
#[unsafe(link_section = ".init_array")]
#[used]
static TAKEOVER: Constructor = takeover;

/// Whoever starts workers calls this: then the linker keeps [`TAKEOVER`].
pub(in crate::process) fn keep_takeover() {
    black_box(&raw const TAKEOVER);
}

/// As the constructor, for programs that come as far as `main`.
pub(in crate::process) fn start_here() {
    if let Some(socket) = summoned() {
        worker::serve(socket);
    }
}

extern "C" fn takeover(
    count: c_int,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) {
    let Some(socket) = summoned() else { return };
    let next = constructors_after(&raw const TAKEOVER as usize);
    for place in next.step_by(size_of::<Constructor>()) {
        // SAFETY: the loader's table has a word at each of these places.
        let word = unsafe { *(place as *const usize) };
        if word != 0 && word != usize::MAX {
            // SAFETY: which is a constructor. It would have been called next, with the same.
            let constructor = unsafe { std::mem::transmute::<usize, Constructor>(word) };
            constructor(count, arguments, environment);
        }
    }
    worker::serve(socket)
}

/// The socket to the process that wants this one for a worker, if one does.
fn summoned() -> Option<Socket> {
    std::env::var_os(SIGN)?;
    // SAFETY: nothing is asked of the caller.
    if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
        return None;
    }
    // SAFETY: a number that stands for no open file is refused by each of the calls below.
    let stdin = unsafe { BorrowedFd::borrow_raw(0) };
    let is_unix = socket_domain(stdin).ok()? == AddressFamily::UNIX;
    let is_stream = socket_type(stdin).ok()? == SocketType::STREAM;
    let peer = socket_peercred(stdin).ok()?;
    let is_parent = Some(peer.pid) == getppid() && peer.uid == getuid();
    if !(is_unix && is_stream && is_parent) {
        return None;
    }
    let socket = fcntl_dupfd_cloexec(stdin, 3).ok()?;
    dup2_stdin(File::open("/dev/null").ok()?).ok()?;
    // SAFETY: before `main`, or at its beginning as `init` demands, there is one thread.
    unsafe { std::env::remove_var(SIGN) };
    Some(Socket::from(socket))
}
