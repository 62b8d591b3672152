//! Whichever is ready first.

use std::time::{Duration, Instant};

use manyhands::channel::{
    Receiver, RecvError, Select, SendError, after, bounded, never, unbounded,
};

use crate::beside::everywhere;
use crate::support::{PanicsOnDrop, Tally, panic_of, text_of};

#[test]
fn the_case_that_is_ready_is_taken() {
    everywhere(|_| {
        let (sender, numbers) = unbounded();
        let (_sender, words) = unbounded::<&str>();
        sender.send(7).unwrap();
        let choose = || {
            Select::new()
                .recv(&numbers, |number: Result<i32, _>| number.unwrap().to_string())
                .recv(&words, |word| word.unwrap().to_string())
        };
        assert_eq!(choose().wait(), "7");
        assert_eq!(choose().try_wait(), None);
        assert_eq!(choose().timeout(Duration::ZERO), None);
        let begin = Instant::now();
        assert_eq!(choose().timeout(Duration::from_millis(3)), None);
        assert!(begin.elapsed() >= Duration::from_millis(3));
        sender.send(8).unwrap();
        assert_eq!(choose().timeout(Duration::MAX), Some("8".into()));
        sender.send(9).unwrap();
        assert_eq!(choose().deadline(Instant::now()), Some("9".into()));
        sender.send(10).unwrap();
        assert_eq!(choose().try_wait(), Some("10".into()));
    });
}

#[test]
fn a_select_that_waits_is_woken_by_a_message_or_by_room() {
    everywhere(|beside| {
        for is_sender in [false, true] {
            let (to_me, mine) = bounded(0);
            let (mine_to_send, theirs) = bounded(0);
            let other = beside.start(move || {
                if is_sender {
                    to_me.send(1).unwrap();
                    (1, to_me.is_empty())
                } else {
                    (theirs.recv().unwrap(), true)
                }
            });
            let what = Select::new()
                .recv(&mine, |message| message.map(|n: i32| n + 100))
                .send(&mine_to_send, 2, |sent| sent.map(|()| 0).map_err(|_| RecvError))
                .wait();
            assert_eq!(what, if is_sender { Ok(101) } else { Ok(0) });
            assert_eq!(other.end().0, if is_sender { 1 } else { 2 });
        }
    });
}

#[test]
fn the_choice_among_many_that_are_ready_is_fair() {
    everywhere(|_| {
        let receivers: Vec<Receiver<_>> = (0..4)
            .map(|_| {
                let (sender, receiver) = unbounded();
                (0..1000).for_each(|_| sender.send(()).unwrap());
                receiver
            })
            .collect();
        let (sender, _open) = unbounded();
        let mut counts = [0; 5];
        for _ in 0..1000 {
            let cases = Select::new().send(&sender, (), |_| 4);
            let cases = receivers.iter().enumerate().fold(cases, |cases, (index, receiver)| {
                cases.recv(receiver, move |message| {
                    message.unwrap();
                    index
                })
            });
            counts[cases.wait()] += 1;
        }
        assert_eq!(counts.iter().sum::<usize>(), 1000);
        // Each is 200 on average, and 12.6 its standard deviation.
        assert!(counts.iter().all(|count| (100..300).contains(count)), "{counts:?}");
    });
}

#[test]
fn a_disconnected_channel_is_ready_with_an_error() {
    everywhere(|_| {
        let (_, no_senders) = unbounded::<u8>();
        let open = never::<u8>();
        let what = Select::new().recv(&no_senders, |it| it).recv(&open, |it| it).wait();
        assert_eq!(what, Err(RecvError));
        let (no_receivers, _) = bounded(0);
        let what = Select::new().send(&no_receivers, 5, |sent| sent).try_wait();
        assert_eq!(what, Some(Err(SendError(5))));
    });
}

#[test]
fn a_select_without_cases_says_so() {
    everywhere(|_| {
        let message = text_of(panic_of(|| Select::<()>::new().wait()));
        assert_eq!(message, "a select without cases waits for ever");
        assert_eq!(Select::<()>::default().try_wait(), None);
        assert_eq!(Select::<()>::new().timeout(Duration::from_millis(1)), None);
    });
}

