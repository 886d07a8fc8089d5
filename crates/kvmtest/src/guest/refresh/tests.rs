//! A guest that is told, where the guest is a shell on this host with programs of the test's.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A shell in a directory of its own, whose `date` and other programs are the test's.
struct Guest {
    session: Session,
    directory: TempDir,
}

impl Guest {
    fn new(programs: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, script) in programs {
            let path = directory.path().join(name);
            kvmtest_tests::write_executable(path, format!("#!/bin/sh\n{script}\n"));
        }
        let argv = ["sh", "-i"].map(str::to_owned);
        let mut session = Session::spawn(&argv, "guest", None).expect("every system has one");
        session.read_up_to_prompt_timeout(LONG).expect("a prompt");
        let path = directory.path().to_str().expect("UTF-8");
        session.cmd_timeout(&format!("cd {path}; PATH={path}"), LONG).expect("a place");
        Self { session, directory }
    }

    /// What failed.
    fn told(&mut self, refresh: &Refresh, now: SystemTime) -> Vec<String> {
        refresh.failures(&mut self.session, now, Deadline::after(LONG)).expect("it answers")
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().copied().collect()
}

fn refresh(pairs: &[(&str, &str)]) -> Refresh {
    Refresh::of(&params(pairs)).expect("right params")
}

fn at(seconds: u64, nanoseconds: u32) -> SystemTime {
    UNIX_EPOCH + Duration::new(seconds, nanoseconds)
}

/// What asks for nothing but `more`.
fn only<'a>(more: &[(&'a str, &'a str)]) -> Refresh {
    refresh(&[&[("state_clock", "keep"), ("state_seed", "keep")], more].concat())
}

