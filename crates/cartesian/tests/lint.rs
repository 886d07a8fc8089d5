//! What is found in texts that mean something else than their author wants, and what is not.

use kvmtest_cartesian::{Config, Diagnostic, Finding, NoInclude, Parser, Source};

/// `expected`: `line:column: finding: message`, one for each diagnostic.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_told(&parse(text).lint(), expected, text);
}

#[track_caller]
fn assert_told(found: &[Diagnostic], expected: &[&str], text: &str) {
    let told: Vec<String> = found
        .iter()
        .map(|d| {
            assert!(!d.is_error() && !d.render(true).is_empty());
            let kind = d.finding.expect("a finding has a kind");
            format!("{}:{}: {kind}: {}", d.line, d.columns.start, d.message)
        })
        .collect();
    assert_eq!(told, expected, "{text}");
}

/// What would be right, of the only finding.
#[track_caller]
fn check_help(text: &str, expected: &str) {
    let found = parse(text).lint();
    assert_eq!(found.len(), 1, "{text}\n{found:?}");
    assert_eq!(found[0].help.as_deref(), Some(expected), "{text}");
}

fn parse(text: &str) -> Config {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", text), &mut NoInclude);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:?}");
    config
}

/// Two blocks, of which the second is called `os`, and further statements.
fn two_blocks(more: &str) -> String {
    format!("variants:\n  - boot:\n  - reboot:\nvariants os:\n  - linux:\n  - windows:\n{more}")
}

#[test]
fn nothing_to_tell() {
    check("", &[]);
    check("k = 1\nk += 2\n", &[]);
    check(&two_blocks("only boot\nno (os=linux)..reboot\nwindows: k = 1\n"), &[]);
    check(&two_blocks("boot, windows.reboot:\n    k = 1\n    windows: k = 2\n"), &[]);
}

#[test]
fn unknown_labels() {
    let check = |more: &str, expected: &[&str]| check(&two_blocks(more), expected);
    check("no bot\n", &["7:4: unknown-label: no variant has the label `bot`: nothing is dropped"]);
    check("only boot, bot\n", &["7:12: unknown-label: no variant has the label `bot`"]);
    check(
        "bot:\n    k = 1\n",
        &["7:1: unknown-label: no variant has the label `bot`: the condition never holds"],
    );
    check(
        "!bot: k = 1\n",
        &["7:2: unknown-label: no variant has the label `bot`: the condition always holds"],
    );
    // One is enough to make a word worth nothing.
    check(
        "no boot..bot.bat, but\n",
        &[
            "7:10: unknown-label: no variant has the label `bot`: nothing is dropped",
            "7:19: unknown-label: no variant has the label `but`: nothing is dropped",
        ],
    );
    check(
        "no (os=linus)\n",
        &["7:4: unknown-label: no variant has the label `(os=linus)`: nothing is dropped"],
    );
    check(
        "no (is=linux)\n",
        &["7:4: unknown-label: no variant has the label `(is=linux)`: nothing is dropped"],
    );
    check(
        "no (os=boot)\n",
        &["7:4: unknown-label: no variant has the label `(os=boot)`: nothing is dropped"],
    );
    check("no (os=linux), (linux), linux, windows..boot  # bot\n", &[]);
    // Also where nothing follows that could hold.
    check(
        "bot:\n    # k = 1\n",
        &["7:1: unknown-label: no variant has the label `bot`: the condition never holds"],
    );
    // What empties everything is told once.
    check("only bot\n", &["7:6: unknown-label: no variant has the label `bot`: nothing is left"]);
    check(
        "join bot\n",
        &["7:6: unknown-label: no variant has the label `bot`: the `join` gives no variant"],
    );
    check(
        "join boot bot\n",
        &["7:11: unknown-label: no variant has the label `bot`: the `join` gives no variant"],
    );
}

#[test]
fn slips_of_statements_that_are_given_afterwards() {
    let mut parser = Parser::new();
    parser.parse(Source::new("t.cfg", two_blocks("no bot\n")), &mut NoInclude);
    for statement in
        ["only boot", "no bot", "boot: k = 1", "bit, boot:\n  no bat", "k = bot", "boot:"]
    {
        parser.statement(statement);
    }
    let told = parser.slips("<command line>");
    let expected = [
        "1:4: unknown-label: no variant has the label `bot`: nothing is dropped",
        "1:1: unknown-label: no variant has the label `bit`",
        "2:6: unknown-label: no variant has the label `bat`: nothing is dropped",
        "1:1: empty-condition: a condition with nothing in it",
    ];
    assert_told(&told, &expected, "");
    assert_eq!(told[0].help.as_deref(), Some("did you mean `boot`?"));
    assert!(parser.slips("other.cfg").is_empty());
}

