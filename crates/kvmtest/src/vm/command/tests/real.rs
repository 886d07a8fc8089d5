//! A QEMU that is installed accepts the command lines of the cases.

use std::process::{Command, Stdio};

use super::super::CommandLine;
use super::bed::params;
use super::cases::CASES;
use super::qemu::{Bed, installed, kernel, wait};

#[test]
fn every_case_starts() {
    let Some((program, facts)) = installed() else { return };
    for case in CASES.iter().filter(|case| case.starts_anywhere) {
        let bed = Bed::new(&program);
        let line = bed.line(&facts, case.params);
        let answers = bed.talk(&line, &["query-status", "query-version"]);
        assert!(answers[0]["status"].is_string(), "{}: {answers:?}", case.name);
    }
}

#[test]
fn odd_names_reach_the_file_that_they_name() {
    let Some((program, facts)) = installed() else { return };
    for name in
        [r#"a,b="c" 'd'.raw"#, "new\nline.raw", "colon:name.raw", "json:{}.raw", "ä%s$(x).raw"]
    {
        for snapshot in ["no", "yes"] {
            let bed = Bed::new(&program);
            let text = format!(
                "images = i\nimage_format = raw\nimage_size = 1M\nimage_snapshot = {snapshot}"
            );
            let mut given = params(&text);
            given.set("image_name", name);
            let line = bed.line_of(&facts, &given);
            let answers = bed.talk(&line, &["query-named-block-nodes"]);
            let nodes = answers[0].as_array().expect("nodes");
            let want = bed.root.join("images").join(name);
            let found = nodes.iter().any(|node| {
                node["drv"] == "file" && node["image"]["filename"].as_str() == Some(want.as_str())
            });
            assert!(found, "{name:?}, image_snapshot = {snapshot}: {nodes:?}");
        }
    }
}

#[test]
fn the_script_starts_the_same_machine() {
    let Some((program, facts)) = installed() else { return };
    let bed = Bed::new(&program);
    let text = "kernel = k\nkernel_params = it's \"quoted\" $HOME\ntestdev = yes\nimages = a b c\n\
                image_snapshot_a = yes\nimage_name_a = a\nimage_name_b = b\ndrive_cache_b = none\n\
                image_name_c = it's.raw\nimage_format_c = raw\nimage_size = 1M";
    let line = bed.line(&facts, text);
    bed.prepare(&line);
    for image in line.images.iter().filter_map(|image| image.overlay.as_ref()) {
        std::fs::remove_file(image).expect("it was made");
    }
    let before: Vec<_> = line.images.iter().map(|image| std::fs::read(&image.path)).collect();
    let mut child = script(&bed, &line, &[]);
    // The kernel of the test does nothing but end QEMU with a status of its own.
    let status = wait(&mut child);
    assert_eq!(status.code(), Some(0x10 << 1 | 1));
    for (image, before) in line.images.iter().zip(before) {
        assert!(std::fs::read(&image.path).ok() == before.ok(), "{} was written to", image.name);
    }
    assert_eq!(left(&bed), Vec::<String>::new());
}

#[test]
fn a_script_that_is_ended_ends_its_machine_and_leaves_nothing() {
    let Some((program, facts)) = installed() else { return };
    let bed = Bed::new(&program);
    let line = bed.line(&facts, "kernel = k\ntestdev = yes");
    bed.prepare(&line);
    let pid = bed.root.join("pid");
    // A pipe that is read to its end has ended when QEMU has.
    let mut child = script(&bed, &line, &["-S", "-pidfile", pid.as_str()]);
    let words = child.stderr.take().expect("a pipe");
    let mut words = std::io::BufReader::new(words);
    let mut first = String::new();
    std::io::BufRead::read_line(&mut words, &mut first).expect("it speaks");
    assert!(first.starts_with("sockets and logs are in "), "{first}");
    let group = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(group, rustix::process::Signal::TERM).expect("it runs");
    assert_eq!(wait(&mut child).code(), Some(143));
    std::io::Read::read_to_string(&mut words, &mut first).expect("its end");
    assert_eq!(left(&bed), Vec::<String>::new());
}

#[test]
fn a_script_that_is_ended_again_and_again_leaves_nothing() {
    let Some((program, facts)) = installed() else { return };
    let bed = Bed::new(&program);
    let line = bed.line(&facts, "kernel = k\ntestdev = yes");
    bed.prepare(&line);
    for _ in 0..10 {
        let mut child = script(&bed, &line, &["-S"]);
        let mut words = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
        let mut first = String::new();
        std::io::BufRead::read_line(&mut words, &mut first).expect("it speaks");
        let shell = rustix::process::Pid::from_child(&child);
        let status = loop {
            rustix::process::kill_process(shell, rustix::process::Signal::TERM)
                .expect("it is ours");
            if let Some(status) = child.try_wait().expect("it is ours") {
                break status;
            }
        };
        // Its own end, or that of the signal where that came after the last of its words.
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert!(status.code() == Some(143) || signal == Some(15), "{status}");
        assert_eq!(left(&bed), Vec::<String>::new());
    }
}

/// Starts the script of `line`, whose directories are made in a place of their own.
fn script(bed: &Bed, line: &CommandLine, args: &[&str]) -> std::process::Child {
    let (script, private) = (bed.root.join("start.sh"), bed.root.join("private"));
    std::fs::write(&script, line.script()).expect("a script");
    std::fs::create_dir_all(&private).expect("made");
    Command::new("sh")
        .arg(&script)
        .args(args)
        .env("TMPDIR", private)
        .env_remove("KEEP")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell")
}

/// What scripts have left behind.
fn left(bed: &Bed) -> Vec<String> {
    let entries = bed.root.join("private").read_dir_utf8().expect("listed");
    entries.map(|entry| entry.expect("an entry").file_name().to_owned()).collect()
}

#[test]
fn a_panic_is_told_and_the_machine_is_kept() {
    let Some((program, facts)) = installed() else { return };
    for (action, status) in [("pause", "guest-panicked"), ("none", "running")] {
        let bed = Bed::new(&program);
        // mov dx, 0x505; mov al, 1; out dx, al; jmp $
        let code = [0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, 0xeb, 0xfe];
        std::fs::write(bed.paths.images.join("k"), kernel(code)).expect("a kernel");
        let line = bed.line(&facts, &format!("kernel = k\npanic_action = {action}"));
        let mut machine = bed.start(&line, &[]);
        machine.execute("qmp_capabilities");
        assert_eq!(
            machine.event("GUEST_PANICKED")["action"],
            if action == "none" { "run" } else { "pause" }
        );
        assert_eq!(machine.execute("query-status")["status"], status);
        // A guest that was stopped can finish its last words.
        machine.execute("cont");
        assert_eq!(machine.execute("query-status")["status"], "running");
        machine.quit();
    }
}

#[test]
fn the_kernel_picks_the_hosts_port() {
    let Some((program, facts)) = installed() else { return };
    let bed = Bed::new(&program);
    let line = bed.line(&facts, "nics = a b\nredirs = r s\nguest_port_r = 22\nguest_port_s = 22");
    let mut machine = bed.start(&line, &["-S"]);
    machine.execute("qmp_capabilities");
    let text = machine.execute_with(
        r#"{"execute":"human-monitor-command","arguments":{"command-line":"info usernet"}}"#,
    );
    let ports: Vec<u16> = text
        .as_str()
        .expect("text")
        .lines()
        .filter(|line| line.contains("HOST_FORWARD"))
        .filter_map(|line| line.split_whitespace().nth(3)?.parse().ok())
        .collect();
    assert!(ports.len() == 2 && ports[0] != ports[1] && !ports.contains(&0), "{text}");
    machine.quit();
}