#[test]
fn a_date_with_fractions_is_given_them() {
    let mut guest = Guest::new(&[("date", r#"echo "$@" >> dates"#)]);
    let told = guest.told(&refresh(&[("state_seed", "keep")]), at(1_700_000_000, 70_000_000));
    assert_eq!(told, [""; 0]);
    assert_eq!(guest.file("dates"), "-u -s @1700000000.070000000\n");
}

#[test]
fn a_date_without_fractions_is_given_the_nearest_second() {
    let date = r#"echo "$@" >> dates; case $3 in *.*) echo invalid >&2; exit 1;; esac"#;
    for (nanoseconds, nearest) in [(499_999_999, "1700000000"), (500_000_000, "1700000001")] {
        let mut guest = Guest::new(&[("date", date)]);
        let told = guest.told(&refresh(&[("state_seed", "keep")]), at(1_700_000_000, nanoseconds));
        assert_eq!(told, [""; 0]);
        let expected = format!("-u -s @{nearest}");
        assert_eq!(guest.file("dates").lines().last(), Some(&*expected));
    }
}

#[test]
fn what_fails_is_named_and_the_rest_is_done() {
    let mut guest = Guest::new(&[
        ("date", "printf 'date: not allowed' >&2; exit 7"),
        ("killall", r#"echo "$@" > renewed"#),
    ]);
    let refresh =
        refresh(&[("set_seed_command", "echo {seed} > seed; exit 3"), ("state_network", "renew")]);
    let told = guest.told(&refresh, at(1, 0));
    let [clock, seed] = &told[..] else { panic!("two of three fail: {told:?}") };
    assert!(clock.starts_with("setting its clock failed: `date -u -s @1.000000000"), "{clock}");
    assert!(clock.ends_with("ended with status 7: date: not alloweddate: not allowed"), "{clock}");
    assert!(seed.starts_with("giving it new randomness failed: "), "{seed}");
    assert!(seed.ends_with("ended with status 3"), "{seed}");
    assert_eq!(guest.file("renewed"), "-USR1 udhcpc\n");
}

#[test]
fn a_seed_is_hexadecimal_and_never_the_same() {
    let mut guest = Guest::new(&[]);
    let refresh = only(&[("state_seed", "new"), ("set_seed_command", "echo {seed} >> seeds")]);
    for _ in 0..2 {
        assert_eq!(guest.told(&refresh, at(1, 0)), [""; 0]);
    }
    let seeds = guest.file("seeds");
    let seeds: Vec<&str> = seeds.lines().collect();
    assert_eq!(seeds.len(), 2);
    assert_ne!(seeds[0], seeds[1]);
    for seed in seeds {
        assert!(seed.len() == 64 && seed.bytes().all(|byte| byte.is_ascii_hexdigit()), "{seed}");
    }
}

#[test]
fn a_mac_is_replaced_only_where_that_is_wanted() {
    let set = ("set_mac_command", "echo {old_mac} {mac} >> macs");
    for (wanted, expected) in [("new", "9a:00:00:00:00:01 9a:00:00:00:00:02\n"), ("keep", "")] {
        let mut guest = Guest::new(&[("killall", "")]);
        let mut refresh = only(&[("state_mac", wanted), set]);
        refresh.replace_mac("9A:00:00:00:00:01", "9a:00:00:00:00:02").expect("addresses");
        assert_eq!(refresh.wants_new_mac(), wanted == "new");
        assert_eq!(guest.told(&refresh, at(1, 0)), [""; 0]);
        assert_eq!(guest.file("macs"), expected);
    }
    let mut refresh = only(&[]);
    for (old, new) in [("9a:00:00:00:00:01", "$(reboot)"), ("'", "9a:00:00:00:00:01")] {
        assert_eq!(refresh.replace_mac(old, new).expect_err("refused").kind(), ErrorKind::Params);
    }
}

#[test]
fn nothing_is_typed_where_nothing_is_asked() {
    let mut guest = Guest::new(&[]);
    guest.session.close();
    assert_eq!(guest.told(&only(&[]), at(1, 0)), [""; 0]);
}

#[test]
fn odd_commands_do_no_harm_to_the_others() {
    for odd in ["true # a comment", "exit 0", "set -e; true", "true \\", "true\ntrue", "cd /"] {
        let mut guest = Guest::new(&[("killall", "echo > renewed")]);
        let refresh = refresh(&[
            ("state_seed", "keep"),
            ("set_time_command", odd),
            ("state_network", "renew"),
        ]);
        assert_eq!(guest.told(&refresh, at(1, 0)), [""; 0], "{odd}");
        assert_eq!(guest.file("renewed"), "\n", "{odd}");
    }
}

#[test]
fn a_command_that_is_no_command_is_told_and_the_session_goes_on() {
    for broken in ["echo 'open", "(", "echo )"] {
        let mut guest = Guest::new(&[]);
        let refresh = refresh(&[("state_seed", "keep"), ("set_time_command", broken)]);
        let told = guest.told(&refresh, at(1, 0));
        assert!(told.len() == 1 && told[0].contains("setting its clock failed"), "{told:?}");
        assert_eq!(guest.session.cmd_timeout("echo still", LONG).expect("a shell"), "still");
    }
}

#[test]
fn what_a_guest_says_is_told_without_its_tricks() {
    let tricks = r"printf '\033[2Jclear\nmac=0\nclock=9x\n%s\377' >&2; exit 1";
    let mut guest = Guest::new(&[("date", tricks)]);
    let told = guest.told(&refresh(&[("state_seed", "keep")]), at(1, 0));
    let [failure] = &told[..] else { panic!("one: {told:?}") };
    assert!(failure.contains("ended with status 1: clear; mac=0; clock=9x"), "{failure}");
    assert!(!failure.contains(['\u{1b}', '\n']), "{failure:?}");
}

/// A guest whose shell has the function, and a program that answers.
fn resident(program: &str) -> Guest {
    let mut guest = Guest::new(&[("tell", program)]);
    let function = r#"refresh() { ./tell "$1"; echo "refresh=$?"; }"#;
    guest.session.cmd_timeout(function, LONG).expect("a function");
    guest
}

#[test]
fn a_program_of_the_guest_is_told_before_everything_else() {
    let mut guest = resident(r#"printf '%s\n' "$1" > told"#);
    let mut refresh = refresh(&[("set_time_command", "exit 1"), ("set_seed_command", "exit 2")]);
    refresh.by_resident();
    assert_eq!(guest.told(&refresh, at(1, 0)), [""; 0]);
    let first = guest.file("told");
    assert!(first.len() == 33 && first.is_ascii(), "{first}");
    refresh.type_ahead(&mut guest.session, at(1, 0)).expect("it is typed");
    assert_eq!(guest.told(&refresh, at(2, 0)), [""; 0]);
    let second = guest.file("told");
    assert_eq!(first[..8], second[..8], "the time when it was typed");
    assert_ne!(first, second, "other randomness");
    assert_eq!(guest.session.cmd_timeout("echo still", LONG).expect("a shell"), "still");
}

#[test]
fn a_program_of_the_guest_that_fails_is_told_of_and_the_rest_is_done() {
    let mut guest = resident("echo broken pipe >&2; exit 1");
    let mut refresh =
        refresh(&[("state_network", "renew"), ("renew_lease_command", "echo > renewed")]);
    refresh.by_resident();
    let told = guest.told(&refresh, at(1, 0));
    let [failure] = &told[..] else { panic!("one of two fails: {told:?}") };
    assert!(failure.starts_with("setting its clock and giving it new randomness failed: "));
    assert!(
        failure.contains("ended with status 1") && failure.contains("broken pipe"),
        "{failure}"
    );
    assert_eq!(guest.file("renewed"), "\n");
}

#[test]
fn the_usual_line_is_one_that_any_shell_takes() {
    let steps = refresh(&[]).steps(at(1_700_000_000, 1)).expect("random");
    // What is longer, or has other characters, is sent in several round trips.
    let line = step::line(&steps);
    assert!(line.replace('\'', r"'\''").len() <= 600, "{}: {line}", line.len());
    assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line}");
}

#[test]
fn wrong_values_are_named() {
    for (key, value, legal) in [
        ("state_clock", "wrong", "one of `correct`, `keep`"),
        ("state_seed", "", "one of `new`, `keep`"),
        ("state_mac", "random", "one of `keep`, `new`"),
        ("state_network", "up", "one of `keep`, `bounce`, `renew`"),
    ] {
        let error = Refresh::of(&params(&[(key, value)])).expect_err("refused");
        assert!(error.to_string().contains(&format!("`{key}` must be {legal}")), "{error}");
    }
    let windows = params(&[("os_type", "windows"), ("state_mac", "new")]);
    let error = Refresh::of(&windows).expect_err("nobody knows how").to_string();
    assert!(error.contains("or `set_mac_command` set: none is known for `windows`"), "{error}");
    refresh(&[("os_type", "windows")]);
}

#[test]
fn a_clock_that_is_meant_to_be_elsewhere_is_left_there() {
    for (base, expected) in [("2030-01-31", false), ("utc", true), ("localtime", true), ("", true)]
    {
        assert_eq!(refresh(&[("rtc_base", base)]).clock.is_some(), expected, "{base}");
    }
    let both = [("rtc_base", "2030-01-31"), ("state_clock", "correct")];
    assert!(refresh(&both).clock.is_some());
}
