//! Logins on a console, with guests that make it hard.

use std::time::{Duration, Instant};

use super::guest::{Guest, guest};
use super::{LONG, shell};
use crate::error::ErrorKind;
use crate::session::{LoginParams, Session, login};

fn root() -> LoginParams {
    LoginParams {
        username: Some("root".to_owned()),
        password: Some("secret".to_owned()),
        ..LoginParams::default()
    }
}

fn booting() -> LoginParams {
    LoginParams { booting: true, ..root() }
}

fn prompted() -> LoginParams {
    LoginParams { prompted: true, ..root() }
}

/// Logs in to a guest that follows `script`, and runs a command in it.
fn check(params: &LoginParams, script: impl FnOnce(&mut Guest) + Send + 'static) {
    let (mut session, thread) = guest(script);
    login::serial(&mut session, params, LONG).expect("logged in");
    assert_eq!(session.cmd("anything").expect("a shell"), "done");
    session.close();
    thread.join().expect("no panic");
}

/// The kind and text of the error of a login to a guest that follows `script`.
fn check_error(
    params: &LoginParams,
    timeout: Duration,
    script: impl FnOnce(&mut Guest) + Send + 'static,
) -> (ErrorKind, String) {
    let (mut session, thread) = guest(script);
    let error = login::serial(&mut session, params, timeout).expect_err("no login");
    assert!(error.output().is_some(), "{error}");
    session.close();
    thread.join().expect("no panic");
    (error.kind(), error.to_string())
}

#[test]
fn a_guest_at_its_login_prompt() {
    check(&root(), |guest| {
        guest.login("secret");
        guest.shell();
    });
}

#[test]
fn a_console_that_is_logged_in_is_used_at_once() {
    let begin = Instant::now();
    check(&root(), |guest| {
        guest.hear();
        guest.shell();
    });
    assert!(begin.elapsed() < Duration::from_secs(1), "no pause was waited out");
}

#[test]
fn a_console_that_was_left_at_a_prompt_is_asked_for_its_proof_at_once() {
    check(&prompted(), |guest| {
        let line = guest.hear().expect("a line");
        assert!(line.starts_with("printf"), "{line}");
        guest.answer(&line);
        guest.shell();
    });
}

#[test]
fn a_console_that_has_left_its_prompt_meanwhile_is_logged_in_to() {
    check(&prompted(), |guest| {
        // What was typed at it is the name of nobody.
        guest.login("secret");
        guest.shell();
    });
}

#[test]
fn what_a_console_shows_last_may_be_a_prompt() {
    let check = |shown: &str, expected: bool| {
        assert_eq!(root().is_prompt_of(shown.as_bytes()), expected, "{shown:?}");
    };
    check("out\r\nroot@kvmtest:/root# ", true);
    check("root@kvmtest:/root# [   12.000001] eth0: link up\n", true);
    check("root@kvmtest:/root# reboot\r\n", false);
    check("kvmtest login: ", false);
    check("", false);
}

#[test]
fn a_boot_log_with_all_the_wrong_words() {
    check(&booting(), |guest| {
        for line in [
            "[    0.000000] Linux version 6.1 #1 SMP $",
            "Password: required",
            "######################",
            "# ",
            "Permission denied",
            "Connection refused, login: failed",
            "systemd[1]: Started Forward Password Requests to Wall: ",
            "Are you sure you want to continue (yes/no)?",
            "Login incorrect",
        ] {
            guest.say(&format!("{line}\r\n"));
        }
        guest.login("secret");
        guest.say("Welcome! Access denied to strangers.\r\n#####\r\n# # #");
        guest.say("\r\n");
        guest.shell();
    });
}

#[test]
fn a_line_that_looks_like_a_prompt_is_found_out() {
    check(&root(), |guest| {
        guest.say("progress: #");
        // What was typed at it is the name of nobody.
        let line = guest.hear_words().expect("asked to prove it");
        assert!(line.starts_with("printf"), "{line}");
        guest.say("\r\nPassword: ");
        guest.hear();
        guest.say("\r\nLogin incorrect\r\n");
        guest.login("secret");
        guest.shell();
    });
}

#[test]
fn prompts_drowned_by_the_kernel() {
    const KERNEL: &str = "[   12.345678] eth0: link is up: login: #\r\n";
    check(&booting(), |guest| {
        guest.say(&format!("host login: {}", KERNEL.repeat(30)));
        assert_eq!(guest.hear_words().as_deref(), Some("root"));
        guest.say(&format!("{KERNEL}Password: {KERNEL}"));
        assert_eq!(guest.hear().as_deref(), Some("secret"));
        guest.say(&format!("\r\n~ # {KERNEL}"));
        guest.shell();
    });
}

#[test]
fn a_prompt_that_was_printed_before_is_asked_for() {
    check(&booting(), |guest| {
        guest.say("[    1.000000] random: crng init done\r\n");
        // It stays silent until somebody knocks.
        assert_eq!(guest.hear().as_deref(), Some(""));
        guest.login("secret");
        guest.shell();
    });
}

#[test]
fn answers_to_many_knocks_are_not_taken_for_refusals() {
    check(&root(), |guest| {
        guest.hear();
        guest.say("\r\nhost login: \r\nhost login: \r\nhost login: ");
        assert_eq!(guest.hear_words().as_deref(), Some("root"));
        guest.say("\r\nhost login: ");
        guest.say("root\r\nPassword: ");
        assert_eq!(guest.hear().as_deref(), Some("secret"));
        guest.shell();
    });
}

