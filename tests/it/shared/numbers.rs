//! `Number`.

use manyhands::shared::Number;

use crate::beside::everywhere;
use crate::support::{panic_of, text_of};

macro_rules! integers {
    ($($name:ident: $integer:ty)*) => {
        $(
            #[test]
            fn $name() {
                for first in [<$integer>::MIN, 0, 1, <$integer>::MAX] {
                    let number = Number::new(first);
                    assert_eq!(number.load(), first);
                    for other in [<$integer>::MAX, 1, <$integer>::MIN, 0, 77] {
                        let before = number.load();
                        assert_eq!(number.add(other), before);
                        assert_eq!(number.load(), before.wrapping_add(other));
                        assert_eq!(number.update(|it| it.wrapping_mul(3)), before.wrapping_add(other));
                        assert_eq!(number.load(), before.wrapping_add(other).wrapping_mul(3));
                    }
                    number.store(first);
                    assert_eq!(number.clone().load(), first);
                }
            }
        )*
    };
}

integers! {
    u8_wraps_around: u8
    u16_wraps_around: u16
    u32_wraps_around: u32
    u64_wraps_around: u64
    usize_wraps_around: usize
    i8_wraps_around: i8
    i16_wraps_around: i16
    i32_wraps_around: i32
    i64_wraps_around: i64
    isize_wraps_around: isize
}

#[test]
fn floats_add_as_floats_do() {
    let number = Number::new(0.1_f64);
    assert_eq!(number.add(0.2), 0.1);
    assert_eq!(number.load(), 0.1 + 0.2);
    number.store(f64::NAN);
    assert!(number.add(1.0).is_nan() && number.load().is_nan());
    let number = Number::new(-0.0_f32);
    assert!(number.load().is_sign_negative());
    assert_eq!(number.update(|it| it + 1.5), 0.0);
    assert_eq!(number.load(), 1.5);
    number.store(f32::MIN_POSITIVE / 2.0);
    assert_eq!(number.load().to_bits(), (f32::MIN_POSITIVE / 2.0).to_bits());
}

#[test]
fn bools_are_numbers_that_cannot_be_added() {
    let flag = Number::new(false);
    assert!(!flag.update(|it| !it));
    assert!(flag.load());
    flag.store(false);
    assert!(!flag.load());
    assert_eq!(format!("{flag:?} {:?}", Number::<i8>::default()), "Number(false) Number(0)");
    assert_eq!(Number::from(3_i16).load(), 3);
}

#[test]
fn no_addition_and_no_update_is_lost() {
    everywhere(|beside| {
        let (sum, float, most) = (Number::new(0_u16), Number::new(0.0), Number::new(0));
        let others = [0, 1, 2].map(|part| {
            let (sum, float, most) = (sum.clone(), float.clone(), most.clone());
            beside.start(move || {
                for n in 0..1000 {
                    sum.add(1);
                    float.add(1.0);
                    most.update(|most| n.max(most) + part - part);
                }
            })
        });
        others.into_iter().for_each(|other| other.end());
        assert_eq!((sum.load(), float.load(), most.load()), (3000, 3000.0, 999));
    });
}

#[test]
fn what_came_before_a_store_is_seen_after_its_load() {
    for _ in 0..100 {
        let (data, is_ready) = (Number::new(0), Number::new(false));
        let (other_data, other_ready) = (data.clone(), is_ready.clone());
        let maker = std::thread::spawn(move || {
            other_data.store(7);
            other_ready.store(true);
        });
        while !is_ready.load() {
            std::thread::yield_now();
        }
        assert_eq!(data.load(), 7);
        maker.join().unwrap();
    }
}

#[test]
fn a_panic_leaves_the_number_as_it_was() {
    let number = Number::new(5);
    assert_eq!(text_of(panic_of(|| number.update(|it| panic!("at {it}")))), "at 5");
    assert_eq!(number.load(), 5);
    // It may use itself: there is no lock.
    assert_eq!(number.update(|it| it + number.load()), 5);
    assert_eq!(number.load(), 10);
}
