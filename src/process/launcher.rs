//! The thread that starts processes, and sees to it that each is reaped.
//!
//! A worker ends with the *thread* that started it, so one that never ends starts them all.
//!
//! ```text
//!   start(launch) ──► launcher: starts it ──► Child, shared by the launcher and whoever asked
//!                        │ waits for the end of any
//!                        └─► reaps it, if nobody has, and closes its socket
//! ```

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::fork::{NoFork, generation};

use super::sys::{Bell, Child, Launch, Socket, Wait, keep_takeover, poll};

/// Asks the launcher to start this program once more; returns the process, and our end of its socket.
pub(super) fn start(launch: Launch) -> io::Result<(Arc<Child>, Socket)> {
    let (ours, theirs) = Socket::pair()?;
    let (reply, answer) = channel();
    ask(Request::Start { launch, socket: theirs, reply })?;
    let child = answer.recv().map_err(|_| io::Error::other("the launcher is gone"))??;
    Ok((child, ours))
}

/// Keeps the socket of a process that nobody waits for any more open until it ends.
pub(super) fn keep(child: Arc<Child>, socket: Socket) {
    // There is a launcher, since it has started this.
    let _ = ask(Request::Keep { child, socket });
}

enum Request {
    Start { launch: Launch, socket: Socket, reply: Sender<io::Result<Arc<Child>>> },
    Keep { child: Arc<Child>, socket: Socket },
}

struct Launcher {
    generation: usize,
    bell: Arc<Bell>,
    requests: Sender<Request>,
}

/// No user code runs under it.
static LAUNCHER: Mutex<Option<Launcher>> = Mutex::new(None);

fn ask(request: Request) -> io::Result<()> {
    // A fork keeps away: its child would find the lock closed for ever.
    let _no_fork = NoFork::begin();
    let mut launcher = LAUNCHER.lock().unwrap_or_else(PoisonError::into_inner);
    if launcher.as_ref().is_none_or(|it| it.generation != generation()) {
        // After a fork the old one's thread does not exist. What it has is the parent's.
        std::mem::forget(launcher.replace(Launcher::begin()?));
    }
    let launcher = launcher.as_ref().ok_or(io::ErrorKind::NotFound)?;
    let sent = launcher.requests.send(request);
    launcher.bell.ring();
    sent.map_err(|_| io::Error::other("the launcher is gone"))
}

impl Launcher {
    fn begin() -> io::Result<Self> {
        keep_takeover();
        let bell = Arc::new(Bell::new()?);
        let (requests, inbox) = channel();
        let rung = Arc::clone(&bell);
        thread::Builder::new()
            .name("manyhands launcher".to_string())
            .spawn(move || launch_all(&rung, &inbox))?;
        Ok(Self { generation: generation(), bell, requests })
    }
}

/// A process that has not ended, as far as the launcher knows.
struct Charge {
    child: Arc<Child>,
    /// Of a process whose owner is gone.
    socket: Option<Socket>,
}

fn launch_all(bell: &Bell, requests: &Receiver<Request>) {
    let mut charges: Vec<Charge> = Vec::new();
    loop {
        let mut things = vec![Wait::Rung(bell)];
        things.extend(charges.iter().map(|charge| Wait::Ended(&charge.child)));
        // If the system cannot wait now, it may later; until then each turn looks at everything.
        if poll(&things, None).is_err() {
            thread::yield_now();
        }
        bell.clear();
        charges.retain(|charge| charge.child.reap().is_none());
        while let Ok(request) = requests.try_recv() {
            match request {
                Request::Start { launch, socket, reply } => {
                    let child = Child::launch(&launch, socket).map(Arc::new);
                    let charge = child.as_ref().ok().map(Arc::clone);
                    charges.extend(charge.map(|child| Charge { child, socket: None }));
                    // Whoever asked waits for the answer.
                    let _ = reply.send(child);
                }
                Request::Keep { child, socket } => {
                    let charge = charges.iter_mut().find(|it| Arc::ptr_eq(&it.child, &child));
                    if let Some(charge) = charge {
                        charge.socket = Some(socket);
                    }
                }
            }
        }
    }
}
