//! Labels that no variant has.

use crate::{assert_told, check, check_help, parse, two_blocks};
use kvmtest_cartesian::{NoInclude, Parser, Source};

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
