//! What is offered to somebody who is still typing.

use kvmtest_runner::plan::{Choice, Offers, Wanted};

use crate::matrix::{Matrix, SHIPPED, known, matrix};

#[track_caller]
fn check(typed: &str, expect: &[&str]) {
    let choice = Choice { set: Some("full".into()), ..Choice::default() };
    assert_eq!(offered(&matrix(), &choice, typed), expect, "{typed}");
}

fn offered(matrix: &Matrix, choice: &Choice, typed: &str) -> Vec<String> {
    let offers = Offers::new(choice, matrix, known(SHIPPED)).expect("readable");
    offers.filters(typed).into_iter().map(|offer| offer.text).collect()
}

#[test]
fn names_that_begin_so_and_labels_where_there_is_none() {
    check("bo", &["boot"]);
    check("re", &["reboot"]);
    check("wide.", &["wide.boot", "wide.reboot", "wide.shutdown", "wide.migrate"]);
    check("wide.re", &["wide.reboot"]);
    check("sm", &["small"]);
    check("xyzzy", &[]);
    check("small.", &[]);
    check(
        "",
        &[
            "boot",
            "reboot",
            "shutdown",
            "migrate",
            "wide.boot",
            "wide.reboot",
            "wide.shutdown",
            "wide.migrate",
        ],
    );
}

#[test]
fn the_last_label_of_a_filter() {
    check("wide..bo", &["wide..boot"]);
    check(
        "wide..",
        &[
            "wide..boot",
            "wide..full",
            "wide..migrate",
            "wide..others",
            "wide..quick",
            "wide..reboot",
            "wide..shutdown",
        ],
    );
    check("boot,wi", &["boot,wide"]);
    check("boot, wi", &["boot, wide"]);
    let named = Matrix(vec![("tests.cfg", "variants os:\n    - f:\n    - g:\n")]);
    let check = |typed, expect: &[&str]| {
        assert_eq!(offered(&named, &Choice::default(), typed), expect, "{typed}");
    };
    check("(os", &["(os=f)", "(os=g)"]);
    check("f..(os=g", &[]);
    check("f..", &[]);
    check("f", &["f"]);
}

#[test]
fn only_labels_that_a_name_may_have_together() {
    let text = "variants os:\n  - linux:\n    variants:\n      - deb:\n      - rpm:\n  - win:\n    \
                variants:\n      - w10:\nvariants:\n  - ide:\n  - nvme.deb:\n";
    let matrix = Matrix(vec![("tests.cfg", text)]);
    let check = |typed, expect: &[&str]| {
        assert_eq!(offered(&matrix, &Choice::default(), typed), expect, "{typed}");
    };
    check("rpm..", &["rpm..deb", "rpm..ide", "rpm..linux", "rpm..nvme"]);
    check("win..", &["win..deb", "win..ide", "win..nvme", "win..w10"]);
    check("(os=win)..ide..", &["(os=win)..ide..w10", "(os=win)..ide..win"]);
    check("w10..(", &["w10..(os=win)"]);
    check("win..ide..r", &[]);
    check("rpm, win..w", &["rpm, win..w10"]);
    check("nobody..", &[]);
}

#[test]
fn keys_to_be_explained() {
    let text = "sets = a\nmem = 1\nmem_max += 2\nvariants memory:\n  - a:\n    del men\nm.* ?= 1\n";
    let matrix = Matrix(vec![("tests.cfg", text)]);
    let offers = Offers::new(&Choice::default(), &matrix, known(SHIPPED)).expect("readable");
    let keys = |typed| offers.keys(typed).into_iter().map(|offer| offer.text).collect::<Vec<_>>();
    assert_eq!(keys("me"), ["mem", "mem_max", "memory"]);
    assert_eq!(keys(""), ["dep", "mem", "mem_max", "memory", "name", "sets", "shortname"]);
}

#[test]
fn what_was_typed_before_counts() {
    let statement = Wanted::parse(["only wide", "mem = 1"]).expect("understood");
    let choice = Choice { wanted: statement, ..Choice::default() };
    assert_eq!(offered(&matrix(), &choice, "wide.b"), ["wide.boot"]);
    let quick = Choice { set: Some("quick".into()), ..Choice::default() };
    assert_eq!(offered(&matrix(), &quick, ""), ["boot", "reboot"]);
    let broken = Wanted::parse(["only ("]).expect("a statement");
    let broken = Choice { wanted: broken, ..Choice::default() };
    assert!(Offers::new(&broken, &matrix(), known(SHIPPED)).is_none());
}

#[test]
fn a_name_is_offered_with_what_its_subtest_does() {
    let choice = Choice::default();
    let offers = Offers::new(&choice, &matrix(), known(SHIPPED)).expect("readable").filters("boot");
    assert_eq!(offers[0].help, "What it does.");
}

#[test]
fn sets_and_blocks() {
    let choice = Choice::default();
    let matrix = Matrix(vec![("tests.cfg", "sets = a b\nvariants os:\n    - f:\n")]);
    let offers = Offers::new(&choice, &matrix, known(SHIPPED)).expect("readable");
    let texts = |offers: Vec<kvmtest_runner::plan::Offer>| -> Vec<String> {
        offers.into_iter().map(|offer| offer.text).collect()
    };
    assert_eq!(texts(offers.sets()), ["a", "b"]);
    assert_eq!(texts(offers.blocks()), ["os"]);
}

#[test]
fn of_very_many_there_are_a_few_and_soon() {
    // Ten to the thirtieth variants.
    let mut text = String::new();
    for block in 0..30 {
        text.push_str("variants:\n");
        for letter in 'a'..='j' {
            text.extend(["    - ", &letter.to_string(), &block.to_string(), ":\n"]);
        }
    }
    let matrix = Matrix(vec![("tests.cfg", Box::leak(text.into_boxed_str()))]);
    let check = |typed: &str, least: usize, begins: &str| {
        let found = offered(&matrix, &Choice::default(), typed);
        assert!((least..=200).contains(&found.len()), "{typed}: {}", found.len());
        assert!(found.iter().all(|text| text.starts_with(begins)), "{found:?}");
    };
    check("", 200, "");
    check("a", 100 + 30, "a");
    check("j29.j28.i", 100, "j29.j28.i27");
    check("a1", 1, "a1");
    assert!(offered(&matrix, &Choice::default(), "a0.a1").is_empty());
}
