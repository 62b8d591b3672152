//! What the clock sends.

use std::time::{Duration, Instant};

use manyhands::channel::{RecvTimeoutError, TryRecvError, after, never, tick};

use crate::beside::everywhere;

#[test]
fn after_a_while_one_message_comes_and_no_other() {
    everywhere(|_| {
        let (begin, delay) = (Instant::now(), Duration::from_millis(3));
        let receiver = after(delay);
        let time = receiver.recv().unwrap();
        assert!(time >= begin + delay && Instant::now() >= time);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let late = receiver.recv_timeout(Duration::from_millis(1));
        assert_eq!(late, Err(RecvTimeoutError::Timeout));
        assert_eq!(after(Duration::MAX).try_recv(), Err(TryRecvError::Empty));
        assert!(after(Duration::ZERO).recv().is_ok());
    });
}

#[test]
fn a_message_of_the_clock_goes_to_one_of_its_receivers() {
    everywhere(|beside| {
        let receiver = after(Duration::from_millis(1));
        let others = [0, 1].map(|_| {
            let receiver = receiver.clone();
            beside.start(move || receiver.recv_timeout(Duration::from_millis(20)).is_ok())
        });
        assert_eq!(others.map(|other| usize::from(other.end())).iter().sum::<usize>(), 1);
    });
}

#[test]
fn ticks_come_a_period_apart() {
    everywhere(|_| {
        let begin = Instant::now();
        let period = Duration::from_millis(2);
        let times: Vec<_> = tick(period).iter().take(4).collect();
        for (count, time) in (1..).zip(times) {
            assert!(time >= begin + period * count);
        }
    });
}

#[test]
fn never_is_never() {
    everywhere(|_| {
        let receiver = never::<String>();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let late = receiver.recv_timeout(Duration::from_millis(1));
        assert_eq!(late, Err(RecvTimeoutError::Timeout));
        assert_eq!((receiver.len(), receiver.is_empty(), receiver.is_full()), (0, true, true));
        assert_eq!(receiver.capacity(), Some(0));
    });
}
