//! Names of objects in a test's lists: machines, images, interfaces.

use std::collections::BTreeSet;

use kvmtest::Params;
use kvmtest::params::name::{RULE, is_name, shown};

use super::test::PlannedTest;

/// The lists of objects that a test has, and those that each of its machines has.
const OF_TEST: &[&str] = &["vms", "profilers"];
const OF_VM: &[&str] = &["images", "cdroms", "nics", "monitors", "serials", "redirs"];

/// What is wrong with the names in the lists of tests: each once, a line each, with key, value and
/// place.
pub(super) fn check(tests: &[PlannedTest]) -> Result<(), String> {
    let mut wrong = BTreeSet::new();
    for test in tests {
        wrong.extend(of_test(&test.params));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into_iter().collect::<Vec<_>>().join("\n")) }
}

fn of_test(params: &Params) -> Vec<String> {
    let mut wrong: Vec<String> = OF_TEST.iter().filter_map(|key| of_list(params, key)).collect();
    let vms = params.objects("vms");
    // A list that is wrong has no machines to look into.
    if wrong.is_empty() {
        for vm in &vms {
            let own = params.object_params(vm);
            wrong.extend(OF_VM.iter().filter_map(|key| of_list(&own, key)));
        }
        // Without machines that are prepared, a subtest makes its own.
        let main = params.find_nonempty("main_vm");
        if main.is_some_and(|main| !vms.is_empty() && !vms.contains(&main)) {
            let what = format!("one of the machines in `vms`, `{}`", vms.join("`, `"));
            wrong.push(told(params, "main_vm", &what));
        }
    }
    wrong
}

fn of_list(params: &Params, key: &str) -> Option<String> {
    let names = params.objects(key);
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        let what = format!("names of {RULE}; `{}` is none", shown(name));
        return Some(told(params, key, &what));
    }
    let mut seen = BTreeSet::new();
    let twice = names.iter().find(|name| !seen.insert(**name))?;
    Some(told(params, key, &format!("names that differ; `{twice}` is there twice")))
}

fn told(params: &Params, key: &str, what: &str) -> String {
    let value = shown(params.find(key).unwrap_or_default());
    let place = params.origin(key).map(|origin| format!(" ({origin})")).unwrap_or_default();
    format!("`{key}` must be {what}: `{key} = {value}`{place}")
}

#[cfg(test)]
mod tests {
    use kvmtest::params::name::LENGTH;
    use kvmtest::params::{Origin, Value};

    use super::*;
    use crate::plan::test::example;

    fn checked(pairs: &[(&str, &str)]) -> Result<(), String> {
        let mut test = example("a", "");
        for (key, text) in pairs {
            let origin = Some(Origin { file: "my.cfg".into(), line: 7 });
            test.params.insert(*key, Value { text: (*text).into(), origin });
        }
        check(&[test.clone(), test])
    }

    #[test]
    fn names_that_can_be_names_of_files_are_taken() {
        for pairs in [
            &[][..],
            &[("vms", "")],
            &[("vms", "vm1 vm2"), ("main_vm", "vm2")],
            &[("vms", "rhel-9.4_x 2"), ("main_vm", "2")],
            &[("vms", ""), ("main_vm", "vm7")],
            &[("vms", "a"), ("main_vm", "")],
            &[("vms", &"x".repeat(LENGTH))],
            &[("vms", "a b"), ("nics_a", "n1 n2"), ("nics", "n1")],
            &[("vms", ""), ("images", "../not of any machine")],
        ] {
            assert_eq!(checked(pairs), Ok(()), "{pairs:?}");
        }
    }

    #[test]
    fn others_are_refused_with_key_value_and_place() {
        #[track_caller]
        fn refused(pairs: &[(&str, &str)], parts: &[&str]) {
            let text = checked(pairs).expect_err(parts[0]);
            assert!(!text.contains(char::is_control), "{text:?}");
            for part in parts {
                assert!(text.contains(part), "`{text}` lacks `{part}`");
            }
        }
        refused(
            &[("vms", "vm1 vm1")],
            &["`vms` must be names that differ; `vm1` is there twice: `vms = vm1 vm1` (my.cfg:7)"],
        );
        refused(
            &[("vms", "../x")],
            &["`vms` must be names of up to", "`../x` is none", "my.cfg:7"],
        );
        for name in ["a/b", ".", "..", "-x", "_x", "a:b", "a,b", "ü", "a=b", "a*", "'a'"] {
            refused(&[("vms", name)], &["is none", "my.cfg:7"]);
        }
        refused(&[("vms", "a\x1b[2Jb")], &["\\u{1b}"]);
        let long = "x".repeat(LENGTH + 1);
        refused(&[("vms", &long)], &[&format!("`{}…` is none", "x".repeat(LENGTH))]);
        for key in OF_VM {
            refused(
                &[("vms", "a"), (*key, "b/c")],
                &[&format!("`{key}` must be"), "`b/c` is none"],
            );
            refused(&[("vms", "a"), (*key, "b b")], &["`b` is there twice"]);
            let own = format!("{key}_a");
            refused(&[("vms", "z a"), (*key, "b"), (&own, "b b")], &["`b` is there twice"]);
        }
        refused(&[("profilers", "p/q")], &["`profilers`"]);
        refused(
            &[("vms", "a b"), ("main_vm", "c")],
            &["`main_vm` must be one of the machines in `vms`, `a`, `b`: `main_vm = c` (my.cfg:7)"],
        );
    }

    #[test]
    fn what_many_tests_have_is_told_once() {
        let text = checked(&[("vms", "a a"), ("profilers", "/")]).expect_err("two");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
