//! A lint that is switched off has a reason, and is noticed once the reason is gone.

use crate::finding::Finding;
use crate::tree::Tree;

/// Finds `#[allow(…)]`, where `#[expect(…, reason = …)]` would be right.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        for (number, code) in file.code_lines() {
            let packed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
            let bare = ["#[allow(", "#![allow("].iter().any(|start| packed.contains(start));
            let conditional = packed.contains("cfg_attr(") && packed.contains(",allow(");
            if bare || conditional {
                let message = "`allow` hides a lint for ever; write `#[expect(…, reason = \"…\")]`";
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
    fn bare_allows_are_found() {
        let check = |text, expected| expect_lines(super::check, "a.rs", text, expected);
        check("#[allow(dead_code)]\nfn f() {}", &[1]);
        check("//! x\n#![allow( dead_code )]", &[2]);
        check("#[cfg_attr(test, allow(dead_code))]", &[1]);
        check("#[cfg(test)]\nmod t {\n#[allow(unused)]\nfn f() {} }", &[3]);
        check("#[expect(dead_code, reason = \"…\")]\nfn f() {}", &[]);
        check("// #[allow(dead_code)]\nlet x = \"#[allow(x)]\";", &[]);
    }
}
