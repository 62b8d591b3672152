//! Sending and receiving.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use manyhands::channel::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, bounded, unbounded,
};

use crate::beside::everywhere;
use crate::support::{Counted, PanicsOnDrop, Tally};

/// A channel of each kind.
fn kinds<T>() -> [(Sender<T>, Receiver<T>); 4] {
    [unbounded(), bounded(0), bounded(1), bounded(7)]
}

#[test]
fn messages_of_one_sender_arrive_in_order() {
    everywhere(|beside| {
        for (sender, receiver) in kinds() {
            let maker = beside.start(move || (0..300).try_for_each(|n| sender.send(n)));
            assert!(receiver.iter().eq(0..300));
            assert_eq!(maker.end(), Ok(()));
        }
    });
}

#[test]
fn among_many_every_message_arrives_once() {
    everywhere(|beside| {
        for (sender, receiver) in kinds() {
            let senders = [0, 1, 2].map(|part| {
                let sender = sender.clone();
                beside.start(move || {
                    (0..100).for_each(|n| sender.send(part * 100 + n).unwrap());
                })
            });
            drop(sender);
            let receivers = [0, 1].map(|_| {
                let receiver = receiver.clone();
                beside.start(move || receiver.into_iter().collect::<Vec<_>>())
            });
            let mut all: Vec<_> = receiver.iter().collect();
            receivers.into_iter().for_each(|other| all.extend(other.end()));
            senders.into_iter().for_each(|sender| sender.end());
            all.sort_unstable();
            assert!(all.into_iter().eq(0..300));
        }
    });
}

#[test]
fn a_bounded_channel_takes_no_more_than_it_holds() {
    everywhere(|_| {
        let (sender, receiver) = bounded(2);
        assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
        assert!(sender.is_empty() && receiver.is_empty() && !sender.is_full());
        sender.send('a').unwrap();
        sender.try_send('b').unwrap();
        assert_eq!((sender.len(), receiver.len()), (2, 2));
        assert!(sender.is_full() && receiver.is_full());
        assert_eq!(sender.try_send('c'), Err(TrySendError::Full('c')));
        let late = sender.send_timeout('c', Duration::from_millis(2));
        assert_eq!(late, Err(SendTimeoutError::Timeout('c')));
        assert_eq!(receiver.recv(), Ok('a'));
        sender.try_send('c').unwrap();
        assert!(receiver.try_iter().eq(['b', 'c']));
        assert_eq!(unbounded::<()>().0.capacity(), None);
    });
}

#[test]
fn without_capacity_a_message_goes_from_hand_to_hand() {
    everywhere(|beside| {
        let (sender, receiver) = bounded(0);
        assert!(sender.is_empty() && sender.is_full() && receiver.is_full());
        assert_eq!(sender.capacity(), Some(0));
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let is_received = Arc::new(AtomicBool::new(false));
        let other = {
            let is_received = Arc::clone(&is_received);
            beside.start(move || {
                is_received.store(true, SeqCst);
                receiver.recv()
            })
        };
        sender.send(2).unwrap();
        assert!(is_received.load(SeqCst), "nobody has come to receive it");
        assert_eq!(other.end(), Ok(2));
    });
}

#[test]
fn what_was_sent_before_the_last_sender_went_is_received() {
    everywhere(|_| {
        for (sender, receiver) in [unbounded(), bounded(3)] {
            let other = sender.clone();
            sender.send(1).unwrap();
            drop(sender);
            other.send(2).unwrap();
            drop(other);
            assert_eq!(receiver.recv(), Ok(1));
            assert_eq!(receiver.recv_timeout(Duration::ZERO), Ok(2));
            assert_eq!(receiver.recv(), Err(RecvError));
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
            let late = receiver.recv_timeout(Duration::MAX);
            assert_eq!(late, Err(RecvTimeoutError::Disconnected));
            assert_eq!(receiver.iter().next(), None);
        }
    });
}

