//! Values that nobody reads, and keys that nobody sets.

use crate::{assert_told, check, check_help, parse};

#[test]
fn values_that_nobody_reads() {
    let told = |line: u32| {
        vec![format!(
            "{line}:1: overwritten: this value of `k` is replaced before anything reads it"
        )]
    };
    let check = |text: &str, line: Option<u32>| {
        let expected = line.map(told).unwrap_or_default();
        check(text, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check("k = 1\nk = 2\n", Some(1));
    check("k = 1\nj = 1\nk = 1\n", Some(1));
    check("k = 1\nj = ${i}\nk = 2\n", Some(1));
    check("k = ${i}\nk = 2\n", Some(1));
    check("k ~= 1\nk = 1\nk = 2\n", Some(2));
    check("k = 1\nvariants:\n  - a:\n    k = 2\n", None);
    check("k = 1\nvariants:\n  - a:\nk = 2\n", None);
    check("k = 1\nj = ${k}\nk = 2\n", None);
    check("k = 1\nk = ${k}2\n", None);
    check("k = 1\nk += 2\nk = 3\n", None);
    check("k = 1\n. ?= 3\nk = 2\n", None);
    check("k = 1\nsuffix _a\n", None);
    check("variants os:\n  - a:\n    os = b\n", None);
    check("variants:\n  - a:\nk = 1\na: j = ${k}\nk = 2\n", None);
    let body = "variants:\n  - a:\na:\n    k = 1\n    k = 2\n";
    let found = parse(body).lint();
    assert_told(
        &found,
        &["4:5: overwritten: this value of `k` is replaced before anything reads it"],
        body,
    );
    assert_eq!(found[0].help.as_deref(), Some("`k` is set again in t.cfg:5"));
}

#[test]
fn values_that_are_deleted() {
    let told = &["1:1: overwritten: this value of `k` is deleted before anything reads it"];
    check("k = 1\ndel k\nk = 2\n", told);
    check("k = 1\ndel k\n", told);
    check_help("k = 1\ndel k\n", "`del k` is in t.cfg:2");
    check("k = 1\nj = ${k}\ndel k\n", &[]);
    check("k = 1\nvariants:\n  - a:\n    del k\n    k = 2\n", &[]);
    check("del k\nk = 2\n", &[]);
}

#[test]
fn keys_that_have_no_value_where_they_are_read() {
    let told = |place: &str, key: &str| {
        vec![format!(
            "{place}: unset-key: `${{{key}}}` has no value here: it stays as it is written"
        )]
    };
    let check = |text: &str, expected: Vec<String>| {
        check(text, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check("qemu = /bin/${arch}/q\narch = x\n", told("1:13", "arch"));
    check("arch = x\nqemu = ${arhc}\n", told("2:8", "arhc"));
    check("k = ${i}${arch}\narch = x\n", told("1:9", "arch"));
    check(
        "variants:\n  - a:\n    j = ${k}\n    variants:\n      - b:\n        k = 1\n",
        told("3:9", "k"),
    );
    check("variants:\n  - a:\n    j = ${k}\na: k = 1\n", told("3:9", "k"));
    // Others have it: so this one may be given it, too.
    check("variants:\n  - a:\n    k = 1\n  - b:\n    j = ${k}\n", vec![]);
    check("k += ${k}\n", told("1:6", "k"));
    check_help("qemu = ${arch}\narch = x\n", "`arch` is set in t.cfg:2, which comes after it");
    check_help("arch = x\nqemu = ${arhc}\n", "did you mean `${arch}`?");
    check("arch = x\nqemu = ${arch}\n", vec![]);
    check("variants os:\n  - a:\n    j = ${os}${name}${shortname}${dep}\n", vec![]);
    check("variants:\n  - a:\n    k = 1\n  - b:\nj = ${k}\n", vec![]);
    check("variants:\n  - a:\na: k = 1\nj = ${k}\n", vec![]);
    check("k = 1\nk = ${k}\n", vec![]);
    // For a shell, or set by somebody else.
    check("arch = x\ncmd = echo ${i} ${HOME} ${something} ${ARCH}\nhome = x\n", vec![]);
    check("date_of_birth = x\ncmd = echo ${date}\n", vec![]);
    // A suffix makes other keys.
    check("variants:\n  - a:\n    k = 1\n    suffix _x\nj = ${k_x}\nk_x = 1\n", vec![]);
    // Many of them are looked at in turns.
    let many: Vec<String> = (0..200).map(|i| format!("j{i} = ${{k{i}}}\nk{i} = 1\n")).collect();
    assert_eq!(parse(&many.concat()).lint().len(), 200);
}

#[test]
fn comments_that_are_values() {
    let told =
        |place: &str| vec![format!("{place}: trailing-comment: this comment is part of the value")];
    let check = |text: &str, expected: Vec<String>| {
        check(text, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check("mem = 512 # of the guest\n", told("1:11"));
    check("mem = \"512\"   # of the guest\n", told("1:15"));
    check("mem = # not yet\n", told("1:7"));
    check("variants:\n  - a:\na: mem += 512 # more\n", told("3:15"));
    check("cmd = \"echo # this\"\ncmd2 = 'a # b'\nnic = Adapter #2\nurl = a#b\n", vec![]);
}

#[test]
fn expressions_that_match_nothing() {
    let told = |place: &str, text: &str| {
        vec![format!("{place}: matches-no-key: no key that may have a value here matches `{text}`")]
    };
    let check = |text: &str, expected: Vec<String>| {
        check(text, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check("k ?= 1\n", told("1:1", "k"));
    check("mem = 1\nmen.* ?= 2\n", told("2:1", "men.*"));
    check("k ?+= 1\nk = 1\n", told("1:1", "k"));
    check("variants:\n  - a:\n    k = 1\n  - b:\n    k ?= 2\n", told("5:5", "k"));
    check("k = 1\nk ?= 2\n", vec![]);
    check("mem_vm1 = 1\nmem.* ?= 2\n", vec![]);
    check("variants:\n  - a:\n    k = 1\n  - b:\nk ?= 2\n", vec![]);
    check("variants os:\n  - a:\n    os ?= 2\n", vec![]);
    check("variants:\n  - a:\na: k = 1\nk ?= 2\n", vec![]);
    // A suffix makes other keys.
    check("variants:\n  - a:\n    k = 1\n    suffix _x\nk_x ?= 2\n", vec![]);
    check_help("mem = 1\nmen ?= 2\n", "did you mean `mem`?");
    check_help(
        "something_else ?= 2\n",
        "`?=` changes keys that have a value already; `=` sets one",
    );
    check_help("k ?= 1\nk = 2\n", "`k` is set in t.cfg:2, which does not come before it");
    // Many of them are looked at in turns.
    let many: Vec<String> = (0..200).map(|i| format!("k{i} ?= 1\nk{i} = 1\n")).collect();
    assert_eq!(parse(&many.concat()).lint().len(), 200);
}

#[test]
fn values_that_are_not_known() {
    let text = "type = boot\nvariants:\n  - a:\n    type = bot\n  - b:\n    type = \"shutdown\"\n  - c:\n    type =\n";
    let found = parse(text).lint_values("type", &["boot", "shutdown"], "subtest");
    assert_told(&found, &["4:12: unknown-value: there is no subtest `bot`"], text);
    assert_eq!(found[0].help.as_deref(), Some("did you mean `boot`?"));
    assert!(parse(text).lint_values("tipe", &["boot"], "subtest").is_empty());
}