#[test]
fn the_nearest_label() {
    let check = |more: &str, expected: &str| check_help(&two_blocks(more), expected);
    check("no bot\n", "did you mean `boot`?");
    check("no os\n", "`os` is a block: its labels are `(os=…)`");
    check("no (os=linus)\n", "did you mean `(os=linux)`?");
    check("no (is=linux)\n", "no block is called `is`; did you mean `os`?");
    assert_eq!(parse(&two_blocks("no nothing_of_the_kind\n")).lint()[0].help, None);
}

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
fn dependencies_on_nobody() {
    let of = |dep: &str| format!("variants os:\n  - linux:\nvariants:\n  - boot:\n  - a: {dep}\n");
    let told = |column: u32, label: &str| {
        format!(
            "5:{column}: unknown-dependency: no variant has the label `{label}`: nothing is depended on"
        )
    };
    let check = |dep: &str, expected: &[String]| {
        check(&of(dep), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    check("bot", &[told(8, "bot")]);
    check("boot, bot bit", &[told(14, "bot"), told(18, "bit")]);
    check("boot.bot", &[told(13, "bot")]);
    check("(os=linus)", &[told(8, "(os=linus)")]);
    check("boot linux, (os=linux) (linux)..boot linux.boot", &[]);
    check_help(&of("bot"), "did you mean `boot`?");
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

/// A main file that includes others.
fn parse_files(files: &[(&str, &str)]) -> Config {
    let mut load = |path: &str, _: &str| {
        let found = files.iter().find(|(name, _)| *name == path).ok_or("not there")?;
        Ok(Source::new(found.0, found.1))
    };
    let mut parser = Parser::new();
    parser.parse(Source::new(files[0].0, files[0].1), &mut load);
    let (config, diagnostics) = parser.finish();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    config
}

#[test]
fn defaults_of_included_files_are_there_to_be_replaced() {
    let base = ("base.cfg", "k = 1\n");
    assert_told(&parse_files(&[("t.cfg", "include base.cfg\nk = 2\n"), base]).lint(), &[], "");
    assert_told(&parse_files(&[("t.cfg", "k = 1\ninclude base.cfg\n"), base]).lint(), &[], "");
    let between = [("t.cfg", "j = 1\ninclude base.cfg\nj = 2\n"), base];
    assert_told(&parse_files(&between).lint(), &[], "");
}

#[test]
fn a_file_that_is_read_twice_is_right_if_it_is_once() {
    let main = "variants:\n  - a:\n    include list.cfg\n  - b:\n    include list.cfg\n";
    let list = |text| parse_files(&[("t.cfg", main), ("list.cfg", text)]).lint();
    assert_told(&list("a: k = 1\n"), &[], main);
    assert_told(&list("no a..b\n"), &["1:1: never-holds: `no a..b` drops nothing"], main);
    assert_told(
        &list("k = 1\nk = 2\n"),
        &["1:1: overwritten: this value of `k` is replaced before anything reads it"],
        main,
    );
}

#[test]
fn a_list_that_is_narrowed_is_right() {
    let main = "variants:\n  - a:\n    include list.cfg\n    no x\n  - b:\n";
    let list = "variants:\n  - x:\n    k = 1\n  - y:\nx: j = 1\n";
    assert_told(&parse_files(&[("t.cfg", main), ("list.cfg", list)]).lint(), &[], main);
}

#[test]
fn in_the_order_of_the_text_with_a_picture() {
    let text = "k = 1\nk = 2\nvariants:\n  - linux:\n  - windows:\nno linus\nj ?= 1\n";
    let found = parse(text).lint();
    let lines: Vec<u32> = found.iter().map(|found| found.line).collect();
    assert_eq!(lines, [1, 6, 7]);
    let expected = "\
warning[unknown-label]: no variant has the label `linus`: nothing is dropped
 --> t.cfg:6:4
  |
6 | no linus
  |    ^^^^^
  |
  = help: did you mean `linux`?";
    assert_eq!(found[1].render(false), expected);
}

#[test]
fn what_is_in_one_line_shares_a_picture() {
    let found = parse(&two_blocks("no bot, rebot, lynux..bot, bot\nno bot\n")).lint();
    let all: Vec<&Diagnostic> = found.iter().collect();
    assert!(all[0].shares_picture(all[3]) && !all[0].shares_picture(all[4]));
    let expected = "\
warning[unknown-label]: no variant has the label `bot`: nothing is dropped
warning[unknown-label]: no variant has the label `rebot`: nothing is dropped
warning[unknown-label]: no variant has the label `lynux`: nothing is dropped
 --> t.cfg:7:4
  |
7 | no bot, rebot, lynux..bot, bot
  |    ^^^  ^^^^^  ^^^^^       ^^^
  |
  = help: did you mean `boot`?
  = help: did you mean `reboot`?
  = help: did you mean `linux`?";
    assert_eq!(Diagnostic::render_together(&all[..4], false), expected);
    assert_eq!(Diagnostic::render_together(&all[..1], true), all[0].render(true));
    assert_eq!(Diagnostic::render_together(&[], false), "");
}

#[test]
fn kinds_have_names() {
    for finding in Finding::ALL {
        assert_eq!(finding.name().parse(), Ok(finding));
        assert_eq!(finding.to_string(), finding.name());
        assert!(!finding.meaning().is_empty());
    }
    let error = "unknown".parse::<Finding>().expect_err("there is none");
    assert!(error.contains("`unknown`") && error.contains("unknown-label"), "{error}");
}
