//! The page about the architecture knows every package.

use serde_json::Value;

use crate::finding::Finding;
use crate::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";

/// Finds packages of the workspace that `ARCHITECTURE.md` does not name.
pub(super) fn check(tree: &Tree, metadata: &Value) -> Vec<Finding> {
    let page = tree.text(PAGE).unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let names = packages.filter_map(|package| package["name"].as_str());
    names
        .filter(|name| !page.contains(&format!("`{name}`")))
        .map(|name| Finding::file(PAGE, format!("says nothing about the package `{name}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unmentioned_packages_are_found() {
        let tree = Tree::of(&[(PAGE, "There is `one`, and there is two.")]);
        let metadata = json!({"packages": [{"name": "one"}, {"name": "two"}]});
        let findings = check(&tree, &metadata);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("`two`"));
    }
}
