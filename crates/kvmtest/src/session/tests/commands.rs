//! Commands in real shells: outputs and statuses have to be exact.

use std::time::{Duration, Instant};

use super::{LONG, SHORT, pair, say, sh, shell};
use crate::error::ErrorKind;
use crate::session::Session;

/// Runs `check` in every shell that is installed, with and without the terminal's own echo.
fn in_every_shell(check: impl Fn(&mut Session, &str)) {
    for words in [
        &["sh", "-i"][..],
        &["dash", "-i"],
        &["bash", "--norc", "-i"],
        &["busybox", "ash", "-i"],
        &["mksh", "-i"],
    ] {
        let Some(mut session) = shell(words) else { continue };
        session.read_up_to_prompt_timeout(LONG).expect("a prompt");
        // Without echo, busybox reads in a simpler way, in which the end of any job in the
        // background ends the shell.
        if words[0] != "busybox" {
            check(&mut session, words[0]);
        }
        // As a serial console has it: echo, CR LF, and 80 columns.
        session.cmd("stty echo icrnl opost onlcr cols 80").expect("a terminal");
        check(&mut session, words[0]);
    }
}

#[test]
fn outputs_and_statuses_are_exact() {
    const CASES: &[(&str, i32, &str)] = &[
        ("true", 0, ""),
        ("false", 1, ""),
        ("(exit 42)", 42, ""),
        ("echo hello", 0, "hello"),
        ("printf abc", 0, "abc"),
        ("printf 'a\\n\\nb\\n\\n'", 0, "a\n\nb"),
        ("echo hello # a comment", 0, "hello"),
        ("# a comment", 0, ""),
        ("", 0, ""),
        ("echo 'it'\\''s'", 0, "it's"),
        ("echo \"$(echo 'a \"b\" c')\"", 0, "a \"b\" c"),
        ("echo '!!' '$?' '\\'", 0, "!! $? \\"),
        ("printf '%s\\n' 'root@g:~# ' '$ ' '# '", 0, "root@g:~# \n$ \n# "),
        ("printf '# '; sleep 0.05; printf 'x\\n$ '; sleep 0.05", 0, "# x\n$ "),
        ("printf '\\033[31mred\\033[0m \\033[6n.'", 0, "red ."),
        ("echo a; echo b >&2; (exit 3)", 3, "a\nb"),
        ("for i in 1 2 3; do\n  echo $i\ndone", 0, "1\n2\n3"),
        ("cat <<E\n  here # $((1+1))\nE\n", 0, "  here # 2"),
        ("cat <<'E'\n$x\tone\nE", 0, "$x\tone"),
        ("printf '%s' 'h\u{e9}llo \u{1f600}'", 0, "h\u{e9}llo \u{1f600}"),
        ("printf 'a\tb'", 0, "a\tb"),
        // In a shell of its own: no notice of its end comes in a later command.
        ("(sleep 0.01 >/dev/null 2>&1 &)", 0, ""),
        ("cd /proc/self && cd / && pwd", 0, "/"),
    ];
    in_every_shell(|session, name| {
        for &(command, status, output) in CASES {
            let got = session.cmd_status_output(command).expect(command);
            assert_eq!(got, (status, output.to_owned()), "{name}: {command:?}");
        }
    });
}

#[test]
fn a_command_that_ends_in_an_ampersand() {
    in_every_shell(|session, name| {
        assert_eq!(session.cmd_status("sleep 1000 &").expect(name), 0);
        let pid = session.cmd("echo $!").expect(name);
        session.cmd_output(&format!("kill -9 {pid}; wait")).expect(name);
    });
}

#[test]
fn what_a_command_sets_stays() {
    in_every_shell(|session, name| {
        session.cmd("cd /usr; x='a  b'; f() { echo \"f $1\"; }").expect(name);
        assert_eq!(session.cmd("pwd; echo \"$x\"; f 1").expect(name), "/usr\na  b\nf 1");
    });
}

