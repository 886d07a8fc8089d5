//! What tells two states apart that look the same in a list.

use std::collections::{BTreeMap, BTreeSet};

use kvmtest::state::Entry;

/// More than these would make a line too long.
const MOST: usize = 3;

/// What of `entry` is otherwise than of `other`, in a few words: `guest build, -smp`. Empty where
/// nothing can be told.
pub(super) fn unlike(entry: &Entry, other: &Entry) -> String {
    match (&entry.recipe, &other.recipe) {
        (Some(one), Some(other)) => differences(one, other),
        _ => String::new(),
    }
}

/// The value of the line `key` of a recipe.
pub(super) fn value<'a>(recipe: &'a str, key: &str) -> Option<&'a str> {
    recipe.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

fn differences(one: &str, other: &str) -> String {
    let (one, other) = (Parts::of(one), Parts::of(other));
    let mut found = Vec::new();
    if one.build != other.build {
        found.push("guest build".to_owned());
    }
    let keys: BTreeSet<&String> = one.lines.keys().chain(other.lines.keys()).collect();
    let is_of_build = |key: &str| key.starts_with('-') || key.starts_with("image ");
    for key in keys {
        let explained = one.build != other.build && is_of_build(key);
        if one.lines.get(key) != other.lines.get(key) && !explained {
            found.push(key.replace('_', " "));
        }
    }
    let options: BTreeSet<&String> = one.options.symmetric_difference(&other.options).collect();
    let names: BTreeSet<&str> = options.iter().map(|text| name(text)).collect();
    found.extend(
        names
            .into_iter()
            .filter(|name| !found.iter().any(|it| it == name))
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", found.join(", "))
}

/// A recipe, taken apart.
struct Parts {
    /// What the guest's build is called, where the command line names its files.
    build: Option<String>,
    /// The options of the command line, the build's name left out.
    options: BTreeSet<String>,
    /// Values by key; those of a key that is there several times are together.
    lines: BTreeMap<String, String>,
}

impl Parts {
    fn of(recipe: &str) -> Self {
        let mut parts = Self { build: None, options: BTreeSet::new(), lines: BTreeMap::new() };
        for (key, value) in recipe.lines().filter_map(|line| line.split_once(": ")) {
            match key {
                "command line" => {
                    parts.build = build(value).map(str::to_owned);
                    let plain = match &parts.build {
                        Some(build) => value.replace(build.as_str(), "BUILD"),
                        None => value.to_owned(),
                    };
                    parts.options = plain.split("\\n").map(str::to_owned).collect();
                }
                "qemu" => drop(parts.lines.insert("QEMU".to_owned(), value.to_owned())),
                _ => *parts.lines.entry(key.to_owned()).or_default() += value,
            }
        }
        parts
    }
}

/// `6cb589ba7632d13b` of `…/kvmtest/guests/small/6cb589ba7632d13b/kernel`.
fn build(command: &str) -> Option<&str> {
    let (_, after) = command.split_once("/kvmtest/guests/")?;
    after.split('/').nth(1)
}

/// `-smp` of `-smp cpus=2`; the program's path of the program.
fn name(option: &str) -> &str {
    let name = option.split_whitespace().next().unwrap_or_default();
    if name.starts_with('-') { name } else { "program" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = "qemu: 7.2.22 Debian {\"inode\":1}\naccel: tcg\ncommand line: \
        /usr/bin/qemu\\n-smp cpus=1\\n-kernel /c/kvmtest/guests/small/6cb5/kernel\\n-append 'a: b'\n\
        -kernel: 74\nimage d: 81\nusername: root\nshell_client: serial\n";

    #[track_caller]
    fn check(changes: &[(&str, &str)], expected: &str) {
        let other = changes.iter().fold(RECIPE.to_owned(), |recipe, (from, to)| {
            assert!(recipe.contains(from), "{from}");
            recipe.replace(from, to)
        });
        assert_eq!(differences(&other, RECIPE), expected);
        assert_eq!(differences(RECIPE, &other), expected, "the other way round");
    }

    #[test]
    fn what_is_otherwise_is_named() {
        check(&[], "");
        check(&[("cpus=1", "cpus=2")], "-smp");
        check(&[("\\n-smp cpus=1", "")], "-smp");
        check(&[("\"inode\":1", "\"inode\":2")], "QEMU");
        check(&[("shell_client: serial", "shell_client: serial ssh")], "shell client");
        check(&[("username: root\n", "")], "username");
        check(&[("image d: 81", "image d: 82")], "image d");
        check(&[("/usr/bin/qemu", "/opt/qemu")], "program");
        // What a build brings with it is told by that.
        check(&[("6cb5", "1eac"), ("-kernel: 74", "-kernel: 75")], "guest build");
        check(&[("6cb5", "1eac"), ("cpus=1", "cpus=2")], "guest build, -smp");
        check(&[("-kernel: 74", "-kernel: 75")], "-kernel");
        check(
            &[("tcg", "kvm"), ("root", "me"), ("serial", "ssh"), ("cpus=1", "cpus=2")],
            "accel, shell client, username and 1 more",
        );
    }

    #[test]
    fn a_broken_recipe_has_no_parts() {
        for text in ["", "\n", "x", ": ", "command line: /kvmtest/guests/", "a: b: c"] {
            assert_eq!(differences(text, text), "");
            differences(text, RECIPE);
        }
        assert_eq!(value(RECIPE, "accel"), Some("tcg"));
        assert_eq!(value(RECIPE, "acc"), None);
    }
}
