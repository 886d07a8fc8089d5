//! Two thousand tests on one page.

use std::time::Instant;

use kvmtest_tests::{Sandbox, address, skip};
use serde_json::json;

use crate::browser::{browser, page};
use crate::record::Record;

const TESTS: u32 = 2000;

/// Two thousand tests with a hundred params and three logs each; every fiftieth failed.
fn record(sandbox: &Sandbox) {
    let mut record = Record::new(&sandbox.work.join("run"), TESTS);
    let log = "[    1.234567] a line of a console, neither long nor short\n".repeat(400);
    for test in 1..=TESTS {
        let failed = test % 50 == 0;
        let (outcome, message) =
            if failed { ("FAIL", "no prompt within 240 s") } else { ("PASS", "") };
        let end = json!({
            "outcome": outcome, "message": message,
            "evidence": ["debug.log", "serial-vm1.log", "session-vm1.log"],
        });
        record.test(test, &format!("smp{}.virtio.boot", test % 4), &end);
        let params: Vec<_> = (0..100)
            .map(|key| {
                let origin = json!({"file": "base.cfg", "line": key});
                let value = if key == 7 { test } else { key };
                json!({"key": format!("key_{key}"), "value": value.to_string(), "origin": origin})
            })
            .collect();
        record.file(test, "params.json", json!(params).to_string());
        for name in ["debug.log", "serial-vm1.log", "session-vm1.log"] {
            record.file(test, name, &log);
        }
    }
    record.finish(&json!({"pass": TESTS - TESTS / 50, "fail": TESTS / 50}));
}

#[test]
fn two_thousand_tests_are_on_one_page() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    record(&sandbox);
    browser.open(&address(&page(&sandbox)));
    assert_eq!(browser.eval("document.querySelectorAll('tr[data-word]').length"), TESTS);
    assert_eq!(browser.eval("document.querySelectorAll('.details').length"), 0, "none of forty");
    browser.press("n");
    browser.press("Enter");
    assert_eq!(browser.eval("document.querySelector('.details').previousElementSibling.id"), "t50");
    assert_eq!(browser.eval("document.querySelectorAll('.params tr').length"), 100);
    browser.press("/");
    browser.types("smp1");
    assert_eq!(browser.eval("document.querySelector('#shown').textContent"), "500 of 2000");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Prints what the book tells: `cargo test --release -p kvmtest-tests --test page -- --ignored
/// --nocapture`, with `KVMTEST_PROGRAM` naming a release build.
#[test]
#[ignore = "it measures, and there is nothing to fail"]
fn measure() {
    let sandbox = Sandbox::new();
    record(&sandbox);
    let began = Instant::now();
    let page = page(&sandbox);
    let made = began.elapsed();
    let size = page.metadata().expect("there").len() >> 10;
    skip(&format!("(no test, but figures) made in {made:?}, {size} KiB"));
    let Some(mut browser) = browser() else { return };
    let mut figures = |what: &str, expression: &str| {
        let mut times: Vec<f64> = (0..5)
            .map(|_| {
                browser.open(&address(&page));
                browser.eval(expression).as_f64().expect("milliseconds")
            })
            .collect();
        times.sort_by(f64::total_cmp);
        skip(&format!(
            "{what}: {:.0} ms (median of 5, {:.0} to {:.0})",
            times[2], times[0], times[4]
        ));
    };
    let entry = "performance.getEntriesByType('navigation')[0]";
    figures("opened, until it can be used", &format!("{entry}.domContentLoadedEventEnd"));
    figures(
        "until it is shown as well",
        "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))",
    );
    let timed = |act: &str| {
        format!(
            "(() => {{ const t = performance.now(); {act}; document.body.offsetHeight; return performance.now() - t; }})()"
        )
    };
    figures(
        "filtered",
        &timed(
            "const f = document.querySelector('#filter'); f.value = 'smp1'; f.dispatchEvent(new Event('input'))",
        ),
    );
    figures("sorted by time", &timed("document.querySelector('th[data-key=t] button').click()"));
    figures("a test opened", &timed("document.querySelector('#t50 a').click()"));
}
