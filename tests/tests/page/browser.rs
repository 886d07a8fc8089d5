//! The page as a person uses it.

use camino::Utf8PathBuf;
use kvmtest_tests::{Browser, Sandbox, address, skip};
use serde_json::json;

use crate::record::Record;

/// The smallest picture there is.
pub(crate) const PIXEL: [u8; 67] =
    *b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\
    \0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82";

/// A browser, or nothing where there is none; then that is said.
pub(crate) fn browser() -> Option<Browser> {
    Browser::start(1280, 900).map_err(|why| skip(&why)).ok()
}

/// Makes the page of the run in `work/run`.
pub(crate) fn page(sandbox: &Sandbox) -> Utf8PathBuf {
    let page = sandbox.work.join("run/results.html");
    let made = sandbox.kvmtest(["report", "run", "--format", "html", "-o", page.as_str()]);
    made.code(0);
    page
}

/// Saves what the window shows, where `KVMTEST_SCREENSHOTS` says.
pub(crate) fn save(browser: &mut Browser, name: &str) {
    if let Ok(folder) = std::env::var("KVMTEST_SCREENSHOTS") {
        std::fs::write(format!("{folder}/{name}.png"), browser.screenshot()).expect("written");
    }
}

/// A run with some of everything.
fn varied(sandbox: &Sandbox) {
    let dir = sandbox.work.join("run");
    let mut record = Record::new(&dir, 6);
    std::fs::create_dir(dir.join("sources")).expect("made");
    std::fs::write(dir.join("sources/reboot.rs"), "one\ntwo();\nthree\n").expect("written");
    record.test(1, "boot", &json!({}));
    record.test(
        2,
        "reboot",
        &json!({
            "outcome": "FAIL", "cause": "guest-did-not-boot", "message": "no prompt within 5 s",
            "contexts": ["rebooting vm1", "logging in"], "location": "reboot.rs:2:1",
            "evidence": ["screen.png", "serial-vm1.log", "odd name?#%.log"], "console_tail": ["line 50 of boot"], "console_log": "serial-vm1.log",
            "command_script": "qemu-vm1.sh",
        }),
    );
    let log: String =
        (1..=50).map(|line| format!("line {line} of boot\n")).collect::<Vec<_>>().concat();
    record.file(2, "serial-vm1.log", log);
    record.file(2, "odd name?#%.log", "odd\n");
    record.file(2, "screen.png", PIXEL);
    let origin = json!({"file": "base.cfg", "line": 3});
    let params = json!([
        {"key": "mem", "value": "512", "origin": origin}, {"key": "smp", "value": "2"},
    ]);
    record.file(2, "params.json", params.to_string());
    record.test(3, "slow", &json!({"duration_ms": 9000}));
    record.test(4, "nic", &json!({"outcome": "SKIP", "message": "needs two NICs"}));
    let known = json!({"reason": "no IPv6", "link": "https://example.org/7"});
    record.test(5, "ping", &json!({"outcome": "FAIL", "known": known}));
    record.test(6, "quick", &json!({"outcome": "PASS", "flaky": true, "duration_ms": 100}));
    record.finish(&json!({"pass": 3, "fail": 1, "skip": 1, "known": 1, "flaky": 1}));
}

const SHOWN: &str = "[...document.querySelectorAll('tr[data-word]:not([hidden]) a')].map(a => a.textContent).join()";

#[test]
fn the_table_is_sorted_and_filtered() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    varied(&sandbox);
    browser.open(&address(&page(&sandbox)));
    assert_eq!(browser.eval(SHOWN), "boot,reboot,slow,nic,ping,quick");
    let mut sorted = |key: &str, expect: &str| {
        browser.eval(&format!("document.querySelector('th[data-key={key}] button').click()"));
        assert_eq!(browser.eval(SHOWN), expect, "{key}");
    };
    sorted("t", "slow,boot,reboot,nic,ping,quick");
    sorted("t", "quick,boot,reboot,nic,ping,slow");
    sorted("o", "reboot,ping,nic,boot,slow,quick");
    sorted("name", "boot,nic,ping,quick,reboot,slow");
    sorted("why", "quick,reboot,ping,nic,boot,slow");
    sorted("n", "boot,reboot,slow,nic,ping,quick");
    let chip = |word: &str| format!("document.querySelector('.chip[data-word={word}]').click()");
    browser.eval(&chip("SKIP"));
    assert_eq!(browser.eval(SHOWN), "nic");
    browser.eval(&chip("FLAKY"));
    assert_eq!(browser.eval(SHOWN), "nic,quick");
    assert_eq!(browser.eval("document.querySelector('#shown').textContent"), "2 of 6");
    browser.press("Escape");
    let mut typed = |text: &str, expect: &str| {
        browser.press("/");
        browser.types(text);
        assert_eq!(browser.eval(SHOWN), expect, "{text}");
        browser.press("Escape");
        browser.press("Escape");
    };
    typed("q35 boot", "boot,reboot");
    typed("TWO nics", "nic");
    typed("did not boot", "reboot");
    typed("ipv6", "ping");
    typed("nothing like it", "");
    assert_eq!(browser.eval(SHOWN), "boot,reboot,slow,nic,ping,quick");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_failure_tells_its_story() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    varied(&sandbox);
    let page = page(&sandbox);
    browser.open(&address(&page));
    let text = browser.eval("document.querySelector('.details').innerText");
    let text = text.as_str().expect("the only failure is open from the beginning");
    for part in [
        "guest did not boot: no prompt within 5 s",
        "rebooting vm1",
        "reboot.rs:2:1",
        "two();",
        "line 50 of boot",
        "/qemu-vm1.sh",
        "prepare 100 ms",
        "base.cfg:3",
        "odd name?#%.log",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(browser.eval("document.querySelector('.shots img').naturalWidth"), 1);
    assert_eq!(browser.eval("document.querySelectorAll('.line i').length"), 3);
    let ends = "[...document.querySelectorAll('.files a')].map(a => a.href).join('\\n')";
    let links = browser.eval(ends);
    for link in links.as_str().expect("text").lines() {
        browser.eval(&format!("fetch({link:?}).catch(() => 0)"));
    }
    let odd = "odd%20name%3F%23%25.log";
    assert!(links.as_str().expect("text").contains(odd), "{links}");
    save(&mut browser, "story");
}

