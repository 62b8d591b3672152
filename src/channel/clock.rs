//! Channels that the clock sends into.
//!
//! No thread stands behind them: whoever waits looks at the time.

use std::time::{Duration, Instant};

use super::Receiver;

/// Makes a receiver that gets one message, the time, when `delay` has passed.
///
/// It never disconnects; after its message, or if the clock cannot tell such a time, it waits for
/// ever. For a timeout in a [`Select`](super::Select), mostly.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let begin = Instant::now();
/// manyhands::channel::after(Duration::from_millis(2)).recv().unwrap();
/// assert!(begin.elapsed() >= Duration::from_millis(2));
/// ```
#[must_use]
pub fn after(delay: Duration) -> Receiver<Instant> {
    Receiver::of_clock(crossbeam_channel::after(delay))
}

/// Makes a receiver that gets a message, the time, every `period`.
///
/// It holds one message at most: of periods that pass while nobody receives, all but the first are
/// left out. It never disconnects.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let ticks = manyhands::channel::tick(Duration::from_millis(1));
/// let times: Vec<_> = ticks.iter().take(3).collect();
/// assert!(times.is_sorted());
/// ```
#[must_use]
pub fn tick(period: Duration) -> Receiver<Instant> {
    Receiver::of_clock(crossbeam_channel::tick(period))
}

/// Makes a receiver that gets no message and never disconnects: for a case of a
/// [`Select`](super::Select) that is switched off.
///
/// # Examples
///
/// ```
/// use manyhands::channel::{self, TryRecvError};
///
/// assert_eq!(channel::never::<u8>().try_recv(), Err(TryRecvError::Empty));
/// ```
#[must_use]
pub fn never<T>() -> Receiver<T> {
    Receiver::of_clock(crossbeam_channel::never())
}
