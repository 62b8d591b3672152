//! Messages between processes. The processes are forks, which have whatever is open here; so the
//! tests run one after the other, and a fork closes what is not its business.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use manyhands::process::{
    ChannelError, Pipe, Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender,
    TryRecvError, TrySendError, bounded, pipe, unbounded,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

use crate::fork::{Fork, alone, fork};

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }
}

#[test]
fn a_child_is_joined_before_its_messages_are_received() {
    let _alone = alone();
    let (sender, receiver) = unbounded().unwrap();
    let child = fork(|| (0..200_000_u64).for_each(|n| sender.send(n).unwrap()));
    drop(sender);
    assert!(child.join());
    assert!(receiver.iter().eq(0..200_000));
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
}

#[test]
fn what_was_sent_before_a_crash_arrives() {
    let _alone = alone();
    let (sender, receiver) = unbounded().unwrap();
    let child = fork(|| {
        (0..1000).for_each(|n| sender.send(format!("message {n}")).unwrap());
        std::process::abort();
    });
    drop(sender);
    assert!(!child.join());
    let received: Vec<String> = receiver.into_iter().collect();
    assert_eq!(received.len(), 1000);
    assert_eq!(received[999], "message 999");
}

/// A message that tells whether it is whole.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Numbered {
    from: u32,
    number: u64,
    bytes: Vec<u8>,
}

impl Numbered {
    fn new(from: u32, number: u64) -> Self {
        let length = if number % 50 == 0 { 20_000 } else { number % 300 };
        Self { from, number, bytes: vec![number as u8; length as usize] }
    }

    fn is_whole(&self) -> bool {
        *self == Self::new(self.from, self.number)
    }
}

#[test]
fn senders_may_be_killed_anywhere() {
    let _alone = alone();
    let mut random = Random(1);
    for round in 0..100 {
        let (sender, receiver) = match round % 3 {
            0 => unbounded().unwrap(),
            1 => bounded(1).unwrap(),
            _ => bounded(7).unwrap(),
        };
        let children: Vec<Fork> = (0..2)
            .map(|from| {
                fork(|| (0..u64::MAX).for_each(|n| sender.send(Numbered::new(from, n)).unwrap()))
            })
            .collect();
        let mut next = [0; 3];
        let mut check = |message: Numbered| {
            assert!(message.is_whole());
            assert_eq!(next[message.from as usize], message.number);
            next[message.from as usize] += 1;
        };
        let begin = Instant::now();
        let life = Duration::from_micros(random.below(3000));
        while begin.elapsed() < life {
            let _ = receiver.try_recv().map(&mut check);
        }
        children.iter().for_each(Fork::kill);
        drop(children);
        // One that is alive sends on, after them.
        let sending = std::thread::spawn(move || {
            (0..20).for_each(|n| sender.send(Numbered::new(2, n)).unwrap());
        });
        receiver.iter().for_each(check);
        sending.join().unwrap();
        assert_eq!(next[2], 20);
    }
}

#[test]
fn receivers_may_be_killed_anywhere() {
    let _alone = alone();
    let mut random = Random(2);
    for round in 0..100 {
        let capacity = [1, 2, 100][round % 3];
        let (sender, receiver) = bounded(capacity).unwrap();
        let child =
            fork(|| receiver.iter().for_each(|message: Numbered| assert!(message.is_whole())));
        let begin = Instant::now();
        let life = Duration::from_micros(random.below(3000));
        let mut sent = 0;
        while begin.elapsed() < life {
            sent += u64::from(sender.try_send(Numbered::new(0, sent)).is_ok());
        }
        child.kill();
        drop(child);
        // Another one gets what it has left, in order.
        let rest = std::thread::spawn(move || {
            let numbers: Vec<u64> = receiver
                .iter()
                .map(|message| {
                    assert!(message.is_whole());
                    message.number
                })
                .collect();
            assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            numbers.last().copied()
        });
        (sent..sent + 20).for_each(|n| sender.send(Numbered::new(0, n)).unwrap());
        drop(sender);
        assert_eq!(rest.join().unwrap(), Some(sent + 19));
    }
}

