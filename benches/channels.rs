//! What do messages and shared state cost, beside what others take for the same?
//!
//! - **Question.** Does a channel that knows the pool cost more than crossbeam-channel, which it is
//!   made of, on plain threads; and what does it bring on workers?
//! - **Unit.** Nanoseconds a message, or an update; the median (the minimum) over the rounds.
//! - **Baseline.** crossbeam-channel for channels, `std::sync::Mutex` for state. The last column is
//!   the median of the ratios, round by round, of manyhands to it.
//!
//! ```text
//! cargo bench --bench channels [-- FILTER]
//! ```
//!
//! Every round runs every contender once, each round starting with the next of them. What arrives is
//! summed up and compared outside the clock. Nothing asserts a time. Senders and receivers have a core
//! each, and so has each worker: unpinned, most rows have two modes. On workers, crossbeam-channel
//! and manyhands run as tasks of the same pool: a row with more tasks than workers shows what it
//! means that a worker which waits is replaced.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use manyhands::shared::{Array, Number, Value};
use manyhands::{Pool, channel, join_all};

const ROUNDS: usize = 31;
const MESSAGES: u64 = 40_000;
const UPDATES: u64 = 100_000;

//--- channels

/// A kind of channel of numbers.
trait Kind: 'static {
    type Sender: Send + Clone;
    type Receiver: Send;

    fn make(capacity: Option<usize>) -> (Self::Sender, Self::Receiver);
    fn share(receiver: &Self::Receiver) -> Self::Receiver;
    fn send(sender: &Self::Sender, message: u64);
    fn recv(receiver: &Self::Receiver) -> Option<u64>;
}

macro_rules! kinds {
    ($($name:ident: $($path:ident)::+)*) => {$(
        struct $name;

        impl Kind for $name {
            type Sender = $($path)::+::Sender<u64>;
            type Receiver = $($path)::+::Receiver<u64>;

            fn make(capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
                capacity.map_or_else($($path)::+::unbounded, $($path)::+::bounded)
            }

            fn share(receiver: &Self::Receiver) -> Self::Receiver {
                receiver.clone()
            }

            fn send(sender: &Self::Sender, message: u64) {
                sender.send(message).expect("somebody receives");
            }

            fn recv(receiver: &Self::Receiver) -> Option<u64> {
                receiver.recv().ok()
            }
        }
    )*};
}

kinds! {
    Crossbeam: crossbeam_channel
    Flume: flume
    Manyhands: channel
}

struct Std;

#[derive(Clone)]
enum StdSender {
    Unbounded(mpsc::Sender<u64>),
    Bounded(mpsc::SyncSender<u64>),
}

impl Kind for Std {
    type Sender = StdSender;
    type Receiver = mpsc::Receiver<u64>;

    fn make(capacity: Option<usize>) -> (StdSender, mpsc::Receiver<u64>) {
        match capacity {
            None => {
                let (sender, receiver) = mpsc::channel();
                (StdSender::Unbounded(sender), receiver)
            }
            Some(capacity) => {
                let (sender, receiver) = mpsc::sync_channel(capacity);
                (StdSender::Bounded(sender), receiver)
            }
        }
    }

    fn share(_: &mpsc::Receiver<u64>) -> mpsc::Receiver<u64> {
        unreachable!("std has one receiver a channel")
    }

    fn send(sender: &StdSender, message: u64) {
        let sent = match sender {
            StdSender::Unbounded(sender) => sender.send(message),
            StdSender::Bounded(sender) => sender.send(message),
        };
        sent.expect("somebody receives");
    }

    fn recv(receiver: &mpsc::Receiver<u64>) -> Option<u64> {
        receiver.recv().ok()
    }
}

/// Who talks to whom.
#[derive(Clone, Copy)]
struct Layout {
    senders: usize,
    receivers: usize,
    capacity: Option<usize>,
}

/// Sends [`MESSAGES`] numbers on plain threads, and returns the sum of what arrives.
fn on_threads<K: Kind>(layout: Layout) -> u64 {
    let (senders, receivers) = ends::<K>(layout);
    thread::scope(|scope| {
        let receivers = receivers.into_iter().map(|it| {
            scope.spawn(move || {
                pin(0);
                drain::<K>(&it)
            })
        });
        let receivers: Vec<_> = receivers.collect();
        for (sender, part) in senders.into_iter().zip(0..) {
            scope.spawn(move || {
                pin(1);
                feed::<K>(layout, &sender, part);
            });
        }
        receivers.into_iter().map(|it| it.join().expect("nobody panics")).sum()
    })
}

