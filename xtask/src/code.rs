//! Rust source with everything blanked that is no code: rules look for words in what is left.

/// Rust source, of which comments and the contents of strings are blank.
#[derive(Debug)]
pub struct Code {
    code: String,
    /// For each line, whether it belongs to an item under `#[cfg(test)]`.
    in_test: Vec<bool>,
}

/// A line of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// What is left of it; as wide as it was, counted in characters.
    pub code: String,
    /// Whether it belongs to an item under `#[cfg(test)]`.
    pub is_test: bool,
}

impl Code {
    /// Blanks what is no code in `source`.
    pub fn new(source: &str) -> Self {
        let code = Blanking::new(source).run();
        let in_test = test_lines(&code);
        Self { code, in_test }
    }

    /// The lines, blank ones too.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        self.code.lines().zip(&self.in_test).enumerate().map(|(index, (code, is_test))| Line {
            number: index + 1,
            code: code.to_owned(),
            is_test: *is_test,
        })
    }
}

/// Whether `code` has the word `word`, not as a part of a longer one. A word may end or begin with
/// signs (`todo!`).
pub fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(is_part);
        let after = code[at + word.len()..].chars().next().is_some_and(is_part);
        let continues = before && word.starts_with(is_part) || after && word.ends_with(is_part);
        !continues
    })
}

/// Walks through source and copies it, blank where it is no code.
struct Blanking {
    source: Vec<char>,
    at: usize,
    out: String,
}

impl Blanking {
    fn new(source: &str) -> Self {
        Self { source: source.chars().collect(), at: 0, out: String::with_capacity(source.len()) }
    }

    fn run(mut self) -> String {
        while let Some(c) = self.peek(0) {
            match c {
                '/' if self.peek(1) == Some('/') => self.blank_while(|rest| rest[0] != '\n'),
                '/' if self.peek(1) == Some('*') => self.block_comment(),
                '"' => self.string(),
                '\'' => self.quote(),
                'r' | 'b' | 'c' if !self.is_inside_word() => self.prefixed_string(),
                _ => self.copy(),
            }
        }
        self.out
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            let pair = (c, self.peek(1));
            match pair {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.blank();
                    continue;
                }
            }
            self.blank();
            self.blank();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.copy();
        while let Some(c) = self.peek(0) {
            match c {
                '"' => return self.copy(),
                '\\' => {
                    self.blank();
                    self.blank();
                }
                _ => self.blank(),
            }
        }
    }

    /// At a letter that may begin `r"`, `r#"`, `b"`, `br#"`, `c"` or `cr#"`; a plain word else.
    fn prefixed_string(&mut self) {
        let rest = &self.source[self.at..];
        let letters = rest.iter().take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
        let hashes = rest[letters..].iter().take_while(|c| **c == '#').count();
        let is_raw = rest[letters - 1] == 'r';
        if letters > 2 || rest.get(letters + hashes) != Some(&'"') || hashes > 0 && !is_raw {
            return self.copy();
        }
        for _ in 0..letters + hashes {
            self.copy();
        }
        if !is_raw {
            return self.string();
        }
        self.copy();
        let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        self.blank_while(|rest| !rest.starts_with(&end));
        for _ in 0..end.len().min(self.source.len() - self.at) {
            self.copy();
        }
    }

    /// At `'`: a character, which is blanked, or a lifetime, which is code.
    fn quote(&mut self) {
        self.copy();
        if self.peek(0) == Some('\\') {
            self.blank();
            self.blank();
            self.blank_while(|rest| rest[0] != '\'');
            self.copy();
        } else if self.peek(1) == Some('\'') {
            self.blank();
            self.copy();
        }
    }

    fn is_inside_word(&self) -> bool {
        self.at > 0 && {
            let before = self.source[self.at - 1];
            before.is_alphanumeric() || before == '_'
        }
    }

    fn blank_while(&mut self, goes_on: impl Fn(&[char]) -> bool) {
        while self.at < self.source.len() && goes_on(&self.source[self.at..]) {
            self.blank();
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.source.get(self.at + ahead).copied()
    }

    fn copy(&mut self) {
        if let Some(c) = self.peek(0) {
            self.out.push(c);
            self.at += 1;
        }
    }

    fn blank(&mut self) {
        if let Some(c) = self.peek(0) {
            self.out.push(if c == '\n' { '\n' } else { ' ' });
            self.at += 1;
        }
    }
}

/// For each line of `code`, whether it belongs to an item under `#[cfg(test)]`.
fn test_lines(code: &str) -> Vec<bool> {
    let mut in_test = vec![false; code.lines().count()];
    let line_of = |at: usize| code[..at].matches('\n').count();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let end = item_end(code, start + "#[cfg(test)]".len());
        in_test[line_of(start)..=line_of(end - 1)].fill(true);
        from = end;
    }
    in_test
}

/// Where the item that begins at `start` ends: after its block, or after the semicolon.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in code[start..].char_indices() {
        match c {
            ';' if depth == 0 => return start + at + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return start + at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_blank() {
        let check = |source: &str, expected: &str| {
            assert_eq!(Blanking::new(source).run(), expected, "{source}");
        };
        check("a // b", "a     ");
        check("a /* b /* c */ d */ e", "a                   e");
        check("\"a\\\"b\" c", "\"    \" c");
        check("r\"a\\\" b", "r\"  \" b");
        check("r#\"a\"b\"# c", "r#\"   \"# c");
        check("br##\"a\"#\"## c", "br##\"   \"## c");
        check("b\"x\" c\"y\"", "b\" \" c\" \"");
        check("r#type bar\"x\"", "r#type bar\" \"");
        check("'\"' 'a '\\'' '\\u{22}' x", "' ' 'a '  ' '      ' x");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check("\"one\ntwo\" three", "\"   \n   \" three");
        check("\"never ends", "\"          ");
        check("r#\"never ends", "r#\"          ");
        check("'", "'");
    }

    #[test]
    fn words_are_found_whole() {
        let check =
            |code: &str, word: &str, expected: bool| assert_eq!(has_word(code, word), expected);
        check("todo!()", "todo!", true);
        check("my_todo!()", "todo!", false);
        check("unsafe_code", "unsafe", false);
        check("(unsafe{x})", "unsafe", true);
        check("eprintln!(x)", "println!", false);
    }

    #[test]
    fn the_item_under_cfg_test_is_test_code() {
        let check = |source: &str, expected: &[usize]| {
            let code = Code::new(source);
            let numbers: Vec<usize> =
                code.lines().filter(|line| line.is_test).map(|line| line.number).collect();
            assert_eq!(numbers, expected, "{source}");
        };
        check("a\n#[cfg(test)]\nmod tests {\n  fn f() {}\n}\nb", &[2, 3, 4, 5]);
        check("a\n#[cfg(test)]\nmod tests;\nfn f() {}\n", &[2, 3]);
        check("#[cfg(test)]\nuse x::{y, z};\nb", &[1, 2]);
        check("// #[cfg(test)]\nfn f() {}", &[]);
        check("#[cfg(test)]\nmod tests {\n", &[1, 2]);
    }
}
