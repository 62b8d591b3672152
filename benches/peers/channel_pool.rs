//! The pool that anybody can write: threads that take boxed closures from one channel.

#![expect(unsafe_code, reason = "jobs that borrow pass through a channel of jobs that do not")]

use std::{mem, thread};

use crossbeam_channel::{Sender, bounded, unbounded};

use crate::{
    divide::{Divide, Split, split_evenly},
    placement::Placement,
};

type Job = Box<dyn FnOnce() + Send>;
type BorrowingJob<'env> = Box<dyn FnOnce() + Send + 'env>;

/// Parts that a thread gets in the mean, so that an uneven start evens out.
const PARTS_A_THREAD: usize = 4;

/// A handle to the pool; its threads end with the last one.
#[derive(Clone)]
pub(crate) struct ChannelPool {
    jobs: Sender<Job>,
    threads: usize,
}

impl ChannelPool {
    /// Starts the threads.
    pub(crate) fn new(threads: usize, placement: &Placement) -> Self {
        let (sender, receiver) = unbounded::<Job>();
        for index in 0..threads {
            let (receiver, placement) = (receiver.clone(), placement.clone());
            thread::spawn(move || {
                placement.pin_worker(index);
                receiver.iter().for_each(|job| job());
            });
        }
        Self { jobs: sender, threads }
    }

    /// Hands `f` to the pool, and its result to whoever receives it.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        // A receiver that is gone wants no result.
        self.send(Box::new(move || drop(sender.send(f()))));
        receiver
    }

    /// Runs the jobs on the workers and waits for all of them.
    fn run_all(&self, jobs: Vec<BorrowingJob<'_>>) {
        let (running, all_done) = bounded::<()>(0);
        for job in jobs {
            let running = running.clone();
            let job: BorrowingJob<'_> = Box::new(move || {
                job();
                drop(running);
            });
            // SAFETY: the two types differ in a lifetime only, and nothing that the job borrows is
            // touched after it: it lets go of `running` last, also when it unwinds, and `recv`
            // below waits for that. `send` unwinds only when no worker is left to run a job.
            self.send(unsafe { mem::transmute::<BorrowingJob<'_>, Job>(job) });
        }
        drop(running);
        all_done.recv().expect_err("nobody sends; the channel closes with the last job");
    }

    fn send(&self, job: Job) {
        self.jobs.send(job).expect("the workers outlive the pool");
    }
}

impl Divide for ChannelPool {
    fn divide<W: Split, R: Send>(
        &self,
        work: W,
        leaf: &(impl Fn(W) -> R + Sync),
        merge: &(impl Fn(R, R) -> R + Sync),
    ) -> R {
        let parts = split_evenly(work, self.threads * PARTS_A_THREAD);
        let mut results: Vec<Option<R>> = parts.iter().map(|_| None).collect();
        let jobs = parts.into_iter().zip(&mut results);
        let jobs = jobs.map(|(part, result)| -> BorrowingJob<'_> {
            Box::new(move || *result = Some(leaf(part)))
        });
        self.run_all(jobs.collect());
        results.into_iter().flatten().reduce(merge).expect("there is at least one part")
    }
}
