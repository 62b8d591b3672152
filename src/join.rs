//! Two halves at once.
//!
//! ```text
//!   push b on the private stack ─► run a ─► pop b ─┬─ it is still here ─► run b
//!                                                  └─ stolen ─► help the thief, wait for b
//! ```
//!
//! Most halves are never seen by another thread: see the scheduler's `joins`.

#![expect(unsafe_code, reason = "lends its stack frame to a thief")]

use crate::job::{Half, Job};
use crate::memory::Kind;
use crate::pool::Pool;
use crate::scheduler::{Popped, Seat, innermost};
use crate::unwind::{Payload, catch, discard};
use crate::wait::Outcome;

impl Pool {
    /// Runs `a` and `b`, at the same time if a thread is free, and returns what both return.
    ///
    /// Both halves finish, also when one panics. The caller runs `a`, and `b` too unless somebody
    /// else has begun it: a join that nobody steals costs a few nanoseconds, so recursions need no
    /// cut-off to be correct, and a small one to be fast.
    ///
    /// A call from outside the pool wakes nobody where calls with closures of the same types took
    /// less than a wake-up costs (some microseconds) lately, unless this one turns out to take
    /// longer: it looks at the clock at some of the joins inside it. So a long call with few joins
    /// inside may run on the caller alone; the many that follow it are shared again.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::Pool;
    ///
    /// fn sum(pool: &Pool, numbers: &[u64]) -> u64 {
    ///     if numbers.len() < 100 {
    ///         return numbers.iter().sum();
    ///     }
    ///     let (left, right) = numbers.split_at(numbers.len() / 2);
    ///     let (left, right) = pool.join(|| sum(pool, left), || sum(pool, right));
    ///     left + right
    /// }
    ///
    /// let numbers: Vec<u64> = (0..10_000).collect();
    /// assert_eq!(sum(&Pool::new(2)?, &numbers), 49_995_000);
    /// # Ok::<(), manyhands::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// With the payload of the half that panicked; that of `a` if both did.
    ///
    /// # Blocking
    ///
    /// Until both have finished. While it waits, this thread runs pieces of `b`, and nothing else.
    /// The halves must not wait for each other: with no thread free they run one after the other.
    #[inline]
    pub fn join<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        // SAFETY: the seat is used up to the end of this call.
        let frame = unsafe { innermost() };
        let own = frame.filter(|frame| std::ptr::eq(frame.scheduler(), &**self.scheduler()));
        let own = own.filter(|_| !self.options().is_alone());
        match own.and_then(|frame| frame.seat()) {
            Some(seat) => join_on(seat, a, b),
            None => self.join_from_outside(a, b),
        }
    }

    #[cold]
    fn join_from_outside<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        if self.options().is_alone() {
            return self.enter(|| one_after_the_other(a, b));
        }
        self.scheduler().visit(Kind::of::<(A, B)>(), |seat| match seat {
            Some(seat) => join_on(seat, a, b),
            None => one_after_the_other(a, b),
        })
    }
}

/// Runs two halves on the [current](Pool::current) pool; see [`Pool::join`].
///
/// # Examples
///
/// ```
/// let (words, lines) = manyhands::join(|| "a b c".split(' ').count(), || "d\ne".lines().count());
/// assert_eq!((words, lines), (3, 2));
/// ```
///
/// # Panics
///
/// With the payload of the half that panicked; that of `a` if both did.
///
/// # Blocking
///
/// As for [`Pool::join`].
#[inline]
pub fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    // SAFETY: the seat is used up to the end of this call.
    match unsafe { innermost() }.and_then(|frame| frame.seat()) {
        Some(seat) => join_on(seat, a, b),
        None => Pool::current().join_from_outside(a, b),
    }
}

fn one_after_the_other<RA, RB>(a: impl FnOnce() -> RA, b: impl FnOnce() -> RB) -> (RA, RB) {
    let a = catch(a);
    let b = catch(b);
    match (a, b) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(payload), b) => {
            discard(b);
            std::panic::resume_unwind(payload)
        }
        (Ok(a), Err(payload)) => {
            discard(a);
            std::panic::resume_unwind(payload)
        }
    }
}

/// Most joins call nobody but their halves: they need few registers, and save few.
#[inline]
fn join_on<A, B, RA, RB>(seat: &Seat, a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    if seat.is_quiet() {
        // SAFETY: the seat is quiet.
        join_by(seat, |job| unsafe { seat.push_quietly(job) }, a, b)
    } else {
        join_aloud(seat, a, b)
    }
}

#[cold]
#[inline(never)]
fn join_aloud<A, B, RA, RB>(seat: &Seat, a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    join_by(seat, |job| seat.push_half(job), a, b)
}

#[inline(always)]
fn join_by<A, B, RA, RB>(seat: &Seat, push: impl FnOnce(Job), a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    let half = Half::new(b, seat.tag());
    // SAFETY: `settle` runs below in any case, and returns when nobody else uses the half.
    push(unsafe { half.job() });
    let unwinding = SettleOnUnwind { seat, half: &half };
    let result = a();
    std::mem::forget(unwinding);
    match settle(seat, &half) {
        Settled::Here(b) => (result, b()),
        Settled::There(Ok(other)) => (result, other),
        Settled::There(Err(payload)) => {
            discard(result);
            std::panic::resume_unwind(payload)
        }
    }
}

/// What became of `b`.
enum Settled<B, R> {
    /// It is this thread's to call.
    Here(B),
    /// A thief has called it.
    There(Result<R, Payload>),
}

/// Takes `b` back, or waits for its thief.
#[inline]
fn settle<B, RB>(seat: &Seat, half: &Half<B, RB>) -> Settled<B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    // SAFETY: each join pops what it pushed.
    match unsafe { seat.pop_half() } {
        // SAFETY: the job was popped, so nobody else has it.
        Popped::Back => Settled::Here(unsafe { half.take() }),
        Popped::Stolen => settle_stolen(seat, half),
    }
}

#[cold]
fn settle_stolen<B, RB>(seat: &Seat, half: &Half<B, RB>) -> Settled<B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    // SAFETY: what is stolen was published.
    match unsafe { seat.wait_for(half) } {
        // SAFETY: the latch says that the thief is done.
        Outcome::Done => Settled::There(unsafe { half.take_result() }),
        // SAFETY: the latch says that the thief has given it back.
        Outcome::GivenBack => Settled::Here(unsafe { half.take() }),
    }
}

/// Sees to `b` when `a` has panicked: it finishes all the same, and its own panic comes second.
struct SettleOnUnwind<'a, B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    seat: &'a Seat,
    half: &'a Half<B, RB>,
}

impl<B, RB> Drop for SettleOnUnwind<'_, B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    #[inline]
    fn drop(&mut self) {
        settle_on_unwind(self.seat, self.half);
    }
}

#[cold]
#[inline(never)]
fn settle_on_unwind<B, RB>(seat: &Seat, half: &Half<B, RB>)
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    match settle(seat, half) {
        Settled::Here(b) => discard(catch(b)),
        Settled::There(result) => discard(result),
    }
}