#[test]
fn messages_of_cases_that_are_not_taken_are_dropped_once() {
    everywhere(|_| {
        let tally = Tally::new();
        let (ready, _open) = unbounded();
        let (full, _also_open) = bounded(0);
        Select::new()
            .send(&ready, tally.make(0), |sent| sent.unwrap())
            .send(&full, tally.make(1), |_| unreachable!("nobody receives"))
            .wait();
        assert_eq!(tally.live(), 1, "the one that was sent");
        drop((ready, _open));
        tally.assert_even();
    });
}

#[test]
fn a_message_that_is_not_sent_and_panics_costs_no_other() {
    everywhere(|_| {
        let (sender, receiver) = unbounded();
        sender.send(5).unwrap();
        let (full, _open) = bounded(0);
        let what = Select::new()
            .send(&full, PanicsOnDrop, |_| 0)
            .recv(&receiver, |message| message.unwrap())
            .wait();
        assert_eq!(what, 5);
    });
}

#[test]
fn a_select_that_waits_for_room_hears_of_the_end() {
    everywhere(|beside| {
        let tally = Tally::new();
        let (sender, receiver) = bounded(1);
        sender.send(tally.make(1)).unwrap();
        let (other, message) = (sender.clone(), tally.make(2));
        let waiting = beside.start(move || Select::new().send(&other, message, |sent| sent).wait());
        beside.start(move || drop(receiver)).end();
        // If it was not waiting yet, it may have sent in time.
        let returned = waiting.end().err();
        assert_eq!(tally.live(), usize::from(returned.is_some()));
        for _ in 0..20 {
            let late = Select::new().send(&sender, tally.make(3), |sent| sent).wait();
            assert_eq!(late.unwrap_err().0.value, 3);
        }
        drop(returned);
        tally.assert_even();
    });
}

#[test]
fn a_panic_of_a_case_comes_after_its_operation() {
    everywhere(|_| {
        let (sender, receiver) = unbounded();
        (1..=2).for_each(|n| sender.send(n).unwrap());
        let select = Select::new().recv(&receiver, |message| panic!("got {}", message.unwrap()));
        let select: Select<'_, ()> = select;
        assert_eq!(text_of(panic_of(|| select.wait())), "got 1");
        assert_eq!(receiver.recv(), Ok(2));
    });
}

#[test]
fn the_same_channel_may_be_several_cases() {
    everywhere(|_| {
        let (sender, receiver) = bounded(1);
        for _ in 0..20 {
            // First only sending is possible, then only receiving.
            for expected in ["sent", "received"] {
                let what = Select::new()
                    .recv(&receiver, |_| "received")
                    .send(&sender, (), |_| "sent")
                    .recv(&receiver, |_| "received")
                    .wait();
                assert_eq!(what, expected);
            }
        }
    });
}

#[test]
fn every_message_is_selected_once_among_many() {
    everywhere(|beside| {
        let (one, first) = bounded(0);
        let (other, second) = unbounded();
        let makers = [0, 1, 2].map(|part| {
            let (one, other) = (one.clone(), other.clone());
            beside.start(move || {
                for n in 0..100 {
                    let n = part * 100 + n;
                    Select::new()
                        .send(&one, n, Result::unwrap)
                        .send(&other, n, Result::unwrap)
                        .wait();
                }
            })
        });
        drop((one, other));
        let (mut first, mut second) = (first, second);
        let mut all = Vec::new();
        let mut ends = 0;
        while ends < 2 {
            let what = Select::new()
                .recv(&first, |message| message.map_err(|_| true))
                .recv(&second, |message| message.map_err(|_| false))
                .wait();
            match what {
                Ok(n) => all.push(n),
                Err(is_first) => {
                    *if is_first { &mut first } else { &mut second } = never();
                    ends += 1;
                }
            }
        }
        makers.into_iter().for_each(|maker| maker.end());
        all.sort_unstable();
        assert!(all.into_iter().eq(0..300));
    });
}

#[test]
fn a_clock_is_a_case() {
    everywhere(|_| {
        let (_sender, receiver) = unbounded::<()>();
        let timeout = after(Duration::from_millis(2));
        let is_late = Select::new().recv(&receiver, |_| false).recv(&timeout, |_| true).wait();
        assert!(is_late);
        assert_eq!(
            format!("{:?}", Select::new().recv(&timeout, |_| ())),
            "Select { cases: 1, .. }"
        );
    });
}
