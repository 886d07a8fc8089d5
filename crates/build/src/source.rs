//! As much of Rust as is needed to see whether a file has a function.

/// The text of a file.
pub(crate) struct Source<'a> {
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text }
    }

    /// The first line of the documentation at the top of the file.
    pub(crate) fn first_doc_line(&self) -> &'a str {
        self.text
            .lines()
            .map(str::trim)
            .take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!"))
            .filter_map(|line| line.strip_prefix("//!"))
            .map(str::trim)
            .find(|line| !line.is_empty())
            .unwrap_or_default()
    }

    /// Whether `pub fn name` stands anywhere in the code: not in a comment, nor in a string.
    pub(crate) fn has_public_function(&self, name: &str) -> bool {
        let code = code_only(self.text);
        let words: Vec<&str> = words(&code).collect();
        words
            .windows(4)
            .any(|window| window[..3] == ["pub", "fn", name] && matches!(window[3], "(" | "<"))
    }
}

/// The text with comments, strings and characters taken out.
fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = skipped_length(rest, code.chars().last());
        if skipped > 0 {
            code.push(' ');
            rest = &rest[skipped..];
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    code
}

/// The length of the comment, string or character with which `rest` begins; 0 if with none.
fn skipped_length(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with('"') {
        string(rest)
    } else if rest.starts_with('\'') {
        character(rest)
    } else if !in_word && (rest.starts_with("r\"") || rest.starts_with("r#")) {
        raw_string(rest)
    } else if !in_word && rest.starts_with("br") {
        match raw_string(&rest[1..]) {
            0 => 0,
            length => length + 1,
        }
    } else {
        0
    }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`; 0 for a raw identifier.
fn raw_string(rest: &str) -> usize {
    let Some(after) = rest.strip_prefix('r') else { return 0 };
    let hashes = after.len() - after.trim_start_matches('#').len();
    let Some(body) = after[hashes..].strip_prefix('"') else { return 0 };
    let end = format!("\"{}", "#".repeat(hashes));
    match body.find(&end) {
        Some(at) => 1 + hashes + 1 + at + end.len(),
        None => rest.len(),
    }
}

/// `'x'`, `'\n'`; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next().unwrap_or_default();
    if first != '\\' {
        return match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        };
    }
    chars.next();
    chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
}

/// Words, and every other character that is no blank by itself.
fn words(code: &str) -> impl Iterator<Item = &str> {
    let mut rest = code;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(length);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_seen_where_it_is_one() {
        let check = |text: &str, expect: bool| {
            assert_eq!(Source::new(text).has_public_function("run_a"), expect, "{text}");
        };
        check("pub fn run_a(test: &mut Test) {}", true);
        check("pub  fn\n run_a (x) {}", true);
        check("pub fn run_a<T>(x: T) {}", true);
        check("/* why */ pub fn run_a() {}", true);
        check("fn f<'a>(x: &'a str) {} pub fn run_a() {}", true);
        check("const Q: char = '\"'; pub fn run_a() {}", true);
        check("const Q: char = '\\''; pub fn run_a() {}", true);
        check("const Q: &str = r#\"a \" b\"#; pub fn run_a() {}", true);
        check("let r#type = 1; pub fn run_a() {}", true);
        check("const Q: &str = \"\\\"\"; pub fn run_a() {}", true);
        check("fn run_a() {}", false);
        check("pub fn run_ab() {}", false);
        check("pub fn run_a", false);
        check("// pub fn run_a() {}", false);
        check("/* /* */ pub fn run_a() {} */", false);
        check("const Q: &str = \"pub fn run_a() {}\";", false);
        check("const Q: &str = r\"pub fn run_a() {}\";", false);
        check("const Q: &[u8] = br#\"pub fn run_a() {}\"#;", false);
        check("", false);
        check("'", false);
        check("\"", false);
        check("/*", false);
        check("'\\", false);
        check("r#\"", false);
        check("ü /*ü*/ \"ü\" 'ü' pub fn run_a() {}", true);
    }

    #[test]
    fn the_first_line_of_documentation_is_found() {
        let check = |text: &str, expect: &str| {
            assert_eq!(Source::new(text).first_doc_line(), expect, "{text}");
        };
        check("//! Log in.\n//! More.", "Log in.");
        check("// Licence.\n\n//!\n//!  Log in.\n", "Log in.");
        check("use a;\n//! late", "");
        check("", "");
    }
}
