//! A sweep over any iterator.
//!
//! The caller pulls, since the iterator need not be `Send`. It packs items into batches, each a
//! task of a scope, and when there are enough batches ahead it runs one of them itself.

use std::mem::take;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

use crate::error::TaskError;
use crate::pool::Pool;
use crate::scope::ScopedHandle;
use crate::sync::Ordering;
use crate::unwind::{Discarded, Payload, catch};

/// How long a batch should take.
const TARGET: Duration = Duration::from_micros(50);

/// A batch may be so many times as large as the one that was measured.
const GROWTH: usize = 8;

/// At most so many items in a batch.
const LARGEST: usize = 1 << 16;

/// So many batches a thread may lie ahead of the one whose result is awaited.
const AHEAD: usize = 4;

impl Pool {
    /// As [`map`](Self::map), over any iterator, which is pulled by the calling thread and need not
    /// be `Send`.
    ///
    /// Pulling and mapping overlap. Items are packed into batches of about 50 µs of work (at most
    /// 65,536 items, or what [`chunk`](Self::chunk) says), of which at most 4 for each thread are
    /// ahead at a time.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// let pool = manyhands::Pool::new(2)?;
    /// let ages = BTreeMap::from([("Ann", 30), ("Bob", 40)]);
    /// let lines = pool.map_iter(&ages, |(name, age)| format!("{name}: {age}"));
    /// assert_eq!(lines, ["Ann: 30", "Bob: 40"]);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// With the payload of the item of the lowest index whose call to `f` panicked; if none did,
    /// with that of the iterator, if it panicked. No more is pulled after a panic.
    pub fn map_iter<I, F, R>(&self, iterator: I, f: F) -> Vec<R>
    where
        I: IntoIterator,
        I::Item: Send,
        F: Fn(I::Item) -> R + Sync,
        R: Send,
    {
        let batches = Batches::new(self.options().chunk.map(NonZeroUsize::get));
        let mut results = Discarded(Vec::new());
        let mut iterator = iterator.into_iter();
        self.scope(|scope| {
            let ahead = AHEAD * self.threads().max(1);
            let mut tasks = std::collections::VecDeque::new();
            let mut end = None;
            while end.is_none() {
                let (batch, batch_end) = batches.pull(&mut iterator);
                end = batch_end;
                let (batches, f) = (&batches, &f);
                tasks.push_back(scope.spawn(move || batches.run(batch, f)));
                if tasks.len() > ahead {
                    results.0.extend(taken(tasks.pop_front()));
                }
            }
            tasks.into_iter().for_each(|task| results.0.extend(taken(Some(task))));
            if let Some(End::Panicked(payload)) = end {
                std::panic::resume_unwind(payload);
            }
        });
        take(&mut results.0)
    }
}

/// The result of the oldest batch; a panic goes on here.
fn taken<R>(task: Option<ScopedHandle<'_, Vec<R>>>) -> Vec<R> {
    match task.map(ScopedHandle::join) {
        None => Vec::new(),
        Some(Ok(results)) => results,
        Some(Err(TaskError::Panicked(panic))) => panic.resume(),
        Some(Err(_)) => unreachable!("tasks of a scope are neither refused nor cancelled"),
    }
}

/// Why nothing more was pulled.
enum End {
    Over,
    Panicked(Payload),
}

/// How large batches are, and whether they still matter.
struct Batches {
    /// What was asked for.
    fixed: Option<usize>,
    size: AtomicUsize,
    has_failed: AtomicBool,
}

impl Batches {
    fn new(fixed: Option<usize>) -> Self {
        let size = AtomicUsize::new(fixed.unwrap_or(1));
        Self { fixed, size, has_failed: AtomicBool::new(false) }
    }

    /// The next batch; and the end, if it came to it.
    fn pull<I: Iterator>(&self, iterator: &mut I) -> (Vec<I::Item>, Option<End>) {
        // ORDERING: Relaxed: a size is a guess.
        let size = self.size.load(Ordering::Relaxed);
        // ORDERING: Relaxed: stopping a little later does no harm.
        let size = if self.has_failed.load(Ordering::Relaxed) { 0 } else { size };
        let mut batch = Vec::with_capacity(size.min(LARGEST));
        let pulled = catch(|| batch.extend(iterator.take(size)));
        let end = match pulled {
            Err(payload) => Some(End::Panicked(payload)),
            Ok(()) if batch.len() < size || size == 0 => Some(End::Over),
            Ok(()) => None,
        };
        (batch, end)
    }

    /// Maps a batch, and corrects the size of the next ones.
    fn run<T, R>(&self, batch: Vec<T>, f: impl Fn(T) -> R) -> Vec<R> {
        let count = batch.len();
        let began = Instant::now();
        let mut results = Discarded(Vec::with_capacity(count));
        let mapped = catch(|| results.0.extend(batch.into_iter().map(f)));
        if let Err(payload) = mapped {
            // ORDERING: Relaxed, see `pull`.
            self.has_failed.store(true, Ordering::Relaxed);
            std::panic::resume_unwind(payload);
        }
        if self.fixed.is_none() {
            self.correct(count, began.elapsed());
        }
        take(&mut results.0)
    }

    fn correct(&self, count: usize, spent: Duration) {
        let fitting = count as u128 * TARGET.as_nanos() / spent.as_nanos().max(1);
        let largest = (count * GROWTH).clamp(1, LARGEST);
        // ORDERING: Relaxed, see `pull`.
        self.size.store((fitting as usize).clamp(1, largest), Ordering::Relaxed);
    }
}
