//! Source text as tokens and comments.
//!
//! This knows what hides code (comments, strings) and what looks alike (lifetimes and characters,
//! ranges and decimals), and nothing of grammar.

use std::ops::Range;

pub(crate) struct Token {
    /// An identifier, a keyword, `::`, a single sign, or [`LITERAL`].
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Compiled for tests only.
    pub(crate) in_test: bool,
    /// For an opening bracket: the index of the closing one.
    pub(crate) closing: usize,
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

pub(crate) fn lex(text: &str) -> (Vec<Token>, Vec<Comment>) {
    let mut lexer = Lexer::new(text);
    lexer.run();
    (lexer.tokens, lexer.comments)
}

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
    lex(text).0.into_iter().map(|token| token.text).collect()
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
    let (tokens, _) = lex("\"a\nb\\\n\" /*\n*/ r\"\n\" here");
    assert_eq!(tokens.last().map(|token| token.line), Some(5));
}

#[test]
fn comments_on_consecutive_lines_are_one() {
    let (_, comments) = lex("// a\n// b\n\n// c\nx // d\n");
    let lines: Vec<_> = comments.iter().map(|comment| comment.lines.clone()).collect();
    assert_eq!(lines, [1..3, 4..5, 5..6]);
    assert_eq!(comments[0].text, "// a\n// b");
}
