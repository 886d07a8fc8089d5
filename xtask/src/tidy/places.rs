//! Nothing in the tree names the machine that it was written on, or where packages come from.

use std::path::Path;

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Where one person's files are. In two parts, so that this file does not find itself.
const HOMES: [(&str, &str); 2] = [("/ho", "me/"), ("/Us", "ers/")];
/// Where packages come from: the tools know it, and each machine may say otherwise.
const HOSTS: [(&str, &str); 10] = [
    ("index.crates", ".io"),
    ("static.crates", ".io"),
    ("pypi", ".org"),
    ("files.python", "hosted.org"),
    ("deb.debian", ".org"),
    ("security.debian", ".org"),
    ("snapshot.debian", ".org"),
    ("archive.ubuntu", ".com"),
    ("security.ubuntu", ".com"),
    ("registry.npmjs", ".org"),
];
/// Directories that say nothing about a machine, though a clone may lie right in one of them.
const ORDINARY: [&str; 8] = ["/", "/tmp", "/root", "/srv", "/opt", "/mnt", "/var/tmp", "/usr/src"];

/// Finds home directories of persons, and hosts of package registries.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line, file) in lines(tree) {
        let has = |(a, b): &(&str, &str)| has_path(line, &format!("{a}{b}"));
        if HOMES.iter().any(has) {
            let message = "somebody's home directory: write `~`, or a path that exists for all";
            findings.push(Finding::line(&file.path, number, message));
        }
        if HOSTS.iter().any(|(a, b)| line.contains(&format!("{a}{b}"))) {
            let message = "a package registry by its host: leave that to the package manager";
            findings.push(Finding::line(&file.path, number, message));
        }
    }
    findings
}

/// Finds the directory that this clone lies in.
pub(super) fn check_machine(tree: &Tree, root: &Path) -> Vec<Finding> {
    let places: Vec<String> = [Some(root), root.parent()]
        .into_iter()
        .flatten()
        .filter_map(Path::to_str)
        .filter(|place| !ORDINARY.contains(place))
        .map(|place| format!("{place}/"))
        .collect();
    let mut findings = Vec::new();
    for (number, line, file) in lines(tree) {
        if places.iter().any(|place| has_path(line, place)) {
            let message = "a path of this machine";
            findings.push(Finding::line(&file.path, number, message));
        }
    }
    findings
}

/// All lines, with their numbers.
fn lines(tree: &Tree) -> impl Iterator<Item = (usize, &str, &File)> {
    tree.files().flat_map(|file| {
        file.text.lines().enumerate().map(move |(index, line)| (index + 1, line, file))
    })
}

/// Whether `line` has the absolute path `path`, not as the end of a longer one.
fn has_path(line: &str, path: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "._-/~}".contains(c);
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(goes_on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::expect_lines;

    #[test]
    fn homes_are_found() {
        let home = HOMES[0].0.to_owned() + HOMES[0].1;
        let check = |text: &str, expected| expect_lines(super::check, "docs/x.md", text, expected);
        check(&format!("cd {home}somebody/src"), &[1]);
        check(&format!("a\n\"{home}x\""), &[2]);
        check(&format!("$ROOT{{}}{home}x"), &[]);
        check("cd ~/src", &[]);
    }

    #[test]
    fn registries_are_found() {
        for (a, b) in HOSTS {
            expect_lines(check, "x.toml", &format!("url = \"https://{a}{b}/x\""), &[1]);
        }
        expect_lines(check, "x.toml", "url = \"https://example.org\"", &[]);
    }

    #[test]
    fn the_place_of_the_clone_is_found() {
        let check = |root: &str, text: &str, expected: usize| {
            let tree = Tree::of(&[("README.md", text)]);
            assert_eq!(check_machine(&tree, Path::new(root)).len(), expected, "{root}: {text}");
        };
        check("/build/kvmtest", "see /build/kvmtest/README.md", 1);
        check("/build/kvmtest", "see /build/shared/x", 1);
        check("/build/kvmtest", "see target/build/kvmtest/x", 0);
        check("/build/kvmtest", "see /building/x", 0);
        check("/tmp/kvmtest", "a file in /tmp/ of mine", 0);
    }
}
