//! A name says what is inside.

use crate::finding::Finding;
use crate::tree::Tree;

/// Names of rooms without a subject: everything fits, so everything ends up there.
const VAGUE: [&str; 8] =
    ["util", "utils", "common", "misc", "helper", "helpers", "shared_utils", "stuff"];

/// Modules that others named, and that have to be called so.
const HISTORICAL: &str = "crates/python/python/kvmtest/historical/modules/";

/// Finds source files and directories with a vague name.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let files = tree.with_extension("rs").chain(tree.with_extension("py"));
    for file in files.filter(|file| !file.path.starts_with(HISTORICAL)) {
        let directories = file.path.split('/').rev().skip(1);
        for name in std::iter::once(file.stem()).chain(directories) {
            if VAGUE.contains(&name) {
                let message = format!("`{name}` says nothing: name it by the noun it is about");
                findings.push(Finding::file(&file.path, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::tidy::expect_lines;

    #[test]
    fn vague_names_are_found() {
        let check = |path, expected| expect_lines(super::check, path, "", expected);
        check("crates/a/src/utils.rs", &[0]);
        check("crates/a/src/common/mod.rs", &[0]);
        check("crates/python/helpers.py", &[0]);
        check("crates/a/src/test_utils.rs", &[]);
        check("crates/python/python/kvmtest/historical/modules/a/utils.py", &[]);
        check("crates/a/src/lease.rs", &[]);
    }
}