#[test]
fn three_by_three_processes_lose_and_double_nothing() {
    let _alone = alone();
    for capacity in [None, Some(1), Some(10)] {
        let (sender, receiver) = match capacity {
            None => unbounded::<(u32, u32)>().unwrap(),
            Some(capacity) => bounded(capacity).unwrap(),
        };
        let (answer, answers) = unbounded::<Vec<(u32, u32)>>().unwrap();
        let mut receiver = Some(receiver);
        let mut sender = Some(sender);
        let senders: Vec<Fork> = (0..3)
            .map(|from| {
                fork(|| {
                    receiver.take();
                    let sender = sender.take().unwrap();
                    (0..1000).for_each(|n| sender.send((from, n)).unwrap());
                })
            })
            .collect();
        let receivers: Vec<Fork> = (0..3)
            .map(|_| {
                fork(|| {
                    sender.take();
                    let receiver = receiver.take().unwrap();
                    answer.send(receiver.iter().collect()).unwrap();
                })
            })
            .collect();
        drop((sender, receiver, answer));
        assert!(senders.into_iter().all(Fork::join));
        let received: Vec<Vec<(u32, u32)>> = answers.iter().collect();
        assert!(receivers.into_iter().all(Fork::join));
        for list in &received {
            for from in 0..3 {
                assert!(list.iter().filter(|message| message.0 == from).is_sorted());
            }
        }
        let all: HashSet<(u32, u32)> = received.iter().flatten().copied().collect();
        assert_eq!((all.len(), received.iter().map(Vec::len).sum()), (3000, 3000));
    }
}

#[test]
fn ends_travel_in_messages() {
    let _alone = alone();
    let (asking, answering) = pipe::<(u32, Sender<u32>), ()>().unwrap();
    let mut asking = Some(asking);
    let child = fork(|| {
        asking.take();
        for (n, answer) in &answering {
            answer.send(n * n).unwrap();
        }
    });
    drop(answering);
    let asking = asking.take().unwrap();
    for n in 0..300 {
        let (answer, answers) = unbounded().unwrap();
        asking.send((n, answer)).unwrap();
        assert_eq!(answers.recv(), Ok(n * n));
        assert_eq!(answers.recv(), Err(RecvError::Disconnected));
    }
    drop(asking);
    assert!(child.join());
}

#[test]
fn ends_of_a_dead_sender_arrive_and_work() {
    let _alone = alone();
    let (sender, receiver) = unbounded::<Receiver<String>>().unwrap();
    let child = fork(|| {
        let (inner, outer) = unbounded().unwrap();
        inner.send("from the dead".to_string()).unwrap();
        sender.send(outer).unwrap();
    });
    drop(sender);
    assert!(child.join());
    let inner = receiver.recv().unwrap();
    assert_eq!(inner.recv().as_deref(), Ok("from the dead"));
    assert_eq!(inner.recv(), Err(RecvError::Disconnected));
}

#[test]
fn a_pipe_travels_and_keeps_its_messages() {
    let _alone = alone();
    let (carrier, carried) = unbounded::<Pipe<u8, String>>().unwrap();
    let (left, right) = pipe::<String, u8>().unwrap();
    left.send("before".to_string()).unwrap();
    carrier.send(right).unwrap();
    let right = carried.recv().unwrap();
    assert_eq!(right.recv().as_deref(), Ok("before"));
    right.send(7).unwrap();
    assert!(left.poll(Duration::ZERO));
    assert_eq!(left.recv(), Ok(7));
    drop(right);
    assert!(left.poll(Duration::MAX));
    assert_eq!(left.recv(), Err(RecvError::Disconnected));
    assert!(matches!(left.send(String::new()), Err(SendError::Disconnected(_))));
}

#[test]
fn the_death_of_the_last_receiver_wakes_a_sender() {
    let _alone = alone();
    let (sender, receiver) = bounded(1).unwrap();
    sender.send(1).unwrap();
    let child = fork(|| std::thread::sleep(Duration::from_secs(60)));
    drop(receiver);
    std::thread::scope(|s| {
        let sending = s.spawn(|| sender.send(2));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!sending.is_finished());
        child.kill();
        assert_eq!(sending.join().unwrap(), Err(SendError::Disconnected(2)));
    });
}

#[test]
fn the_death_of_the_last_sender_wakes_receivers() {
    let _alone = alone();
    let (sender, receiver) = unbounded::<u32>().unwrap();
    let child = fork(|| std::thread::sleep(Duration::from_secs(60)));
    drop(sender);
    std::thread::scope(|s| {
        let receiving: Vec<_> = (0..3).map(|_| s.spawn(|| receiver.recv())).collect();
        std::thread::sleep(Duration::from_millis(20));
        child.kill();
        for receiving in receiving {
            assert_eq!(receiving.join().unwrap(), Err(RecvError::Disconnected));
        }
    });
}

#[test]
fn the_death_of_receivers_is_noticed_by_who_never_waits() {
    let _alone = alone();
    let (sender, receiver) = unbounded().unwrap();
    let child = fork(|| std::thread::sleep(Duration::from_secs(60)));
    drop(receiver);
    sender.send(0).unwrap();
    drop(child);
    assert!((0..32).any(|n| sender.send(n) == Err(SendError::Disconnected(n))));
}