#[test]
fn a_receiver_that_waits_hears_of_the_last_sender() {
    everywhere(|beside| {
        for (sender, receiver) in kinds::<()>() {
            let waiting = beside.start(move || receiver.recv());
            let other = sender.clone();
            beside.start(move || drop(sender)).end();
            drop(other);
            assert_eq!(waiting.end(), Err(RecvError));
        }
    });
}

/// A sender that is about to wait may be as fast as one that has sent before; then its message shares
/// the lot of those inside.
#[test]
fn senders_that_wait_get_their_messages_back_when_the_last_receiver_goes() {
    everywhere(|beside| {
        for capacity in [0, 1] {
            let tally = Tally::new();
            let (sender, receiver) = bounded(capacity);
            (0..capacity).for_each(|_| sender.send(tally.make(9)).unwrap());
            let waiting = [1, 2, 3].map(|n| {
                let (sender, message) = (sender.clone(), tally.make(n));
                beside.start(move || match n {
                    1 => sender.send(message).err().map(SendError::into_inner),
                    2 => sender
                        .send_timeout(message, Duration::MAX)
                        .err()
                        .map(SendTimeoutError::into_inner),
                    _ => sender
                        .send_deadline(message, Instant::now() + Duration::from_secs(60))
                        .err()
                        .map(SendTimeoutError::into_inner),
                })
            });
            let receivers = [receiver.clone(), receiver];
            receivers.into_iter().for_each(|it| beside.start(move || drop(it)).end());
            let returned: Vec<_> = waiting.into_iter().filter_map(|sender| sender.end()).collect();
            assert_eq!(tally.live(), returned.len(), "of those that were not returned");
            if capacity == 0 {
                assert!(returned.iter().map(|it| it.value).eq([1, 2, 3]));
            }
            assert_eq!(sender.send(tally.make(4)).unwrap_err().0.value, 4);
            let late = sender.try_send(tally.make(5));
            assert!(matches!(late, Err(TrySendError::Disconnected(Counted { value: 5, .. }))));
            drop((returned, late));
            tally.assert_even();
        }
    });
}

#[test]
fn messages_that_nobody_receives_are_dropped_once() {
    everywhere(|_| {
        for (sender, receiver) in [unbounded(), bounded(100)] {
            let tally = Tally::new();
            (0..100).for_each(|n| sender.send(tally.make(n)).unwrap());
            receiver.iter().take(30).for_each(drop);
            assert_eq!(tally.live(), 70);
            drop(receiver);
            assert_eq!(tally.live(), 0);
            assert_eq!(sender.send(tally.make(7)).unwrap_err().0.value, 7);
            drop(sender);
            tally.assert_even();
        }
    });
}

#[test]
fn messages_are_dropped_once_while_senders_race_with_the_last_receiver() {
    everywhere(|beside| {
        for _ in 0..30 {
            for (sender, receiver) in kinds() {
                let tally = Tally::new();
                let senders = [0, 1].map(|_| {
                    let (sender, tally) = (sender.clone(), tally.clone());
                    beside.start(move || while sender.send(tally.make(0)).is_ok() {})
                });
                drop(receiver.recv());
                drop(receiver);
                senders.into_iter().for_each(|sender| sender.end());
                assert_eq!(tally.live(), 0, "while there is a sender still");
                assert!(sender.is_empty());
                tally.assert_even();
            }
        }
    });
}

#[test]
fn a_message_whose_drop_panics_takes_no_other_with_it() {
    everywhere(|_| {
        for (sender, receiver) in [unbounded(), bounded(5)] {
            let tally = Tally::new();
            sender.send((Some(PanicsOnDrop), tally.make(0))).unwrap();
            sender.send((None, tally.make(1))).unwrap();
            sender.send((Some(PanicsOnDrop), tally.make(2))).unwrap();
            drop(receiver);
            assert_eq!(tally.live(), 0);
            assert!(sender.send((None, tally.make(3))).is_err());
            drop(sender);
            tally.assert_even();
        }
    });
}

