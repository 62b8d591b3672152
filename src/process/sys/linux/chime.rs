//! Chimes: how the two sides of a channel wake each other, and hear that the other side is gone.
//!
//! ```text
//!   one side's end ═════════ two sockets ═════════ the other side's end
//!     ring ────────────────── a byte ────────────► is readable: wakes everybody who listens
//!     is readable ◄────────── a byte ───────────── ring
//!     the last copy is closed ───────────────────► has hung up
//! ```
//!
//! Every holder of a side, in whatever process, has a copy of that side's end. The system closes the
//! copies of a process that dies, so a side hangs up when all of its holders are gone or dead, and
//! no sooner: a copy that travels in a message counts as well.

use std::io;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair,
};

use super::OpenFile;

/// One side's end.
#[derive(Debug)]
pub(in crate::process) struct Chime(OpenFile);

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::process) enum Heard {
    /// The other side has rung, and nobody has silenced it.
    Ring,
    /// The other side is gone.
    HangUp,
    /// Nothing, until it was time.
    Nothing,
}

impl Chime {
    /// Two ends that ring each other.
    pub(in crate::process) fn pair() -> io::Result<(Self, Self)> {
        let kind = SocketType::STREAM;
        let (one, other) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        Ok((Self(one), Self(other)))
    }

    /// The end that this file is, if it is one. If not, it is never heard.
    pub(in crate::process) fn of_file(file: OpenFile) -> Self {
        Self(file)
    }

    /// A copy, for another holder.
    pub(in crate::process) fn to_file(&self) -> io::Result<OpenFile> {
        self.0.try_clone()
    }

    /// Wakes the other side; false: it is gone.
    pub(in crate::process) fn ring(&self) -> io::Result<bool> {
        loop {
            match send(&self.0, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                // With a chime that is full of rings nobody sleeps.
                Ok(_) | Err(Errno::AGAIN) => return Ok(true),
                Err(Errno::PIPE | Errno::CONNRESET) => return Ok(false),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Forgets the rings that have come.
    pub(in crate::process) fn silence(&self) {
        let mut rings = [0_u8; 64];
        loop {
            match recv(&self.0, &mut rings, RecvFlags::DONTWAIT) {
                Ok((count, _)) if count == rings.len() => {}
                Err(Errno::INTR) => {}
                _ => return,
            }
        }
    }

    /// Waits for a ring, or for the other side to go, until `deadline`.
    pub(in crate::process) fn listen(&self, deadline: Option<Instant>) -> io::Result<Heard> {
        wait_for(&self.0, PollFlags::IN, deadline)
    }

    /// Whether the other side is gone.
    pub(in crate::process) fn has_hung_up(&self) -> io::Result<bool> {
        // A hang-up is told unasked.
        let mut ends = [PollFd::new(&self.0, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match poll(&mut ends, Some(&now)) {
                Ok(count) => return Ok(count > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Waits until `file` is ready for `events`, which counts as a ring, or until `deadline`.
pub(super) fn wait_for(
    file: &OpenFile,
    events: PollFlags,
    deadline: Option<Instant>,
) -> io::Result<Heard> {
    loop {
        let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // What is too long for the system is looked at again when its time is over.
        let longest = Timespec { tv_sec: i32::MAX.into(), tv_nsec: 0 };
        let time = rest.map(|rest| Timespec::try_from(rest).unwrap_or(longest));
        let mut ends = [PollFd::new(file, events)];
        match poll(&mut ends, time.as_ref()) {
            Ok(0) if rest.is_some_and(|rest| rest.is_zero()) => return Ok(Heard::Nothing),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(heard(ends[0].revents())),
            Err(error) => return Err(error.into()),
        }
    }
}

fn heard(events: PollFlags) -> Heard {
    // Where there is both, the hang-up is the news: whoever hears it looks at everything again.
    let is_gone = events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
    if is_gone { Heard::HangUp } else { Heard::Ring }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now() -> Option<Instant> {
        Some(Instant::now())
    }

    #[test]
    fn a_ring_is_heard_until_it_is_silenced() {
        let (one, other) = Chime::pair().unwrap();
        assert_eq!(other.listen(now()).unwrap(), Heard::Nothing);
        assert!(one.ring().unwrap());
        assert_eq!(other.listen(None).unwrap(), Heard::Ring);
        assert_eq!(other.listen(None).unwrap(), Heard::Ring);
        assert_eq!(one.listen(now()).unwrap(), Heard::Nothing);
        other.silence();
        assert_eq!(other.listen(now()).unwrap(), Heard::Nothing);
    }

    #[test]
    fn any_number_of_rings_is_silenced_at_once() {
        let (one, other) = Chime::pair().unwrap();
        for _ in 0..1000 {
            assert!(one.ring().unwrap());
        }
        other.silence();
        assert_eq!(other.listen(now()).unwrap(), Heard::Nothing);
    }

    #[test]
    fn the_last_copy_hangs_up() {
        let (one, other) = Chime::pair().unwrap();
        let copy = Chime::of_file(one.to_file().unwrap());
        drop(one);
        assert!(!other.has_hung_up().unwrap());
        copy.ring().unwrap();
        assert!(!other.has_hung_up().unwrap());
        drop(copy);
        assert!(other.has_hung_up().unwrap());
        assert_eq!(other.listen(None).unwrap(), Heard::HangUp);
        assert!(!other.ring().unwrap());
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let (_one, other) = Chime::pair().unwrap();
        let begin = Instant::now();
        let deadline = begin + Duration::from_millis(3);
        assert_eq!(other.listen(Some(deadline)).unwrap(), Heard::Nothing);
        assert!(begin.elapsed() >= Duration::from_millis(3));
    }
}
