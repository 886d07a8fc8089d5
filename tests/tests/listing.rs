//! `kvmtest list`: its formats, what narrows it, what it does with very many tests; and what the
//! shell is offered.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use camino::Utf8PathBuf;
use kvmtest_tests::{Running, Sandbox, skip};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const CONFIG: &str = "
mem = 512
quoted = \"a \"b\" \\c\"
variants:
    - boot:
        type = boot
    - halt: boot
        type = shutdown
        skip = yes
variants guest_os [default=f]:
    - f:
    - g:
        mem = 1024
";

#[test]
fn each_format_tells_the_same_tests() {
    let sandbox = with(CONFIG);
    let list = |args: &[&str]| list(&sandbox, args);
    let table = list(&[]);
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].starts_with("boot    boot      Log in"), "{table}");
    assert_eq!(rows[1], "halt    shutdown  (skip = yes)");
    assert_eq!(list(&["--format", "table"]), table, "it is what is printed with nothing said");
    let names =
        ["(guest_os=f).boot", "(guest_os=f).halt", "(guest_os=g).boot", "(guest_os=g).halt"];
    assert_eq!(list(&["--format", "names"]).lines().collect::<Vec<_>>(), names);
    assert_eq!(list(&["-f", "count"]), "4\n");
    let lines: Vec<Value> = list(&["--format", "jsonl"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 4);
    let maps = |long: &str, short: &str| (json!({"mine.cfg": long}), json!({"mine.cfg": short}));
    let (long, short) = maps("(guest_os=g).halt", "g.halt");
    let last = json!({
        "i": 4,
        "name": "(guest_os=g).halt",
        "shortname": "g.halt",
        "dep": ["(guest_os=g).boot"],
        "params": {
            "mem": "1024", "quoted": "a \"b\" \\c", "type": "shutdown", "skip": "yes",
            "guest_os": "g", "_name_map_file": long, "_short_name_map_file": short,
        },
    });
    assert_eq!(lines[3], last);
    let document: Vec<Value> = serde_json::from_str(&list(&["--format", "json"])).expect("JSON");
    assert_eq!(document, lines);
    // Each name can be given back, and means that test alone.
    for name in names {
        assert_eq!(list(&["--format", "names", name]), format!("{name}\n"));
    }
}

#[test]
fn filters_statements_and_defaults_narrow_it() {
    let sandbox = with(CONFIG);
    let check = |args: &[&str], expect: &[&str]| {
        let names = list(&sandbox, &[&["--format", "names"], args].concat());
        assert_eq!(names.lines().collect::<Vec<_>>(), expect, "{args:?}");
    };
    check(&["only boot", "no (guest_os=f)"], &["(guest_os=g).boot"]);
    check(&["(guest_os=g)..halt"], &["(guest_os=g).halt"]);
    check(&["(guest_os=g): only boot", "halt"], &["(guest_os=f).halt"]);
    check(&["--defaults"], &["(guest_os=f).boot", "(guest_os=f).halt"]);
    check(&["--defaults", "g"], &["(guest_os=g).boot", "(guest_os=g).halt"]);
    check(
        &["--defaults", "--expand-defaults", "guest_os", "boot"],
        &["(guest_os=f).boot", "(guest_os=g).boot"],
    );
    let json = list(&sandbox, &["--format", "jsonl", "--defaults", "mem = 99", "mem += 9", "boot"]);
    let line: Value = serde_json::from_str(&json).expect("one line");
    assert_eq!(line["params"]["mem"], "999");
}

#[test]
fn what_is_wrong_is_told() {
    let sandbox = with(CONFIG);
    let check = |args: &[&str], code: i32, parts: [&str; 2]| {
        for command in ["list", "run", "show"] {
            let ended = sandbox.kvmtest([&[command, "--config", "mine.cfg"], args].concat());
            ended.code(code).is_clean().says(parts);
            assert!(ended.stdout.is_empty(), "{ended}");
        }
    };
    check(&["only ("], 2, ["<command line>:1:6", "^"]);
    check(&["(mem = 7"], 2, ["<command line>:1", "(mem = 7"]);
    check(&["include gone.cfg"], 2, ["gone.cfg", "<command line>"]);
    check(&["only nobody"], 4, ["no variant is left", "`only nobody`"]);
    check(&["(guest_os=h)"], 4, ["no variant has `(guest_os=h)`", "`(guest_os=g)`"]);
    check(&["boot/"], 2, ["`boot/` is neither", "`'only smp2'`"]);
    check(&["--expand-defaults", "guest_os"], 2, ["--defaults", "Usage:"]);
    let expand = ["--defaults", "--expand-defaults", "gest_os"];
    check(&expand, 4, ["no block of variants called `gest_os`", "did you mean `guest_os`?"]);
}

/// Ten to the thirtieth: a list that has no end.
fn endless() -> String {
    let mut text = "mem = 1\n".to_owned();
    for block in 0..30 {
        text.push_str("variants:\n");
        for letter in 'a'..='j' {
            text.extend(["    - ", &letter.to_string(), &block.to_string(), ":\n"]);
        }
    }
    text
}

