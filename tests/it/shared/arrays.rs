//! `Array`.

use std::ops::Bound;

use manyhands::shared::Array;

use crate::beside::everywhere;
use crate::support::{Tally, panic_of, text_of};

const SIZES: [usize; 9] = [0, 1, 2, 63, 64, 65, 127, 129, 1000];

#[test]
fn every_item_is_where_it_was_put() {
    for size in SIZES {
        let array: Array<usize> = (0..size).collect();
        assert_eq!((array.len(), array.is_empty()), (size, size == 0));
        assert!(array.to_vec().into_iter().eq(0..size));
        for index in 0..size {
            assert_eq!(array.get(index), index);
            array.set(index, index + 1);
            assert_eq!(array.update(index, |item| std::mem::replace(item, index * 2)), index + 1);
        }
        array.clone().read(.., |all| assert!(all.iter().copied().eq((0..size).map(|n| n * 2))));
    }
    assert_eq!(Array::new(3, 'x').to_vec(), ['x'; 3]);
}

#[test]
fn ranges_of_every_form_are_as_those_of_a_slice() {
    for size in SIZES {
        let array = Array::from(Vec::from_iter(0..size));
        let all = Vec::from_iter(0..size);
        for start in [0, 1, 15, size / 2, size] {
            for end in [0, 1, 15, 16, size / 2, size.saturating_sub(1), size] {
                if start > end || end > size {
                    continue;
                }
                assert_eq!(array.read(start..end, <[_]>::to_vec), all[start..end]);
                assert_eq!(array.read(..end, <[_]>::to_vec), all[..end]);
                assert_eq!(array.read(start.., <[_]>::to_vec), all[start..]);
                if end < size {
                    assert_eq!(array.read(start..=end, <[_]>::to_vec), all[start..=end]);
                    let after = (Bound::Excluded(start), Bound::Included(end));
                    if start < end {
                        assert_eq!(array.read(after, <[_]>::to_vec), all[start + 1..=end]);
                    }
                }
                array.write(start..end, |items| items.reverse());
                array.write(start..end, |items| items.reverse());
            }
        }
        assert!(array.to_vec().into_iter().eq(0..size));
    }
}

#[test]
fn what_is_not_there_is_refused_by_its_number() {
    let array = Array::new(3, 0);
    let text = |f: &dyn Fn()| text_of(panic_of(f));
    for call in
        [&|| _ = array.get(3), &|| array.set(3, 1), &|| array.update(3, |_| ())] as [&dyn Fn(); 3]
    {
        assert_eq!(text(call), "the index 3 goes beyond an array of length 3");
    }
    let beyond = "the range 1..4 goes beyond an array of length 3";
    assert_eq!(text(&|| array.read(1..4, |_| ())), beyond);
    assert_eq!(text(&|| array.write(1..=3, |_| ())), beyond);
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let backwards = text(&|| array.read(2..1, |_| ()));
    assert_eq!(backwards, "the range 2..1 of an array ends before it begins");
    let endless = text(&|| array.read(0..=usize::MAX, |_| ()));
    let end = usize::MAX;
    assert_eq!(endless, format!("the range 0..{end} goes beyond an array of length 3"));
    assert_eq!(
        text_of(panic_of(|| Array::<u8>::from(vec![]).get(0))),
        "the index 0 goes beyond an array of length 0"
    );
    assert_eq!(array.to_vec(), [0; 3]);
}

#[test]
fn no_change_is_lost() {
    everywhere(|beside| {
        let array = Array::new(100, 0);
        let others = [0, 1, 2].map(|part| {
            let array = array.clone();
            beside.start(move || {
                for n in 0..2000 {
                    array.update((n * (part + 1)) % 100, |item| *item += 1);
                }
            })
        });
        others.into_iter().for_each(|other| other.end());
        assert_eq!(array.read(.., |all| all.iter().sum::<i32>()), 6000);
    });
}

