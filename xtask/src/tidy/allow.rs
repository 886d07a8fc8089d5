//! A lint that is switched off has a reason, and is noticed once the reason is gone.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Finds `#[allow(…)]`, where `#[expect(…, reason = …)]` would be right.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        for (number, code) in file.code_lines() {
            let packed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
            if allows(&packed) && !is_shared_by_tests(file, &packed) {
                let message = "`allow` hides a lint for ever; write `#[expect(…, reason = \"…\")]`";
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

fn allows(packed: &str) -> bool {
    ["#[allow(", "#![allow("].iter().any(|start| packed.contains(start))
        || packed.contains("cfg_attr(") && packed.contains(",allow(")
}

/// A module of several test programs, each of which uses a part of it: an expectation would hold
/// in one of them and not in another.
fn is_shared_by_tests(file: &File, packed: &str) -> bool {
    file.path.contains("/tests/")
        && file.name() == "mod.rs"
        && packed.contains("#![allow(dead_code,reason=")
}

#[cfg(test)]
mod tests {
    use crate::tidy::expect_lines;

    #[test]
    fn bare_allows_are_found() {
        let check = |text, expected| expect_lines(super::check, "a.rs", text, expected);
        check("#[allow(dead_code)]\nfn f() {}", &[1]);
        check("//! x\n#![allow( dead_code )]", &[2]);
        check("#[cfg_attr(test, allow(dead_code))]", &[1]);
        check("#[cfg(test)]\nmod t {\n#[allow(unused)]\nfn f() {} }", &[3]);
        check("#[expect(dead_code, reason = \"…\")]\nfn f() {}", &[]);
        let shared = "//! x\n#![allow(dead_code, reason = \"each uses a part\")]";
        check(shared, &[2]);
        expect_lines(super::check, "crates/a/tests/bench/mod.rs", shared, &[]);
        check("// #[allow(dead_code)]\nlet x = \"#[allow(x)]\";", &[]);
    }
}
