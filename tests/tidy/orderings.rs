//! Every memory ordering, weak ones too, has an ORDERING comment at most eight lines above.

use crate::code::Code;

const REACH: usize = 8;
const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

pub(crate) fn violations(code: &Code) -> Vec<String> {
    let mut lines: Vec<usize> = (0..code.tokens.len())
        .filter(|&i| ORDERINGS.contains(&code.at(i)))
        .filter(|&i| !code.tokens[i].in_test && !is_in_use(code, i))
        .map(|i| code.tokens[i].line)
        .filter(|&line| !has_reason(code, line))
        .collect();
    lines.dedup();
    let rule = format!("an ordering has an ORDERING comment at most {REACH} lines above");
    lines.into_iter().map(|line| code.violation(line, &rule)).collect()
}

/// A comment counts from its last line.
fn has_reason(code: &Code, line: usize) -> bool {
    code.comments.iter().any(|comment| {
        let is_near = comment.lines.start <= line && comment.lines.end > line.saturating_sub(REACH);
        is_near && comment.text.contains("ORDERING")
    })
}

fn is_in_use(code: &Code, index: usize) -> bool {
    code.find(&["use"]).any(|start| {
        // `use<'a>` belongs to an opaque type.
        let is_import = code.at(start + 1) != "<";
        let end = (start..code.tokens.len()).find(|&i| code.at(i) == ";");
        is_import && end.is_some_and(|end| (start..end).contains(&index))
    })
}

fn found(text: &str) -> Vec<String> {
    violations(&Code::new("wait/latch.rs", text))
}

#[test]
fn an_ordering_without_a_reason_is_found() {
    let expected = "src/wait/latch.rs:2: an ordering has an ORDERING comment at most 8 lines above";
    assert_eq!(found("fn f() {\n    a.swap(1, AcqRel)\n}"), [expected]);
    assert_eq!(found("fn f() {\n    a.swap(1, Ordering::AcqRel)\n}"), [expected]);
    assert_eq!(found("// Why.\na.compare_exchange(0, 1, Acquire, Relaxed);"), [expected]);
    assert_eq!(found("a.swap(\n    1, SeqCst); // ORDER").len(), 1);
}

#[test]
fn a_reason_too_far_above_does_not_count() {
    let far = |lines: usize| format!("// ORDERING: why.\n// On.{}x(Relaxed)", "\n".repeat(lines));
    assert_eq!(found(&far(REACH)), [""; 0]);
    assert_eq!(found(&far(REACH + 1)).len(), 1);
    assert_eq!(found("x(Relaxed);\n// ORDERING: below.").len(), 1);
}

#[test]
fn imports_comments_and_tests_need_none() {
    let text = "
        use std::sync::atomic::Ordering::{self, Acquire, Release};
        use crate::{sync::{AtomicUsize}, Ordering::{AcqRel, Relaxed}};
        // Acquire
        #[cfg(test)] mod tests { fn f() { a.load(SeqCst) } }
    ";
    assert_eq!(found(text), [""; 0]);
    assert_eq!(found("use a::b;\nfn f() { a.load(SeqCst) }").len(), 1);
    assert_eq!(found("fn f() -> impl Fn() + use<> { a.load(SeqCst); }").len(), 1);
}
