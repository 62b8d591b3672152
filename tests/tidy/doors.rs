//! `cfg` and borrowed crates stay where few have to think of them: `cfg(loom)` in `sync.rs` and on
//! test modules, `cfg(feature)` on modules and re-exports in `lib.rs`, what depends on the system
//! in `process/sys`, `fork.rs`, `cpu.rs` and `pages.rs`; the deques in the scheduler and the scope,
//! the channels where messages are; the wall clock nowhere.

use crate::code::Code;

/// A name, and the top-level modules that may use it.
const NAMES: [(&str, &[&str]); 3] = [
    ("crossbeam_deque", &["scheduler", "scope"]),
    ("crossbeam_channel", &["channel"]),
    ("SystemTime", &[]),
];

pub(crate) fn violations(code: &Code) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, modules) in NAMES {
        if !modules.contains(&code.top()) {
            let rule = format!("`{name}` is not used in `{}`", code.top());
            let places = code.find(std::slice::from_ref(&name)).map(|i| code.tokens[i].line);
            violations.extend(places.map(|line| code.violation(line, &rule)));
        }
    }
    for i in 0..code.tokens.len() {
        let rule = match code.at(i) {
            "cfg" | "cfg_attr" => wrong_cfg(code, i),
            "mod" => unguarded_test_module(code, i),
            _ => None,
        };
        violations.extend(rule.map(|rule| code.violation(code.tokens[i].line, rule)));
    }
    violations
}

/// What is wrong with the `cfg(…)`, `cfg!(…)` or `cfg_attr(…)` at `index`.
fn wrong_cfg(code: &Code, index: usize) -> Option<&'static str> {
    let open = (index + 1..index + 3).find(|&i| code.at(i) == "(")?;
    let predicate = code.inside(open);
    let mentions = |condition: &dyn Fn(usize) -> bool| predicate.clone().any(condition);
    // The item that the attribute belongs to, if it is one.
    let item = code.item(predicate.end + 2);

    if mentions(&|i| code.at(i) == "loom") && code.path != "sync.rs" && !code.is_test_module(item) {
        return Some("`cfg(loom)` stands in sync.rs and on test modules only");
    }
    if mentions(&|i| code.is(i, &["feature", "="])) {
        let is_door = matches!(code.at(item), "mod" | "use");
        if code.path != "lib.rs" || !is_door {
            return Some("`cfg(feature)` stands on `mod` and `pub use` in lib.rs only");
        }
    }
    let may_ask_system = code.path.starts_with("process/sys")
        || matches!(&*code.path, "fork.rs" | "cpu.rs" | "pages.rs");
    if mentions(&|i| names_system(code.at(i))) && !may_ask_system {
        return Some(
            "what depends on the system stands in process/sys, fork.rs, cpu.rs and pages.rs only",
        );
    }
    None
}

fn names_system(name: &str) -> bool {
    matches!(name, "unix" | "windows") || name.starts_with("target_")
}

/// The other checks take a module with such a name for a test.
fn unguarded_test_module(code: &Code, index: usize) -> Option<&'static str> {
    let unguarded = code.is_test_module(index) && !code.tokens[index].in_test;
    unguarded.then_some("a module of this name is `cfg(test)`")
}

fn found(path: &str, text: &str) -> Vec<String> {
    violations(&Code::new(path, text))
}

#[test]
fn loom_is_found_outside_its_door() {
    let expected = "src/wait/latch.rs:1: `cfg(loom)` stands in sync.rs and on test modules only";
    for text in [
        "#[cfg(loom)] use loom::thread;",
        "#[cfg(not(loom))] fn f() {}",
        "fn f() { if cfg!(loom) {} }",
        "#[cfg_attr(loom, allow(dead_code))] fn f() {}",
        "#[cfg(all(test, loom))] mod helpers {}",
    ] {
        assert_eq!(found("wait/latch.rs", text), [expected], "{text}");
        assert_eq!(found("sync.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn test_modules_may_choose_between_loom_and_not() {
    let text = "
        #[cfg(all(test, loom))] mod model;
        #[cfg(all(test, not(loom)))] #[allow(clippy::x)] mod tests { fn f() {} }
    ";
    assert_eq!(found("wait/latch.rs", text), [""; 0]);
}

#[test]
fn a_test_module_that_is_none_is_found() {
    assert_eq!(found("wait/latch.rs", "mod tests;").len(), 1);
    assert_eq!(found("wait/latch.rs", "#[cfg(not(test))] mod model {}").len(), 1);
}

#[test]
fn features_are_found_outside_their_door() {
    let module = "#[cfg(feature = \"process\")] pub mod process;";
    let export = "#[cfg(feature = \"process\")]\n#[doc(inline)]\npub use process::Process;";
    assert_eq!(found("lib.rs", &format!("{module}{export}")), [""; 0]);
    assert_eq!(found("lib.rs", "#[cfg(feature = \"process\")] fn f() {}").len(), 1);
    assert_eq!(found("pool/mod.rs", module).len(), 1);
    assert_eq!(found("pool/mod.rs", "fn f() { cfg!(feature = \"process\") }").len(), 1);
}

#[test]
fn the_system_is_found_outside_its_door() {
    for text in [
        "#[cfg(unix)] fn f() {}",
        "#[cfg(not(windows))] fn f() {}",
        "#[cfg_attr(target_os = \"linux\", inline)] fn f() {}",
        "const WIDE: bool = cfg!(target_pointer_width = \"64\");",
    ] {
        assert_eq!(found("pool/mod.rs", text).len(), 1, "{text}");
        assert_eq!(found("process/sys/unix.rs", text), [""; 0], "{text}");
        assert_eq!(found("fork.rs", text), [""; 0], "{text}");
        assert_eq!(found("pages.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn borrowed_crates_are_found_outside_their_doors() {
    let deque = "use crossbeam_deque::Worker;";
    assert_eq!(found("scheduler/deques.rs", deque), [""; 0]);
    assert_eq!(found("scope.rs", deque), [""; 0]);
    assert_eq!(found("join.rs", deque), ["src/join.rs:1: `crossbeam_deque` is not used in `join`"]);

    let channel = "fn f(sender: &crossbeam_channel::Sender<u8>) {}";
    assert_eq!(found("channel/sender.rs", channel), [""; 0]);
    assert_eq!(found("task/completed.rs", channel).len(), 1);

    assert_eq!(found("cancel/mod.rs", "use std::time::{Instant, SystemTime};").len(), 1);
}
