//! `Value`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use manyhands::Pool;
use manyhands::shared::Value;

use crate::beside::everywhere;
use crate::support::{Tally, eventually, panic_of, text_of};

#[test]
fn clones_share_the_value() {
    let value = Value::new(1);
    let other = value.clone();
    other.set(2);
    assert_eq!(value.get(), 2);
    assert_eq!(value.update(|number| std::mem::replace(number, 7)), 2);
    assert_eq!(value.replace(7), 7);
    assert_eq!(other.read(|number| number + 1), 8);
    assert_eq!(Value::<u8>::default().get(), 0);
    assert_eq!(Value::from("text").get(), "text");
}

#[test]
fn no_update_is_lost() {
    everywhere(|beside| {
        let value = Value::new((0, 0));
        let others = [0; 3].map(|_| {
            let value = value.clone();
            beside.start(move || {
                for _ in 0..1000 {
                    value.update(|(one, other)| {
                        *one += 1;
                        *other += 1;
                    });
                }
            })
        });
        for _ in 0..1000 {
            value.read(|(one, other)| assert_eq!(one, other));
        }
        others.into_iter().for_each(|other| other.end());
        assert_eq!(value.get(), (3000, 3000));
    });
}

#[test]
fn whoever_waits_goes_on_when_the_value_is_as_wanted() {
    everywhere(|beside| {
        let value = Value::new(0);
        let others = [10, 20].map(|wanted| {
            let value = value.clone();
            beside.start(move || {
                value.wait_until(|&now| now >= wanted);
                value.get()
            })
        });
        let raise = {
            let value = value.clone();
            move || {
                (1..=20).for_each(|n| {
                    if n % 2 == 0 { value.set(n) } else { value.update(|it| *it = n) }
                });
            }
        };
        beside.start(raise).end();
        for (other, wanted) in others.into_iter().zip([10, 20]) {
            assert!(other.end() >= wanted);
        }
        value.wait_until(|&now| now == 20);
    });
}

#[test]
fn a_wait_ends_at_its_timeout() {
    everywhere(|beside| {
        let value = Value::new(0);
        assert!(!value.wait_until_timeout(Duration::ZERO, |&now| now == 1));
        let begin = Instant::now();
        assert!(!value.wait_until_timeout(Duration::from_millis(3), |&now| now == 1));
        assert!(begin.elapsed() >= Duration::from_millis(3));
        let other = value.clone();
        let setting = beside.start(move || other.set(1));
        assert!(value.wait_until_timeout(Duration::MAX, |&now| now == 1));
        assert!(value.wait_until_timeout(Duration::ZERO, |&now| now == 1));
        setting.end();
    });
}

#[test]
fn a_panic_leaves_the_value_as_it_is_and_unlocked() {
    everywhere(|beside| {
        let value = Value::new(vec![1]);
        let payload = panic_of(|| {
            value.update(|list| {
                list.push(2);
                panic!("half-way");
            })
        });
        assert_eq!(text_of(payload), "half-way");
        assert_eq!(value.get(), [1, 2]);
        let payload = panic_of(|| value.read(|list| panic!("{}", list.len())));
        assert_eq!(text_of(payload), "2");
        let payload = panic_of(|| value.wait_until(|list| panic!("{}", list.len())));
        assert_eq!(text_of(payload), "2");
        // A panic may have made what somebody waits for.
        let waiting = {
            let value = value.clone();
            beside.start(move || value.wait_until(|list| list.len() == 3))
        };
        panic_of(|| {
            value.update(|list| {
                list.push(3);
                panic!("and so on");
            })
        });
        waiting.end();
    });
}