#[test]
fn a_message_may_hold_the_sender_of_its_own_channel() {
    struct Message {
        _sender: Sender<Message>,
        _counted: Counted,
    }

    everywhere(|_| {
        for (sender, receiver) in [unbounded(), bounded(3)] {
            let tally = Tally::new();
            for n in 0..3 {
                let message = Message { _sender: sender.clone(), _counted: tally.make(n) };
                sender.send(message).ok().unwrap();
            }
            drop(sender);
            // Those inside keep it open.
            drop(receiver.recv().ok().unwrap());
            drop(receiver);
            tally.assert_even();
        }
    });
}

#[test]
fn who_waits_for_an_answer_hears_of_the_end_of_whoever_was_asked() {
    everywhere(|beside| {
        for (questions, asked) in [unbounded(), bounded(1), bounded(2)] {
            let (answer, answered) = bounded::<()>(1);
            questions.send(answer).unwrap();
            // A channel of one is full now.
            beside.start(move || drop(asked)).end();
            assert_eq!(answered.recv(), Err(RecvError));
            drop(questions);
        }
    });
}

#[test]
fn a_full_channel_whose_messages_hold_it_open_is_freed() {
    struct Message(Sender<Message>, Counted);

    for capacity in [1, 2, 3] {
        let tally = Tally::new();
        let (sender, receiver) = bounded(capacity);
        for n in 0..capacity {
            sender.send(Message(sender.clone(), tally.make(n))).ok().unwrap();
        }
        let late = sender.try_send(Message(sender.clone(), tally.make(9)));
        let Err(TrySendError::Full(Message(same, counted))) = late else { panic!("it is full") };
        assert!(same.same_channel(&sender));
        drop((same, counted, sender));
        drop(receiver);
        tally.assert_even();
    }
}

#[test]
fn a_capacity_that_no_memory_holds_is_no_bound() {
    everywhere(|_| {
        for capacity in [usize::MAX, usize::MAX / 2, usize::MAX / 8] {
            let (sender, receiver) = bounded(capacity);
            (0..1000_u64).for_each(|n| sender.try_send(n).unwrap());
            assert!(!sender.is_full());
            assert_eq!(sender.capacity(), None);
            assert!(receiver.try_iter().eq(0..1000));
            let (sender, receiver) = bounded(capacity);
            sender.send(()).unwrap();
            assert_eq!(receiver.recv(), Ok(()));
        }
    });
}

#[test]
fn messages_have_any_size_and_alignment() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(align(256))]
    struct Aligned(u8);

    everywhere(|beside| {
        for (sender, receiver) in kinds() {
            let maker =
                beside.start(move || (0..50).for_each(|n| sender.send(Aligned(n)).unwrap()));
            for (message, n) in receiver.iter().zip(0..) {
                assert_eq!(message, Aligned(n));
                assert_eq!((&raw const message).addr() % 256, 0);
            }
            maker.end();
        }
        for (sender, receiver) in kinds() {
            let maker = beside.start(move || (0..50).for_each(|_| sender.send(()).unwrap()));
            assert_eq!(receiver.iter().count(), 50);
            maker.end();
        }
        for (sender, receiver) in kinds() {
            let maker = beside.start(move || (0..5).for_each(|n| sender.send([n; 4096]).unwrap()));
            assert!(receiver.iter().eq((0..5_usize).map(|n| [n; 4096])));
            maker.end();
        }
    });
}