#[test]
fn a_login_that_somebody_left_half_done() {
    check(&root(), |guest| {
        guest.say("Password: ");
        guest.hear();
        guest.say("\r\nLogin incorrect\r\n");
        guest.login("secret");
        guest.shell();
    });
}

#[test]
fn a_guest_that_wants_no_password() {
    check(&LoginParams { password: None, ..root() }, |guest| {
        guest.say("host login: ");
        assert_eq!(guest.hear_words().as_deref(), Some("root"));
        guest.shell();
    });
}

#[test]
fn a_wrong_password() {
    let params = LoginParams { password: Some("wrong".to_owned()), ..root() };
    let (kind, message) = check_error(&params, LONG, |guest| guest.login("secret"));
    assert_eq!(kind, ErrorKind::LoginAuthentication);
    assert!(message.contains("`Login incorrect`") || message.contains("again"), "{message}");
}

#[test]
fn a_name_or_password_that_is_not_set() {
    let params = LoginParams { username: None, ..root() };
    let (kind, message) = check_error(&params, LONG, |guest| guest.login("secret"));
    assert_eq!(kind, ErrorKind::LoginAuthentication);
    assert!(message.contains("`username` is not set"), "{message}");
    let params = LoginParams { password: None, ..root() };
    let (kind, message) = check_error(&params, LONG, |guest| guest.login("secret"));
    assert_eq!(kind, ErrorKind::LoginAuthentication);
    assert!(message.contains("`password` is not set"), "{message}");
}

#[test]
fn no_login_in_time() {
    let (kind, message) = check_error(&root(), Duration::from_secs(3), |guest| {
        guest.say("Loading initrd \x1b[31m...");
        while guest.hear().is_some() {}
    });
    assert_eq!(kind, ErrorKind::LoginTimeout);
    assert_eq!(message, "fake: no login within 3.0 s: the last line is `Loading initrd ...`");
}

#[test]
fn a_console_that_ends() {
    let (kind, message) = check_error(&booting(), LONG, |guest| guest.say("halted"));
    assert_eq!(kind, ErrorKind::LoginTerminated);
    assert!(message.contains("`halted`"), "{message}");
}

#[test]
fn a_flood_does_not_keep_a_login_past_its_deadline() {
    let (kind, _) = check_error(&root(), Duration::from_millis(300), |guest| {
        use std::io::Write;
        let block = "login incorrect # password".repeat(1000);
        while guest.stream().write_all(block.as_bytes()).is_ok() {}
    });
    assert_eq!(kind, ErrorKind::LoginTimeout);
}

#[test]
fn a_console_that_is_busy_is_brought_back_to_its_prompt() {
    for left in ["sleep 1000", "yes busy", "cat", "echo 'not closed"] {
        let Some(mut session) = shell(&["sh", "-i"]) else { return };
        session.read_up_to_prompt_timeout(LONG).expect("a prompt");
        session.sendline("stty echo icrnl opost onlcr").expect("sent");
        session.read_up_to_prompt_timeout(LONG).expect("a prompt");
        session.sendline(left).expect("sent");
        login::serial(&mut session, &root(), LONG).expect(left);
        assert_eq!(session.cmd("echo back").expect(left), "back");
    }
}

#[test]
fn other_words_from_params_reach_the_session() {
    let params = LoginParams {
        status_test_command: "echo %errorlevel%".to_owned(),
        linesep: b"\r\n".to_vec(),
        ..root()
    };
    let (mut session, thread) = guest(|guest| {
        assert_eq!(guest.hear().as_deref(), Some("\r"));
        guest.say("C:\\ $ ");
        assert_eq!(guest.hear().as_deref(), Some("dir\r"));
        guest.say("dir\r\nfiles\r\nC:\\ $ ");
    });
    login::serial(&mut session, &params, LONG).expect("nothing to prove there");
    assert_eq!(session.cmd_output("dir").expect("a shell"), "files");
    thread.join().expect("no panic");
}

#[test]
fn a_real_shell_over_a_socket_of_ours() {
    // `nc` without a server: a bare connection, and a shell behind it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody comes");
        let output = stream.try_clone().expect("a descriptor");
        let errors = stream.try_clone().expect("a descriptor");
        let mut child = std::process::Command::new("sh")
            .arg("-i")
            .env("PS1", "over tcp # ")
            .stdin(std::os::fd::OwnedFd::from(stream))
            .stdout(std::os::fd::OwnedFd::from(output))
            .stderr(std::os::fd::OwnedFd::from(errors))
            .spawn()
            .expect("started");
        child.wait().expect("ended");
    });
    let params = LoginParams { client: crate::session::Client::Nc, ..root() };
    let mut session: Session =
        login::remote("127.0.0.1", port, &params, Vec::new(), None, LONG).expect("logged in");
    assert_eq!(session.cmd("echo $((6 * 7))").expect("a shell"), "42");
    session.close();
    thread.join().expect("no panic");
    let error = login::remote("127.0.0.1", port, &params, Vec::new(), None, Duration::from_secs(1))
        .err()
        .expect("nobody there any more");
    assert_eq!(error.kind(), ErrorKind::LoginTimeout);
    assert!(error.to_string().contains("refused"), "{error}");
}