#[test]
fn a_closure_that_uses_its_own_value_is_told_so() {
    everywhere(|_| {
        let value = Value::new(1);
        let calls: [(&str, &dyn Fn()); 6] = [
            ("Value::get", &|| _ = value.get()),
            ("Value::set", &|| value.set(2)),
            ("Value::replace", &|| _ = value.replace(2)),
            ("Value::read", &|| value.read(|_| ())),
            ("Value::update", &|| value.clone().update(|_| ())),
            ("Value::wait_until", &|| value.wait_until(|_| true)),
        ];
        for (name, call) in calls {
            let expected = format!("{name} is called by a closure that has the same thing locked");
            assert_eq!(text_of(panic_of(|| value.update(|_| call()))), expected);
            assert_eq!(text_of(panic_of(|| value.read(|_| call()))), expected);
            let waits = || value.wait_until(|_| panic!("{}", text_of(panic_of(call))));
            assert_eq!(text_of(panic_of(waits)), expected);
        }
        assert_eq!(value.get(), 1);
    });
}

#[test]
fn a_piece_of_a_call_inside_a_closure_is_told_so_as_well() {
    let value = Value::new(0);
    let payload = panic_of(|| {
        value.update(|_| Pool::serial().for_each(0..3, |n: i32| value.update(|it| *it += n)));
    });
    assert!(text_of(payload).starts_with("Value::update is called by a closure"));
}

#[test]
fn closures_of_different_values_may_nest() {
    everywhere(|_| {
        let (one, other) = (Value::new(1), Value::new(2));
        let sum = one.read(|one| other.update(|other| std::mem::replace(other, 5) + one));
        assert_eq!((sum, other.get()), (3, 5));
        // In the other order, now that both are free again.
        assert_eq!(other.read(|other| one.get() + other), 6);
    });
}

#[test]
fn an_old_value_is_dropped_unlocked() {
    struct Looks(Option<Value<Looks>>, Arc<AtomicBool>);

    impl Drop for Looks {
        fn drop(&mut self) {
            if let Some(value) = &self.0 {
                self.1.store(value.read(|now| now.0.is_none()), SeqCst);
            }
        }
    }

    let has_looked = Arc::new(AtomicBool::new(false));
    let value = Value::new(Looks(None, Arc::clone(&has_looked)));
    value.update(|it| it.0 = Some(value.clone()));
    value.set(Looks(None, Arc::clone(&has_looked)));
    assert!(has_looked.load(SeqCst));
}

#[test]
fn the_value_is_dropped_with_its_last_handle() {
    let tally = Tally::new();
    let value = Value::new(tally.make(0));
    let other = value.clone();
    drop(value);
    other.set(tally.make(1));
    assert_eq!(tally.live(), 1);
    drop(other);
    tally.assert_even();
}

#[test]
fn a_value_shows_itself_unless_it_is_locked() {
    let value = Value::new(3);
    assert_eq!(format!("{value:?}"), "Value(3)");
    assert_eq!(value.read(|_| format!("{value:?}")), "Value(<locked>)");

    struct Node(Option<Value<Node>>);

    impl std::fmt::Debug for Node {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let Some(value) = &self.0 else { return f.write_str("end") };
            write!(f, "{value:?}")?;
            value.read(|node| f.write_str(if node.0.is_some() { "some" } else { "none" }))
        }
    }

    let node = Value::new(Node(None));
    node.update(|it| it.0 = Some(node.clone()));
    let message = text_of(panic_of(|| format!("{node:?}")));
    assert!(message.starts_with("Value::read is called by a closure"), "{message}");
    drop(node.replace(Node(None)));
    assert_eq!(format!("{node:?}"), "Value(end)");
}

#[test]
fn a_worker_that_waits_for_a_lock_is_replaced() {
    crate::support::within(crate::support::LONG, || {
        let pool = crate::support::pool(1);
        let value = Value::new(0);
        value.update(|it| {
            let other = value.clone();
            let waiting = pool.spawn(move || other.update(|it| *it += 1));
            eventually("it waits", || pool.stats().parks > 0);
            let passing = pool.spawn(|| ());
            eventually("another one passes", || passing.is_finished());
            *it = 5;
            waiting.detach();
        });
        value.wait_until(|&it| it == 6);
    });
}
