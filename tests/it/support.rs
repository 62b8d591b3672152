//! What several tests need: counted values, gates, time limits, a process of one's own.

use std::any::Any;
use std::fs;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::Pool;

/// The sizes of pools that most tests try.
pub(crate) const SIZES: [usize; 4] = [1, 2, 8, 16];

/// Long enough for anything that happens at all, on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

//--- time limits

/// The name of the test that `body` is a closure of.
fn name_of<F>(_: &F) -> &'static str {
    let path = std::any::type_name::<F>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    path.split("::{{closure}}").next().unwrap_or(path)
}

/// Runs `body` on a thread of its own. If it is not done in time, it hangs: the process is aborted,
/// with the name of the test.
pub(crate) fn within<R: Send + 'static>(
    limit: Duration,
    body: impl FnOnce() -> R + Send + 'static,
) -> R {
    let name = name_of(&body);
    let (done, outcome) = mpsc::channel();
    let thread = thread::Builder::new().name(name.into()).stack_size(64 * MIB);
    let body = move || drop(done.send(catch_unwind(AssertUnwindSafe(body))));
    let thread = thread.spawn(body).unwrap();
    match outcome.recv_timeout(limit) {
        Ok(result) => {
            thread.join().unwrap();
            result.unwrap_or_else(|payload| resume_unwind(payload))
        }
        Err(RecvTimeoutError::Disconnected) => unreachable!("the body's outcome is always sent"),
        Err(RecvTimeoutError::Timeout) => {
            // Past the harness, which would keep it to itself.
            let _ = writeln!(std::io::stderr(), "\nHANGS: {name} is not done after {limit:?}");
            if std::env::var_os("IT_KEEP_HANGING").is_some() {
                let _ = writeln!(std::io::stderr(), "pid {}", std::process::id());
                thread.join().unwrap();
            }
            std::process::abort()
        }
    }
}

/// Looks again and again until `condition` holds: for things that happen by themselves.
#[track_caller]
pub(crate) fn eventually(what: &str, condition: impl FnMut() -> bool) {
    assert!(happens_within(LONG / 3, condition), "it does not happen that {what}");
}

/// Whether `condition` comes to hold before `limit` is over.
pub(crate) fn happens_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begin.elapsed() > limit {
            return false;
        }
        thread::yield_now();
    }
}

//--- processes

const ALONE: &str = "IT_ALONE";

/// How a child process ended, and what it has said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
}

/// Runs `body` in a process of its own, which has nothing but this test, and fails as it does.
pub(crate) fn alone(body: impl FnOnce() + Send + 'static) {
    alone_with(&[], body);
}

/// As [`alone`], with some variables in the environment.
pub(crate) fn alone_with(variables: &[(&str, &str)], body: impl FnOnce() + Send + 'static) {
    let name = name_of(&body);
    if let Some(ended) = in_child(name, &[], variables, body) {
        assert!(ended.status.success(), "{name} alone: {}\n{}", ended.status, ended.output);
    }
}

/// Runs `body` in a process of its own, started through the command `wrapper`, and says how it
/// ended: by exiting with 0 if `body` returns.
#[allow(dead_code, reason = "for tests to come")]
pub(crate) fn wrapped(wrapper: &[&str], body: impl FnOnce() + Send + 'static) -> Option<Ended> {
    in_child(name_of(&body), wrapper, &[], body)
}

/// `None` in the child, after the body.
fn in_child(
    name: &str,
    wrapper: &[&str],
    variables: &[(&str, &str)],
    body: impl FnOnce() + Send + 'static,
) -> Option<Ended> {
    if std::env::var(ALONE).is_ok_and(|it| it == name) {
        // A thread of its own, so that it is the same whatever the harness does.
        let thread = thread::Builder::new().name("alone".into()).spawn(body).unwrap();
        if let Err(payload) = thread.join() {
            resume_unwind(payload);
        }
        return None;
    }
    let this = std::env::current_exe().unwrap();
    let mut line: Vec<_> = wrapper.iter().map(Into::into).collect();
    line.push(this.into_os_string());
    let child = Command::new(&line[0])
        .args(&line[1..])
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(ALONE, name)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ended = end_of(name, child);
    let has_run = ended.output.contains("running 1 test") || !ended.status.success();
    assert!(has_run, "no test is called {name}: {}", ended.output);
    Some(ended)
}

