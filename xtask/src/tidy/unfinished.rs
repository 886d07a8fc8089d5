//! What is in the tree is finished.

use crate::code::has_word;
use crate::finding::Finding;
use crate::tree::Tree;

const HOLES: [&str; 2] = ["todo!", "unimplemented!"];

/// Finds holes in the code, and tests that are skipped without a reason.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        for (number, code) in file.code_lines() {
            for hole in HOLES.iter().filter(|hole| has_word(&code, hole)) {
                let message =
                    format!("`{hole}`: finish it, or return an error that says what is missing");
                findings.push(Finding::line(&file.path, number, message));
            }
            if code.contains("#[ignore]") {
                let message = "a test that is ignored says why: `#[ignore = \"…\"]`";
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
    fn holes_are_found() {
        let check = |text, expected| expect_lines(super::check, "a.rs", text, expected);
        check("fn f() {\n    todo!()\n}", &[2]);
        check("fn f() { unimplemented!(\"later\") }", &[1]);
        check("#[test]\n#[ignore]\nfn f() {}", &[2]);
        check("#[test]\n#[ignore = \"takes an hour\"]\nfn f() {}", &[]);
        check("// todo!()\nlet x = \"todo!()\";", &[]);
    }
}
