//! Frames: what the two ends of a socket say to each other.
//!
//! ```text
//!   │ length of the body: 8 │ files: 4 │ tag: 4 │ body …
//!   └─ the files come with the first byte, at most 253; more come before, with frames of their own
//! ```
//!
//! The other end is not trusted: a length beyond [`MAX_BODY`], an unknown tag or a file that did not
//! come is [`Garbled`], and memory is taken for what has come only, not for what was announced.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::ops::Range;

use super::sys::{OpenFile, Socket};

/// As long as a body may be.
pub(super) const MAX_BODY: u64 = 1 << 32;
const MAX_FILES: u32 = 1 << 16;
const HEADER: usize = 16;
/// What is asked of the socket at once, at least.
const SIP: usize = 64 << 10;
/// A buffer of more than this is given back when it is empty.
const KEEP: usize = 16 << 20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Tag {
    /// From both, first: who it is.
    Hello = 1,
    /// More files for the frame that follows.
    Files,
    /// To a worker: a function, and what it needs.
    Job,
    /// To a worker: items for a job.
    Chunk,
    /// To a worker: nothing comes any more.
    Bye,
    /// From a worker: the results of a chunk.
    Done,
    /// From a worker: it cannot be one.
    Refused,
}

impl Tag {
    const ALL: [Self; 7] =
        [Self::Hello, Self::Files, Self::Job, Self::Chunk, Self::Bye, Self::Done, Self::Refused];
}

/// What came is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message that nobody sends")]
pub(super) struct Garbled;

/// Frames that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    frames: VecDeque<Outgoing>,
}

#[derive(Debug)]
struct Outgoing {
    header: [u8; HEADER],
    body: Vec<u8>,
    files: Vec<OpenFile>,
    sent: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, tag: Tag, body: Vec<u8>, mut files: Vec<OpenFile>) {
        let count = files.len() as u32;
        while files.len() > Socket::MAX_FILES {
            let rest = files.split_off(Socket::MAX_FILES);
            self.push_one(Tag::Files, 0, Vec::new(), files);
            files = rest;
        }
        self.push_one(tag, count, body, files);
    }

    fn push_one(&mut self, tag: Tag, count: u32, body: Vec<u8>, files: Vec<OpenFile>) {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&(body.len() as u64).to_le_bytes());
        header[8..12].copy_from_slice(&count.to_le_bytes());
        header[12..].copy_from_slice(&(tag as u32).to_le_bytes());
        self.frames.push_back(Outgoing { header, body, files, sent: 0 });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Sends what there is, or, without `wait`, what there is room for.
    pub(super) fn send(&mut self, socket: &Socket, wait: bool) -> io::Result<()> {
        while let Some(frame) = self.frames.front_mut() {
            let sent = match frame.send(socket, wait) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                sent => sent?,
            };
            frame.sent += sent;
            // The files have gone with the first byte.
            frame.files.clear();
            if frame.sent == HEADER + frame.body.len() {
                self.frames.pop_front();
            }
        }
        Ok(())
    }
}

impl Outgoing {
    fn send(&self, socket: &Socket, wait: bool) -> io::Result<usize> {
        let header = &self.header[self.sent.min(HEADER)..];
        let body = &self.body[self.sent.saturating_sub(HEADER)..];
        socket.send(&[IoSlice::new(header), IoSlice::new(body)], &self.files, wait)
    }
}

/// What came and was not looked at.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    buffer: Vec<u8>,
    filled: Range<usize>,
    files: VecDeque<OpenFile>,
}

/// A frame; its body lies in the inbox until more is received.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) tag: Tag,
    pub(super) files: Vec<OpenFile>,
    body: Range<usize>,
}

impl Inbox {
    /// Receives more, once; returns `false` at the end of the stream.
    pub(super) fn fill(&mut self, socket: &Socket, wait: bool) -> io::Result<bool> {
        self.make_room();
        let room = &mut self.buffer[self.filled.end..];
        let received = socket.receive(room, &mut self.files, wait)?;
        self.filled.end += received;
        Ok(received > 0)
    }

    /// Takes the next frame, if it is here.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Garbled> {
        loop {
            let Some((len, files, tag)) = self.head()? else { return Ok(None) };
            let body = self.filled.start + HEADER..self.filled.start + HEADER + len;
            if body.end > self.filled.end {
                return Ok(None);
            }
            self.filled.start = body.end;
            if tag != Tag::Files {
                if files > self.files.len() {
                    return Err(Garbled);
                }
                return Ok(Some(Frame { tag, files: self.files.drain(..files).collect(), body }));
            }
        }
    }

    /// The body of the frame that was taken last.
    pub(super) fn body(&self, frame: &Frame) -> &[u8] {
        &self.buffer[frame.body.clone()]
    }

    fn head(&self) -> Result<Option<(usize, usize, Tag)>, Garbled> {
        let Some(header) = self.buffer[self.filled.clone()].first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let [len, rest] = [0, 8].map(|at| {
            let mut word = [0; 8];
            word.copy_from_slice(&header[at..at + 8]);
            u64::from_le_bytes(word)
        });
        let (files, tag) = (rest as u32, (rest >> 32) as u32);
        let tag = Tag::ALL.into_iter().find(|&it| it as u32 == tag).ok_or(Garbled)?;
        if len > MAX_BODY || files > MAX_FILES || self.files.len() > MAX_FILES as usize {
            return Err(Garbled);
        }
        let len = usize::try_from(len).map_err(|_| Garbled)?;
        Ok(Some((len, files as usize, tag)))
    }

    /// Moves what is there to the front, and makes the buffer longer where it is full.
    fn make_room(&mut self) {
        if self.filled.is_empty() {
            self.filled = 0..0;
            if self.buffer.len() > KEEP {
                self.buffer = Vec::new();
            }
        } else if self.filled.start > 0 {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        if self.buffer.len() - self.filled.end < SIP {
            let len = (2 * self.buffer.len()).max(2 * SIP);
            self.buffer.resize(len, 0);
        }
    }
}
