//! Every key that the code reads is in the table, and the other way round.

use std::collections::BTreeSet;

use regex::Regex;

use super::super::{KEYS, OLD_FLAGS, OLD_KEYS, OLD_VALUES};

#[test]
fn every_key_in_use_is_documented() {
    let documented: BTreeSet<&str> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(documented.len(), KEYS.len(), "a key is documented twice");
    let used = used();
    let missing: Vec<_> = used.iter().filter(|key| !documented.contains(key.as_str())).collect();
    assert_eq!(missing, [] as [&String; 0], "used, and not documented");
    let unused: Vec<_> = documented.iter().filter(|key| !used.contains(**key)).collect();
    assert_eq!(unused, [] as [&&str; 0], "documented, and not used");
}

#[test]
fn old_spellings_lead_to_documented_keys() {
    let documented = |name: &str| KEYS.iter().any(|key| key.name == name);
    for (old, new) in OLD_KEYS {
        assert!(documented(new) && !documented(old), "{old} -> {new}");
    }
    for (_, key, _) in OLD_FLAGS {
        assert!(documented(key), "{key}");
    }
    for (key, old, new) in OLD_VALUES {
        assert!(documented(key), "{key}");
        assert!(!OLD_VALUES.iter().any(|row| row.0 == *key && row.1 == *new), "{old} -> {new}");
    }
}

#[test]
fn every_text_is_there() {
    for key in KEYS {
        assert!(!key.what.is_empty() && !key.what.ends_with('.'), "{}", key.name);
        assert!(key.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    }
}

/// The keys that the source reads: the literals that stand where a key belongs.
fn used() -> BTreeSet<String> {
    let calls = Regex::new(
        r#"(?x)
        \.(?:get|get_or|get_u64|get_bool|get_size|get_size_mib|find|find_nonempty|objects|wants)
            \(\s*"([a-z_0-9]+)"
        | (?:flag|flag_if_set|number|choice|choice_if_set|drives|size)
            \(\s*(?:&?[a-z.]+,\s*)"([a-z_0-9]+)"
        | \(\s*"((?:vcpu|nic)_[a-z]+)",\s*"[a-z]+"\)
        | \b(?:ImageKind::\w+),\s*"([a-z_]+)"
        | const\ KEY:\ &str\ =\ "([a-z_]+)"
        "#,
    )
    .expect("a regular expression");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/vm/command");
    let mut keys = BTreeSet::new();
    for folder in [root.to_owned(), format!("{root}/disk")] {
        for entry in std::fs::read_dir(folder).expect("the source") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for found in calls.captures_iter(code) {
                keys.extend(found.iter().skip(1).flatten().map(|key| key.as_str().to_owned()));
            }
        }
    }
    // Read in a loop over names.
    for key in ["boot_order", "boot_once", "kernel_params_extra"] {
        keys.insert(key.to_owned());
    }
    keys
}
