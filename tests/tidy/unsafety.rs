//! A file that contains `unsafe` outside its tests says so in its first lines and stands in the
//! inventory. Tests too explain every place: `unsafe {}` and `unsafe impl` by a SAFETY comment right
//! above, `unsafe fn` and `unsafe trait` by a `# Safety` section (or by a SAFETY comment).

use std::ops::Range;

use crate::code::Code;
use crate::lexer::LITERAL;

pub(crate) fn violations(code: &Code) -> Vec<String> {
    let announcement = announcement(code);
    let mut violations = Vec::new();
    let mut violation = |index: usize, rule: &str| {
        violations.push(code.violation(code.tokens[index].line, rule));
    };

    match (unsafe_outside_tests(code), announcement) {
        (Some(first), None) => {
            violation(
                first,
                "a file with `unsafe` opens with `#![expect(unsafe_code, reason = …)]`",
            );
        }
        (None, Some(index)) if !code.is_test_file() => {
            violation(index, "this file announces `unsafe` and has none outside its tests");
        }
        _ => {}
    }
    for i in code.find(&["unsafe_code"]).filter(|&i| Some(i) != announcement) {
        if !(code.tokens[i].in_test && is_expected(code, i)) {
            violation(i, "outside tests, `unsafe_code` is expected at the top of a file only");
        }
    }
    for i in code.find(&["unsafe"]) {
        if let Some(rule) = missing_explanation(code, i) {
            violation(i, rule);
        }
    }
    violations
}

/// The first `unsafe` that a user of the crate runs.
fn unsafe_outside_tests(code: &Code) -> Option<usize> {
    code.find(&["unsafe"]).find(|&i| !code.tokens[i].in_test)
}

/// Where the files with `unsafe` differ from the list of them.
pub(crate) fn differences(files: &[Code], inventory: &[&str]) -> Vec<String> {
    let with_unsafe = files.iter().filter(|code| unsafe_outside_tests(code).is_some());
    let actual: Vec<&str> = with_unsafe.map(|code| code.path.as_str()).collect();

    let unlisted = actual.iter().filter(|path| !inventory.contains(path));
    let stale = inventory.iter().filter(|path| !actual.contains(path));
    let unlisted =
        unlisted.map(|path| format!("src/{path}:1: has `unsafe` and is not in the INVENTORY"));
    let stale = stale.map(|path| format!("src/{path}:1: is in the INVENTORY and has no `unsafe`"));
    let unsorted = (!inventory.is_sorted()).then(|| "the INVENTORY is not sorted".to_string());
    unlisted.chain(stale).chain(unsorted).collect()
}

/// Where `unsafe_code` stands in the attribute among the first ones of the file.
fn announcement(code: &Code) -> Option<usize> {
    let mut places = inner_attributes(code).map(|attribute| attribute.start + 5);
    places.find(|&i| is_expected(code, i))
}

/// Whether this `unsafe_code` stands in an `expect` with a reason.
fn is_expected(code: &Code, index: usize) -> bool {
    let form = ["expect", "(", "unsafe_code", ",", "reason", "=", LITERAL];
    index >= 2 && code.is(index - 2, &form)
}

/// The attributes of the whole file.
fn inner_attributes(code: &Code) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = end;
        let is_one = code.is(start, &["#", "!", "["]);
        is_one.then(|| {
            end = code.inside(start + 2).end + 1;
            start..end
        })
    })
}

fn missing_explanation(code: &Code, index: usize) -> Option<&'static str> {
    match code.at(index + 1) {
        "fn" | "extern" | "trait" if is_function_type(code, index) => None,
        "fn" | "trait" if has_safety_docs(code, index) || is_in_trait_impl(code, index) => None,
        "fn" => Some("an `unsafe fn` says in `# Safety` what its caller makes true"),
        "trait" => Some("an `unsafe trait` says in `# Safety` what its implementor makes true"),
        _ if has_comment_right_above(code, index) => None,
        _ => Some("every `unsafe` has a SAFETY comment right above"),
    }
}

