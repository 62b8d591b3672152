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
use std::time::Duration;

use manyhands::channel;
use manyhands::shared::{Array, Number};
use manyhands::{Pool, TaskError, as_completed};

fn main() -> Result<(), Box<dyn Error>> {
    start_and_join()?;
    map_squares()?;
    report_a_failure();
    take_as_completed()?;
    pass_through_a_queue()?;
    talk_through_a_pipe()?;
    share_a_value_and_an_array()
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

/// ```python
/// def work(queue):
///     queue.put([42, None, "hello"])
///
/// queue = Queue()
/// worker = Process(target=work, args=(queue,))
/// worker.start()
/// print(queue.get())
/// worker.join()
/// ```
///
/// Messages have one type; what may be one of several things is an `enum`. The queue ends by itself
/// when the sender is gone, so a loop over it needs no sentinel.
fn pass_through_a_queue() -> Result<(), Box<dyn Error>> {
    #[derive(Debug)]
    #[expect(dead_code, reason = "they are only shown")]
    enum Item {
        Number(i32),
        Nothing,
        Text(&'static str),
    }

    let (queue, items) = channel::unbounded();
    let worker = manyhands::spawn(move || {
        [Item::Number(42), Item::Nothing, Item::Text("hello")]
            .into_iter()
            .try_for_each(|item| queue.send(item))
    });
    println!("{:?}", items.iter().collect::<Vec<_>>());
    worker.join()??;
    Ok(())
}

/// ```python
/// def work(connection):
///     connection.send(connection.recv().upper())
///     connection.close()
///
/// parent, child = Pipe()
/// worker = Process(target=work, args=(child,))
/// worker.start()
/// parent.send("hello")
/// if parent.poll(60):
///     print(parent.recv())
/// worker.join()
/// ```
fn talk_through_a_pipe() -> Result<(), Box<dyn Error>> {
    let (parent, child) = channel::pipe::<&str, String>();
    let worker = manyhands::spawn(move || {
        let request = child.recv().expect("the parent has sent it");
        child.send(request.to_uppercase()).expect("the parent waits for it");
    });
    parent.send("hello")?;
    if parent.poll(Duration::from_secs(60)) {
        println!("{}", parent.recv()?);
    }
    worker.join()?;
    Ok(())
}

/// ```python
/// def work(number, array):
///     number.value = math.pi
///     for i in range(len(array)):
///         array[i] = -array[i]
///
/// number = Value("d", 0.0)
/// array = Array("i", range(10))
/// worker = Process(target=work, args=(number, array))
/// worker.start()
/// worker.join()
/// print(number.value, array[:])
/// ```
///
/// A number needs no lock; anything else goes into a `shared::Value`.
fn share_a_value_and_an_array() -> Result<(), Box<dyn Error>> {
    let number = Number::new(0.0);
    let array: Array<i32> = (0..10).collect();
    let (its_number, its_array) = (number.clone(), array.clone());
    let worker = manyhands::spawn(move || {
        its_number.store(std::f64::consts::PI);
        its_array.write(.., |items| items.iter_mut().for_each(|item| *item = -*item));
    });
    worker.join()?;
    println!("{} {:?}", number.load(), array.to_vec());
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
