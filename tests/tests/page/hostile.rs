//! A page of a run whose guests send what wants to be more than text.

use kvmtest_tests::{Sandbox, address};
use serde_json::json;

use crate::browser::{browser, page, save};
use crate::record::Record;

/// What a guest may send.
const NASTY: [&str; 16] = [
    "</script><script>owned()</script>",
    "<!--<script>",
    "<!-- </script> --><img src=x onerror=owned()>",
    "]]><x a=\"1\">&amp;",
    "\"'><img src=x onerror=owned()>",
    "javascript:owned()",
    "data:text/html,<script>owned()</script>",
    "{{ 7 * 7 }}{% raw %}",
    "${owned()}`",
    "\x1b[2J\x1b]0;owned\x07",
    "\u{9b}31m\u{85}\u{2028}\u{2029}",
    "\u{202e}gpj.exe\u{2066}",
    "\u{1}\u{fffe}\u{ffff}\u{feff}",
    "<svg onload=owned()>\r\n<style>*{display:none}</style>",
    "__proto__",
    "<a href=https://example.org/ id=tests name=filter>x</a>",
];

#[test]
fn nothing_that_a_guest_sends_becomes_markup() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    let dir = sandbox.work.join("run");
    let mut record = Record::new(&dir, 99);
    for (test, nasty) in (1..).zip(NASTY) {
        let note = json!({"note": "key-value", "key": nasty, "value": nasty});
        let known = json!({"reason": nasty, "link": nasty});
        let known = if test % 2 == 0 { known } else { json!(null) };
        record.test(
            test,
            nasty,
            &json!({
                "outcome": "FAIL", "message": nasty, "contexts": [nasty], "location": nasty,
                "output": nasty, "backtrace": nasty, "known": known, "survivors": [{"vm": nasty, "env": nasty, "instance": nasty, "attach": [nasty]}],
                "console_tail": [nasty], "console_log": nasty, "session_tail": [nasty],
                "command_script": nasty, "cause_shown_by": nasty,
                "evidence": ["serial-x.log", nasty],
            }),
        );
        record.file(test, "serial-x.log", nasty);
        let origin = json!({"file": nasty, "line": 1});
        let params = json!([{"key": nasty, "value": nasty, "origin": origin}]);
        record.file(test, "params.json", params.to_string());
        record.tell(json!({"event": "test-started", "test": 50, "name": nasty, "shortname": nasty,
            "subtest": nasty, "iteration": 1, "directory": "050-x"}));
        record.tell(json!({"event": "note", "test": 50, "note": note}));
        record.tell(json!({"event": "slow", "test": 50, "phase": "run", "after_ms": 1,
            "waiting_for": nasty}));
        record.tell(json!({"event": "test-finished", "test": 50, "outcome": "FAIL",
            "message": nasty, "duration_ms": 1, "retried": true}));
        record.tell(json!({"event": "remark", "message": nasty}));
    }
    record.finish(&json!({"fail": 9, "known": 8}));
    let page = page(&sandbox);
    browser.open(&address(&page));
    let tests = NASTY.len() + 1;
    browser.eval("window.owned = () => { document.title = 'owned'; }");
    let elements = "[...new Set([...document.body.querySelectorAll('*')].map(e => e.localName))]";
    let odd =
        format!("{elements}.filter(name => ['x', 'style', 'img', 'iframe'].includes(name)).join()");
    assert_eq!(browser.eval(&odd), "", "before anything is opened");
    browser.eval("document.querySelectorAll('tr[data-word] a').forEach(a => a.getAttribute('aria-expanded') === 'true' || a.click())");
    assert_eq!(browser.eval("document.querySelectorAll('.card').length"), tests);
    assert_eq!(browser.eval(&odd), "", "when everything is open");
    assert_eq!(browser.eval("document.querySelectorAll('script').length"), tests + 2);
    assert_eq!(browser.eval("document.scripts[document.scripts.length - 1].type"), "");
    let schemes = "[...new Set([...document.querySelectorAll('[href], [src]')].map(e => new URL(e.href || e.src, location).protocol))].sort().join()";
    assert_eq!(browser.eval(schemes), "file:");
    let handlers = "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on') || a.name === 'style' && e.closest('.card') === null && e.id !== 'chart')).length";
    assert_eq!(browser.eval(handlers), 0);
    let text = browser.eval("document.body.innerText");
    let text = text.as_str().expect("text");
    let turns =
        |c: char| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    let steers = |c: char| (c.is_control() && c != '\n' && c != '\t') || turns(c);
    assert_eq!(text.chars().find(|c| steers(*c)), None);
    assert!(text.contains("</script><script>owned()</script>") && text.contains("{{ 7 * 7 }}"));
    assert_ne!(browser.eval("document.title"), "owned");
    assert_eq!(browser.requests(), [address(&page)]);
    assert_eq!(browser.complaints(), [""; 0]);
    save(&mut browser, "hostile");
}

/// Were some text to become markup all the same, the policy still keeps it from doing anything.
#[test]
fn the_policy_lets_no_other_script_run() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    let mut record = Record::new(&sandbox.work.join("run"), 1);
    record.test(1, "boot", &json!({}));
    record.finish(&json!({"pass": 1}));
    let page = page(&sandbox);
    let text = std::fs::read_to_string(&page).expect("read");
    let bad = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">\
               <img src=https://example.org/x.png>";
    std::fs::write(&page, text.replace("<main>", &format!("<main>{bad}"))).expect("written");
    browser.open(&address(&page));
    assert_ne!(browser.eval("document.title"), "owned");
    assert_eq!(browser.eval("document.documentElement.dataset.ready"), "1", "our own one runs");
    let complaints = browser.complaints().concat();
    assert!(complaints.contains("Content Security Policy"), "{complaints}");
}
