//! The command line: what is asked for, what is documented, what is refused and how.

use std::process::Command;

use kvmtest_tests::{Running, Sandbox, fake_qemu};

#[test]
fn every_command_tells_what_it_does() {
    let sandbox = Sandbox::new();
    let check = |command: &[&str], parts: &[&str]| {
        let long = sandbox.kvmtest(command.iter().copied().chain(["--help"]));
        long.code(0).is_clean().says(["Usage: kvmtest"]);
        for part in parts {
            long.says([part]);
        }
        assert!(long.stderr.is_empty() && long.stdout.lines().all(|line| line.len() <= 100));
    };
    let commands = [
        "run", "report", "list", "show", "lint", "doctor", "guest", "env", "state", "console",
        "monitor", "ssh",
    ];
    check(&[], &commands);
    check(&[], &["new", "completions", "man", "--version", "quick set"]);
    let codes = ["Exit status:", "0  ", "1  ", "2  ", "3  ", "4  ", "5  ", "130  "];
    check(&["run"], &codes);
    check(&["run"], &["Machines are started as the tests need them"]);
    check(
        &["run"],
        &["--config", "--subtests", "--results", "--set", "kill_vm = no", "mem = 1024"],
    );
    check(&["run"], &["--quiet", "--verbose"]);
    let formats = ["console", "json", "junit", "tap", "html"];
    check(&["report"], &formats);
    check(&["report"], &["results/latest", "--output <FILE>", "--quiet", "--verbose"]);
    let codes = ["Exit status:", "0  ", "2  ", "3  "];
    check(&["report"], &codes);
    check(&["list"], &["--format <FORMAT>", "table", "names", "jsonl", "count"]);
    for command in ["run", "list", "show"] {
        check(&[command], &["--defaults", "--expand-defaults <NAME>", "(guest_os=f)..boot"]);
    }
    check(&["show"], &["--format", "--explain"]);
    let codes = ["Exit status:", "0  ", "1  ", "2  ", "3  "];
    check(&["lint"], &codes);
    check(&["lint"], &["[FILE]...", "--allow", "--format", "unknown-label", "never-holds"]);
    check(&["doctor"], &[]);
    check(&["guest"], &["build", "list", "rm"]);
    check(&["guest", "build"], &["small", "wide"]);
    check(&["env"], &["list", "kill", "gc"]);
    check(&["env", "kill"], &["[VM]"]);
    check(&["state"], &["build", "list", "rm", "gc", "booted guests in the cache"]);
    check(&["state", "build"], &["[WHAT]...", "--json", "Exit codes", "first one that starts"]);
    check(&["state", "list"], &["--json", "`unverified`"]);
    check(&["state", "rm"], &["<WHICH>...", "four digits"]);
    check(&["state", "gc"], &["--limit <SIZE>", "10G"]);
    check(&["console"], &["<VM>", "serial console"]);
    check(&["monitor"], &["<VM>", "info status"]);
    check(&["ssh"], &["<VM>"]);
    check(&["new"], &["<DIR>", "run_foo"]);
    check(&["completions"], &["bash", "zsh", "fish"]);
    check(&["man"], &["<DIR>"]);
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for wrong in [&["rum"][..], &["run", "--reslts", "x"], &["env", "kil"], &["console"], &[]] {
        let ended = sandbox.kvmtest(wrong);
        ended.code(2).says(["Usage: kvmtest"]);
        assert!(ended.stdout.is_empty(), "{ended}");
    }
    sandbox.kvmtest(["rum"]).says(["run"]);
    sandbox.kvmtest(["list", "--format", "tabel"]).code(2).says(["'table'", "jsonl"]);
}

#[test]
fn an_unknown_test_is_told_with_the_nearest_names() {
    let sandbox = Sandbox::new();
    for command in ["run", "list", "show"] {
        let check = |typed: &str, meant: &str| {
            sandbox.kvmtest([command, typed]).code(4).is_clean().says([typed, meant]);
        };
        check("boto", "`boot`");
        check("shutdwon", "`shutdown`");
        check("system-reset", "`system_reset`");
    }
    assert!(!sandbox.work.join("results").exists(), "nothing was run");
    sandbox.kvmtest(["run", "\x1b[2Jboot"]).is_clean();
    sandbox.is_empty();
}

