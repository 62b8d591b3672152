//! The end of a pool: what is finished, what is refused, who waits for whom.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;

use manyhands::Pool;

use crate::support::{Gate, LONG, alone, eventually, pool, threads, within};

thread_local! {
    static KEPT: RefCell<Option<Pool>> = const { RefCell::new(None) };
}

#[test]
fn the_last_handle_may_be_dropped_by_a_local_of_a_worker() {
    alone(|| {
        for n in [1, 2, 8] {
            let base = threads();
            let pool = pool(n);
            let kept = pool.clone();
            pool.install(move || KEPT.set(Some(kept)));
            pool.shutdown_now();
            drop(pool);
            eventually("its threads have ended", || threads() == base);
        }
    });
}

#[test]
fn a_hook_that_shuts_its_own_pool_down_does_not_wait_for_itself() {
    within(LONG, || {
        let own = Arc::new(Mutex::new(None::<Pool>));
        let (done, at_exit) = mpsc::channel();
        let (inside, done) = (Arc::clone(&own), Mutex::new(done));
        let builder = Pool::builder().threads(1).on_exit(move |_| {
            let own = inside.lock().unwrap().take();
            own.iter().for_each(Pool::shutdown);
            drop(own);
            done.lock().unwrap().send(()).unwrap();
        });
        let pool = builder.build().unwrap();
        *own.lock().unwrap() = Some(pool.clone());
        pool.shutdown_now();
        at_exit.recv().unwrap();
    });
}

#[test]
fn a_start_hook_that_shuts_its_own_pool_down_does_not_wait_for_itself() {
    within(LONG, || {
        let own = Arc::new(OnceLock::<Pool>::new());
        let [is_built, is_through] = [Gate::new(), Gate::new()];
        let (inside, built, through) = (Arc::clone(&own), is_built.clone(), is_through.clone());
        let hook = move |_| {
            built.wait();
            inside.get().unwrap().shutdown();
            through.open();
        };
        own.set(Pool::builder().threads(1).on_start(hook).build().unwrap()).unwrap();
        is_built.open();
        is_through.wait();
    });
}

#[test]
fn a_shutdown_finishes_what_a_joiner_has_begun_and_what_that_spawns() {
    within(LONG, || {
        let pool = pool(1);
        let [blocked, begun, go_on] = [Gate::new(), Gate::new(), Gate::new()];
        let _openers = [blocked.opener(), begun.opener(), go_on.opener()];
        let at_gate = blocked.clone();
        pool.spawn(move || at_gate.wait()).detach();
        blocked.wait_for_arrivals(1);
        let (at_begin, at_go_on) = (begun.clone(), go_on.clone());
        let task = pool.spawn(move || {
            at_begin.open();
            at_go_on.wait();
            manyhands::spawn(|| 7).join()
        });
        let joiner = thread::spawn(move || task.join().unwrap());
        begun.wait();
        blocked.open();
        let closing = pool.clone();
        let closer = thread::spawn(move || closing.shutdown());
        // Whoever has been told that the pool is closed comes late, but not the task.
        eventually("the pool is closed", || pool.spawn(|| ()).join().is_err());
        go_on.open();
        assert_eq!(joiner.join().unwrap().unwrap(), 7);
        closer.join().unwrap();
    });
}
