//! A source file with just enough grammar for the checks: matching brackets, items, and what is
//! compiled for tests only. It relies on code that compiles and is formatted.

use std::ops::Range;

use crate::lexer::{Comment, Token, lex};

pub(crate) struct Code {
    /// Below `src`, with slashes.
    pub(crate) path: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) lines: usize,
}

impl Code {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let (tokens, comments) = lex(text);
        let lines = text.lines().count();
        let mut code = Self { path: path.to_string(), tokens, comments, lines };
        code.match_brackets();
        code.mark_tests();
        code
    }

    /// The text of a token; nothing beyond the end.
    pub(crate) fn at(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &token.text)
    }

    /// The indices of a token sequence wherever it occurs.
    pub(crate) fn find<'a>(&'a self, sequence: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        (0..self.tokens.len()).filter(move |&i| self.is(i, sequence))
    }

    /// Whether the tokens from `index` on begin with this sequence.
    pub(crate) fn is(&self, index: usize, sequence: &[&str]) -> bool {
        sequence.iter().enumerate().all(|(offset, text)| self.at(index + offset) == *text)
    }

    /// What lies between the opening bracket at `index` and its closing one.
    pub(crate) fn inside(&self, index: usize) -> Range<usize> {
        index + 1..self.tokens[index].closing
    }

    /// What stands between the commas of a list, deeper brackets left whole.
    pub(crate) fn parts(&self, list: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = list.start;
        let mut i = start;
        while i < list.end {
            match self.at(i) {
                "(" | "[" | "{" => i = self.inside(i).end,
                "," => {
                    parts.push(start..i);
                    start = i + 1;
                }
                _ => {}
            }
            i += 1;
        }
        parts.push(start..list.end);
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// What begins at `index` after attributes and visibility.
    pub(crate) fn item(&self, mut index: usize) -> usize {
        while self.is(index, &["#", "["]) {
            index = self.inside(index + 1).end + 1;
        }
        if self.at(index) == "pub" {
            index += 1;
            if self.at(index) == "(" {
                index = self.inside(index).end + 1;
            }
        }
        index
    }

    /// The name of the top-level module that the file belongs to.
    pub(crate) fn top(&self) -> &str {
        let first = self.path.split('/').next().expect("split yields one part at least");
        first.trim_end_matches(".rs")
    }

    pub(crate) fn is_test_module(&self, index: usize) -> bool {
        self.at(index) == "mod" && TEST_MODULES.contains(&self.at(index + 1))
    }

    /// Whether the whole file is a test module.
    pub(crate) fn is_test_file(&self) -> bool {
        self.path
            .split('/')
            .skip(1)
            .any(|part| TEST_MODULES.contains(&part.trim_end_matches(".rs")))
    }

    pub(crate) fn violation(&self, line: usize, rule: &str) -> String {
        format!("src/{}:{line}: {rule}", self.path)
    }

    fn match_brackets(&mut self) {
        let mut open = Vec::new();
        for i in 0..self.tokens.len() {
            match self.at(i) {
                "(" | "[" | "{" => open.push(i),
                ")" | "]" | "}" => {
                    let opening = open.pop().unwrap_or_else(|| self.unbalanced(i));
                    self.tokens[opening].closing = i;
                }
                _ => {}
            }
        }
        if let Some(&opening) = open.last() {
            self.unbalanced(opening);
        }
    }

    fn unbalanced(&self, index: usize) -> ! {
        panic!("{}", self.violation(self.tokens[index].line, "a bracket without its other half"))
    }

    fn mark_tests(&mut self) {
        if self.is_test_file() {
            self.tokens.iter_mut().for_each(|token| token.in_test = true);
            return;
        }
        for i in 0..self.tokens.len() {
            if self.is(i, &["#", "[", "cfg", "("]) && self.implies_test(self.inside(i + 3)) {
                let end = self.end_of_item(self.item(i));
                self.tokens[i..end].iter_mut().for_each(|token| token.in_test = true);
            }
        }
    }

    /// Whether a `cfg` predicate is `test`, or an `all(…)` with it.
    fn implies_test(&self, predicate: Range<usize>) -> bool {
        if self.is(predicate.start, &["all", "("]) {
            let parts = self.parts(self.inside(predicate.start + 1));
            return parts.into_iter().any(|part| self.implies_test(part));
        }
        predicate.len() == 1 && self.at(predicate.start) == "test"
    }

    /// One past an item, a field, an arm or a statement.
    fn end_of_item(&self, start: usize) -> usize {
        let is_item = ITEM_KEYWORDS.contains(&self.at(start));
        let mut i = start;
        while i < self.tokens.len() {
            match self.at(i) {
                "{" => return self.inside(i).end + 1,
                ";" => return i + 1,
                "," if !is_item => return i + 1,
                ")" | "]" | "}" => return i,
                "(" | "[" => i = self.inside(i).end + 1,
                _ => i += 1,
            }
        }
        i
    }
}

const TEST_MODULES: [&str; 2] = ["tests", "model"];

const ITEM_KEYWORDS: [&str; 14] = [
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "static",
    "struct",
    "trait",
    "type",
    "unsafe",
    "use",
];

fn words_in_tests(text: &str) -> Vec<String> {
    let tokens = Code::new("x.rs", text).tokens.into_iter();
    tokens.filter(|token| token.in_test && token.text.len() > 3).map(|token| token.text).collect()
}

#[test]
fn test_items_end_where_they_end() {
    let text = "
        #[cfg(test)] use inside::{inside};
        #[cfg(all(test, not(loom)))] #[allow(unused)] mod tests { fn inside() {} }
        #[cfg(test)] pub(crate) fn inside<A, B>(b: [u8; 3]) -> u8 { inside }
        struct Outer { #[cfg(test)] inside: Inside, outer: Outer }
        #[cfg(not(test))] fn outer() {}
        #[cfg(any(test, loom))] fn outer() {}
        #[cfg(all(not(test), unix))] fn outer() {}
        #[cfg(all(unix, any(loom, test)))] fn outer() {}
        #[cfg(all(unix, all(loom, test,)))] fn inside() {}
    ";
    let words = words_in_tests(text);
    assert!(!words.iter().any(|word| word.to_lowercase() == "outer"), "{words:?}");
    assert_eq!(words.iter().filter(|word| word.to_lowercase() == "inside").count(), 8);
}

#[test]
fn a_test_file_is_a_test_from_its_first_line() {
    assert!(Code::new("wait/sleep/model.rs", "x").tokens[0].in_test);
    assert!(Code::new("wait/tests/sleep.rs", "x").tokens[0].in_test);
    assert!(!Code::new("wait/models.rs", "x").tokens[0].in_test);
}
