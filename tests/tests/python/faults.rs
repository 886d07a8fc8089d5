//! Subtests that break every rule there is.

use super::{finished, function, run, run_body, run_text, with_files};

#[track_caller]
fn check(text: &str, outcome: &str, parts: &[&str]) {
    let (sandbox, ended) = run_text(text);
    let result = finished(&sandbox);
    assert_eq!(result["outcome"], outcome, "{text}\n{result}\n{ended}");
    let told = result.to_string() + &ended.stdout + &ended.stderr;
    for part in parts {
        assert!(told.contains(part), "{part:?} is not told of:\n{text}\n{told}");
    }
    ended.is_clean();
}

#[track_caller]
fn check_body(body: &str, outcome: &str, parts: &[&str]) {
    check(&function(body), outcome, parts);
}

#[test]
fn a_file_that_cannot_be_read_as_python_names_its_line() {
    check("def run_foo(test, params, env):\n    x = (\n", "ERROR", &["SyntaxError", "foo.py:2"]);
    check("\ndef run_foo(test) pass", "ERROR", &["SyntaxError", "foo.py:2"]);
}

#[test]
fn an_import_that_fails_names_the_module() {
    let text = "import math\nimport none_such\n\ndef run_foo(test, params, env): pass\n";
    check(text, "ERROR", &["none_such", "foo.py:2", "ModuleNotFoundError"]);
}

#[test]
fn a_module_that_raises_is_told_with_its_line() {
    check("1 / 0\ndef run_foo(t, p, e): pass", "ERROR", &["ZeroDivisionError", "foo.py:1"]);
    check("raise SystemExit(3)\ndef run_foo(t, p, e): pass", "ERROR", &["sys.exit(3)"]);
    check("# run_foo\nx = 'run_foo'", "ERROR", &["no function `run_foo(test, params, env)`"]);
}

#[test]
fn a_function_of_another_shape_is_told() {
    check("def run_foo(test): pass", "ERROR", &["`run_foo(test)` cannot be called", "foo.py:1"]);
    let not_run = ["nothing of `run_foo` was run", "foo.py:1"];
    check("async def run_foo(t, p, e): pass", "ERROR", &not_run);
    check("def run_foo(t, p, e): yield 1", "ERROR", &not_run);
}

#[test]
fn a_text_that_cannot_be_had_does_no_harm() {
    let body = "class Odd(Exception):\n    def __str__(self): raise ValueError('no')\nraise Odd()";
    check_body(body, "FAIL", &["Odd", "its text cannot be had"]);
}

#[test]
fn leaving_by_another_door_is_no_pass() {
    check_body("import sys; sys.exit(0)", "ERROR", &["sys.exit(0)"]);
    check_body("import os; os._exit(0)", "ERROR", &["exit code 0 without saying how"]);
    check_body("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ERROR", &["SIGSEGV"]);
}

#[test]
fn a_fork_has_no_say_in_the_verdict() {
    let waits = "import os\nchild = os.fork()\nif child: os.waitpid(child, 0)";
    check_body(waits, "PASS", &[]);
    let raises = "import os\nchild = os.fork()\nif not child: raise ValueError('in the fork')\n\
                  os.waitpid(child, 0)";
    check_body(raises, "PASS", &[]);
    let stays = "import os, time\nif not os.fork(): time.sleep(600)";
    check_body(stays, "ERROR", &["left processes behind"]);
}

#[test]
fn a_thread_that_is_left_is_told() {
    for daemon in ["True", "False"] {
        let body = format!(
            "import threading, time\n\
             threading.Thread(target=time.sleep, args=(600,), daemon={daemon}, name='idler').start()"
        );
        check_body(&body, "ERROR", &["left threads behind", "`idler`"]);
    }
    let dies = "import threading\nt = threading.Thread(target=int, args=('x',), name='worker')\n\
                t.start()\nt.join()";
    check_body(dies, "FAIL", &["in the thread `worker`: ValueError"]);
    let joined = "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()";
    check_body(joined, "PASS", &[]);
}

#[test]
fn garbage_on_descriptor_3_reaches_nobody() {
    check_body("import os\nos.write(3, b'garbage\\n')\ntest.log('after')", "PASS", &[]);
    check_body("import os\nos.close(3)\ntest.log('after')", "PASS", &[]);
}

#[test]
fn replaced_streams_do_no_harm() {
    let body = "import sys\nclass Odd:\n    def flush(self): raise ValueError('no')\n\
                sys.stdout = Odd()\nsys.stderr = None";
    check_body(body, "PASS", &[]);
}

#[test]
fn a_huge_traceback_with_terminal_escapes_is_cut_and_clean() {
    let body = "raise ValueError('\\x1b[2J' + 'x' * 5_000_000 + '\\udcff')";
    let (sandbox, ended) = run_body(body);
    ended.code(1).is_clean();
    let result = finished(&sandbox);
    let trace = result["backtrace"].as_str().expect("a traceback");
    assert!(trace.len() < 100_000, "{} bytes", trace.len());
    assert!(trace.starts_with("foo.py:4 in run_foo: raise ValueError"), "{}", &trace[..200]);
    assert!(ended.stdout.len() < 20_000, "{} bytes", ended.stdout.len());
}

#[test]
fn endless_recursion_is_an_exception() {
    check_body("def f(): f()\nf()", "FAIL", &["RecursionError"]);
}

#[test]
fn a_subtest_that_does_not_end_is_interrupted_where_it_is() {
    let sandbox = with_files(&[(
        "foo.py",
        "import time\n\ndef run_foo(test, params, env):\n    while True:\n        time.sleep(0.1)\n",
    )]);
    let ended = run(&sandbox, &["foo", "test_timeout = 4"]);
    ended.code(1).is_clean().says(["did not end within 4s"]);
    let result = finished(&sandbox);
    assert_eq!(result["location"], "foo.py:5", "{result}");
}

#[test]
fn a_wait_of_the_library_ends_when_time_is_up() {
    let body = "s = kvmtest.ShellSession.spawn(['sleep', '600'])\n\
                s.read_until_output_matches('never', timeout=600)";
    let sandbox = with_files(&[("foo.py", &format!("import kvmtest\n\n{}", function(body)))]);
    run(&sandbox, &["foo", "test_timeout = 4"]).code(1).says(["did not end within 4s"]);
    assert_eq!(finished(&sandbox)["location"], "foo.py:5");
}
