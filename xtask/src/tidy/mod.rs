//! The house rules that no compiler knows. Each rule is a function of the tree; each has a test
//! with an example that it fires on; and all of them are run on this repository by a test, too.

mod allow;
mod clock;
mod headers;
mod layers;
mod length;
mod links;
mod lockfile;
mod members;
mod names;
mod places;
mod purity;
mod quiet;
mod safety;
mod sleep;
mod unfinished;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::finding::Finding;
use crate::tree::Tree;

/// A rule about the files.
type Rule = fn(&Tree) -> Vec<Finding>;
/// A rule about the packages, as `cargo metadata` tells of them.
type PackageRule = fn(&Tree, &Value) -> Vec<Finding>;

const RULES: [Rule; 13] = [
    allow::check,
    clock::check,
    headers::check,
    length::check,
    links::check,
    lockfile::check,
    names::check,
    places::check,
    purity::check,
    quiet::check,
    safety::check,
    sleep::check,
    unfinished::check,
];

const PACKAGE_RULES: [PackageRule; 2] = [layers::check, members::check];

/// Checks the repository at `root`; the error lists everything that was found.
pub fn report(root: &Path) -> Result<(), String> {
    let findings = check(root)?;
    if findings.is_empty() {
        return Ok(());
    }
    let count = findings.len();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    Err(format!("{}\nfound by tidy: {count}", lines.join("\n")))
}

/// Everything that the rules find in the repository at `root`, in order.
pub fn check(root: &Path) -> Result<Vec<Finding>, String> {
    let tree = Tree::read(root).map_err(|error| format!("cannot read the tree: {error}"))?;
    let packages = metadata(root)?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    findings.extend(PACKAGE_RULES.iter().flat_map(|rule| rule(&tree, &packages)));
    findings.extend(places::check_machine(&tree, root));
    findings.sort();
    Ok(findings)
}

/// What cargo knows about the packages of the workspace.
fn metadata(root: &Path) -> Result<Value, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run `cargo metadata`: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`cargo metadata` fails: {}", words.trim()));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cannot read what `cargo metadata` said: {error}"))
}

/// Says that `rule` finds `expected` in a tree of one file: line numbers, 0 for the whole file.
#[cfg(test)]
fn expect_lines(rule: Rule, path: &str, text: &str, expected: &[usize]) {
    let findings = rule(&Tree::of(&[(path, text)]));
    let lines: Vec<usize> = findings.iter().map(|finding| finding.line.unwrap_or(0)).collect();
    assert_eq!(lines, expected, "{path}:\n{text}\n{findings:?}");
}
