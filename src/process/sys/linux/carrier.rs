//! Carries the files of messages from the senders of a channel to its receivers.
//!
//! ```text
//!   load(ticket, files) ──► … │ 3 ▣▣ │ 4 ▣ │ 6 ▣▣▣ │ … ──► unload(ticket)
//!                              stale    ▲
//!                              └ closed └ the one
//! ```
//!
//! Only the system can keep an open file while nobody has it open: in the queue of a socket. Each
//! packet there has the files of one message, and its ticket. Tickets rise; a packet whose message
//! was never sent, since its sender died, or whose receiver died, is passed over and closed.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use rustix::cmsg_space;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::OpenFile;
use super::chime::{Heard, wait_for};

/// One side's end.
#[derive(Debug)]
pub(in crate::process) struct Carrier(OpenFile);

/// What came of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::process) enum Loaded {
    /// It is on its way.
    Yes,
    /// There are too many packets that nobody has unloaded.
    Full,
    /// Nobody will unload any.
    Gone,
}

/// What the system carries in one packet.
const LIMIT: usize = 253;

impl Carrier {
    /// How many files a message has at most.
    pub(in crate::process) const LIMIT: usize = LIMIT;

    /// The senders' end, and the receivers'.
    pub(in crate::process) fn pair() -> io::Result<(Self, Self)> {
        let kind = SocketType::SEQPACKET;
        let (one, other) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        Ok((Self(one), Self(other)))
    }

    /// The end that this file is, if it is one. If not, it carries nothing.
    pub(in crate::process) fn of_file(file: OpenFile) -> Self {
        Self(file)
    }

    /// A copy, for another holder.
    pub(in crate::process) fn to_file(&self) -> io::Result<OpenFile> {
        self.0.try_clone()
    }

    /// Sends copies of `files`, [`LIMIT`](Self::LIMIT) at most.
    pub(in crate::process) fn load(&self, ticket: u64, files: &[OpenFile]) -> io::Result<Loaded> {
        let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(LIMIT))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(Errno::TOOBIG.into());
        }
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            let bytes = ticket.to_ne_bytes();
            match sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut control, flags) {
                Ok(_) => return Ok(Loaded::Yes),
                Err(Errno::AGAIN) => return Ok(Loaded::Full),
                Err(Errno::PIPE | Errno::CONNRESET) => return Ok(Loaded::Gone),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until something can be loaded, or until `deadline`.
    pub(in crate::process) fn wait_for_room(&self, deadline: Option<Instant>) -> io::Result<Heard> {
        wait_for(&self.0, PollFlags::OUT, deadline)
    }

    /// Takes the files that were loaded with `ticket`; `None`: they are not there. Those with
    /// lower ones are closed.
    pub(in crate::process) fn unload(&self, ticket: u64) -> io::Result<Option<Vec<OpenFile>>> {
        while let Some((other, files)) = self.next()? {
            if other >= ticket {
                return Ok((other == ticket).then_some(files));
            }
        }
        Ok(None)
    }

    /// Closes all that was loaded.
    pub(in crate::process) fn clear(&self) -> io::Result<()> {
        while self.next()?.is_some() {}
        Ok(())
    }

    /// The next packet. One that the system had to cut, since this process has too many files open,
    /// has none of its files.
    fn next(&self) -> io::Result<Option<(u64, Vec<OpenFile>)>> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(LIMIT))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [0; size_of::<u64>()];
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let received = loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags) {
                Ok(received) => break received,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if received.bytes < bytes.len() {
            // Senders send whole tickets: it is the end.
            return Ok(None);
        }
        let mut files = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(more) = message {
                files.extend(more);
            }
        }
        Ok(Some((u64::from_ne_bytes(bytes), files)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    fn file() -> OpenFile {
        File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn files_outlive_their_sender() {
        let (from, to) = Carrier::pair().unwrap();
        let (mut reader, writer) = UnixStream::pair().unwrap();
        assert_eq!(from.load(1, &[writer.into()]).unwrap(), Loaded::Yes);
        drop(from);
        let mut files = to.unload(1).unwrap().unwrap();
        File::from(files.pop().unwrap()).write_all(b"hello").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert!(to.unload(2).unwrap().is_none());
    }

    #[test]
    fn stale_tickets_are_passed_over() {
        let (from, to) = Carrier::pair().unwrap();
        let (mut reader, writer) = UnixStream::pair().unwrap();
        assert_eq!(from.load(1, &[writer.into()]).unwrap(), Loaded::Yes);
        assert_eq!(from.load(4, &[file(), file()]).unwrap(), Loaded::Yes);
        assert_eq!(to.unload(4).unwrap().unwrap().len(), 2);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "what was passed over is closed");
        assert_eq!(from.load(6, &[file()]).unwrap(), Loaded::Yes);
        assert!(to.unload(5).unwrap().is_none());
    }

    #[test]
    fn it_is_full_and_empty_again() {
        let (from, to) = Carrier::pair().unwrap();
        let files = [file()];
        let mut ticket = 0;
        while from.load(ticket, &files).unwrap() == Loaded::Yes {
            ticket += 1;
        }
        assert!(ticket > 50, "{ticket} messages with files at once");
        to.clear().unwrap();
        assert_eq!(from.load(ticket, &files).unwrap(), Loaded::Yes);
        drop(to);
        assert_eq!(from.load(ticket, &files).unwrap(), Loaded::Gone);
    }

    #[test]
    fn it_carries_up_to_the_limit() {
        let (from, to) = Carrier::pair().unwrap();
        let mut files: Vec<OpenFile> = (0..LIMIT).map(|_| file()).collect();
        assert_eq!(from.load(0, &files).unwrap(), Loaded::Yes);
        assert_eq!(to.unload(0).unwrap().unwrap().len(), LIMIT);
        files.push(file());
        assert!(from.load(0, &files).is_err());
    }
}
