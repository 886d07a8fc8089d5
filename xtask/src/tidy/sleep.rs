//! Every wait wakes on an event.

use crate::code::has_word;
use crate::finding::Finding;
use crate::tree::Tree;

const AWAKE: [&str; 2] = ["crates/", "subtests/"];

/// Finds `thread::sleep` in what ships, tests apart.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        if !AWAKE.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        for (number, code) in file.product_lines() {
            if has_word(&code, "thread::sleep") {
                let message = "a sleep sees nothing and hears no interrupt: \
                               wait by `kvmtest::wait`, with a deadline";
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
    fn sleeps_are_found() {
        let check = |path, text, expected| expect_lines(super::check, path, text, expected);
        check("crates/kvmtest/src/x.rs", "fn f() {\n std::thread::sleep(d);\n}", &[2]);
        check("subtests/rust/src/x.rs", "thread::sleep(d);", &[1]);
        check(
            "crates/kvmtest/src/x.rs",
            "#[cfg(test)]\nmod t { fn f() { thread::sleep(d) } }",
            &[],
        );
        check("tests/src/x.rs", "thread::sleep(d);", &[]);
    }
}