#[test]
fn a_machine_that_is_not_there() {
    let sandbox = Sandbox::new();
    for command in [&["console", "vm1"][..], &["monitor", "vm1"], &["ssh", "vm1"]] {
        let ended = sandbox.kvmtest(command);
        ended.code(3).says(["no living VM is called `vm1`", "`kill_vm = no`"]);
    }
    sandbox.kvmtest(["env", "kill", "vm1"]).code(3).says(["no living VM is called `vm1`"]);
    sandbox.kvmtest(["env", "kill"]).code(0).says(["no machine lives"]);
    sandbox.kvmtest(["env"]).code(0).says(["no machine lives"]);
    sandbox.kvmtest(["env", "gc"]).code(0).says(["nothing to clear up"]);
    sandbox.is_empty();
}

#[test]
fn a_living_machine_is_talked_to_by_name() {
    let sandbox = Sandbox::new();
    sandbox.fake("obeys", &["boot", "kill_vm = no"]).code(0);
    let monitor = ["monitor", "vm1", "info", "status"];
    sandbox.kvmtest(monitor).code(0).is_clean().says(["VM status: running"]);
    let typed = sandbox.start(["monitor", "vm1"]).types("info status\n\ninfo usernet\n").end();
    typed.code(0).says(["VM status: running", "HOST_FORWARD"]);
    sandbox.kvmtest(["console", "vm2"]).code(3).says(["there are: vm1"]);
    let console = sandbox.start(["console", "vm1"]).types("\n\x1d").end();
    console.code(0).says(["console of vm1: Ctrl-] leaves", "left; the machine lives on"]);
    sandbox.kvmtest(["env", "kill"]).code(0);
    sandbox.is_empty();
}

#[test]
fn a_configuration_that_is_wrong_is_shown_where() {
    let sandbox = Sandbox::new();
    let config = sandbox.work.join("mine.cfg");
    let check = |text: &str, parts: [&str; 2]| {
        std::fs::write(&config, text).expect("written");
        for command in ["run", "list"] {
            let ended = sandbox.kvmtest([command, "--config", config.as_str()]);
            ended.code(3).is_clean().says(parts);
        }
    };
    check("mem = 1\nvariants\n    - a:\n", ["mine.cfg:2", "variants"]);
    check("include gone.cfg\n", ["mine.cfg:1", "gone.cfg"]);
    check("a = 1\n\tonly (\n", ["mine.cfg:2", "only"]);
    let gone = sandbox.kvmtest(["run", "--config", "gone.cfg"]);
    gone.code(3).says(["gone.cfg"]);
    std::fs::write(&config, b"mem = \xff\xfe\n").expect("written");
    sandbox.kvmtest(["run", "--config", config.as_str()]).code(3).says(["mine.cfg", "UTF-8"]);
}

#[test]
fn the_story_of_a_value_is_told() {
    let sandbox = Sandbox::new();
    let config = sandbox.work.join("mine.cfg");
    let text = "mem = 1\nevil = a\x1b[31mb\nvariants:\n    - boot:\n        mem += 2\n        !boot:\n            mem = 3\n    - other:\n        mem = 4\n";
    std::fs::write(&config, text).expect("written");
    let show = |more: &[&str]| {
        let arguments = ["show", "--config", config.as_str()];
        sandbox.kvmtest(arguments.iter().chain(more).copied())
    };
    let told = show(&["boot", "mem = 5", "--explain", "mem"]);
    told.code(0).is_clean().says([
        "mem = 5\n  in boot\n  by <command line>:1\n",
        "\n  1. mine.cfg:1        mem = 1\n",
        "1 → 12",
        "under !boot: which does not hold",
        "not applied",
        "12 → 5",
        "1 more statement for it in other variants' blocks:\n",
        "mine.cfg:9  mem = 4  in other",
    ]);
    let several = show(&["boot", "--explain", "shortname", "--explain", "evil"]);
    several.code(0).is_clean().says(["shortname = boot\n", "\n\nevil = a[31mb\n"]);
    let both = show(&["--explain", "mem"]);
    both.code(0).says(["mem = 12\n  in boot\n", "\n\nmem = 4\n  in other\n"]);

    let json = show(&["boot", "--format", "jsonl", "--explain", "mem"]);
    let json: serde_json::Value = serde_json::from_str(&json.code(0).stdout).expect("JSON");
    assert_eq!((&json["key"], &json["value"]), (&"mem".into(), &"12".into()));
    let steps = json["parts"][0]["steps"].as_array().expect("steps");
    let lines: Vec<_> = steps.iter().map(|step| (&step["place"]["line"], &step["took"])).collect();
    let expected =
        [(1, true), (5, true), (7, false)].map(|(line, took)| (line.into(), took.into()));
    assert_eq!(lines, expected.each_ref().map(|(line, took)| (line, took)));
    assert_eq!(steps[2]["context"][1]["condition"], "!boot");
    assert_eq!(json["elsewhere"][0]["statement"], "mem = 4");
    let document = show(&["-f", "json", "--explain", "mem", "--explain", "shortname"]);
    let document: serde_json::Value =
        serde_json::from_str(&document.code(0).stdout).expect("one document");
    let keys: Vec<_> = document.as_array().expect("an array").iter().map(|o| &o["key"]).collect();
    assert_eq!(keys, ["mem", "mem", "shortname", "shortname"]);
}

