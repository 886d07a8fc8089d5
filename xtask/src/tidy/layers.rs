//! Who may know whom.

use serde_json::Value;

use crate::finding::Finding;
use crate::tree::Tree;

/// Each package of the workspace, and the packages of the workspace that it may depend on, be it
/// for its build or its tests. Nobody may know the program: what tests it runs it.
const MAY_KNOW: [(&str, &[&str]); 10] = [
    ("kvmtest-build", &[]),
    ("kvmtest-cartesian", &[]),
    ("kvmtest", &["kvmtest-cartesian"]),
    ("kvmtest-python", &["kvmtest", "kvmtest-cartesian"]),
    ("kvmtest-subtests", &["kvmtest", "kvmtest-build"]),
    ("kvmtest-runner", &["kvmtest", "kvmtest-cartesian"]),
    ("kvmtest-cli", &["kvmtest", "kvmtest-cartesian", "kvmtest-runner", "kvmtest-subtests"]),
    (FOR_TESTS, &[]),
    ("kvmtest-benches", &["kvmtest", "kvmtest-cartesian", "kvmtest-runner"]),
    ("xtask", &["kvmtest"]),
];

/// What tests share. It knows nobody, so that everybody's tests may use it.
const FOR_TESTS: &str = "kvmtest-tests";

/// The library waits by `poll`; a runtime would take over its threads and its drops.
const RUNTIMES: [&str; 4] = ["tokio", "async-std", "smol", "futures"];

/// Finds packages that know whom they may not know.
pub(super) fn check(_tree: &Tree, metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let path = format!("Cargo.toml of {name}");
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(known, _)| *known == name) else {
            let message = format!("say in {} whom this new package may know", file!());
            findings.push(Finding::file(&path, message));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let is_for_tests = dependency["kind"] == "dev";
            let dependency = dependency["name"].as_str().unwrap_or_default();
            if is_for_tests && dependency == FOR_TESTS {
                continue;
            }
            if names.contains(&dependency) && !allowed.contains(&dependency) {
                let message = format!("may not know `{dependency}`, only {allowed:?}");
                findings.push(Finding::file(&path, message));
            }
            if RUNTIMES.contains(&dependency) {
                let message = format!("an async runtime, `{dependency}`: wait by `kvmtest::wait`");
                findings.push(Finding::file(&path, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forbidden_acquaintances_are_found() {
        let check_kind = |name: &str, dependency: &str, kind: Value, expected: usize| {
            let all = MAY_KNOW.map(|(name, _)| json!({"name": name, "dependencies": []}));
            let mut metadata = json!({"packages": all});
            let packages = metadata["packages"].as_array_mut().expect("a list");
            packages.retain(|package| package["name"] != name);
            let depends = json!({"name": dependency, "kind": kind});
            packages.push(json!({"name": name, "dependencies": [depends]}));
            let findings = super::check(&Tree::default(), &metadata);
            assert_eq!(findings.len(), expected, "{name} -> {dependency}: {findings:?}");
        };
        check_kind("kvmtest", FOR_TESTS, "dev".into(), 0);
        check_kind("kvmtest", FOR_TESTS, Value::Null, 1);
        check_kind("kvmtest", "kvmtest-runner", "dev".into(), 1);
        let check =
            |name, dependency, expected| check_kind(name, dependency, Value::Null, expected);
        check("kvmtest", "kvmtest-runner", 1);
        check("kvmtest", "kvmtest-subtests", 1);
        check("kvmtest-cartesian", "kvmtest", 1);
        check("kvmtest-subtests", "kvmtest-runner", 1);
        check("kvmtest-runner", "kvmtest-cli", 1);
        check("kvmtest-tests", "kvmtest-cli", 1);
        check("kvmtest-runner", "tokio", 1);
        check("kvmtest-newcomer", "serde", 1);
        check("kvmtest-runner", "kvmtest", 0);
        check("kvmtest-cli", "kvmtest-subtests", 0);
        check("kvmtest", "serde", 0);
    }
}
