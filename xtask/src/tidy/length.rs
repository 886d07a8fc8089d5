//! A file holds one thing.

use crate::finding::Finding;
use crate::tree::Tree;

const LIMIT: usize = 500;
const EXTENSIONS: [&str; 3] = ["rs", "py", "sh"];

/// Finds source files of more lines than anybody reads from top to bottom.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = EXTENSIONS.iter().flat_map(|extension| tree.with_extension(extension));
    let mut findings = Vec::new();
    for file in sources {
        let lines = file.text.lines().count();
        if lines > LIMIT {
            let message = format!("{lines} lines, where at most {LIMIT} are: split it by nouns");
            findings.push(Finding::file(&file.path, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::expect_lines;

    #[test]
    fn long_files_are_found() {
        expect_lines(check, "a.rs", &"x\n".repeat(LIMIT), &[]);
        expect_lines(check, "a.rs", &"x\n".repeat(LIMIT + 1), &[0]);
        expect_lines(check, "a.py", &"x\n".repeat(LIMIT + 1), &[0]);
        expect_lines(check, "a.snap", &"x\n".repeat(LIMIT + 1), &[]);
    }
}
