//! Starting, asking, waiting, ending.

use std::io::Read;
use std::process::Command;
use std::thread;
use std::time::Duration;

use manyhands::process::{
    JoinTimeoutError, Process, ProcessErrorKind, SpawnError, cpu_count, current,
};

use crate::support::{LONG, eventually, exists};

fn sleep(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

#[test]
fn a_result_comes_back() {
    let process =
        Process::spawn(|(a, b): (u32, String)| format!("{b}{a}"), (7, "x".into())).unwrap();
    assert_eq!(process.join().unwrap(), "x7");
}

#[test]
fn a_named_function_can_be_sent() {
    Process::spawn(sleep, 1).unwrap().join().unwrap();
}

#[test]
fn a_worker_knows_who_it_is() {
    assert_eq!(current(), None);
    let who = |()| current().map(|it| (it.name().to_string(), it.pid()));
    let process = Process::builder().name("decoder").spawn(who, ()).unwrap();
    assert_eq!(process.name(), "decoder");
    let expected = Some(("decoder".to_string(), process.pid()));
    assert_eq!(process.join().unwrap(), expected);
}

#[test]
fn many_run_at_once() {
    let square = |n: u64| (n * n, std::process::id());
    let all: Vec<_> = (0..20).map(|n| Process::spawn(square, n).unwrap()).collect();
    let pids: Vec<u32> = all.iter().map(Process::pid).collect();
    for (n, process) in all.into_iter().enumerate().rev() {
        assert_eq!(process.join().unwrap(), ((n * n) as u64, pids[n]));
    }
}

#[test]
fn a_worker_may_start_workers() {
    let outer = |n: u32| Process::spawn(|n: u32| n + 1, n).unwrap().join().unwrap() + 1;
    assert_eq!(Process::spawn(outer, 1).unwrap().join().unwrap(), 3);
}

#[test]
fn large_values_go_there_and_back() {
    for len in [0, 1, 65_536, 3 << 20] {
        let reverse = |mut v: Vec<u8>| {
            v.reverse();
            v
        };
        let sent: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let process = Process::spawn(reverse, sent.clone()).unwrap();
        let mut back = process.join().unwrap();
        back.reverse();
        assert!(back == sent, "{len}");
    }
}

#[test]
fn a_wait_with_a_limit_gives_the_process_back() {
    let process = Process::spawn(sleep, 60_000).unwrap();
    let Err(JoinTimeoutError::TimedOut(process)) = process.join_timeout(Duration::from_millis(5))
    else {
        panic!("it sleeps for a minute")
    };
    assert!(process.is_alive());
    assert_eq!(process.exit_status(), None);
    process.kill();
    let Err(JoinTimeoutError::Failed(error)) = process.join_timeout(LONG) else {
        panic!("it was killed")
    };
    assert_eq!(error.signal(), Some(libc::SIGKILL));
}

#[test]
fn one_that_is_asked_to_end_ends() {
    let process = Process::spawn(sleep, 60_000).unwrap();
    process.terminate();
    eventually(|| !process.is_alive());
    let pid = process.pid();
    let error = process.join().unwrap_err();
    assert_eq!((error.kind(), error.signal()), (ProcessErrorKind::Signalled, Some(libc::SIGTERM)));
    assert_eq!((error.pid(), error.index(), error.exit_code()), (Some(pid), None, None));
}

#[test]
fn the_status_is_known_without_a_join_even_if_the_result_is_large() {
    let process = Process::spawn(|len: usize| vec![1_u8; len], 3 << 20).unwrap();
    eventually(|| !process.is_alive());
    assert!(process.exit_status().unwrap().success());
    assert_eq!(process.join().unwrap().len(), 3 << 20);
}

#[test]
fn killing_reaches_what_the_process_has_started() {
    let start = |()| Command::new("sleep").arg("60").spawn().unwrap().wait().unwrap().success();
    let process = Process::spawn(start, ()).unwrap();
    let grandchild = || {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", process.pid())).ok()?;
        tasks.flatten().find_map(|it| {
            let text = std::fs::read_to_string(it.path().join("children")).ok()?;
            text.split_whitespace().next()?.parse::<u32>().ok()
        })
    };
    eventually(|| grandchild().is_some());
    let grandchild = grandchild().unwrap();
    process.kill();
    process.join().unwrap_err();
    eventually(|| {
        let stat = std::fs::read_to_string(format!("/proc/{grandchild}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z"))
    });
}

#[test]
fn a_dropped_process_goes_on_and_leaves_no_zombie() {
    let file = std::env::temp_dir().join(format!("manyhands-{}-dropped", std::process::id()));
    let write = |path: String| {
        thread::sleep(Duration::from_millis(20));
        std::fs::write(path, "done").unwrap();
        vec![0_u8; 3 << 20]
    };
    let process = Process::spawn(write, file.to_str().unwrap().to_string()).unwrap();
    let pid = process.pid();
    drop(process);
    eventually(|| !exists(pid));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "done");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn standard_input_is_empty() {
    let read = |()| std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(Process::spawn(read, ()).unwrap().join().unwrap(), 0);
}

#[test]
fn the_environment_has_what_was_asked_for_and_no_sign_of_us() {
    let look =
        |()| (std::env::var("MH_COLOR").ok(), std::env::var_os("MANYHANDS_WORKER").is_some());
    let process = Process::builder().env("MH_COLOR", "red").spawn(look, ()).unwrap();
    assert_eq!(process.join().unwrap(), (Some("red".to_string()), false));
}

#[test]
fn no_descriptor_leaks_into_a_worker_or_what_it_starts() {
    // Beyond those that were open already when this test was started.
    let mine = "/proc/self/status";
    let _open: Vec<_> = (0..9).map(|_| std::fs::File::open(mine).unwrap()).collect();
    let list = |()| {
        let output = Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
        let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let own: Vec<_> = files.flat_map(|it| std::fs::read_link(it.path())).collect();
        (format!("{own:?}"), String::from_utf8(output.stdout).unwrap())
    };
    let (own, started) = Process::spawn(list, ()).unwrap().join().unwrap();
    assert!(!own.contains("/status"), "{own}");
    assert_eq!(own.matches("socket:").count(), 1, "{own}");
    assert!(!started.contains("/status") && !started.contains("socket:"), "{started}");
}

#[test]
fn a_value_that_cannot_be_written_is_said_at_once() {
    #[derive(serde::Deserialize)]
    struct Mute;
    impl serde::Serialize for Mute {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("mute"))
        }
    }
    let error = Process::spawn(|_: Mute| (), Mute).unwrap_err();
    assert!(matches!(error, SpawnError::Encode(_)), "{error}");
    let error = Process::spawn(|()| Mute, ()).unwrap().join().map(drop).unwrap_err();
    assert_eq!(error.kind(), ProcessErrorKind::Encode);
}

#[test]
fn there_are_cpus() {
    assert!(cpu_count() > 0);
}
