//! Tasks that borrow: all of them have ended when the scope returns.
//!
//! A scope has a queue of its own. Whoever takes part in the scope takes tasks from it: its owner
//! (once its body is done), and the threads that accept an invitation. So the owner finds its tasks
//! without searching, and whoever serves this scope serves nothing else by mistake.

mod handle;
mod queue;
mod ring;
mod tasks;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::pool::Pool;
use crate::task::new_task;
use crate::unwind::{catch, discard};

use tasks::Tasks;

pub use handle::ScopedHandle;

impl Pool {
    /// Runs `f`, which may spawn tasks that borrow what outlives the scope; returns when `f` and
    /// all tasks have ended.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = manyhands::Pool::new(2)?;
    /// let text = String::from("many hands make light work");
    /// let (words, letters) = pool.scope(|s| {
    ///     let words = s.spawn(|| text.split(' ').count());
    ///     let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    ///     (words.join().unwrap(), letters)
    /// });
    /// assert_eq!((words, letters), (5, 22));
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// With the payload of `f`, if it panics. Else with that of the earliest-spawned task that
    /// panicked and that nobody has joined.
    ///
    /// # Blocking
    ///
    /// Until all tasks have ended. While it waits, this thread runs tasks of this scope, and
    /// nothing else. Tasks may wait for each other by [`ScopedHandle::join`]; in other ways they may
    /// not, since there may be no thread but this one to run them.
    pub fn scope<'env, F, R>(&self, f: F) -> R
    where
        F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
    {
        self.scheduler().participate(|seat| {
            let scheduler = self.scheduler();
            let tag = seat.map_or(0, |seat| seat.tag());
            let limit = self.options().limit.map_or(self.threads(), |limit| limit.get() - 1);
            let scope = Scope {
                tasks: Tasks::new(Arc::clone(scheduler), limit, tag),
                scope: PhantomData,
                env: PhantomData,
            };
            let result = scheduler.off_duty(seat, || catch(|| f(&scope)));
            scope.tasks.finish();
            let panic = scope.tasks.first_panic();
            match (result, panic) {
                (Err(payload), later) => {
                    discard(later);
                    std::panic::resume_unwind(payload)
                }
                (Ok(result), Some(payload)) => {
                    discard(result);
                    std::panic::resume_unwind(payload)
                }
                (Ok(result), None) => result,
            }
        })
    }
}

/// Opens a scope on the [current](Pool::current) pool; see [`Pool::scope`].
///
/// # Examples
///
/// ```
/// let mut halves = [1, 2, 3, 4];
/// let (left, right) = halves.split_at_mut(2);
/// manyhands::scope(|s| {
///     s.spawn(|| left.reverse());
///     s.spawn(|| right.reverse());
/// });
/// assert_eq!(halves, [2, 1, 4, 3]);
/// ```
///
/// # Panics
///
/// As for [`Pool::scope`].
///
/// # Blocking
///
/// As for [`Pool::scope`].
pub fn scope<'env, F, R>(f: F) -> R
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
{
    Pool::current().scope(f)
}

/// Spawns tasks that may borrow whatever outlives the scope; see [`Pool::scope`].
///
/// Tasks get it by capture, and may spawn further ones.
///
/// A borrow of something inside the body does not outlive the scope:
///
/// ```compile_fail,E0597
/// manyhands::scope(|s| {
///     let inside = vec![1];
///     s.spawn(|| inside.len());
/// });
/// ```
// The lifetimes are invariant, as in `std::thread::scope`: with a `'scope` that could shrink, a
// task could be spawned that borrows what goes before the scope ends.
pub struct Scope<'scope, 'env: 'scope> {
    tasks: Tasks,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts `f` as a task of this scope, and returns the handle to its result.
    ///
    /// Dropping the handle does not detach the task: the scope waits for it all the same, and
    /// panics as it does. Without any thread the task runs before `spawn` returns.
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (job, ticket) = new_task(f);
        let order = self.tasks.add(job);
        ScopedHandle { ticket, order, tasks: &self.tasks }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("tasks", &self.tasks).finish()
    }
}