/// The same on the workers of a pool, in tasks that nobody else may run.
fn on_workers<K: Kind>(pool: &Pool, layout: Layout) -> u64 {
    let (senders, receivers) = ends::<K>(layout);
    let receivers: Vec<_> =
        receivers.into_iter().map(|it| pool.spawn(move || drain::<K>(&it))).collect();
    let senders = senders.into_iter().zip(0..);
    let senders = senders.map(|(it, part)| pool.spawn(move || feed::<K>(layout, &it, part)));
    let senders: Vec<_> = senders.collect();
    join_all(senders).expect("nobody panics");
    join_all(receivers).expect("nobody panics").into_iter().sum()
}

/// The same on one thread: what an operation costs that need not wait.
fn alone<K: Kind>(capacity: Option<usize>) -> u64 {
    let (sender, receiver) = K::make(capacity);
    let pass = |message| {
        K::send(&sender, message);
        K::recv(&receiver).unwrap_or(0)
    };
    (0..MESSAGES).map(pass).sum()
}

fn ends<K: Kind>(layout: Layout) -> (Vec<K::Sender>, Vec<K::Receiver>) {
    let (sender, receiver) = K::make(layout.capacity);
    let senders = vec![sender; layout.senders];
    let mut receivers: Vec<_> = (1..layout.receivers).map(|_| K::share(&receiver)).collect();
    receivers.push(receiver);
    (senders, receivers)
}

fn feed<K: Kind>(layout: Layout, sender: &K::Sender, part: u64) {
    let count = MESSAGES / layout.senders as u64;
    (part * count..(part + 1) * count).for_each(|message| K::send(sender, message));
}

fn drain<K: Kind>(receiver: &K::Receiver) -> u64 {
    std::iter::from_fn(|| K::recv(receiver)).sum()
}

fn channels(bench: &Bench) {
    println!("\n| messages, ns each | crossbeam | std | flume | manyhands | to crossbeam |");
    println!("|---|---|---|---|---|---|");
    let expected = MESSAGES * (MESSAGES - 1) / 2;
    let rows = [
        ("1 to 1", 1, 1, None),
        ("1 to 1, 100 at most", 1, 1, Some(100)),
        ("1 to 1, rendezvous", 1, 1, Some(0)),
        ("4 to 1", 4, 1, None),
        ("4 to 4", 4, 4, None),
        ("4 to 4, 100 at most", 4, 4, Some(100)),
    ];
    for (name, senders, receivers, capacity) in rows {
        let layout = Layout { senders, receivers, capacity };
        let threads = format!("{name}, threads");
        let std: Option<&dyn Fn() -> u64> =
            if receivers == 1 { Some(&|| on_threads::<Std>(layout)) } else { None };
        bench.row(
            &threads,
            MESSAGES,
            expected,
            &[
                Some(&|| on_threads::<Crossbeam>(layout)),
                std,
                Some(&|| on_threads::<Flume>(layout)),
                Some(&|| on_threads::<Manyhands>(layout)),
            ],
        );
    }
    for (name, capacity) in [("sent and received", None), ("the same, 100 at most", Some(100))] {
        bench.row(
            &format!("{name}, one thread"),
            MESSAGES,
            expected,
            &[
                Some(&|| alone::<Crossbeam>(capacity)),
                Some(&|| alone::<Std>(capacity)),
                Some(&|| alone::<Flume>(capacity)),
                Some(&|| alone::<Manyhands>(capacity)),
            ],
        );
    }
    let pool = workers(2);
    for (name, senders, receivers, capacity) in rows {
        let layout = Layout { senders, receivers, capacity };
        let workers = format!("{name}, 2 workers");
        // Receivers come first, and hold both workers: without a replacement nobody would ever send.
        let starves = senders + receivers > 2;
        let crossbeam: Option<&dyn Fn() -> u64> =
            if starves { None } else { Some(&|| on_workers::<Crossbeam>(&pool, layout)) };
        bench.row(
            &workers,
            MESSAGES,
            expected,
            &[crossbeam, None, None, Some(&|| on_workers::<Manyhands>(&pool, layout))],
        );
    }
    beside_waiting(bench);
}

/// A pool of two whose one worker waits for a message, while there is other work for two.
fn beside_waiting(bench: &Bench) {
    fn run<K: Kind>(pool: &Pool) -> u64 {
        let (sender, receiver) = K::make(None);
        let waiting = pool.spawn(move || K::recv(&receiver));
        let tasks: Vec<_> = (0..20).map(|_| pool.spawn(|| spin(200))).collect();
        let done: u64 = join_all(tasks).expect("nobody panics").into_iter().sum();
        K::send(&sender, done);
        waiting.join().ok().flatten().unwrap_or(0)
    }
    let pool = workers(2);
    bench.row(
        "20 tasks of 200 us beside one that waits, 2 workers, a task",
        20,
        20,
        &[Some(&|| run::<Crossbeam>(&pool)), None, None, Some(&|| run::<Manyhands>(&pool))],
    );
}

