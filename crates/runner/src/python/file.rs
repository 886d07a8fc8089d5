//! A file `foo.py`: whether it holds `run_foo`, and what it says about itself.

use std::fs::File;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};

/// No subtest that a person wrote is larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// A subtest in Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subtest {
    /// `foo` for `foo.py`.
    pub name: String,
    /// The file.
    pub path: Utf8PathBuf,
    /// The first line of its documentation; empty where it has none.
    pub doc: String,
}

/// What a file `….py` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A subtest.
    Subtest(Subtest),
    /// Something that only subtests use.
    Module,
    /// It was meant as a subtest, and is none: why.
    Slip(String),
}

/// Looks at a file, without running it. That its function can be called is seen when it is.
pub(super) fn look_at(path: &Utf8Path) -> Kind {
    let name = path.file_stem().unwrap_or_default();
    let text = match read(path) {
        Ok(text) => text,
        Err(why) => return Kind::Slip(format!("{path} cannot be read: {why}")),
    };
    let functions: Vec<&str> = functions(&text).collect();
    if !is_name(name) {
        if functions.is_empty() {
            return Kind::Module;
        }
        let other: String = name.chars().map(|c| if is_part(c) { c } else { '_' }).collect();
        return Kind::Slip(format!(
            "{path} is no subtest: the name of one has letters from a to z, digits and `_` (call \
             the file {other}.py and the function `run_{other}`)"
        ));
    }
    if functions.contains(&name) || mentions(&text, &format!("run_{name}")) {
        let doc = doc(&text).unwrap_or_default();
        return Kind::Subtest(Subtest { name: name.to_owned(), path: path.to_owned(), doc });
    }
    match functions.as_slice() {
        [] => Kind::Module,
        [other, ..] => Kind::Slip(format!(
            "{path} has no function `run_{name}`, but `run_{other}`: give the file and the \
             function the same name"
        )),
    }
}

/// What there is to say to somebody who asks for `name` as a subtest, and `path` is a module.
pub(super) fn no_function(path: &Utf8Path, name: &str) -> String {
    format!("{path} has no function `run_{name}(test, params, env)`")
}

fn read(path: &Utf8Path) -> Result<String, String> {
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    // Another encoding may be declared in it: Python judges that.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The names that stand in `def run_NAME` at the beginning of a line.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    let named = text.lines().filter_map(|line| {
        let line = line.strip_prefix("async").map_or(line, str::trim_start);
        let name = line.strip_prefix("def")?.trim_start().strip_prefix("run_")?;
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        Some(&name[..end])
    });
    named.filter(|name| !name.is_empty())
}

/// Whether `word` stands in it outside of comments: `from other import run_foo` makes one, too.
fn mentions(text: &str, word: &str) -> bool {
    let in_line = |line: &str| {
        let code = line.split('#').next().unwrap_or_default();
        code.split(|c: char| !is_part(c)).any(|part| part == word)
    };
    text.lines().any(in_line)
}

/// The first line of the text that stands before all statements.
pub fn doc(text: &str) -> Option<String> {
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start();
        let Some(comment) = rest.strip_prefix('#') else { break };
        rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
    }
    let rest = rest.strip_prefix(['r', 'R', 'u', 'U']).unwrap_or(rest);
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote))?;
    let rest = &rest[quote.len()..];
    let text = &rest[..rest.find(quote)?];
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.strip_suffix('.').unwrap_or(line).to_owned())
}

/// Whether it can stand behind `run_`, and be a variant's name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_part)
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(file: &str, text: &str) -> Kind {
        let keep = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(keep.path()).expect("UTF-8").join(file);
        std::fs::write(&path, text).expect("written");
        look_at(&path)
    }

    fn is_subtest(file: &str, text: &str) -> bool {
        matches!(kind(file, text), Kind::Subtest(_))
    }

    #[test]
    fn a_file_with_its_function_is_a_subtest() {
        assert!(is_subtest("foo.py", "def run_foo(test, params, env):\n    pass\n"));
        assert!(is_subtest("foo.py", "@decorated\ndef  run_foo (test, params, env): pass\n"));
        assert!(is_subtest("foo.py", "async def run_foo(): pass"));
        assert!(is_subtest("foo.py", "from other import run_bar as run_foo"));
        assert!(is_subtest("foo.py", "if True:\n    def run_foo(t, p, e): pass\n"));
        assert!(is_subtest("2vms.py", "def run_2vms(test, params, env): pass"));
    }

    #[test]
    fn a_file_without_any_is_a_module() {
        assert_eq!(kind("foo.py", ""), Kind::Module);
        assert_eq!(kind("foo.py", "# run_foo\nrun_foobar = 1\n"), Kind::Module);
        assert_eq!(kind("my-tools.py", "x = 1"), Kind::Module);
    }

    #[track_caller]
    fn check_slip(file: &str, text: &str, part: &str) {
        let Kind::Slip(why) = kind(file, text) else { panic!("{file} is taken") };
        assert!(why.contains(part), "{why}");
    }

    #[test]
    fn what_was_meant_as_a_subtest_is_told() {
        check_slip("foo.py", "def run_bar(t, p, e): pass", "no function `run_foo`, but `run_bar`");
        check_slip("my-test.py", "def run_my_test(t, p, e): pass", "my_test.py");
        check_slip("été.py", "def run_été(t, p, e): pass", "call the file _t_.py");
        check_slip("foo.py", &"#".repeat(5 << 20), "larger than 4 MiB");
    }

    #[test]
    fn the_first_line_of_the_text_is_the_doc() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(doc(text).as_deref(), expect, "{text}");
        };
        check("\"\"\"Boots it.\n\nMore.\"\"\"\nimport x", Some("Boots it"));
        check("#!/usr/bin/python\n# a\n\n'''\n  Boots it\n'''", Some("Boots it"));
        check("r'Boots it.'", Some("Boots it"));
        check("import x\n'''no'''", None);
        check("\"\"\"never ends", None);
        check("# only this", None);
        check("", None);
    }
}
