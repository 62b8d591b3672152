//! A process that this one has started: its end is noticed, and it is reaped once.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, kill_process_group, pidfd_open, waitpid,
};

use super::Socket;
use super::takeover::SIGN;

/// What a process is started with.
#[derive(Debug, Default)]
pub(in crate::process) struct Launch {
    pub(in crate::process) env: Vec<(OsString, OsString)>,
}

/// Its process group has its number, since it was started as the leader of one.
#[derive(Debug)]
pub(in crate::process) struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    /// `None` until it is reaped. As long as the lock is held and it is not, `pid` is this process
    /// and no other.
    end: Mutex<Option<ExitStatus>>,
}

impl Child {
    /// Starts this program once more, with `socket` for its standard input.
    ///
    /// The process ends with the thread that calls, if not sooner.
    pub(in crate::process) fn launch(launch: &Launch, socket: Socket) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        if let Some(name) = std::env::args_os().next() {
            command.arg0(name);
        }
        command.envs(launch.env.iter().map(|(key, value)| (key, value)));
        command.env(SIGN, "1");
        // Neither needs code between fork and exec, so no memory of this process is copied.
        command.stdin(Stdio::from(OwnedFd::from(socket))).process_group(0);
        let pid = Pid::from_child(&command.spawn()?);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { pid, pidfd, end: Mutex::new(None) }),
            Err(error) => {
                let _ = kill_process_group(pid, Signal::KILL);
                let _ = waitpid(Some(pid), WaitOptions::empty());
                Err(error.into())
            }
        }
    }

    pub(in crate::process) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Asks the process, and those that it has started, to end.
    pub(in crate::process) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends the process, and those that it has started.
    pub(in crate::process) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.is_none() {
            // It fails when nobody of the group is left to hear it.
            let _ = kill_process_group(self.pid, signal);
        }
    }

    /// How the process ended, if it has. Does not wait.
    pub(in crate::process) fn reap(&self) -> Option<ExitStatus> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.is_none() {
            *end = match waitpid(Some(self.pid), WaitOptions::NOHANG) {
                Ok(None) | Err(Errno::INTR) => None,
                Ok(Some((_, status))) => Some(ExitStatus::from_raw(status.as_raw())),
                // Somebody else has reaped it, or the program wants no child to be waited for.
                Err(_) => Some(ExitStatus::from_raw(UNKNOWN)),
            };
        }
        *end
    }
}

/// An end that nobody saw. It is a failure.
const UNKNOWN: i32 = 255 << 8;

/// The exit code and the signal.
pub(in crate::process) fn raw_status(status: ExitStatus) -> (Option<i32>, Option<i32>) {
    (status.code(), status.signal())
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}