#[test]
fn a_key_that_nobody_sets_is_told_with_the_nearest_keys() {
    let sandbox = Sandbox::new();
    let ended = sandbox.kvmtest(["show", "boot", "--explain", "memm"]);
    ended.code(4).is_clean().says(["no statement gives `memm` a value", "`mem`"]);
    assert!(ended.stdout.is_empty(), "{ended}");
    let ended = sandbox.kvmtest(["show", "boot", "--explain", "x\x1by", "--explain", "mem"]);
    ended.code(4).is_clean().says(["x\\u{1b}y", "mem = 256"]);
}

#[test]
fn the_shipped_configuration_is_meant_as_it_is() {
    let sandbox = Sandbox::new();
    let ended = sandbox.kvmtest(["lint"]);
    ended.code(0).is_clean().says(["the shipped configuration: nothing found"]);
    let json = sandbox.kvmtest(["lint", "--format", "jsonl"]);
    assert!(json.code(0).stdout.is_empty(), "{json}");
    assert_eq!(sandbox.kvmtest(["lint", "--format", "json"]).code(0).stdout, "[]\n");
    sandbox.is_empty();
}

#[test]
fn what_was_hardly_meant_is_found() {
    let sandbox = Sandbox::new();
    let write = |name: &str, text: &str| {
        std::fs::write(sandbox.work.join(name), text).expect("written");
    };
    write(
        "mine.cfg",
        "variants:\n  - linux:\n  - windows:\nno linus\nonly linux, linus\nlinus: k = 1\nk = 1\nk = 2\n",
    );
    let ended = sandbox.kvmtest(["lint", "mine.cfg"]);
    ended.code(1).is_clean().says([
        "warning[unknown-label]: no variant has the label `linus`: nothing is dropped",
        "mine.cfg:4:4",
        "did you mean `linux`?",
        "warning[overwritten]: this value of `k`",
        "mine.cfg: 4 findings: 1 overwritten, 3 unknown-label",
    ]);
    let some = sandbox.kvmtest(["lint", "--allow", "unknown-label", "mine.cfg"]);
    some.code(1).does_not_say("linus").says(["mine.cfg: 1 finding: 1 overwritten"]);
    let allowed = ["lint", "--allow", "unknown-label", "--allow", "overwritten", "mine.cfg"];
    sandbox.kvmtest(allowed).code(0).says(["mine.cfg: nothing found"]);
    let only = sandbox.kvmtest(["lint", "--only", "overwritten", "mine.cfg"]);
    only.code(1).does_not_say("linus").says(["mine.cfg: 1 finding: 1 overwritten"]);
    sandbox.kvmtest(["lint", "--only", "unset-key", "mine.cfg"]).code(0).says(["nothing found"]);
    sandbox.kvmtest(["lint", "--allow", "typos", "mine.cfg"]).code(2).says(["unknown-label"]);

    // The same in several places is shown once.
    write("twice.cfg", "variants:\n  - linux:\nno linus\nno linus\nno linus\n");
    let twice = sandbox.kvmtest(["lint", "twice.cfg"]);
    twice.code(1).says(["the same in 2 more lines: twice.cfg:4, 5\n", "3 findings"]);

    // What is in one line is one picture, and a file below is called as it is from here.
    write("line.cfg", "variants:\n  - linux:\nno linus, linus..bsd, bds\nno bsd\nno bds\n");
    let line = sandbox.work.join("line.cfg");
    let line = sandbox.kvmtest(["lint", line.as_str()]);
    line.code(1).says([
        "`bds`: nothing is dropped\n --> line.cfg:3:4\n",
        "3 | no linus, linus..bsd, bds\n  |    ^^^^^  ^^^^^       ^^^\n",
        "\n  = no variant has the label `bds`: nothing is dropped in 1 more line: line.cfg:5\n",
    ]);

    // Of several files the worst counts.
    write("clean.cfg", "k = 1\n");
    sandbox.kvmtest(["lint", "clean.cfg"]).code(0);
    let both = sandbox.kvmtest(["lint", "clean.cfg", "mine.cfg"]);
    both.code(1).says(["clean.cfg: nothing found", "mine.cfg: 4 findings"]);
    write("one.cfg", "junk\n");
    sandbox.kvmtest(["lint", "one.cfg"]).code(3).says(["one.cfg: 1 error: ", "when it is mended"]);
    write("broken.cfg", "junk\nonly\n");
    let broken = sandbox.kvmtest(["lint", "mine.cfg", "broken.cfg"]);
    broken.code(3).says(["mine.cfg: 4 findings", "broken.cfg:1", "broken.cfg:2", "2 errors"]);
    sandbox.kvmtest(["lint", "gone.cfg"]).code(3).says(["gone.cfg"]);
    sandbox.is_empty();
}

