//! Dependencies come from where everybody gets them.

use crate::finding::Finding;
use crate::tree::Tree;

const PUBLIC: &str = "\"registry+https://github.com/rust-lang/crates.io-index\"";

/// Finds sources in `Cargo.lock` other than the public index, and settings in cargo's
/// configuration that belong to one machine.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let locked = lines(tree, "Cargo.lock").filter_map(|(number, line)| {
        let source = line.strip_prefix("source = ")?;
        let message = format!("a source that others cannot reach: {source}");
        (source != PUBLIC).then(|| Finding::line("Cargo.lock", number, message))
    });
    let path = ".cargo/config.toml";
    let sections = ["[source", "[registr", "[http", "[net"];
    let configured = lines(tree, path).filter_map(|(number, line)| {
        let message = format!("`{line}` belongs into the configuration of one machine");
        let found = sections.iter().any(|section| line.starts_with(section));
        found.then(|| Finding::line(path, number, message))
    });
    locked.chain(configured).collect()
}

fn lines<'a>(tree: &'a Tree, path: &str) -> impl Iterator<Item = (usize, &'a str)> {
    tree.text(path).unwrap_or_default().lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::expect_lines;

    #[test]
    fn private_sources_are_found() {
        let check = |path, text: &str, expected| expect_lines(super::check, path, text, expected);
        check("Cargo.lock", "[[package]]\nsource = \"registry+https://mirror/index\"\n", &[2]);
        check("Cargo.lock", "source = \"git+https://example.org/x#1\"", &[1]);
        check("Cargo.lock", &format!("source = {PUBLIC}\n"), &[]);
        check(".cargo/config.toml", "[source.crates-io]\nreplace-with = \"mirror\"", &[1]);
        check(".cargo/config.toml", "[alias]\nxtask = \"run\"", &[]);
    }
}