#[test]
fn logs_and_params_are_searched() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    varied(&sandbox);
    browser.open(&address(&page(&sandbox)));
    browser.eval("document.querySelector('.bar input').focus()");
    browser.types("line 4");
    let marks = "document.querySelectorAll('.log mark').length";
    assert_eq!(browser.eval(marks), 11, "line 4, and 40 to 49");
    let place = "document.querySelector('.bar span').textContent";
    assert_eq!(browser.eval(place), "1 of 11");
    browser.press("Enter");
    assert_eq!(browser.eval(place), "2 of 11");
    browser.eval("document.querySelectorAll('.tabs button')[1].click()");
    assert_eq!(browser.eval("document.querySelector('.log').textContent"), "odd\n");
    browser.eval("document.querySelector('[aria-label=\"find a param\"]').focus()");
    browser.types("base.cfg");
    assert_eq!(browser.eval("document.querySelector('.params').innerText"), "mem\t512\tbase.cfg:3");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_keyboard_is_enough() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    varied(&sandbox);
    browser.open(&address(&page(&sandbox)));
    let opened =
        "[...document.querySelectorAll('.details')].map(d => d.previousElementSibling.id).join()";
    assert_eq!(browser.eval(opened), "t2");
    for (keys, expect) in [
        (&["j", "Enter"][..], "t1,t2"),
        (&["Enter"], "t2"),
        (&["n", "Enter"], ""),
        (&["j", "j", "k", "Enter"], "t3"),
    ] {
        for key in keys {
            browser.press(key);
        }
        assert_eq!(browser.eval(opened), expect, "{keys:?}");
    }
    assert_eq!(browser.eval("location.hash"), "#3");
    assert_eq!(browser.eval("document.activeElement.textContent"), "slow");
    let page = page(&sandbox);
    browser.open(&format!("{}#5", address(&page)));
    assert_eq!(browser.eval(opened), "t5");
    let link = browser.eval("document.querySelector('.details a').href");
    assert_eq!(link, "https://example.org/7");
}

#[test]
fn it_is_readable_in_the_dark_on_paper_and_on_a_telephone() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    varied(&sandbox);
    browser.open(&address(&page(&sandbox)));
    let light = "(() => { const rgb = getComputedStyle(document.body).backgroundColor; \
                 return rgb.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 3; })()";
    let brightness = |browser: &mut Browser| browser.eval(light).as_f64().expect("a number");
    for (scheme, bright) in [("light", true), ("dark", false)] {
        browser.media(scheme, "screen");
        assert_eq!(brightness(&mut browser) > 128.0, bright, "{scheme}");
        save(&mut browser, scheme);
        browser.eval("document.querySelector('#theme').click()");
        assert_eq!(brightness(&mut browser) > 128.0, !bright, "{scheme}, turned");
        browser.eval("document.querySelector('#theme').click()");
    }
    browser.media("dark", "print");
    assert!(brightness(&mut browser) > 128.0, "paper is white");
    assert_eq!(browser.eval("getComputedStyle(document.querySelector('#tools')).display"), "none");
    browser.media("light", "screen");
    assert!(browser.print().starts_with(b"%PDF-"));
    browser.resize(400, 800);
    let wide = browser.eval("document.documentElement.scrollWidth");
    assert!(wide.as_u64().expect("a number") <= 400, "{wide}");
    save(&mut browser, "narrow");
}

#[test]
fn nothing_is_asked_for_from_anywhere() {
    let Some(mut browser) = browser() else { return };
    let sandbox = Sandbox::new();
    varied(&sandbox);
    let page = page(&sandbox);
    browser.open(&address(&page));
    browser.eval("document.querySelectorAll('tr[data-word] a').forEach(a => a.click())");
    let requests = browser.requests();
    assert!(requests.contains(&address(&page)), "{requests:?}");
    let own =
        |request: &String| *request == address(&page) || request.starts_with("data:image/png");
    assert!(requests.iter().all(own), "{requests:?}");
    assert_eq!(browser.complaints(), [""; 0]);
}
