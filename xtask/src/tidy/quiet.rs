//! The libraries never print and never exit: what is shown, and when it ends, is the program's.

use crate::code::has_word;
use crate::finding::Finding;
use crate::tree::Tree;

const QUIET: [&str; 2] = ["crates/kvmtest/src/", "crates/cartesian/src/"];
const LOUD: [&str; 9] = [
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "process::exit",
    "process::abort",
    "io::stdout",
    "io::stderr",
];

/// Finds what prints or exits in the libraries, tests apart.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        if !QUIET.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        for (number, code) in file.product_lines() {
            for word in LOUD.iter().filter(|word| has_word(&code, word)) {
                let message = format!("`{word}` in a library: return it, or log with `tracing`");
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
    fn printing_and_exiting_is_found_in_libraries() {
        let check = |path, text, expected| expect_lines(super::check, path, text, expected);
        let library = "crates/kvmtest/src/vm/create.rs";
        check(library, "fn f() {\n    println!(\"x\");\n}", &[2]);
        check(library, "use std::process;\nfn f() { process::exit(1) }", &[2]);
        check(library, "std::process::abort();", &[1]);
        check("crates/cartesian/src/parse.rs", "dbg!(x);", &[1]);
        check(library, "fn f() { write!(out, \"x\") }", &[]);
        check(library, "#[cfg(test)]\nmod tests { fn f() { println!(\"skipped\") } }", &[]);
        check("crates/cli/src/main.rs", "println!(\"x\");", &[]);
    }
}