#[test]
fn the_first_line_does_not_wait_for_the_last() {
    let sandbox = with(&endless());
    let commands: [&[&str]; 7] = [
        &["list", "--format", "table"],
        &["list", "--format", "names"],
        &["list", "--format", "jsonl"],
        &["show"],
        &["show", "--format", "jsonl"],
        &["show", "--explain", "name"],
        &["show", "--explain", "mem", "--format", "jsonl"],
    ];
    for args in commands {
        for what in ["j29", "j29.j28", "a7..b0"] {
            let mut command = sandbox.command(args.iter().chain(&["--config", "mine.cfg", what]));
            let mut child =
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
            let mut first = String::new();
            let stdout = child.stdout.take().expect("a pipe");
            BufReader::new(stdout).read_line(&mut first).expect("UTF-8");
            assert!(first.len() > 50 && first.ends_with('\n'), "{first}");
            // The pipe is closed now: that ends it, without a word.
            let ended = child.wait().expect("waited for");
            let mut said = String::new();
            child.stderr.expect("a pipe").read_to_string(&mut said).expect("UTF-8");
            assert!(ended.success() && said.is_empty(), "{ended}: {said}");
        }
    }
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    let sandbox = with(CONFIG);
    let mut shell = Command::new("sh");
    let program = kvmtest_tests::program();
    shell.args(["-c", &format!("{program} list --config mine.cfg > /dev/full")]);
    sandbox.enclose(&mut shell);
    Running::start(&mut shell).end().code(3).says(["writing to standard output"]);
}

#[test]
fn an_interrupt_ends_a_list_that_has_no_end() {
    let sandbox = with(&endless());
    let mut command = sandbox.command(["list", "--config", "mine.cfg", "-f", "names"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdout.read_line(&mut first).expect("UTF-8");
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is there");
    // A shell calls this 130.
    assert_eq!(child.wait().expect("waited for").signal(), Some(Signal::INT.as_raw()));
    let mut said = String::new();
    child.stderr.expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    assert!(said.is_empty(), "{said}");
}

#[test]
fn a_real_matrix() {
    let data = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cartesian");
    let config = data.join("tp-qemu/tests.cfg");
    if !config.exists() {
        skip(&format!("{config} is not there"));
        return;
    }
    let sandbox = Sandbox::new();
    let statements: Vec<String> = std::fs::read_to_string(data.join("README.md"))
        .expect("readable")
        .split('`')
        .skip_while(|text| *text != "only JeOS.27")
        .step_by(2)
        .take(17)
        .map(str::to_owned)
        .collect();
    let lines = |args: &[&str]| {
        let base = ["list", "--config", config.as_str()];
        let words = base.iter().copied().chain(statements.iter().map(String::as_str));
        sandbox.kvmtest(words.chain(args.iter().copied())).code(0).stdout.clone()
    };
    assert_eq!(lines(&["--format", "count"]), "4663\n");
    assert_eq!(lines(&["--format", "names"]).lines().count(), 4663);
    assert_eq!(lines(&["boot", "-f", "names"]).lines().count(), 1);
    assert_eq!(lines(&["--defaults", "--format", "count"]), "3501\n");
}

#[test]
fn the_shell_is_offered_what_the_configuration_has() {
    let sandbox = with(CONFIG);
    let offered = |shell: &str, words: &[&str]| -> Vec<String> {
        let mut command = sandbox.command([&["--", "kvmtest"], words].concat());
        command.env("COMPLETE", shell).env("_CLAP_IFS", "\n");
        command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
        let ended = Running::start(&mut command).end();
        assert!(ended.code(0).is_clean().stderr.is_empty(), "{ended}");
        // Options are offered, too; zsh is told what each word is.
        let words = ended.stdout.lines().filter(|line| !line.starts_with('-'));
        words.filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
    };
    for command in ["run", "list", "show"] {
        let check = |words: &[&str], expect: &[&str]| {
            for shell in ["bash", "zsh"] {
                assert_eq!(offered(shell, &[&[command], words].concat()), expect, "{words:?}");
            }
        };
        check(&["--config", "mine.cfg", "g."], &["g.boot", "g.halt"]);
        check(&["--config=mine.cfg", "'no boot'", "g."], &["g.halt"]);
        check(&["--config", "mine.cfg", "--defaults", "ha"], &["halt"]);
        check(&["--config", "mine.cfg", "--defaults", "--expand-defaults", ""], &["guest_os"]);
        check(
            &["--config", "mine.cfg", "boot..(gu"],
            &["boot..(guest_os=f)", "boot..(guest_os=g)"],
        );
        check(&["--config", "gone.cfg", "bo"], &[]);
        check(&["--set", "q"], &["quick"]);
        check(&["--config", "mine.cfg", "f.."], &["f..boot", "f..halt"]);
    }
    let show = ["show", "--config", "mine.cfg", "boot", "--explain", "m"];
    assert_eq!(offered("bash", &show), ["mem"]);
    std::fs::write(sandbox.work.join("mine.cfg"), endless()).expect("written");
    let many = offered("bash", &["list", "--config", "mine.cfg", ""]).len();
    assert!((100..=250).contains(&many), "{many}");
}

fn with(config: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.work.join("mine.cfg"), config).expect("written");
    sandbox
}

#[track_caller]
fn list(sandbox: &Sandbox, args: &[&str]) -> String {
    let ended = sandbox.kvmtest([&["list", "--config", "mine.cfg"], args].concat());
    assert!(ended.code(0).is_clean().stderr.is_empty(), "{ended}");
    ended.stdout
}
