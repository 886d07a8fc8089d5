//! What a subtest's end means.

use super::{finished, run, run_body, with_files};

#[track_caller]
fn check(body: &str, outcome: &str, kind: Option<&str>, message: &str) {
    let (sandbox, ended) = run_body(body);
    let result = finished(&sandbox);
    assert_eq!(result["outcome"], outcome, "{body}\n{result}\n{ended}");
    assert_eq!(result["kind"].as_str(), kind, "{body}\n{result}");
    let said = result["message"].as_str().unwrap_or_default();
    assert!(said.contains(message), "{body}: {said:?} lacks {message:?}");
}

#[test]
fn returning_passes() {
    check("pass", "PASS", None, "");
    check("return 1", "PASS", None, "");
}

#[test]
fn what_a_test_says_of_itself_counts() {
    check("test.fail('lost its disk')", "FAIL", Some("test-fail"), "lost its disk");
    check("test.error('no port')", "ERROR", Some("test-error"), "no port");
    check("test.skip('two NICs')", "SKIP", Some("test-skip"), "two NICs");
    check("test.cancel('closing')", "CANCEL", Some("test-cancel"), "closing");
    check("raise kvmtest.TestWarn('slow')", "WARN", Some("test-warn"), "slow");
    check("test.warn('slow')", "WARN", None, "");
    check("assert 1 == 2, 'numbers'", "FAIL", Some("test-fail"), "numbers");
    check("assert 1 == 2", "FAIL", Some("test-fail"), "does not hold");
}

#[test]
fn errors_of_the_library_mean_what_they_mean_in_rust() {
    check("params['nothing']", "ERROR", Some("params"), "nothing");
    check("env.get_living_vm('vm9')", "ERROR", Some("guest"), "not built");
    let fails = "s = kvmtest.ShellSession.spawn(['sh', '-c', 'sleep 60'])\n\
                 s.read_until_output_matches('never', timeout=0.1)";
    check(fails, "FAIL", Some("expect-timeout"), "never");
    let blocked = "raise kvmtest.MigrateBlockedError('nvme')";
    check(blocked, "SKIP", Some("migrate-blocked"), "nvme");
}

#[test]
fn other_exceptions_are_errors_of_the_subtest() {
    check("undefined", "FAIL", Some("exception"), "NameError: name 'undefined'");
    check("open('/none')", "FAIL", Some("exception"), "FileNotFoundError");
    check("raise KeyboardInterrupt", "INTERRUPTED", Some("interrupted"), "interrupted");
}

#[test]
fn a_failure_shows_its_line_and_its_traceback() {
    let text = "def helper():\n    int('x')\n\ndef run_foo(test, params, env):\n    helper()\n";
    let sandbox = with_files(&[("foo.py", text)]);
    let ended = run(&sandbox, &["foo"]);
    ended.code(1).is_clean().says(["FAIL   foo", "ValueError", "foo.py:2"]);
    let result = finished(&sandbox);
    assert_eq!(result["location"], "foo.py:2", "{result}");
    let trace = result["backtrace"].as_str().expect("a traceback");
    let lines: Vec<&str> = trace.lines().collect();
    assert_eq!(lines[0], "foo.py:5 in run_foo: helper()");
    assert_eq!(lines[1], "foo.py:2 in helper: int('x')");
    assert!(trace.contains("Traceback (most recent call last)"), "{trace}");
    assert!(!trace.contains("child/run.py"), "how it is called is nobody's concern: {trace}");
}

#[test]
fn what_it_says_is_kept() {
    let (sandbox, ended) = run_body(
        "import logging\n\
         test.log('a line')\n\
         logging.getLogger('mine').warning('of %s', 'logging')\n\
         test.write_keyval('answers', 42)\n\
         print('printed')",
    );
    ended.code(0);
    let dir = sandbox.latest().join("001-foo");
    let log = std::fs::read_to_string(dir.join("debug.log")).expect("a log");
    assert!(log.contains("a line"), "{log}");
    assert!(log.contains("mine: of logging"), "{log}");
    let printed = std::fs::read_to_string(dir.join("stdout.log")).expect("an output");
    assert_eq!(printed, "printed\n");
    let events = std::fs::read_to_string(sandbox.latest().join("events.jsonl")).expect("events");
    assert!(events.contains(r#""key":"answers","value":"42""#), "{events}");
}

#[test]
fn nothing_is_left_in_the_folder() {
    let tools = "VALUE = 7\n";
    let text = "import tools\n\ndef run_foo(test, params, env):\n    assert tools.VALUE == 7\n";
    let sandbox = with_files(&[("foo.py", text), ("tools.py", tools)]);
    run(&sandbox, &["foo"]).code(0);
    let names: Vec<String> = sandbox
        .work
        .read_dir_utf8()
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().to_owned())
        .filter(|name| name != "results")
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}
