//! Searches stop at what they find.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::{check, pools, scaled};

#[test]
fn the_first_of_many_is_found() {
    check(200, (1..scaled(20_000), 1..500_usize), |pool, (length, step)| {
        let is_wanted = |index: usize| index % step == step - 1;
        let expected = (0..length).find(|&index| is_wanted(index));
        assert_eq!(pool.find_first(0..length, |&index| is_wanted(index)), expected);
        let any = pool.find_any(0..length, |&index| is_wanted(index));
        assert_eq!(any.is_some(), expected.is_some());
        assert!(any.is_none_or(is_wanted));
    });
}

#[test]
fn nobody_looks_at_everything_once_it_is_found() {
    const LENGTH: usize = 1_000_000_000;
    for pool in pools() {
        let looks = AtomicUsize::new(0);
        let is_wanted = |index: usize| {
            looks.fetch_add(1, Relaxed);
            index == 20
        };
        assert_eq!(pool.find_first(0..LENGTH, |&index| is_wanted(index)), Some(20));
        assert_eq!(pool.find_any(0..LENGTH, |&index| is_wanted(index)), Some(20));
        assert!(pool.any(0..LENGTH, is_wanted));
        assert!(!pool.all(0..LENGTH, |index| !is_wanted(index)));
        assert!(looks.into_inner() < LENGTH / 10);
    }
}

#[test]
fn a_serial_search_looks_no_further_than_a_loop() {
    let pool = manyhands::Pool::serial();
    let looks = AtomicUsize::new(0);
    let is_wanted = |index: usize| {
        looks.fetch_add(1, Relaxed);
        index == 20
    };
    assert!(pool.any(0..100, is_wanted));
    assert_eq!(pool.find_first(0..100, |&index| is_wanted(index)), Some(20));
    assert_eq!(pool.find_any(0..100, |&index| is_wanted(index)), Some(20));
    assert_eq!(looks.into_inner(), 3 * 21);
}