/// `unsafe fn(*mut u8)` and `unsafe extern "C" fn(*mut u8)` as types.
fn is_function_type(code: &Code, index: usize) -> bool {
    code.is(index, &["unsafe", "fn", "("])
        || code.is(index, &["unsafe", "extern", "fn", "("])
        || code.is(index, &["unsafe", "extern", LITERAL, "fn", "("])
}

/// The first token of the item or statement that the token at `index` is in.
fn start_of_statement(code: &Code, index: usize) -> usize {
    let ends = |i: &usize| matches!(code.at(*i), ";" | "{" | "}");
    let first = inner_attributes(code).last().map_or(0, |attribute| attribute.end);
    (first..index).rev().find(ends).map_or(first, |end| end + 1)
}

fn has_safety_docs(code: &Code, index: usize) -> bool {
    let start = start_of_statement(code, index);
    code.comments.iter().any(|comment| {
        let belongs = (start..=index).contains(&comment.before);
        belongs && (comment.text.contains("# Safety") || comment.text.contains("SAFETY:"))
    })
}

/// Right above the line, or above the statement.
fn has_comment_right_above(code: &Code, index: usize) -> bool {
    let start = start_of_statement(code, index);
    let line = code.tokens[index].line;
    // A comment above a line explains one place in it.
    let is_first = !code.find(&["unsafe"]).any(|i| i < index && code.tokens[i].line == line);
    code.comments.iter().filter(|comment| comment.text.contains("SAFETY:")).any(|comment| {
        let is_above_line = is_first && comment.lines.end == line;
        let is_above_statement =
            comment.before == start && comment.lines.end == code.tokens[start].line;
        is_above_line || is_above_statement
    })
}

/// There, the trait has the contract.
fn is_in_trait_impl(code: &Code, index: usize) -> bool {
    let holds = |&open: &usize| code.at(open) == "{" && code.inside(open).contains(&index);
    let Some(open) = (0..index).rev().find(holds) else {
        return false;
    };
    let header = || start_of_statement(code, open)..open;
    // `for<'a>` belongs to a bound, not to the `impl`.
    header().any(|i| code.at(i) == "impl")
        && header().any(|i| code.at(i) == "for" && code.at(i + 1) != "<")
}

const TOP: &str = "//! Doc.\n#![expect(unsafe_code, reason = \"it pays\")]\n";

fn found(text: &str) -> Vec<String> {
    violations(&Code::new("job.rs", text))
}

fn found_below_top(text: &str) -> Vec<String> {
    found(&format!("{TOP}{text}"))
}

#[test]
fn a_file_without_the_announcement_is_found() {
    let block = "fn f() {\n    // SAFETY: fine.\n    unsafe { g() }\n}\n";
    assert_eq!(found(&format!("{TOP}{block}")), [""; 0]);
    let expected = "src/job.rs:3: a file with `unsafe` opens with \
                    `#![expect(unsafe_code, reason = …)]`";
    assert_eq!(found(block), [expected]);
    // Not at the top, not for the file, not without a reason.
    assert_eq!(found(&format!("use a;\n{TOP}{block}")).len(), 2);
    assert_eq!(found(&format!("#[allow(unsafe_code)]\n{block}")).len(), 2);
    assert_eq!(found(&format!("#![expect(unsafe_code)]\n{block}")).len(), 2);
}

#[test]
fn an_announcement_without_unsafe_is_found() {
    let expected = "src/job.rs:2: this file announces `unsafe` and has none outside its tests";
    assert_eq!(found_below_top("// unsafe { }\n"), [expected]);
}

#[test]
fn tests_may_be_unsafe_where_their_file_is_not() {
    let test = "#[cfg(test)]\n#[expect(unsafe_code, reason = \"x\")]\nmod tests {\n    \
                // SAFETY: fine.\n    unsafe impl Sync for X {}\n}";
    assert_eq!(found(test), [""; 0]);
    assert_eq!(found_below_top(test).len(), 1);
    assert_eq!(differences(&[Code::new("job.rs", test)], &[]), [""; 0]);
    // But not without a comment, nor without a reason.
    assert_eq!(found(&test.replace("SAFETY", "Safe")).len(), 1);
    assert_eq!(found(&test.replace("reason", "because")).len(), 1);
}