#[test]
fn a_syntax_error_is_a_status() {
    in_every_shell(|session, name| {
        // This one gives up the whole line, ours included.
        if name == "mksh" {
            return;
        }
        for command in ["if", "echo 'unfinished", "fi", "echo $(", "${"] {
            let status = session.cmd_status(command).expect(command);
            assert_ne!(status, 0, "{name}: {command}");
        }
        assert_eq!(session.cmd("echo on").expect(name), "on");
    });
}

#[test]
fn commands_of_any_length() {
    in_every_shell(|session, name| {
        for length in [70, 599, 600, 601, 1030, 4100, 20_000] {
            let word = "0123456789 '\"$".repeat(length / 14);
            let quoted = word.replace('\'', r"'\''");
            let output = session.cmd(&format!("echo '{quoted}'")).expect(name);
            assert_eq!(output, word, "{name}: {length}");
        }
    });
}

#[test]
fn traces_confuse_nothing() {
    in_every_shell(|session, name| {
        session.cmd("set -x").expect(name);
        let (status, output) = session.cmd_status_output("echo hi; (exit 9)").expect(name);
        assert_eq!(status, 9, "{name}");
        assert!(output.lines().any(|line| line == "hi"), "{name}: {output}");
        session.cmd("set +x").expect(name);
        assert_eq!(session.cmd("echo quiet").expect(name), "quiet");
    });
}

#[test]
fn output_that_is_no_utf8() {
    let mut session = sh();
    let bytes = session.cmd_output_bytes(r"printf '\377\000\376x\n\n'", LONG).expect("runs");
    assert_eq!(bytes, b"\xff\0\xfex\n\n");
    assert_eq!(session.cmd_output(r"printf '\377x'").expect("runs"), "\u{fffd}x");
}

#[test]
fn a_status_other_than_0_is_an_error_with_the_output() {
    let mut session = sh();
    let error = session.cmd("echo some; echo trouble; exit_with() { return 5; }; exit_with");
    let error = error.expect_err("status 5");
    assert_eq!(error.kind(), ErrorKind::ShellCommand);
    assert_eq!(error.output(), Some(&b"some\ntrouble\n"[..]));
    assert!(error.to_string().ends_with("ended with status 5: `trouble`"), "{error}");
}

#[test]
fn a_nul_byte_is_refused() {
    let error = sh().cmd("echo a\0b").expect_err("no shell can take it");
    assert_eq!(error.kind(), ErrorKind::TestError);
}

#[test]
fn a_command_that_takes_too_long_is_interrupted_by_the_next() {
    in_every_shell(|session, name| {
        let error = session
            .cmd_timeout("echo begun; sleep 1000", Duration::from_millis(300))
            .expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::ShellTimeout, "{name}");
        assert!(error.to_string().contains("`echo begun; sleep 1000` did not end within 0.3 s"));
        assert_eq!(session.cmd("echo next").expect(name), "next");
    });
}

#[test]
fn a_shell_that_ends_within_a_command() {
    let mut session = sh();
    let error = session.cmd("echo bye; exit 6").expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::ShellTerminated);
    let message = error.to_string();
    assert!(
        message.starts_with("sh: `echo bye; exit 6` did not end: the session did: `bye`"),
        "{message}"
    );
    assert!(message.contains("the process ended with status 6"), "{message}");
    let error = session.cmd("true").expect_err("still gone");
    assert_eq!(error.kind(), ErrorKind::ShellTerminated);
}

#[test]
fn lines_and_prompts_by_hand() {
    in_every_shell(|session, name| {
        session.cmd("true").expect(name);
        // No prompt of the command before is left to be taken for this one's.
        session.sendline("sleep 0.05; echo 'as '$((40+2))").expect(name);
        // A shell with a line editor draws its prompt again while it is typed to, so that a prompt
        // alone does not say that the command is through: its output does.
        let sixty = std::time::Duration::from_secs(60);
        session.read_until_output_matches(&["as 42\\s"], sixty).expect(name);
        session.read_up_to_prompt().expect(name);
    });
}

