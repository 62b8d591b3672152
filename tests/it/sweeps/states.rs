//! The state that `map_init` makes for each thread.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, ThreadId};
use std::time::Duration;

use manyhands::Pool;

use super::{pools, scaled, spin};

/// Notes where states are made; says no if one is used or dropped elsewhere.
#[derive(Default)]
struct Register {
    made: Mutex<HashMap<ThreadId, usize>>,
    live: AtomicUsize,
    strays: AtomicUsize,
}

/// Is not `Send`.
struct State<'a> {
    register: &'a Register,
    home: ThreadId,
    count: Rc<Cell<usize>>,
}

impl Register {
    fn make(&self) -> State<'_> {
        let home = thread::current().id();
        *self.made.lock().unwrap().entry(home).or_insert(0) += 1;
        self.live.fetch_add(1, SeqCst);
        State { register: self, home, count: Rc::default() }
    }
}

impl State<'_> {
    fn look(&self) {
        if thread::current().id() != self.home {
            self.register.strays.fetch_add(1, SeqCst);
        }
    }
}

impl Drop for State<'_> {
    fn drop(&mut self) {
        self.look();
        self.register.live.fetch_sub(1, SeqCst);
    }
}

fn sweep(pool: &Pool, length: usize, cost: Duration) -> Register {
    let register = Register::default();
    let counts = pool.map_init(
        0..length,
        || register.make(),
        |state, _| {
            state.look();
            spin(cost);
            state.count.set(state.count.get() + 1);
            state.count.get()
        },
    );
    assert_eq!(counts.len(), length);
    assert_eq!(register.live.load(SeqCst), 0);
    assert_eq!(register.strays.load(SeqCst), 0);
    register
}

#[test]
fn a_state_is_made_used_and_dropped_on_its_thread() {
    for pool in pools() {
        sweep(&pool, scaled(20_000), Duration::ZERO);
        sweep(&pool, scaled(2_000), Duration::from_micros(2));
    }
}

#[test]
fn there_is_one_state_a_participant() {
    for pool in pools() {
        let made = sweep(&pool, scaled(2_000), Duration::from_micros(2)).made.into_inner().unwrap();
        assert!(made.len() <= pool.threads().max(1));
        assert!(made.values().all(|&states| states == 1), "{made:?}");
    }
}

#[test]
fn there_is_one_state_a_participant_also_where_items_were_cheap_the_last_time() {
    for pool in pools() {
        for _ in 0..10 {
            sweep(&pool, scaled(20_000), Duration::ZERO);
            let made = sweep(&pool, 5, Duration::from_micros(500)).made.into_inner().unwrap();
            assert!(made.values().all(|&states| states == 1), "{made:?}");
        }
    }
}

#[test]
fn without_items_there_is_no_state() {
    for pool in pools() {
        let made = sweep(&pool, 0, Duration::ZERO).made.into_inner().unwrap();
        assert!(made.is_empty());
    }
}