#[test]
fn unsafe_without_a_comment_is_found() {
    for text in [
        "fn f() { unsafe { g() } }",
        "unsafe impl Send for X {}",
        "// SAFETY: too far.\n\nunsafe impl Send for X {}",
        "// Safe.\nunsafe impl Send for X {}",
        "// SAFETY: for f only.\nfn f() {\n    let a = 1;\n    unsafe { g() }\n}",
        "fn f() {\n    // SAFETY: once.\n    unsafe { g() };\n    unsafe { g() };\n}",
        "fn f() -> X {\n    // SAFETY: once.\n    X { a: unsafe { g() }, b: unsafe { g() } }\n}",
        "fn f() {\n    // SAFETY: inside.\n}\nunsafe impl Send for X {}",
        "#[unsafe(no_mangle)] fn f() {}",
        "unsafe extern \"C\" { fn g(); }",
    ] {
        let violations = found_below_top(text);
        assert!(!violations.is_empty(), "{text}");
        assert!(violations[0].ends_with("every `unsafe` has a SAFETY comment right above"));
    }
}

#[test]
fn a_comment_above_the_statement_explains() {
    for text in [
        "fn f() {\n    // SAFETY: a long\n    // comment.\n    let x = g(unsafe { h() });\n}",
        "fn f() {\n    let x =\n        // SAFETY: fine.\n        unsafe { h() };\n}",
        "fn f() {\n    match x {\n        // SAFETY: fine.\n        A => unsafe { h() },\n    }\n}",
        "fn f() {\n    // SAFETY: fine.\n    let x = if y { unsafe { h() } } else { z };\n}",
        "// SAFETY: fine.\n#[allow(x)]\nunsafe impl<T: Send> Send for X<T> {}",
        "struct F(unsafe fn(*mut u8), unsafe extern \"C\" fn());",
    ] {
        assert_eq!(found_below_top(text), [""; 0], "{text}");
    }
}

#[test]
fn an_unsafe_fn_without_a_contract_is_found() {
    let expected = "src/job.rs:4: an `unsafe fn` says in `# Safety` what its caller makes true";
    assert_eq!(found_below_top("/// Frees it.\nunsafe fn free() {}"), [expected]);
    assert_eq!(
        found_below_top("/// # Safety\n///\n/// - It is full.\nunsafe fn free() {}"),
        [""; 0]
    );
    assert_eq!(found_below_top("impl X {\n    pub unsafe fn free() {}\n}").len(), 1);
    assert_eq!(found_below_top("impl<F: for<'a> Fn(&'a u8)> X<F> { unsafe fn f() {} }").len(), 1);
    assert_eq!(found_below_top("/// Marks it.\nunsafe trait Source {}").len(), 1);
}

#[test]
fn the_contract_of_a_trait_holds_for_its_impls() {
    let text = "impl<T> Source for &[T] { fn a() {} unsafe fn range(&self) {} }";
    assert_eq!(found_below_top(text), [""; 0]);
}

#[test]
fn the_inventory_is_checked_both_ways() {
    let files = [Code::new("a.rs", "unsafe"), Code::new("b.rs", "// unsafe")];
    assert_eq!(differences(&files, &["a.rs"]), [""; 0]);
    let unlisted = "src/a.rs:1: has `unsafe` and is not in the INVENTORY";
    assert_eq!(differences(&files, &[]), [unlisted]);
    let stale = "src/b.rs:1: is in the INVENTORY and has no `unsafe`";
    assert_eq!(differences(&files, &["a.rs", "b.rs"]), [stale]);
    let files = [Code::new("a.rs", "unsafe"), Code::new("b.rs", "unsafe")];
    assert_eq!(differences(&files, &["b.rs", "a.rs"]), ["the INVENTORY is not sorted"]);
}
