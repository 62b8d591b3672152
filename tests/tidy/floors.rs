//! A module imports only from floors below its own, or from its own folder. Tests may import from
//! their own floor as well.

use crate::code::Code;

/// From the ground up. `lib.rs` is above all.
const FLOORS: [&[&str]; 11] = [
    &["sync", "unwind", "error", "fork", "cpu", "pages"],
    &["wait", "source", "observe", "memory"],
    &["job", "cancel"],
    &["channel", "shared"],
    &["scheduler"],
    &["task"],
    &["pool"],
    &["join", "scope"],
    &["map", "stream"],
    &["process"],
    &["lib"],
];

pub(crate) fn violations(code: &Code) -> Vec<String> {
    let Some(own) = floor(code.top()) else {
        let rule = format!("the module `{}` stands on no floor; give it one", code.top());
        return vec![code.violation(1, &rule)];
    };
    let mut violations = hidden_files(code);
    if code.top() == "lib" {
        return violations;
    }
    for import in imports(code) {
        let token = &code.tokens[import.index];
        let target = &import.top;
        let rule = match floor(target) {
            _ if target == code.top() => continue,
            Some(other) if other < own || (token.in_test && other == own) => continue,
            Some(_) => format!("`{}` imports from `{target}`, which is not below it", code.top()),
            None => {
                format!("`{target}` is reached through lib.rs, which is above; name its module")
            }
        };
        violations.push(code.violation(token.line, &rule));
    }
    violations
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// These checks trust the file tree to be the module tree.
fn hidden_files(code: &Code) -> Vec<String> {
    let paths = code.find(&["#", "[", "path", "="]);
    let includes = code.find(&["include", "!"]);
    let rule = "`#[path]` and `include!` hide a file from the floors";
    paths.chain(includes).map(|i| code.violation(code.tokens[i].line, rule)).collect()
}

/// A path that leads through the root of the crate.
struct Import {
    /// Where the name stands in the tokens.
    index: usize,
    /// The first name below the root.
    top: String,
}

/// Every path in the code, not only in `use`, that reaches the root of the crate.
fn imports(code: &Code) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut module = modules_of(&code.path);
    // Where each inline module ends that is open at this point.
    let mut ends = Vec::new();
    for i in 0..code.tokens.len() {
        if ends.last() == Some(&i) {
            ends.pop();
            module.pop();
        }
        if code.at(i) == "mod" && code.at(i + 2) == "{" {
            module.push(code.at(i + 1));
            ends.push(code.inside(i + 2).end);
        }
        let begins = (i == 0 || code.at(i - 1) != "::") && code.at(i + 1) == "::";
        if begins && matches!(code.at(i), "crate" | "super" | "self" | "manyhands") {
            follow(code, i, module.clone(), &mut imports);
        }
    }
    imports
}

/// `pool/builder.rs` is `["pool", "builder"]`.
fn modules_of(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches(".rs");
    path.split('/').filter(|&part| part != "mod").collect()
}

/// Follows the path, or the tree of paths in a `use`, that begins at `index` in this module.
fn follow(code: &Code, index: usize, mut module: Vec<&str>, imports: &mut Vec<Import>) {
    let mut i = index;
    loop {
        match code.at(i) {
            "crate" | "manyhands" => module.clear(),
            "super" => drop(module.pop()),
            "self" => {}
            "{" if module.is_empty() => {
                for branch in code.parts(code.inside(i)) {
                    follow(code, branch.start, Vec::new(), imports);
                }
                return;
            }
            _ => break,
        }
        if code.at(i + 1) != "::" {
            break;
        }
        i += 2;
    }
    if module.is_empty() {
        imports.push(Import { index: i, top: code.at(i).to_string() });
    }
}

fn found(path: &str, text: &str) -> Vec<String> {
    violations(&Code::new(path, text))
}

#[test]
fn an_upward_import_is_found_in_every_form() {
    for text in [
        "use crate::pool::Pool;",
        "use crate::{sync::Arc, pool::Pool};",
        "use crate::{sync::{Arc, Mutex}, pool};",
        "use super::super::pool::Pool;",
        "use super::super::{sync, pool};",
        "fn f() { crate::pool::spawn(); }",
        "fn f(pool: &crate::pool::Pool) {}",
        "mod inner { use super::super::super::pool::Pool; }",
        "mod inner {} use super::super::pool::Pool;",
        "macro_rules! m { () => { $crate::pool::Pool } }",
        "pub use self::super::super::pool::Pool;",
        "#[cfg(test)] mod tests { use crate::pool::Pool; }",
    ] {
        let expected = "src/scheduler/worker.rs:1: `scheduler` imports from `pool`, \
                        which is not below it";
        assert_eq!(found("scheduler/worker.rs", text), [expected], "{text}");
    }
}

#[test]
fn what_lies_below_or_in_the_own_folder_may_be_imported() {
    let text = "
        use crate::sync::Arc;
        use crate::{job::{Job, pool}, wait::Latch,};
        use crate::scheduler::deque::Deque;
        use super::deque::Deque;
        use super::super::wait::Latch;
        use std::pool::{self, Pool};
        use crossbeam_deque::{Stealer, Worker};
        pub(in crate::scheduler) mod inner { use super::super::super::cancel::Token; }
        fn after_inner() { super::deque::f(); self::f(); }
    ";
    assert_eq!(found("scheduler/worker.rs", text), [""; 0]);
}

#[test]
fn comments_and_strings_are_no_imports() {
    let text = "
        //! [`Pool`](crate::pool::Pool)
        /// ```
        /// use manyhands::pool::Pool;
        /// ```
        // crate::pool
        const TEXT: &str = \"use crate::pool::Pool;\";
    ";
    assert_eq!(found("scheduler/worker.rs", text), [""; 0]);
}

#[test]
fn only_tests_may_import_from_their_own_floor() {
    let import = "use crate::source::Source;";
    assert_eq!(found("wait/latch.rs", import).len(), 1);
    let test = format!("#[cfg(all(test, not(loom)))] mod tests {{ {import} }}");
    assert_eq!(found("wait/latch.rs", &test), [""; 0]);
    assert_eq!(found("wait/latch/model.rs", import), [""; 0]);
}

#[test]
fn a_name_from_lib_rs_is_above_everything() {
    let named = "src/map/mod.rs:1: `Pool` is reached through lib.rs, which is above; \
                 name its module";
    assert_eq!(found("map/mod.rs", "use crate::Pool;"), [named]);
    assert_eq!(found("map/mod.rs", "use super::Pool;"), [named]);
    assert_eq!(found("map/mod.rs", "fn f() { manyhands::Pool::new(1) }"), [named]);
    assert_eq!(found("map/mod.rs", "use crate::*;").len(), 1);
    assert_eq!(found("map.rs", "use super::*;").len(), 1);
    assert_eq!(found("map.rs", "use crate::{self as root};").len(), 1);
    assert_eq!(found("lib.rs", "pub use crate::map::map; pub use self::pool::Pool;"), [""; 0]);
}

#[test]
fn a_module_without_a_floor_is_found() {
    let expected = "src/attic/box.rs:1: the module `attic` stands on no floor; give it one";
    assert_eq!(found("attic/box.rs", ""), [expected]);
    assert_eq!(found("join.rs", "use crate::attic::Box;").len(), 1);
}

#[test]
fn a_file_cannot_hide() {
    assert_eq!(found("lib.rs", "#[path = \"pool.rs\"] mod sync;").len(), 1);
    assert_eq!(found("sync.rs", "include!(\"pool.rs\");").len(), 1);
}
