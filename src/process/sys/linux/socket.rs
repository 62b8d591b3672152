//! One end of a stream between two processes, which carries files, too.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recvmsg, sendmsg, shutdown,
    socketpair,
};

/// Closed when dropped, and in whatever this process turns into.
#[derive(Debug)]
pub(in crate::process) struct Socket(OwnedFd);

impl Socket {
    /// As many files as go with one [`send`](Self::send).
    pub(in crate::process) const MAX_FILES: usize = 253;

    pub(in crate::process) fn pair() -> io::Result<(Self, Self)> {
        let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
        let (a, b) = socketpair(family, kind, SocketFlags::CLOEXEC, None)?;
        Ok((Self(a), Self(b)))
    }

    /// Sends the beginning of `parts`, and with its first byte `files`; returns how much.
    ///
    /// Only with `wait` does it block, until there is room.
    pub(in crate::process) fn send(
        &self,
        parts: &[IoSlice<'_>],
        files: &[OwnedFd],
        wait: bool,
    ) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(Self::MAX_FILES))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        if !files.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(Errno::TOOBIG.into());
        }
        let mut flags = SendFlags::NOSIGNAL;
        flags.set(SendFlags::DONTWAIT, !wait);
        loop {
            match sendmsg(&self.0, parts, &mut ancillary, flags) {
                Err(Errno::INTR) => {}
                sent => return Ok(sent?),
            }
        }
    }

    /// Receives into the beginning of `buffer`; returns how much, 0 at the end of the stream.
    ///
    /// Only with `wait` does it block, until something comes.
    pub(in crate::process) fn receive(
        &self,
        buffer: &mut [u8],
        files: &mut impl Extend<OwnedFd>,
        wait: bool,
    ) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(Self::MAX_FILES))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut flags = RecvFlags::CMSG_CLOEXEC;
        flags.set(RecvFlags::DONTWAIT, !wait);
        let received = loop {
            match recvmsg(&self.0, &mut [IoSliceMut::new(buffer)], &mut ancillary, flags) {
                Err(Errno::INTR) => {}
                received => break received?,
            }
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                files.extend(rights);
            }
        }
        Ok(received.bytes)
    }

    /// Whatever the other side still sends is refused.
    pub(in crate::process) fn stop_reading(&self) {
        // It fails when the other side is gone, which is as good.
        let _ = shutdown(&self.0, Shutdown::Read);
    }

    /// The other side is told that nothing comes any more.
    pub(in crate::process) fn stop_writing(&self) {
        // As above.
        let _ = shutdown(&self.0, Shutdown::Write);
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Socket {
    fn from(file: OwnedFd) -> Self {
        Self(file)
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> Self {
        socket.0
    }
}
