//! A bank: a million transfers between accounts that all threads share, audited meanwhile.
//!
//! ```text
//! cargo run --release --example bank [TRANSFERS]
//! ```
//!
//! A transfer changes two accounts at the same moment, since it writes the range between them. So
//! the sum is right at every moment that an auditor looks, not only in the end.

use std::error::Error;
use std::time::{Duration, Instant};

use manyhands::channel::{self, Select};
use manyhands::shared::{Array, Number};

const ACCOUNTS: usize = 100;
const OPENING: i64 = 1_000;
const TOTAL: i64 = ACCOUNTS as i64 * OPENING;

fn main() -> Result<(), Box<dyn Error>> {
    let transfers: u64 = match std::env::args().nth(1) {
        Some(count) => count.parse().map_err(|error| format!("TRANSFERS {count:?}: {error}"))?,
        None => 1_000_000,
    };
    let accounts = Array::new(ACCOUNTS, OPENING);
    let refused = Number::new(0_u64);

    let (close, is_closing) = channel::bounded::<()>(0);
    let audited = accounts.clone();
    let auditor = manyhands::spawn(move || {
        let ticks = channel::tick(Duration::from_millis(1));
        let mut audits = 0;
        let is_open = || Select::new().recv(&ticks, |_| true).recv(&is_closing, |_| false).wait();
        while is_open() {
            assert_eq!(sum(&audited), TOTAL, "money has come or gone");
            audits += 1;
        }
        audits
    });

    let begin = Instant::now();
    manyhands::for_each(0..transfers, |number| {
        let [from, to, amount] = random(number);
        let (from, to) = (from as usize % ACCOUNTS, to as usize % ACCOUNTS);
        if !transfer(&accounts, from, to, (amount % 500) as i64) {
            refused.add(1);
        }
    });
    let time = begin.elapsed();
    drop(close);

    println!("{transfers} transfers in {time:.1?}, {} refused", refused.load());
    println!("{} audits, all of them right", auditor.join()?);
    println!("sum {} of {TOTAL}", sum(&accounts));
    let lowest = accounts.read(.., |all| all.iter().copied().min());
    println!("lowest {}", lowest.unwrap_or(0));
    if sum(&accounts) != TOTAL { Err("money has come or gone".into()) } else { Ok(()) }
}

/// Moves `amount`, unless there is less than that. Says whether it did.
fn transfer(accounts: &Array<i64>, from: usize, to: usize, amount: i64) -> bool {
    let (first, last) = (from.min(to), from.max(to));
    accounts.write(first..=last, |between| {
        if between[from - first] < amount {
            return false;
        }
        between[from - first] -= amount;
        between[to - first] += amount;
        true
    })
}

fn sum(accounts: &Array<i64>) -> i64 {
    accounts.read(.., |all| all.iter().sum())
}

/// Three numbers that look random and depend on `seed` alone: SplitMix64 (Steele, Lea, Flood: "Fast
/// splittable pseudorandom number generators", OOPSLA 2014).
fn random(seed: u64) -> [u64; 3] {
    let mut state = seed.wrapping_mul(3);
    [(); 3].map(|()| {
        state = state.wrapping_add(1);
        let mixed = state.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
