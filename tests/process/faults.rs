//! A worker goes wrong, in every way there is; it costs that worker only.

use std::process::Command;
use std::thread;
use std::time::Duration;

use manyhands::process::{Process, ProcessError, ProcessErrorKind};

fn failure(f: impl Fn(()) -> u32 + Copy + Send + 'static) -> ProcessError {
    Process::builder().name("faulty").spawn(f, ()).unwrap().join().unwrap_err()
}

#[test]
fn a_panic_has_its_message_and_its_place() {
    let error = failure(|()| panic!("no such page: {}", 7));
    assert_eq!(error.kind(), ProcessErrorKind::Panicked);
    assert_eq!(error.message(), Some("no such page: 7"));
    assert!(error.place().unwrap().contains("faults.rs:"), "{error}");
    assert_eq!(error.worker(), "faulty");
    assert!(error.to_string().contains("worker faulty (process "), "{error}");
}

#[test]
fn an_abort_has_its_signal() {
    let error = failure(|()| std::process::abort());
    assert_eq!(error.signal(), Some(libc::SIGABRT));
}

#[test]
#[expect(unsafe_code, reason = "goes wrong")]
fn a_segmentation_fault_has_its_signal() {
    let error = failure(|()| {
        // SAFETY: not at all.
        unsafe { std::ptr::null::<u32>().wrapping_add(1).read_volatile() }
    });
    assert_eq!(error.signal(), Some(libc::SIGSEGV));
}

#[test]
fn a_stack_overflow_has_its_signal() {
    fn deep(n: u64) -> u64 {
        let frame = std::hint::black_box([n; 512]);
        if frame[5] == 0 { 0 } else { deep(frame[3] + 1) + frame[7] }
    }
    let error = failure(|()| deep(1) as u32);
    assert!(error.signal().is_some(), "{error}");
}

#[test]
fn an_exit_has_its_code() {
    let error = failure(|()| std::process::exit(3));
    assert_eq!((error.kind(), error.exit_code()), (ProcessErrorKind::Exited, Some(3)));
}

#[test]
fn beyond_its_memory_limit_a_worker_ends() {
    let hoard = |()| (0..1 << 12).map(|n| vec![n as u8; 1 << 20]).collect::<Vec<_>>().len();
    let process = Process::builder().memory_limit(256 << 20).spawn(hoard, ()).unwrap();
    let error = process.join().unwrap_err();
    assert_eq!(error.signal(), Some(libc::SIGABRT), "{error}");
}

#[test]
fn a_thread_that_outlives_the_task_ends_with_the_worker() {
    let start = |()| {
        thread::spawn(|| thread::sleep(Duration::from_secs(60)));
        1
    };
    assert_eq!(Process::spawn(start, ()).unwrap().join().unwrap(), 1);
}

#[test]
fn a_grandchild_that_outlives_the_worker_holds_up_nothing() {
    let start = |()| Command::new("sleep").arg("3").spawn().unwrap().id();
    assert!(Process::spawn(start, ()).unwrap().join().unwrap() > 0);
}

#[test]
#[expect(unsafe_code, reason = "goes wrong")]
fn a_worker_that_closes_its_descriptors_ends() {
    let error = failure(|()| {
        for descriptor in 3..64 {
            // SAFETY: not at all.
            unsafe { libc::close(descriptor) };
        }
        7
    });
    assert_eq!(error.kind(), ProcessErrorKind::Exited, "{error}");
}

#[test]
fn a_result_that_cannot_be_read_is_an_error() {
    #[derive(serde::Serialize)]
    struct Odd;
    impl<'de> serde::Deserialize<'de> for Odd {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("odd"))
        }
    }
    let error = Process::spawn(|()| Odd, ()).unwrap().join().map(drop).unwrap_err();
    assert_eq!(error.kind(), ProcessErrorKind::Decode);
}

#[test]
fn a_worker_may_go_to_another_folder() {
    let go = |()| std::env::set_current_dir("/").map_err(|error| error.to_string());
    let before = std::env::current_dir().unwrap();
    Process::spawn(go, ()).unwrap().join().unwrap().unwrap();
    assert_eq!(std::env::current_dir().unwrap(), before);
}

#[test]
fn the_variable_alone_makes_no_worker() {
    let mut command = Command::new("/proc/self/exe");
    command.args(["--list"]).env("MANYHANDS_WORKER", "1");
    let output = command.output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("the_variable_alone"));
}
