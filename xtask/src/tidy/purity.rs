//! The configuration language: text in, variants out. No file, no clock, no process.

use crate::code::has_word;
use crate::finding::Finding;
use crate::tree::Tree;

const PURE: &str = "crates/cartesian/src/";
const OUTSIDE: [&str; 8] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::os",
    "Instant",
    "SystemTime",
    "File::open",
];

/// Finds what reaches outside in the language's crate, tests apart.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs").filter(|file| file.path.starts_with(PURE)) {
        for (number, code) in file.product_lines() {
            for word in OUTSIDE.iter().filter(|word| has_word(&code, word)) {
                let message =
                    format!("`{word}` in the language: its caller hands in what it needs");
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::tidy::expect_lines;

    #[test]
    fn reaching_outside_is_found() {
        let check = |path, text, expected| expect_lines(super::check, path, text, expected);
        check("crates/cartesian/src/x.rs", "let t = std::fs::read_to_string(p);", &[1]);
        check("crates/cartesian/src/x.rs", "use std::time::Instant;", &[1]);
        check("crates/cartesian/src/x/tests.rs", "use std::fs;", &[]);
        check("crates/runner/src/x.rs", "use std::fs;", &[]);
    }
}