#[test]
fn a_range_is_read_and_written_at_one_moment() {
    everywhere(|beside| {
        let array = Array::new(200, 0);
        let writers = [1, 2].map(|mark| {
            let array = array.clone();
            beside.start(move || {
                for n in 0..300 {
                    array.write(50..150, |items| items.fill(mark * 1000 + n));
                }
            })
        });
        for _ in 0..300 {
            array.read(40..160, |items| {
                assert!(items[10..110].iter().all(|item| *item == items[10]));
                assert_eq!((items[9], items[110]), (0, 0));
            });
        }
        writers.into_iter().for_each(|writer| writer.end());
    });
}

#[test]
fn ranges_that_overlap_never_wait_for_each_other_for_ever() {
    everywhere(|beside| {
        let array = Array::new(300, 0_u64);
        let others = [1, 7, 64, 299].map(|width| {
            let array = array.clone();
            beside.start(move || {
                for n in 0..200 {
                    let start = (n * 37) % (300 - width);
                    array.write(start..start + width, |items| {
                        items.iter_mut().for_each(|it| *it += 1);
                    });
                }
            })
        });
        others.into_iter().for_each(|other| other.end());
        let expected = 200 * (1 + 7 + 64 + 299);
        assert_eq!(array.read(.., |all| all.iter().sum::<u64>()), expected);
    });
}

#[test]
fn a_panic_leaves_the_items_as_they_are_and_unlocked() {
    everywhere(|_| {
        let array = Array::new(100, 0);
        let payload = panic_of(|| {
            array.update(3, |item| {
                *item = 1;
                panic!("one")
            })
        });
        assert_eq!(text_of(payload), "one");
        let payload = panic_of(|| {
            array.write(10..90, |items| {
                items[0] = 2;
                panic!("many")
            })
        });
        assert_eq!(text_of(payload), "many");
        assert_eq!((array.get(3), array.get(10), array.get(50)), (1, 2, 0));
        array.write(.., |items| items.fill(4));
        assert_eq!(array.to_vec(), [4; 100]);
    });
}

#[test]
fn a_closure_that_uses_its_own_array_is_told_so_whatever_the_index() {
    everywhere(|_| {
        let array = Array::new(100, 0);
        for index in [3, 4, 99] {
            let calls: [(&str, &dyn Fn()); 6] = [
                ("get", &|| _ = array.get(index)),
                ("set", &|| array.set(index, 1)),
                ("update", &|| array.update(index, |_| ())),
                ("read", &|| array.read(index.., |_| ())),
                ("write", &|| array.write(..=index, |_| ())),
                ("to_vec", &|| _ = array.to_vec()),
            ];
            for (name, call) in calls {
                let expected =
                    format!("Array::{name} is called by a closure that has the same thing locked");
                assert_eq!(text_of(panic_of(|| array.update(3, |_| call()))), expected);
                assert_eq!(text_of(panic_of(|| array.write(2..4, |_| call()))), expected);
            }
        }
        let other = Array::new(1, 5);
        assert_eq!(array.update(0, |_| other.get(0)), 5);
        assert_eq!(array.to_vec(), [0; 100]);
    });
}

#[test]
fn items_are_dropped_once_and_unlocked() {
    let tally = Tally::new();
    let array: Array<_> = (0..100).map(|n| tally.make(n)).collect();
    array.set(7, tally.make(7));
    assert_eq!(tally.live(), 100);
    drop(array.clone());
    assert_eq!(tally.live(), 100);
    drop(array);
    tally.assert_even();
}

#[test]
fn items_have_any_size_and_alignment() {
    #[derive(Clone, Debug, PartialEq)]
    #[repr(align(128))]
    struct Aligned(u8);

    let array = Array::new(70, Aligned(1));
    array.update(65, |item| {
        assert_eq!(std::ptr::from_mut(item).addr() % 128, 0);
        item.0 = 2;
    });
    array.read(64..67, |items| assert_eq!(items, [Aligned(1), Aligned(2), Aligned(1)]));
    let units = Array::new(1000, ());
    assert_eq!(units.read(10..900, <[()]>::len), 890);
    assert_eq!(format!("{units:?}"), "Array { len: 1000, .. }");
}