#[test]
fn a_timeout_of_zero_takes_what_is_there_and_waits_for_nothing() {
    everywhere(|_| {
        for (sender, receiver) in [unbounded(), bounded(1)] {
            assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
            assert_eq!(receiver.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
            sender.send_timeout(1, Duration::ZERO).unwrap();
            let long_ago = Instant::now().checked_sub(Duration::from_secs(1));
            assert_eq!(receiver.recv_deadline(long_ago.unwrap_or_else(Instant::now)), Ok(1));
        }
        let (sender, _receiver) = bounded(0);
        let late = sender.send_timeout(1, Duration::ZERO);
        assert_eq!(late, Err(SendTimeoutError::Timeout(1)));
    });
}

#[test]
fn a_timeout_ends_no_sooner_than_it_says() {
    everywhere(|_| {
        let (sender, receiver) = bounded(0);
        let time = Duration::from_millis(5);
        for wait in [
            &|| assert_eq!(receiver.recv_timeout(time), Err(RecvTimeoutError::Timeout)) as _,
            &|| assert_eq!(sender.send_timeout(1, time), Err(SendTimeoutError::Timeout(1))),
        ] as [&dyn Fn(); 2]
        {
            let begin = Instant::now();
            wait();
            assert!(begin.elapsed() >= time);
        }
    });
}

#[test]
fn a_timeout_without_end_waits_for_the_message() {
    everywhere(|beside| {
        for (sender, receiver) in kinds() {
            let waiting = beside.start(move || receiver.recv_timeout(Duration::MAX));
            beside.start(move || sender.send_timeout(3, Duration::MAX)).end().unwrap();
            assert_eq!(waiting.end(), Ok(3));
        }
    });
}

#[test]
fn a_receiver_is_iterated_over_in_every_form() {
    everywhere(|_| {
        let (sender, receiver) = unbounded();
        (0..6).for_each(|n| sender.send(n).unwrap());
        assert!(receiver.try_iter().take(2).eq([0, 1]));
        drop(sender);
        let mut seen = Vec::new();
        for n in &receiver {
            seen.push(n);
            if n == 3 {
                break;
            }
        }
        assert_eq!(seen, [2, 3]);
        let mut rest = receiver.into_iter();
        assert_eq!(
            (rest.next(), rest.next(), rest.next(), rest.next()),
            (Some(4), Some(5), None, None)
        );
    });
}

#[test]
fn clones_are_ends_of_the_same_channel() {
    let (sender, receiver) = unbounded::<u8>();
    let (other_sender, other_receiver) = unbounded::<u8>();
    assert!(sender.same_channel(&sender.clone()) && !sender.same_channel(&other_sender));
    assert!(receiver.same_channel(&receiver.clone()) && !receiver.same_channel(&other_receiver));
    let clock = manyhands::channel::never();
    assert!(clock.same_channel(&clock.clone()) && !receiver.same_channel(&clock));
}

#[test]
fn errors_show_and_compare_without_asking_the_message() {
    struct Opaque;

    fn shown(error: impl std::error::Error) -> String {
        format!("{error:?}: {error}")
    }

    let no_receivers = "the message was sent into a channel without receivers";
    assert_eq!(shown(SendError(Opaque)), format!("SendError(..): {no_receivers}"));
    assert_eq!(shown(TrySendError::Full(Opaque)), "Full(..): the channel is full");
    assert_eq!(
        shown(TrySendError::Disconnected(Opaque)),
        format!("Disconnected(..): {no_receivers}")
    );
    let late = shown(SendTimeoutError::Timeout(Opaque));
    assert_eq!(late, "Timeout(..): the channel was full until the time was over");
    assert_eq!(shown(RecvError), "RecvError: the channel is empty and has no senders any more");
    assert_eq!(shown(TryRecvError::Empty), "Empty: the channel is empty");
    assert_eq!(TrySendError::from(SendError(1)), TrySendError::Disconnected(1));
    assert_eq!(SendTimeoutError::from(SendError(1)), SendTimeoutError::Disconnected(1));
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Disconnected);
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Disconnected);
    assert_eq!(TrySendError::Full(3).into_inner(), 3);
    let log = Mutex::new(unbounded::<Opaque>());
    assert_eq!(
        format!("{:?}", log.lock().unwrap()),
        "(Sender { len: 0, .. }, Receiver { len: 0, .. })"
    );
}
