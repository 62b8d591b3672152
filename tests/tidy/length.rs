//! A file has at most 400 lines beside its test modules, a function at most 60.

use crate::code::Code;

const FILE: usize = 400;
const FUNCTION: usize = 60;

pub(crate) fn violations(code: &Code) -> Vec<String> {
    let mut violations = Vec::new();
    let lines = lines_without_tests(code);
    if lines > FILE {
        let rule = format!("{lines} lines without tests; more than {FILE} want a split");
        violations.push(code.violation(1, &rule));
    }
    for start in code.find(&["fn"]) {
        let lines =
            body(code, start).map_or(0, |end| code.tokens[end].line - code.tokens[start].line + 1);
        if lines > FUNCTION {
            let rule = format!("`{}` has {lines} lines, more than {FUNCTION}", code.at(start + 1));
            violations.push(code.violation(code.tokens[start].line, &rule));
        }
    }
    violations
}

fn lines_without_tests(code: &Code) -> usize {
    if code.is_test_file() {
        return 0;
    }
    let modules = (0..code.tokens.len())
        .filter(|&i| code.is_test_module(i) && code.tokens[i].in_test && code.at(i + 2) == "{");
    let in_tests: usize =
        modules.map(|i| code.tokens[code.inside(i + 2).end].line - code.tokens[i].line + 1).sum();
    code.lines - in_tests
}

/// The end of the body of the function that begins at `start`, if it has one.
fn body(code: &Code, start: usize) -> Option<usize> {
    let is_type = code.at(start + 1) == "(";
    let mut i = if is_type { code.tokens.len() } else { start };
    while i < code.tokens.len() {
        match code.at(i) {
            "{" => return Some(code.inside(i).end),
            "(" | "[" => i = code.inside(i).end + 1,
            ";" => return None,
            _ => i += 1,
        }
    }
    None
}

fn found(text: &str) -> Vec<String> {
    violations(&Code::new("job.rs", text))
}

#[test]
fn a_long_file_is_found() {
    assert_eq!(found(&"\n".repeat(FILE)), [""; 0]);
    let expected = "src/job.rs:1: 401 lines without tests; more than 400 want a split";
    assert_eq!(found(&"\n".repeat(FILE + 1)), [expected]);
}

#[test]
fn tests_do_not_count() {
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(FILE));
    assert_eq!(found(&tests), [""; 0]);
    // Nor do they hide what comes after them.
    assert_eq!(found(&format!("{tests}{}", "\n".repeat(FILE))).len(), 1);
    for name in ["inner", "tests"] {
        let module = format!("mod {name} {{\n{}}}\n", "\n".repeat(FILE));
        assert_eq!(found(&module).len(), 1);
    }
}

#[test]
fn a_long_function_is_found() {
    let function = |lines: usize| {
        format!("impl X {{\n    fn f<A, B>(a: [A; 2]) -> B {{\n{}    }}\n}}\n", "\n".repeat(lines))
    };
    assert_eq!(found(&function(FUNCTION - 2)), [""; 0]);
    let expected = "src/job.rs:2: `f` has 61 lines, more than 60";
    assert_eq!(found(&function(FUNCTION - 1)), [expected]);
}

#[test]
fn what_follows_a_declaration_is_not_its_body() {
    let long = "\n".repeat(FUNCTION);
    assert_eq!(
        found(&format!("trait T {{\n    fn f(a: [u8; 2]);\n}}\nmod m {{\n{long}}}\n")),
        [""; 0]
    );
    assert_eq!(found(&format!("static F: fn() = {{\n{long}    g\n}};\n")), [""; 0]);
}
