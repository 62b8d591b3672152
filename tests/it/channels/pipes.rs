//! Duplex pipes.

use std::time::{Duration, Instant};

use manyhands::channel::{
    RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, pipe,
};

use crate::beside::everywhere;
use crate::support::Tally;

#[test]
fn both_ends_send_and_receive() {
    everywhere(|beside| {
        let (asking, answering) = pipe::<u32, String>();
        let other = beside.start(move || {
            for n in &answering {
                answering.send(n.to_string()).unwrap();
            }
        });
        for n in 0..100 {
            asking.send(n).unwrap();
            assert_eq!(asking.recv(), Ok(n.to_string()));
        }
        drop(asking);
        other.end();
    });
}

#[test]
fn neither_end_waits_to_send() {
    everywhere(|_| {
        let (left, right) = pipe();
        (0..1000).for_each(|n| left.send(n).unwrap());
        (0..1000).for_each(|n| right.try_send(n).unwrap());
        assert!(left.iter().take(1000).eq(0..1000));
        assert!(right.iter().take(1000).eq(0..1000));
        assert_eq!(left.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn closing_one_end_ends_the_other() {
    everywhere(|beside| {
        let (left, right) = pipe::<u8, u8>();
        let waiting =
            beside.start(move || (right.recv(), right.recv(), right.recv(), right.send(1)));
        left.send(7).unwrap();
        left.send(8).unwrap();
        drop(left);
        assert_eq!(waiting.end(), (Ok(7), Ok(8), Err(RecvError), Err(SendError(1))));
        let (left, right) = pipe::<u8, u8>();
        drop(right);
        assert_eq!(left.try_send(1), Err(TrySendError::Disconnected(1)));
        assert_eq!(left.try_recv(), Err(TryRecvError::Disconnected));
        let late = left.recv_timeout(Duration::MAX);
        assert_eq!(late, Err(RecvTimeoutError::Disconnected));
        let late = left.recv_deadline(Instant::now());
        assert_eq!(late, Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn a_poll_says_whether_receiving_would_wait() {
    everywhere(|beside| {
        let (left, right) = pipe::<u8, u8>();
        assert!(!left.poll(Duration::ZERO));
        let begin = Instant::now();
        assert!(!left.poll(Duration::from_millis(3)));
        assert!(begin.elapsed() >= Duration::from_millis(3));
        right.send(1).unwrap();
        assert!(left.poll(Duration::ZERO) && left.poll(Duration::MAX));
        assert_eq!(left.recv_timeout(Duration::ZERO), Ok(1));
        let waiting = beside.start(move || (left.poll(Duration::MAX), left));
        right.send(2).unwrap();
        let (is_ready, left) = waiting.end();
        assert!(is_ready);
        assert_eq!(left.try_recv(), Ok(2));
        let waiting = beside.start(move || (left.poll(Duration::from_secs(60)), left));
        drop(right);
        let (is_ready, left) = waiting.end();
        assert!(is_ready, "an error would come at once");
        assert_eq!(left.recv(), Err(RecvError));
    });
}

#[test]
fn an_end_can_be_split_among_threads() {
    everywhere(|beside| {
        let (left, right) = pipe::<u8, u8>();
        let (sender, receiver) = left.split();
        let echo = beside.start(move || right.iter().try_for_each(|n| right.send(n + 1)));
        let sending = beside.start(move || (0..50).for_each(|n| sender.send(n).unwrap()));
        assert!(receiver.iter().take(50).eq(1..51));
        sending.end();
        drop(receiver);
        let _ = echo.end();
    });
}

#[test]
fn what_is_left_in_a_pipe_is_dropped_once() {
    let tally = Tally::new();
    let (left, right) = pipe();
    (0..10).for_each(|n| left.send(tally.make(n)).unwrap());
    (0..10).for_each(|n| right.send(tally.make(n)).unwrap());
    drop(left.recv());
    assert_eq!((left.len(), left.is_empty(), right.try_iter().take(3).count()), (9, false, 3));
    assert_eq!(format!("{left:?}"), "Pipe { len: 9, .. }");
    drop(left);
    drop(right);
    tally.assert_even();
}