#[test]
fn timeouts_end_waits() {
    let _alone = alone();
    let (sender, receiver) = bounded(1).unwrap();
    let time = Duration::from_millis(5);
    let begin = Instant::now();
    assert_eq!(receiver.recv_timeout(time), Err(RecvTimeoutError::Timeout));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send_timeout(1, time).unwrap();
    assert_eq!(sender.send_timeout(2, time), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert!(begin.elapsed() >= 2 * time);
    assert_eq!(receiver.recv_timeout(Duration::MAX), Ok(1));
    assert_eq!(receiver.recv_deadline(begin), Err(RecvTimeoutError::Timeout));
    sender.send_deadline(3, begin).unwrap();
    assert_eq!(receiver.recv_deadline(begin), Ok(3));
    drop(receiver);
    assert_eq!(sender.try_send(4), Err(TrySendError::Disconnected(4)));
    assert_eq!(sender.send_timeout(4, time), Err(SendTimeoutError::Disconnected(4)));
}

/// Some values of it cannot be sent, others cannot be received.
#[derive(Debug, PartialEq)]
struct Difficult(u8);

const UNENCODABLE: Difficult = Difficult(1);
const UNDECODABLE: Difficult = Difficult(2);

impl Serialize for Difficult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            UNENCODABLE => Err(ser::Error::custom("this stays here")),
            Self(n) => n.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Difficult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Self(u8::deserialize(deserializer)?) {
            UNDECODABLE => Err(D::Error::custom("nobody knows what this is")),
            other => Ok(other),
        }
    }
}

#[test]
fn a_message_that_cannot_be_encoded_or_decoded_costs_itself_only() {
    let (sender, receiver) = unbounded().unwrap();
    let Err(SendError::Failed(message, why)) = sender.send(UNENCODABLE) else { panic!() };
    assert_eq!(message, UNENCODABLE);
    assert!(why.is_unencodable() && !why.is_undecodable());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));

    sender.send(UNDECODABLE).unwrap();
    sender.send(Difficult(3)).unwrap();
    let Err(RecvError::Failed(why)) = receiver.recv() else { panic!() };
    assert!(why.is_undecodable());
    assert_eq!(receiver.recv(), Ok(Difficult(3)));

    sender.send(UNDECODABLE).unwrap();
    let next = std::panic::catch_unwind(|| receiver.iter().next());
    assert!(next.is_err(), "a loop does not lose a message without a word");
}

#[test]
fn too_many_files_are_refused_and_come_back() {
    let (sender, receiver) = unbounded::<Vec<Sender<()>>>().unwrap();
    let (end, _other) = unbounded().unwrap();
    let Err(SendError::Failed(ends, why)) = sender.send(vec![end; 85]) else { panic!() };
    assert!(why.has_too_many_files());
    assert!(why.to_string().contains("255"), "{why}");
    sender.send(ends[..84].to_vec()).unwrap();
    let ends = receiver.recv().unwrap();
    assert_eq!(ends.len(), 84);
    assert!(ends[0].same_channel(&ends[83]));
}

#[test]
fn as_many_messages_with_files_wait_as_the_system_carries() {
    let _alone = alone();
    let (sender, receiver) = unbounded().unwrap();
    let (end, other) = unbounded::<u32>().unwrap();
    let mut sent = 0;
    let full = loop {
        match sender.try_send(end.clone()) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, TrySendError::Full(_)));
    assert!(sent >= 100, "{sent}");
    std::thread::scope(|s| {
        s.spawn(|| sender.send(end.clone()).unwrap());
        for n in 0..=sent {
            receiver.recv().unwrap().send(n).unwrap();
        }
    });
    assert!(other.try_iter().eq(0..=sent));
}

#[test]
fn a_channel_for_no_message_is_refused() {
    assert!(matches!(bounded::<u8>(0), Err(ChannelError::NoCapacity)));
    let (sender, receiver) = bounded::<u8>(3).unwrap();
    assert_eq!((sender.capacity(), receiver.capacity()), (Some(3), Some(3)));
    assert_eq!(unbounded::<u8>().unwrap().0.capacity(), None);
    (0..3).for_each(|n| sender.send(n).unwrap());
    assert!(sender.is_full() && receiver.is_full() && !sender.is_empty());
    assert_eq!((sender.len(), receiver.len()), (3, 3));
}

#[test]
fn an_end_is_no_value_for_anything_but_messages() {
    let (sender, _receiver) = unbounded::<u8>().unwrap();
    assert!(postcard::to_stdvec(&sender).is_err());
    assert!(postcard::from_bytes::<Sender<u8>>(&[0, 1, 2]).is_err());
}

#[test]
fn channels_leave_no_file_open() {
    let _alone = alone();
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    for _ in 0..100 {
        let (sender, receiver) = unbounded::<Option<Receiver<u8>>>().unwrap();
        let (inner, outer) = unbounded().unwrap();
        sender.send(Some(outer)).unwrap();
        sender.send(None).unwrap();
        inner.send(1).unwrap();
        if inner.len() == 1 {
            receiver.recv().unwrap().unwrap().recv().unwrap();
        }
    }
    // Others may have some open meanwhile.
    assert!(count() < before + 50);
}