#[test]
fn an_editor_reads_what_was_hardly_meant() {
    let sandbox = Sandbox::new();
    let write = |text: &str| {
        std::fs::write(sandbox.work.join("mine.cfg"), text).expect("written");
    };
    let lines = |code: i32| -> Vec<serde_json::Value> {
        let ended = sandbox.kvmtest(["lint", "--format", "jsonl", "mine.cfg"]);
        let lines = ended.code(code).is_clean().stdout.lines();
        lines.map(|line| serde_json::from_str(line).expect("one object a line")).collect()
    };
    write("variants:\n  - linux:\nno linus\nname = x\n");
    let expected = serde_json::json!([
        {
            "file": "mine.cfg", "line": 4, "columns": [1, 5], "severity": "warning", "finding": null,
            "message": "`name` is set by the language: the statement has no effect",
            "help": "take another key",
        },
        {
            "file": "mine.cfg", "line": 3, "columns": [4, 9], "severity": "warning",
            "finding": "unknown-label",
            "message": "no variant has the label `linus`: nothing is dropped",
            "help": "did you mean `linux`?",
        },
    ]);
    assert_eq!(serde_json::Value::from(lines(1)), expected);
    write("junk\n");
    let error = lines(3);
    assert_eq!((error.len(), error[0]["severity"].as_str()), (1, Some("error")));
    sandbox.is_empty();
}

#[test]
fn a_type_that_is_no_subtest_is_found() {
    let sandbox = Sandbox::new();
    let check = |text: &str, code: i32, parts: [&str; 2]| {
        std::fs::write(sandbox.work.join("mine.cfg"), text).expect("written");
        sandbox.kvmtest(["lint", "mine.cfg"]).code(code).says(parts);
    };
    let variants = "variants:\n  - a:\n    type = boot\n  - b:\n    type = shutdown\n";
    check(
        &format!("{variants}  - c:\n    type = bot\n"),
        1,
        ["warning[unknown-value]: there is no subtest `bot`", "did you mean `boot`?"],
    );
    check(variants, 0, ["nothing found", ""]);
    // A configuration for other subtests is somebody else's.
    check(
        "variants:\n  - a:\n    type = boot\n  - b:\n    type = theirs\n",
        0,
        ["nothing found", ""],
    );
    sandbox.is_empty();
}

#[test]
fn what_the_readers_are_told_to_type_works() {
    let sandbox = Sandbox::new();
    sandbox.kvmtest(["--version"]).code(0).says(["kvmtest 0."]);
    let list = sandbox.kvmtest(["list"]);
    list.code(0).says(["boot", "reboot", "system_reset", "system_powerdown", "shutdown"]);
    let count = sandbox.kvmtest(["list", "--format", "count"]);
    let lines = list.stdout.lines().filter(|line| !line.is_empty()).count();
    assert_eq!(count.code(0).stdout.trim(), lines.to_string());
    let show = sandbox.kvmtest(["show", "boot"]);
    show.code(0).says(["type = boot", "guest = small", "mem = 256", "base.cfg"]);
    sandbox.kvmtest(["show", "boot", "mem = 1024"]).code(0).says(["mem = 1024"]);
    let json = sandbox.kvmtest(["show", "--format", "json", "boot"]);
    let json: serde_json::Value = serde_json::from_str(&json.code(0).stdout).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(1), "{json}");
    assert_eq!(json[0]["shortname"], "boot");
    sandbox.kvmtest(["guest", "list"]).code(0).says(["small", "wide"]);
    for shell in ["bash", "zsh", "fish"] {
        sandbox.kvmtest(["completions", shell]).code(0).says(["kvmtest"]);
    }
    sandbox.kvmtest(["man", "pages"]).code(0);
    assert!(sandbox.work.join("pages/kvmtest-run.1").is_file());
    sandbox.is_empty();
}