#[test]
fn a_prompt_that_changes_costs_little_and_breaks_nothing() {
    let mut session = sh();
    session.cmd("PS1='ready> '").expect("runs");
    for _ in 0..3 {
        assert_eq!(session.cmd("echo on").expect("runs"), "on");
    }
    session.set_prompt(r"ready> $").expect("valid");
    session.sendline("echo by hand").expect("sent");
    assert_eq!(session.read_up_to_prompt().expect("prompt").trim(), "by hand");
}

#[test]
fn a_foreign_status_command_ends_at_the_prompt() {
    let mut session = sh();
    session.set_status_test_command("echo status; echo $?; echo");
    let (status, output) = session.cmd_status_output("echo out").expect("runs");
    assert_eq!((status, output.as_str()), (0, "out"));
    session.set_status_test_command("expr $? + 0");
    assert_eq!(session.cmd_status("(exit 12)").expect("runs"), 12);
    session.set_status_test_command("echo none");
    let error = session.cmd("true").expect_err("no number");
    assert_eq!(error.kind(), ErrorKind::ShellStatus);
}

#[test]
fn a_windows_shell() {
    let (mut expect, guest) = pair();
    expect.set_linesep("\r\n");
    let mut session = Session::over(expect);
    session.set_prompt(r"^\w:\\.*>\s*$").expect("valid");
    session.set_status_test_command("echo %errorlevel%");
    let thread = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader};
        let mut lines = BufReader::new(&guest).split(b'\n');
        let mut answer = |command: &str, output: &str| {
            let line = lines.next().expect("a line").expect("read");
            assert_eq!(line, format!("{command}\r").as_bytes());
            say(&guest, format!("{command}\r\n{output}C:\\Documents> "));
        };
        answer("ver", "\r\nMicrosoft Windows XP\r\nlook: C:\\alike>\r\n\r\n");
        answer("echo %errorlevel%", "9009\r\n\r\n");
    });
    let (status, output) = session.cmd_status_output("ver").expect("runs");
    assert_eq!(status, 9009);
    assert_eq!(output, "\nMicrosoft Windows XP\nlook: C:\\alike>");
    thread.join().expect("no panic");
}

#[test]
fn messages_of_the_kernel_may_tear_the_marks() {
    let (expect, guest) = pair();
    let mut session = Session::over(expect);
    let thread = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader};
        let line = BufReader::new(&guest).lines().next().expect("a line").expect("read");
        let mark = line.split_whitespace().nth(2).expect("a mark").trim_end_matches(';');
        let (front, back) = mark.split_at(5);
        let kernel = "[   12.345678] eth0: link is up\r\n[   12.345679] eth0: 1 #\r\n";
        say(&guest, format!("{line}\r\n{front}{kernel}{back}<\r\nout\r\n"));
        say(&guest, format!("{front}{kernel}{back}=1{kernel}2;{kernel}\r\n~ # {kernel}"));
        guest
    });
    let (status, output) = session.cmd_status_output_timeout("x", LONG).expect("runs");
    assert_eq!((status, output.as_str()), (12, "out"));
    thread.join().expect("no panic");
}

#[test]
fn is_responsive() {
    let mut session = sh();
    assert!(session.is_responsive(LONG));
    assert_eq!(session.cmd("echo and works").expect("runs"), "and works");
    let (expect, guest) = pair();
    let mut session = Session::over(expect);
    say(&guest, "old output");
    assert!(!session.is_responsive(SHORT));
    drop(guest);
    assert!(!session.is_responsive(LONG));
}

#[test]
fn a_command_is_one_round_trip() {
    let mut session = sh();
    let begin = Instant::now();
    for _ in 0..50 {
        session.cmd("true").expect("runs");
    }
    // Far from a measurement: it would take 50 s if each waited out a grace of a second.
    assert!(begin.elapsed() < Duration::from_secs(25), "{:?}", begin.elapsed());
}
