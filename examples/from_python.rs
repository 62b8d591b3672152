//! The programs of a `multiprocessing` tutorial, in Rust.
//!
//! ```text
//! cargo run --release --example from_python
//! ```
//!
//! Each function stands below the Python that it translates. Here the workers are threads: they
//! start in microseconds, and closures and results move between them without being serialised.

use std::error::Error;
use std::thread;

use manyhands::{Pool, TaskError, as_completed};

fn main() -> Result<(), Box<dyn Error>> {
    start_and_join()?;
    map_squares()?;
    report_a_failure();
    take_as_completed()
}

/// ```python
/// def greet(whom):
///     print(f"hello {whom}, this is {current_process().name}")
///
/// worker = Process(target=greet, args=("bob",), name="w")
/// worker.start()
/// worker.join()
/// ```
///
/// A task that nobody has started may run on the thread that joins it, which here is `main`;
/// `workers_only` leaves it to the worker.
fn start_and_join() -> Result<(), Box<dyn Error>> {
    let pool = Pool::builder().threads(1).name("w").workers_only(true).build()?;
    let whom = "bob";
    let worker = pool.spawn(move || {
        let this = thread::current();
        println!("hello {whom}, this is {}", this.name().unwrap_or("nobody"));
    });
    worker.join()?;
    Ok(())
}

/// ```python
/// with Pool(4) as pool:
///     print(pool.map(square, [1, 2, 3, 4, 5]))
/// ```
fn map_squares() -> Result<(), Box<dyn Error>> {
    let pool = Pool::new(4)?;
    let squares = pool.map([1, 2, 3, 4, 5], |x| x * x);
    println!("{squares:?}");
    Ok(())
}

/// ```python
/// task = pool.apply_async(parse, ("forty-two",))
/// try:
///     print(task.get())
/// except ValueError as error:
///     print("the task failed:", error)
/// ```
///
/// The panic also says on standard error where it happened, as any panic does.
fn report_a_failure() {
    let task = manyhands::spawn(|| "forty-two".parse::<u32>().expect("that is no number"));
    match task.join() {
        Ok(number) => println!("{number}"),
        Err(TaskError::Panicked(panic)) => {
            println!("the task failed: {}", panic.message().unwrap_or("without a message"));
        }
        Err(other) => println!("the task did not run: {other}"),
    }
}

/// ```python
/// limits = [3_000_000, 300_000, 30_000]
/// with ProcessPoolExecutor() as pool:
///     tasks = {pool.submit(count_primes, limit): limit for limit in limits}
///     for task in as_completed(tasks):
///         print(task.result(), "primes below", tasks[task])
/// ```
fn take_as_completed() -> Result<(), Box<dyn Error>> {
    let limits = [3_000_000, 300_000, 30_000];
    let tasks = limits.map(|limit| manyhands::spawn(move || count_primes(limit)));
    for (index, primes) in as_completed(tasks) {
        println!("{} primes below {}", primes?, limits[index]);
    }
    Ok(())
}

/// The sieve of Eratosthenes.
fn count_primes(limit: usize) -> usize {
    let mut is_prime = vec![true; limit];
    let mut primes = 0;
    for n in 2..limit {
        if is_prime[n] {
            primes += 1;
            is_prime[n..].iter_mut().step_by(n).for_each(|multiple| *multiple = false);
        }
    }
    primes
}