#[test]
fn the_doctor_says_what_mends_it() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["doctor"]);
    let nothing = sandbox.root.join("empty");
    std::fs::create_dir(&nothing).expect("made");
    command.env("PATH", &nothing);
    let ended = Running::start(&mut command).end();
    ended.code(3).is_clean().says(["missing", "mend it:", "qemu-system-x86", "openssh-client"]);
    ended.says(["guest `small`", "kvmtest guest build small"]);
}

#[test]
fn output_that_nobody_reads_is_no_crash() {
    let sandbox = Sandbox::new();
    for arguments in ["list", "show boot", "run --help", "env"] {
        let mut shell = Command::new("sh");
        let script = format!("{} {arguments} | true", kvmtest_tests::program());
        shell.args(["-c", &script]);
        sandbox.enclose(&mut shell);
        Running::start(&mut shell).end().code(0).does_not_say("panicked");
    }
}

#[test]
fn results_that_cannot_be_written() {
    let sandbox = Sandbox::new();
    let what = |results: &str| {
        let mut command = sandbox.fake_run("obeys", &["boot"]);
        command.args(["--results", results]);
        Running::start(&mut command).end()
    };
    std::fs::write(sandbox.work.join("file"), "").expect("written");
    what("file").code(3).says(["making a results directory in", "file", "--results DIR"]);
    what("/proc/results").code(3).says(["/proc/results", "--results DIR"]);
    sandbox.is_empty();
}

#[test]
fn a_disk_that_fills_up_while_results_are_written() {
    let sandbox = Sandbox::new();
    let disk = sandbox.work.join("disk");
    std::fs::create_dir(&disk).expect("made");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk.as_str()])
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        kvmtest_tests::skip("only root mounts a disk that is small enough to be full");
        return;
    }
    let mut command = sandbox.fake_run("floods", &["boot", "reboot"]);
    command.args(["--results", disk.as_str()]);
    let ended = Running::start(&mut command).end();
    let _ = Command::new("umount").arg(&disk).status();
    ended.is_clean().says(["cannot write"]).does_not_say("panicked");
    // What is lost are results. The machines and the run are not.
    assert!(matches!(ended.status.code(), Some(1 | 5)), "{ended}");
    ended.says(["2 tests in"]);
    sandbox.is_empty();
}

#[test]
fn a_variable_that_is_no_place() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.fake_run("obeys", &["boot"]);
    command.env("XDG_RUNTIME_DIR", "relative").env("XDG_CACHE_HOME", "");
    // As the specification wants it: the home's own places are taken.
    Running::start(&mut command).end().code(0);
    assert!(sandbox.root.join("home/.cache/kvmtest").is_dir());
    let mut command = sandbox.command(["env"]);
    command.env_remove("XDG_RUNTIME_DIR").env_remove("XDG_CACHE_HOME").env_remove("HOME");
    Running::start(&mut command).end().code(3).says(["XDG_CACHE_HOME", "HOME"]);
    assert!(fake_qemu().is_file());
}

#[test]
fn a_long_value_widens_nothing_but_its_own_row() {
    let sandbox = Sandbox::new();
    let config = sandbox.work.join("mine.cfg");
    let text = format!("a = 1\nlong = {}\nvariants:\n  - boot:\n", "x".repeat(300));
    std::fs::write(&config, text).expect("written");
    let ended = sandbox.kvmtest(["show", "--config", config.as_str(), "boot"]);
    let shown = &ended.code(0).stdout;
    let row = |key: &str| shown.lines().find(|line| line.trim_start().starts_with(key)).expect(key);
    assert!(
        row("a = 1").ends_with("mine.cfg:1") && row("a = 1").len() < 80 + config.as_str().len()
    );
    assert!(row("long = x").ends_with("mine.cfg:2"), "{shown}");
}
