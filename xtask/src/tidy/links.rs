//! A link in the documents leads somewhere, and every page of the book can be reached.

use crate::finding::Finding;
use crate::tree::{File, Tree};

const BOOK: &str = "docs/src/";
const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Finds relative links to files that are not there, and pages that the book's table of contents
/// does not have.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        tree.with_extension("md").flat_map(|file| broken_links(tree, file)).collect();
    if let Some(summary) = tree.text(SUMMARY) {
        for page in tree.with_extension("md") {
            let Some(name) = page.path.strip_prefix(BOOK) else { continue };
            if page.path != SUMMARY && !summary.contains(&format!("({name})")) {
                let message = format!("a page that {SUMMARY} does not have");
                findings.push(Finding::file(&page.path, message));
            }
        }
    }
    findings
}

fn broken_links(tree: &Tree, file: &File) -> Vec<Finding> {
    let directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut findings = Vec::new();
    let mut in_block = false;
    for (index, line) in file.text.lines().enumerate() {
        in_block ^= line.trim_start().starts_with("```");
        for target in targets(line).filter(|_| !in_block) {
            let path = target.split('#').next().unwrap_or_default();
            let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            if !elsewhere && !resolve(directory, path).is_some_and(|path| tree.has(&path)) {
                let message = format!("a link that leads nowhere: {target}");
                findings.push(Finding::line(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// What the links of a line lead to: `there` in `[words](there)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// `path` as seen from `directory`, without `.` and `..`; nothing if it leaves the tree.
fn resolve(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let check = |text: &str, expected: usize| {
            let tree = Tree::of(&[("docs/src/a.md", text), ("docs/b.md", ""), ("x/y.rs", "")]);
            assert_eq!(super::check(&tree).len(), expected, "{text}");
        };
        check("[b](b.md)", 1);
        check("[a](a.md) [gone](gone.md#here)", 1);
        check("[out](../../../etc)", 1);
        check("[b](../b.md#part) [x](../../x) [here](#here)", 0);
        check("[web](https://example.org/x.md)", 0);
        check("```\n[b](b.md)\n```", 0);
    }

    #[test]
    fn pages_that_nobody_finds_are_found() {
        let pages = [(SUMMARY, "[a](a.md)"), ("docs/src/a.md", ""), ("docs/src/b.md", "")];
        let findings = check(&Tree::of(&pages));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "docs/src/b.md");
    }
}