fn end_of(name: &str, mut child: Child) -> Ended {
    let outputs = [read_all(child.stdout.take().unwrap()), read_all(child.stderr.take().unwrap())];
    let mut status = None;
    let has_ended = happens_within(LONG, || {
        status = child.try_wait().unwrap();
        thread::sleep(Duration::from_millis(2));
        status.is_some()
    });
    if !has_ended {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let output = outputs.map(|output| output.join().unwrap()).concat();
    assert!(has_ended, "{name} alone is not done after {LONG:?}:\n{output}");
    Ended { status: status.unwrap(), output }
}

fn read_all(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = from.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// How many threads this process has.
pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// How much time this process has spent on a CPU so far, in all its threads.
pub(crate) fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name, which may have spaces in it, ends with the last bracket.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// What part of one CPU this process uses while this thread sleeps for `time`.
pub(crate) fn cpu_use(time: Duration) -> f64 {
    let (begin, before) = (Instant::now(), cpu_time());
    thread::sleep(time);
    (cpu_time() - before).as_secs_f64() / begin.elapsed().as_secs_f64()
}

/// How many bytes of memory this process has in use.
pub(crate) fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// By how many bytes the process grows while `f` runs for the second time.
///
/// The first time, for a tenth as long, is for what is allocated once.
pub(crate) fn growth(turns: usize, mut f: impl FnMut(usize)) -> usize {
    (0..turns / 10).for_each(&mut f);
    let before = resident();
    (0..turns).for_each(&mut f);
    resident().saturating_sub(before)
}

pub(crate) const MIB: usize = 1 << 20;

//--- panics

/// Runs `f`, and returns the payload of its panic.
#[track_caller]
pub(crate) fn panic_of<R>(f: impl FnOnce() -> R) -> Payload {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { panic!("it should have panicked") };
    payload
}

/// The text of a panic.
#[track_caller]
pub(crate) fn text_of(payload: Payload) -> String {
    match payload.downcast::<&'static str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().expect("a panic with a text"),
    }
}

/// Panics when it is dropped, unless the thread is panicking already.
#[derive(Debug)]
pub(crate) struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("from a drop");
        }
    }
}

//--- counted values

/// Counts the values that were made from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
    twice: AtomicUsize,
}

/// A value that is counted while it lives and when it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    counts: Arc<Counts>,
    is_alive: AtomicBool,
    pub(crate) value: usize,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn make(&self, value: usize) -> Counted {
        self.0.made.fetch_add(1, Ordering::Relaxed);
        Counted { counts: Arc::clone(&self.0), is_alive: AtomicBool::new(true), value }
    }

    pub(crate) fn made(&self) -> usize {
        self.0.made.load(Ordering::SeqCst)
    }

    pub(crate) fn dropped(&self) -> usize {
        self.0.dropped.load(Ordering::SeqCst)
    }

    pub(crate) fn live(&self) -> usize {
        self.made() - self.dropped()
    }

    /// All that was made has been dropped, once.
    #[track_caller]
    pub(crate) fn assert_even(&self) {
        assert_eq!(self.0.twice.load(Ordering::SeqCst), 0, "dropped twice");
        assert_eq!(self.dropped(), self.made(), "dropped, of those made");
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.is_alive.swap(false, Ordering::SeqCst) {
            self.counts.twice.fetch_add(1, Ordering::SeqCst);
        }
        self.counts.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

//--- gates

/// Holds up those who wait at it until it is opened; counts them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Arrives, and waits until it is open.
    pub(crate) fn wait(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.1 += 1;
        changed.notify_all();
        drop(changed.wait_while(state, |state| !state.0).unwrap());
    }

    pub(crate) fn open(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap().0 = true;
        changed.notify_all();
    }

    /// Opens it when dropped, so that a test that fails does not hang as well.
    pub(crate) fn opener(&self) -> Opener {
        Opener(self.clone())
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.0.lock().unwrap().0
    }

    /// How many have come to it so far.
    #[allow(dead_code, reason = "for tests to come")]
    pub(crate) fn arrivals(&self) -> usize {
        self.0.0.lock().unwrap().1
    }

    /// Waits until so many have come to it.
    pub(crate) fn wait_for_arrivals(&self, count: usize) {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap();
        drop(changed.wait_while(state, |state| state.1 < count).unwrap());
    }
}

/// Opens a gate when it is dropped.
#[derive(Debug)]
pub(crate) struct Opener(Gate);

impl Drop for Opener {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Every worker of a pool stands at a gate until this is dropped.
#[derive(Debug)]
pub(crate) struct Blocked(#[expect(dead_code, reason = "for its drop")] Opener);

impl Blocked {
    /// Blocks all workers of `pool`, which has nothing to do yet.
    pub(crate) fn all(pool: &Pool) -> Self {
        let gate = Gate::new();
        for _ in 0..pool.threads() {
            let gate = gate.clone();
            pool.spawn(move || gate.wait()).detach();
        }
        gate.wait_for_arrivals(pool.threads());
        Self(gate.opener())
    }
}

/// A pool, and no more.
pub(crate) fn pool(threads: usize) -> Pool {
    Pool::new(threads).unwrap()
}
