//! What a pool has done so far.

use super::Pool;
use crate::scheduler::Tally;

/// Counts what a pool has done since it was built.
///
/// The counts are taken one after another while the pool goes on, so they need not fit together to
/// the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Workers that the pool has.
    pub threads: usize,
    /// Workers that the system refused to start.
    pub refused_threads: usize,
    /// Spare threads that were started to stand in for blocked workers.
    pub spares_started: u64,
    /// How often somebody looked at work for which one more spare would have been needed than
    /// [`max_spares`](crate::PoolBuilder::max_spares) allows: the work waits for a thread of the
    /// pool to go on.
    pub stalls: u64,
    /// Tasks that wait in a queue, among them such as were cancelled or run by their joiner.
    pub queued: usize,
    /// Jobs that workers and spares have taken from a queue and run: tasks, halves of joins, parts
    /// in sweeps and scopes.
    pub jobs_run: u64,
    /// How often one was taken from another thread's queue, alone or with some that followed it.
    pub stolen: u64,
    /// Tasks that were run by the thread that joined them.
    pub claimed_by_joiner: u64,
    /// How often a thread of the pool stepped aside to wait: for others, a message, a lock, in
    /// [`blocking`](crate::blocking).
    pub parks: u64,
    /// How often a sleeping thread was woken for work.
    pub wakes: u64,
    /// Panics that nobody could see, see [`on_panic`](crate::PoolBuilder::on_panic).
    pub unseen_panics: u64,
}

impl Pool {
    /// Counts what the pool has done so far.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(1)?;
    /// pool.spawn(|| panic!("nobody looks")).detach();
    /// pool.shutdown();
    /// assert_eq!(pool.stats().unseen_panics, 1);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let total = |tally| self.scheduler.total(tally);
        Stats {
            threads: self.scheduler.threads(),
            refused_threads: self.scheduler.refused(),
            spares_started: total(Tally::Spare),
            stalls: total(Tally::Stall),
            queued: self.scheduler.queued(),
            jobs_run: total(Tally::Run),
            stolen: total(Tally::Steal),
            claimed_by_joiner: total(Tally::Claim),
            parks: total(Tally::Park),
            wakes: total(Tally::Wake),
            unseen_panics: total(Tally::Panic),
        }
    }
}
