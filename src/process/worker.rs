//! The life of a worker, in its own process.
//!
//! ```text
//!   first thread                     task thread
//!   ────────────                     ───────────
//!   starts the other                 says hello
//!   waits for the parent's end       hello: is it the same program?
//!   ends the process at once         job: notes the function
//!                                    chunk: calls it with each item; sends the results
//!                                    bye: exits
//! ```

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::panic;
use std::sync::Arc;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::error::Panic;
use crate::unwind::{Payload, catch};

use super::current;
use super::entry::Job;
use super::parcel::{Failure, Packer, Unpacker};
use super::sys::{Socket, become_worker, build, entry_at, leave, watch_parent};
use super::wire::{Frame, Inbox, Outbox, Tag};

/// As much as the first thread of a program usually has.
const STACK: usize = 8 << 20;
/// What a worker exits with that cannot be one.
const UNFIT: i32 = 70;

/// What both ends say first. It is the same for the same program only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    protocol: u32,
    version: String,
    build: Vec<u8>,
}

impl Identity {
    pub(super) fn own() -> Self {
        let version = env!("CARGO_PKG_VERSION").to_string();
        Self { protocol: 1, version, build: build().to_vec() }
    }
}

/// What a worker is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) identity: Identity,
    pub(super) name: String,
    pub(super) memory_limit: Option<u64>,
}

/// Goes before a function and what it needs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct JobHead {
    pub(super) job: u64,
    pub(super) offset: i64,
}

/// Goes before the items of a chunk, and before their results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChunkHead {
    pub(super) job: u64,
    pub(super) first: u64,
    pub(super) len: u64,
}

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The message of a panic of this thread, and its place.
pub(super) fn last_words(payload: Payload) -> Failure {
    let panic = Panic::new(payload);
    let message = panic.message().map(str::to_string);
    std::mem::forget(panic);
    Failure::Panicked { message, place: PLACE.take() }
}

/// Is a worker until the process ends.
pub(super) fn serve(socket: Socket) -> ! {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PLACE.set(info.location().map(ToString::to_string));
        tell(info);
    }));
    let socket = Arc::new(socket);
    let tasks = Arc::clone(&socket);
    let run = move || match catch(|| Worker::new(tasks).run()) {
        Ok(Ok(())) => std::process::exit(0),
        _ => leave(UNFIT),
    };
    match thread::Builder::new().name("main".to_string()).stack_size(STACK).spawn(run) {
        Ok(_) => watch_parent(&socket),
        Err(_) => leave(UNFIT),
    }
}

struct Worker {
    socket: Arc<Socket>,
    inbox: Inbox,
    jobs: HashMap<u64, Result<Box<dyn Job>, Failure>>,
}

impl Worker {
    fn new(socket: Arc<Socket>) -> Self {
        Self { socket, inbox: Inbox::default(), jobs: HashMap::new() }
    }

    /// Until there is nothing more to do.
    fn run(mut self) -> io::Result<()> {
        self.say(Tag::Hello, encode(&Identity::own())?, Packer::default());
        loop {
            let frame = match self.inbox.next() {
                Ok(Some(frame)) => frame,
                Ok(None) if self.inbox.fill(&self.socket, true)? => continue,
                // The parent is gone. The first thread knows, and says so by its exit.
                Ok(None) => loop {
                    thread::park();
                },
                Err(garbled) => return Err(io::Error::other(garbled)),
            };
            match frame.tag {
                Tag::Hello => self.settle(&frame)?,
                Tag::Job => self.note(frame)?,
                Tag::Chunk => self.work(frame)?,
                Tag::Bye => return Ok(()),
                Tag::Files | Tag::Done | Tag::Refused => {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
    }

    fn settle(&mut self, frame: &Frame) -> io::Result<()> {
        let setup: Setup = decode(self.inbox.body(frame))?.0;
        if setup.identity != Identity::own() {
            self.say(Tag::Refused, Vec::new(), Packer::default());
            return Err(io::ErrorKind::InvalidData.into());
        }
        become_worker(setup.memory_limit)?;
        current::set(setup.name);
        Ok(())
    }

    fn note(&mut self, frame: Frame) -> io::Result<()> {
        let (head, rest) = decode::<JobHead>(self.inbox.body(&frame))?;
        let mut context = Unpacker::new(rest, frame.files);
        let job = match entry_at(head.offset) {
            Some(entry) => {
                catch(|| entry(&mut context)).unwrap_or_else(|payload| Err(last_words(payload)))
            }
            None => Err(Failure::NoFunction),
        };
        self.jobs.insert(head.job, job);
        Ok(())
    }

    fn work(&mut self, frame: Frame) -> io::Result<()> {
        let (head, rest) = decode::<ChunkHead>(self.inbox.body(&frame))?;
        let job = self.jobs.get_mut(&head.job).ok_or(io::ErrorKind::InvalidData)?;
        let mut items = Unpacker::new(rest, frame.files);
        let mut results = Packer::default();
        for _ in 0..head.len {
            match job {
                Ok(job) => job.run(&mut items, &mut results).ok_or(io::ErrorKind::InvalidData)?,
                Err(failure) => results.failure(failure),
            }
        }
        self.say(Tag::Done, encode(&head)?, results);
        Ok(())
    }

    /// If it does not arrive there is nobody to tell: the parent is gone, or wants no results.
    fn say(&self, tag: Tag, mut body: Vec<u8>, results: Packer) {
        let (results, files) = results.finish();
        if body.is_empty() {
            body = results;
        } else {
            body.extend_from_slice(&results);
        }
        let mut outbox = Outbox::default();
        outbox.push(tag, body, files);
        let _ = outbox.send(&self.socket, true);
    }
}

/// The bytes of something that can always be written.
pub(super) fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(io::Error::other)
}

/// The value at the front, and what follows it.
pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> io::Result<(T, &'a [u8])> {
    postcard::take_from_bytes(bytes).map_err(io::Error::other)
}
