//! Every file says in its first lines what it is.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Finds Rust files that do not begin with `//!`. Test submodules need no header: they are about
/// the module that they belong to.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let has_none = |file: &&File| !is_test_submodule(file) && !file.text.starts_with("//! ");
    let message = "a file begins with `//!` and a sentence that says what it is";
    tree.with_extension("rs")
        .filter(has_none)
        .map(|file| Finding::line(&file.path, 1, message))
        .collect()
}

fn is_test_submodule(file: &File) -> bool {
    file.path.contains("/src/") && file.is_test() && !file.path.starts_with("tests/")
}

#[cfg(test)]
mod tests {
    use crate::tidy::expect_lines;

    #[test]
    fn missing_headers_are_found() {
        let check = |path, text, expected| expect_lines(super::check, path, text, expected);
        check("crates/a/src/x.rs", "use std::fs;", &[1]);
        check("crates/a/src/x.rs", "\n//! Late.", &[1]);
        check("crates/a/src/x.rs", "/// Of the wrong kind.\nstruct X;", &[1]);
        check("crates/a/tests/y.rs", "#[test]\nfn f() {}", &[1]);
        check("tests/src/lib.rs", "fn f() {}", &[1]);
        check("crates/a/src/x.rs", "//! What it is.\n", &[]);
        check("crates/a/src/x/tests.rs", "use super::*;", &[]);
    }
}
