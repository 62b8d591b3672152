//! A source file, taken apart: tokens without comments and without the insides of literals, the
//! comments, and which tokens are compiled for tests only.
//!
//! This is less than a parser and enough for questions like "which comment stands above this
//! `unsafe`". It relies on code that compiles and is formatted.

use std::ops::Range;

pub(crate) struct Code {
    /// Below `src`, with slashes.
    pub(crate) path: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) lines: usize,
}

pub(crate) struct Token {
    /// An identifier, a keyword, `::`, a single sign, or [`LITERAL`].
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Compiled for tests only.
    pub(crate) in_test: bool,
    /// For an opening bracket: the index of the closing one.
    closing: usize,
}

/// Comments on consecutive lines count as one.
pub(crate) struct Comment {
    pub(crate) text: String,
    pub(crate) lines: Range<usize>,
    /// The index of the token that follows.
    pub(crate) before: usize,
}

/// Stands for a string, a character, a number and a lifetime.
pub(crate) const LITERAL: &str = "\"\"";

impl Code {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        lexer.run();
        let mut code = Self {
            path: path.to_string(),
            tokens: lexer.tokens,
            comments: lexer.comments,
            lines: text.lines().count(),
        };
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

    /// Whether a `cfg` predicate is `test`, or `all(…)` of which one is `test`.
    fn implies_test(&self, predicate: Range<usize>) -> bool {
        if predicate.len() == 1 {
            return self.at(predicate.start) == "test";
        }
        self.is(predicate.start, &["all", "("])
            && self.inside(predicate.start + 1).any(|i| {
                let alone = |text| matches!(text, "," | "(" | ")");
                self.at(i) == "test"
                    && alone(self.at(i - 1))
                    && alone(self.at(i + 1))
                    && !self.is(i - 2, &["not"])
                    && !self.is(i - 2, &["any"])
            })
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

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

impl Lexer {
    fn new(text: &str) -> Self {
        let chars = text.chars().collect();
        Self { chars, at: 0, line: 1, tokens: Vec::new(), comments: Vec::new() }
    }

    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('\'', _) => self.quote(),
                (':', Some(':')) => self.token(2),
                _ if c.is_whitespace() => self.skip(1),
                _ if c.is_ascii_digit() => self.number(),
                _ if is_word(c) => self.word(),
                _ => self.token(1),
            }
        }
    }

    fn peek(&self, offset: usize) -> Option<char> {
        self.chars.get(self.at + offset).copied()
    }

    fn skip(&mut self, count: usize) {
        let end = (self.at + count).min(self.chars.len());
        self.line += self.chars[self.at..end].iter().filter(|&&c| c == '\n').count();
        self.at = end;
    }

    fn push(&mut self, text: String, line: usize) {
        self.tokens.push(Token { text, line, in_test: false, closing: 0 });
    }

    fn token(&mut self, len: usize) {
        let text = self.chars[self.at..self.at + len].iter().collect();
        self.push(text, self.line);
        self.skip(len);
    }

    fn literal(&mut self, len: usize) {
        self.push(LITERAL.to_string(), self.line);
        self.skip(len);
    }

    /// How many characters from `offset` on satisfy the condition.
    fn run_of(&self, offset: usize, condition: impl Fn(char) -> bool) -> usize {
        self.chars[self.at + offset..].iter().take_while(|&&c| condition(c)).count()
    }

    fn line_comment(&mut self) {
        self.comment(self.run_of(0, |c| c != '\n'));
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        let mut len = 0;
        loop {
            match (self.peek(len), self.peek(len + 1)) {
                (Some('/'), Some('*')) => (depth, len) = (depth + 1, len + 2),
                (Some('*'), Some('/')) => (depth, len) = (depth - 1, len + 2),
                (Some(_), _) => len += 1,
                (None, _) => break,
            }
            if depth == 0 {
                break;
            }
        }
        self.comment(len);
    }

    fn comment(&mut self, len: usize) {
        let text: String = self.chars[self.at..self.at + len].iter().collect();
        let first = self.line;
        self.skip(len);
        let before = self.tokens.len();
        match self.comments.last_mut() {
            Some(last) if last.before == before && last.lines.end == first => {
                last.text = format!("{}\n{text}", last.text);
                last.lines.end = self.line + 1;
            }
            _ => self.comments.push(Comment { text, lines: first..self.line + 1, before }),
        }
    }

    fn string(&mut self) {
        let mut len = 1;
        while let Some(c) = self.peek(len) {
            len += if c == '\\' { 2 } else { 1 };
            if c == '"' {
                break;
            }
        }
        self.literal(len);
    }

    /// A character, or a lifetime, which has no second quote.
    fn quote(&mut self) {
        match (self.peek(1), self.peek(2)) {
            // The character after the backslash may be a quote itself.
            (Some('\\'), _) => self.literal(self.run_of(3, |c| c != '\'') + 4),
            (_, Some('\'')) => self.literal(3),
            _ => self.literal(self.run_of(1, is_word) + 1),
        }
    }

    fn number(&mut self) {
        let mut len = self.run_of(0, is_word);
        if self.peek(len) == Some('.') && self.peek(len + 1).is_some_and(|c| c.is_ascii_digit()) {
            len += 1 + self.run_of(len + 1, is_word);
        }
        self.literal(len);
    }

    /// An identifier, or the prefix of a literal.
    fn word(&mut self) {
        let len = self.run_of(0, is_word);
        let word: String = self.chars[self.at..self.at + len].iter().collect();
        let hashes = self.run_of(len, |c| c == '#');
        match (word.as_str(), self.peek(len), self.peek(len + hashes)) {
            ("r" | "br" | "cr", _, Some('"')) => self.raw_string(len, hashes),
            ("b" | "c", Some('"'), _) | ("b", Some('\''), _) => self.skip(len),
            ("r", Some('#'), _) => self.skip(len + 1),
            _ => self.token(len),
        }
    }

    fn raw_string(&mut self, prefix: usize, hashes: usize) {
        let is_end =
            |at: usize| self.peek(at) == Some('"') && self.run_of(at + 1, |c| c == '#') >= hashes;
        let start = prefix + hashes + 1;
        let end = (start..self.chars.len() - self.at).find(|&at| is_end(at)).expect("it ends");
        self.literal(end + 1 + hashes);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn texts(text: &str) -> Vec<String> {
    Code::new("x.rs", text).tokens.into_iter().map(|token| token.text).collect()
}

fn words_in_tests(text: &str) -> Vec<String> {
    let tokens = Code::new("x.rs", text).tokens.into_iter();
    tokens.filter(|token| token.in_test && token.text.len() > 3).map(|token| token.text).collect()
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = r####"
        a // unsafe "
        /* unsafe /* unsafe */ unsafe */ b /// unsafe
        "unsafe \" unsafe" b"unsafe" r#"unsafe " unsafe"# br"unsafe\" c
        '"' '\'' '\\' b'"' '\u{7f}' d
    "####;
    let words: Vec<String> = texts(text).into_iter().filter(|text| text != LITERAL).collect();
    assert_eq!(words, ["a", "b", "c", "d"]);
}

#[test]
fn lifetimes_ranges_and_raw_identifiers_are_told_apart() {
    let expected = ["fn", "f", "<", LITERAL, ">", LITERAL, ".", ".", LITERAL, "type", "::", "x"];
    assert_eq!(texts("fn f<'a> 0..1.5 r#type::x"), expected);
}

#[test]
fn lines_are_counted_through_everything() {
    let code = Code::new("x.rs", "\"a\nb\\\n\" /*\n*/ r\"\n\" here");
    assert_eq!(code.tokens.last().map(|token| token.line), Some(5));
}

#[test]
fn comments_on_consecutive_lines_are_one() {
    let code = Code::new("x.rs", "// a\n// b\n\n// c\nx // d\n");
    let lines: Vec<_> = code.comments.iter().map(|comment| comment.lines.clone()).collect();
    assert_eq!(lines, [1..3, 4..5, 5..6]);
    assert_eq!(code.comments[0].text, "// a\n// b");
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
    ";
    let words = words_in_tests(text);
    assert!(!words.iter().any(|word| word.to_lowercase() == "outer"), "{words:?}");
    assert_eq!(words.iter().filter(|word| word.to_lowercase() == "inside").count(), 7);
}

#[test]
fn a_test_file_is_a_test_from_its_first_line() {
    assert!(Code::new("wait/sleep/model.rs", "x").tokens[0].in_test);
    assert!(Code::new("wait/tests/sleep.rs", "x").tokens[0].in_test);
    assert!(!Code::new("wait/models.rs", "x").tokens[0].in_test);
}
