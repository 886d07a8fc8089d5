//! How findings are told.

use crate::{parse, two_blocks};
use kvmtest_cartesian::{Diagnostic, Finding};

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