fn workers(threads: usize) -> Pool {
    let builder = Pool::builder().threads(threads).workers_only(true).on_start(pin);
    builder.build().expect("more than 0 threads")
}

/// Gives this thread a core, so that the kernel does not pack a woken one onto its waker's.
fn pin(index: usize) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    if let Some(core) = cores.get(index % cores.len().max(1)) {
        core_affinity::set_for_current(*core);
    }
}

/// Is busy for so many microseconds.
fn spin(micros: u64) -> u64 {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_micros(micros) {
        std::hint::spin_loop();
    }
    1
}

//--- state

/// Has so many threads do [`UPDATES`] updates in all, and returns how many were done.
fn updates(threads: u64, update: impl Fn(u64) + Sync) -> u64 {
    let count = UPDATES / threads;
    let run = |part| (part * count..(part + 1) * count).for_each(&update);
    thread::scope(|scope| (0..threads).for_each(|part| _ = scope.spawn(move || run(part))));
    count * threads
}

fn state(bench: &Bench) {
    println!("\n| updates, ns each | Mutex | parking_lot | atomic | manyhands | to Mutex |");
    println!("|---|---|---|---|---|---|");
    for threads in [1, 2] {
        let std = Mutex::new(0);
        let parking_lot = parking_lot::Mutex::new(0);
        let atomic = Arc::new(AtomicU64::new(0));
        let value = Value::new(0);
        let number = Number::new(0_u64);
        let name = |what: &str| format!("{what}, {threads} threads");
        let lock = |_| *std.lock().expect("nobody panics") += 1_u64;
        bench.row(
            &name("Value"),
            UPDATES,
            UPDATES,
            &[
                Some(&|| updates(threads, lock)),
                Some(&|| updates(threads, |_| *parking_lot.lock() += 1_u64)),
                Some(&|| updates(threads, |_| _ = atomic.fetch_add(1, Ordering::AcqRel))),
                Some(&|| updates(threads, |_| value.update(|it| *it += 1_u64))),
            ],
        );
        bench.row(
            &name("Number"),
            UPDATES,
            UPDATES,
            &[
                Some(&|| updates(threads, lock)),
                None,
                Some(&|| updates(threads, |_| _ = atomic.fetch_add(1, Ordering::AcqRel))),
                Some(&|| updates(threads, |_| _ = number.add(1))),
            ],
        );
        let whole = Mutex::new(vec![0_u64; 1000]);
        let whole_too = parking_lot::Mutex::new(vec![0_u64; 1000]);
        let array = Array::new(1000, 0_u64);
        let place = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % 1000;
        bench.row(
            &name("Array of 1000, one item"),
            UPDATES,
            UPDATES,
            &[
                Some(&|| updates(threads, |n| whole.lock().expect("nobody panics")[place(n)] += 1)),
                Some(&|| updates(threads, |n| whole_too.lock()[place(n)] += 1)),
                None,
                Some(&|| updates(threads, |n| array.update(place(n), |it| *it += 1))),
            ],
        );
    }
}

//--- the harness

struct Bench {
    filter: String,
}

impl Bench {
    /// Runs the contenders in turns, and prints their times divided by `units`.
    fn row(&self, name: &str, units: u64, expected: u64, contenders: &[Option<&dyn Fn() -> u64>]) {
        if !name.contains(&self.filter) {
            return;
        }
        let mut times = vec![Vec::new(); contenders.len()];
        for round in 0..ROUNDS {
            for turn in 0..contenders.len() {
                let index = (round + turn) % contenders.len();
                let Some(contender) = contenders[index] else { continue };
                let begin = Instant::now();
                let result = black_box(contender());
                let time = begin.elapsed();
                assert_eq!(result, expected, "{name}, contender {index}");
                times[index].push(time.as_nanos() as f64 / units as f64);
            }
        }
        let (first, last) = (&times[0], &times[times.len() - 1]);
        let ratios = last.iter().zip(first).map(|(own, other)| own / other).collect();
        let cells: Vec<_> = times.iter().cloned().map(cell).collect();
        let ratio = if first.is_empty() { String::new() } else { format!("{:.2}", median(ratios)) };
        println!("| {name} | {} | {ratio} |", cells.join(" | "));
    }
}

fn cell(times: Vec<f64>) -> String {
    if times.is_empty() {
        return String::new();
    }
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    format!("{:.1} ({least:.1})", median(times))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("without --bench, which `cargo bench` passes, nothing is measured");
        return ExitCode::SUCCESS;
    }
    let filter = arguments.into_iter().find(|argument| argument != "--bench").unwrap_or_default();
    let bench = Bench { filter };
    channels(&bench);
    state(&bench);
    ExitCode::SUCCESS
}
