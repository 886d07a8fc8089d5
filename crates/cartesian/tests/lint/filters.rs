//! Filters that leave nothing, and variants that nothing is left of.

use crate::{check, check_help, two_blocks};

#[test]
fn filters_that_leave_nothing_at_all() {
    check(
        &two_blocks("only boot\nonly windows\nonly reboot\nno linux\n"),
        &["9:1: leaves-nothing: `only reboot` leaves nothing of the configuration"],
    );
    check_help(
        &two_blocks("only boot\nonly windows\nonly reboot\n"),
        "it contradicts `only boot` in t.cfg:7",
    );
    check(
        &two_blocks("only boot\nno linux, windows\n"),
        &["8:1: leaves-nothing: `no linux, windows` leaves nothing of the configuration"],
    );
    check(
        &two_blocks("only boot..reboot\n"),
        &["7:1: leaves-nothing: `only boot..reboot` leaves nothing of the configuration"],
    );
    check(
        "variants:\n  - a:\n    only c\n  - b:\n    only c\nvariants:\n  - c:\n    only d\n  - d:\n    no a, b\n",
        &["8:5: leaves-nothing: `only d` leaves nothing of the configuration"],
    );
    check(
        "variants:\n  - a:\nno a\n",
        &["3:1: leaves-nothing: `no a` leaves nothing of the configuration"],
    );
    check("variants:\n  - a:\nonly a\n", &[]);
}

#[test]
fn filters_that_leave_nothing_of_a_variant() {
    let check = |more: &str, expected: &[&str]| {
        check(&two_blocks(&format!("variants:\n  - x:\n{more}  - y:\n")), expected);
    };
    check(
        "    only boot\n    only reboot\n",
        &["10:5: leaves-nothing: `only reboot` leaves nothing of `x`"],
    );
    check(
        "    only boot\n    no boot\n",
        &["10:5: leaves-nothing: `no boot` leaves nothing of `x`"],
    );
    check(
        "    only boot.linux\n",
        &["9:5: leaves-nothing: `only boot.linux` leaves nothing of `x`"],
    );
    check("    only y\n", &["9:5: leaves-nothing: `only y` leaves nothing of `x`"]);
    check("    only boot\n    only linux\n", &[]);
    // A way to switch a variant off for a while.
    check("    no x\n", &[]);
    check(
        "    no linux, windows\n",
        &["9:5: leaves-nothing: `no linux, windows` leaves nothing of `x`"],
    );
    check(
        "    linux:\n        only boot\n        only reboot\n",
        &["11:9: leaves-nothing: `only reboot` leaves nothing of what `linux` holds for"],
    );
    check(
        "    linux:\n        only boot\n    only reboot\n    only linux\n",
        &["12:5: leaves-nothing: `only linux` leaves nothing of `x`"],
    );
}

#[test]
fn filters_that_leave_nothing_to_join() {
    check(&two_blocks("join boot reboot\n"), &[]);
    check(
        &two_blocks("join boot linux..windows\n"),
        &["7:6: leaves-nothing: nothing matches `linux..windows`: the `join` gives no variant"],
    );
}

#[test]
fn variants_that_are_dropped_elsewhere() {
    check(
        "variants:\n  - ide:\n  - scsi:\nvariants:\n  - boot:\n    no ide\n  - reboot:\n    only scsi\n",
        &["2:3: dropped-variant: every name through `ide` is dropped"],
    );
    check_help(
        "variants:\n  - ide:\n  - scsi:\nvariants:\n  - boot:\n    no ide\n  - reboot:\n    only scsi\n",
        "the last ones by `only scsi` in t.cfg:8",
    );
    check("variants:\n  - ide:\n  - scsi:\nvariants:\n  - boot:\n    no ide\n  - reboot:\n", &[]);
    // On purpose: from outside, and from around a list.
    check("variants:\n  - ide:\n  - scsi:\nno ide\n", &[]);
    check(
        "variants:\n  - disk:\n    variants:\n      - ide:\n      - scsi:\n    no ide\n  - net:\n",
        &[],
    );
    // What is inside of it is not told again.
    check(
        "variants:\n  - a:\n    variants:\n      - b:\n        only c\n        k: j = 1\n  - c:\nvariants:\n  - d:\n    no a\n  - k:\n    no a\n",
        &["5:9: leaves-nothing: `only c` leaves nothing of `a.b`"],
    );
}

#[test]
fn duplicates() {
    check(
        "variants:\n  - a:\n  - b:\n  - a:\n    k = 1\n",
        &["4:3: duplicate-variant: the block has a variant `a` already"],
    );
    check(
        "variants os:\n  - a:\n  - @a:\n",
        &["3:3: duplicate-variant: the block has a variant `(os=a)` already"],
    );
    check("variants:\n  - a.b:\n  - a:\n  - a.c:\n", &[]);
    check("variants:\n  - a:\nvariants:\n  - a:\n", &[]);
    // They share out what there is.
    let shared = |one: &str, other: &str| {
        format!(
            "variants:\n  - linux:\n  - windows:\nvariants:\n  - a:\n    {one}\n  - a:\n    {other}\n  - b:\n"
        )
    };
    check(&shared("only linux", "no linux"), &[]);
    check(
        &shared("only linux", "no windows"),
        &["7:3: duplicate-variant: the block has a variant `a` already"],
    );
    check("variants:\n  - a:\n    variants:\n      - x:\n  - a:\n    variants:\n      - y:\n", &[]);
    check_help("variants:\n  - a:\n  - a:\n", "it is in t.cfg:2: rename one, or write both as one");
}
