//! Conditions that never hold, or hold nothing.

use crate::{check, check_help, two_blocks};

#[test]
fn conditions_with_nothing_in_them() {
    let told =
        |place: &str| vec![format!("{place}: empty-condition: a condition with nothing in it")];
    let check = |more: &str, expected: Vec<String>| {
        check(&two_blocks(more), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check("boot:\n", told("7:1"));
    check("!boot :\nk = 1\n", told("7:1"));
    check("j = 1\n  boot..linux:\n\n  # below\n  k = 1\n", told("8:3"));
    check("boot:\n  linux: !windows:\n  k = 1\n", told("8:10"));
    check("boot: k = 1\n", vec![]);
    check("boot:\n  k = 1\n", vec![]);
    check("j = 1\n  boot:\n\n  # below\n    k = 1\n", vec![]);
    check("k = boot:\n", vec![]);
    check("only boot\n", vec![]);
    // What is a comment was a statement once, or will be.
    check("boot:\n\n    # k = 1\nj = 1\n", vec![]);
}

#[test]
fn labels_that_are_never_together() {
    let check = |more: &str, expected: &[&str]| check(&two_blocks(more), expected);
    check("boot..reboot: k = 1\n", &["7:1: never-holds: `boot..reboot` never holds here"]);
    check("boot.linux: k = 1\n", &["7:1: never-holds: `boot.linux` never holds here"]);
    check("no boot.linux\n", &["7:1: never-holds: `no boot.linux` drops nothing"]);
    check("linux.boot: k = 1\n", &[]);
    check("boot..linux: k = 1\n", &[]);
    // One word that can be true is enough.
    check("boot..reboot, boot: k = 1\n", &[]);
    check("!boot..reboot: k = 1\n", &[]);
    check(
        "boot:\n    linux:\n        reboot: k = 1\n",
        &["9:9: never-holds: `reboot` never holds here"],
    );
    check("boot:\n    !boot: k = 1\n", &["8:5: never-holds: `!boot` never holds here"]);
    // What is in there is not told again.
    check(
        "boot..reboot:\n    reboot..boot: k = 1\n",
        &["7:1: never-holds: `boot..reboot` never holds here"],
    );
    let help = |more: &str, expected: &str| check_help(&two_blocks(more), expected);
    help("boot..reboot: k = 1\n", "no name has `boot..reboot`");
    help("no boot.linux\n", "`linux` is nowhere directly after `boot`");
    help("boot:\n    reboot: k = 1\n", "no name for which `boot` holds has `reboot`");
}

#[test]
fn conditions_against_their_place() {
    check(
        "variants:\n  - boot:\n    reboot: k = 1\n  - reboot:\n",
        &["3:5: never-holds: `reboot` never holds here"],
    );
    check_help(
        "variants:\n  - boot:\n    reboot: k = 1\n  - reboot:\n",
        "no name through `boot` has `reboot`",
    );
    check(
        "variants:\n  - boot:\n    !boot: k = 1\n  - reboot:\n",
        &["3:5: never-holds: `!boot` never holds here"],
    );
    // Statements look at whole names: what comes later may be in them.
    check("variants:\n  - boot:\n    linux: k = 1\nvariants:\n  - linux:\n  - other:\n", &[]);
    check("linux: k = 1\nvariants:\n  - linux:\n  - other:\n", &[]);
}

#[test]
fn conditions_against_other_filters() {
    check(
        "variants:\n  - linux:\n  - windows:\nvariants:\n  - boot:\n    only linux\n    windows: k = 1\n  - reboot:\n",
        &["7:5: never-holds: `windows` never holds here"],
    );
    check_help(
        "variants:\n  - linux:\n  - windows:\nvariants:\n  - boot:\n    only linux\n    windows: k = 1\n  - reboot:\n",
        "what matches is dropped by `only linux` in t.cfg:6",
    );
    check(
        "variants:\n  - linux:\n  - windows:\n    no boot\nvariants:\n  - boot:\n    windows: k = 1\n  - reboot:\n",
        &["7:5: never-holds: `windows` never holds here"],
    );
    // What everything has to pass is a choice of the day.
    check(&two_blocks("windows: k = 1\nonly linux\n"), &[]);
    check(&two_blocks("only linux\nwindows: k = 1\n"), &[]);
    check("variants:\n  - a:\n  - b:\nvariants:\n  - quick:\n    only a\nb: k = 1\n", &[]);
    check(
        "variants:\n  - a:\n  - b:\nvariants:\n  - quick:\n    only a\n  - full:\nb: k = 1\n",
        &[],
    );
}
