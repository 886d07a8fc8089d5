//! A QEMU that is installed accepts the command lines of the cases.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::super::{CommandLine, GuestParts, ImageKind, Paths, Request, build};
use super::bed::{Binary, params};
use super::cases::CASES;

/// Far more than a start takes: only a hang gets there.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let text = "kernel = k\nkernel_params = it's \"quoted\" $HOME\ntestdev = yes\nimages = a b\n\
                image_snapshot = yes\nimage_name_a = a\nimage_name_b = b";
    let line = bed.line(&facts, text);
    bed.prepare(&line);
    for image in &line.images {
        std::fs::remove_file(image.overlay.as_ref().expect("an overlay")).expect("it was made");
    }
    let script = bed.root.join("start.sh");
    std::fs::write(&script, line.script()).expect("a script");
    let mut child = Command::new("sh")
        .arg(&script)
        .arg(bed.root.join("instance"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    // The kernel of the test does nothing but end QEMU with a status of its own.
    let status = wait(&mut child);
    assert_eq!(status.code(), Some(0x10 << 1 | 1));
}

/// The QEMU that is installed, with what it offers.
fn installed() -> Option<(Utf8PathBuf, Binary)> {
    let program = Utf8PathBuf::from("qemu-system-x86_64");
    let say = |option: &[&str]| {
        let output = Command::new(&program).args(option).output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let Some(version) = say(&["-version"]) else {
        skip("qemu-system-x86_64 is not installed");
        return None;
    };
    let numbers = version.split_whitespace().nth(3)?;
    let mut numbers = numbers.split('.').filter_map(|number| number.parse().ok());
    let version = (numbers.next()?, numbers.next()?);
    if version < (7, 2) {
        skip("the QEMU that is installed is older than 7.2");
        return None;
    }
    let quoted = |line: &str| {
        let mut parts = line.split('"');
        let name = parts.nth(1)?.to_owned();
        let alias = line.split_once("alias \"").and_then(|(_, rest)| rest.split('"').next());
        Some([Some(name), alias.map(str::to_owned)])
    };
    let devices = say(&["-device", "help"])?;
    let first = |text: String| -> Vec<String> {
        text.lines()
            .skip(1)
            .filter_map(|l| l.split_whitespace().next())
            .map(str::to_owned)
            .collect()
    };
    let facts = Binary {
        version,
        devices: devices.lines().filter_map(quoted).flatten().flatten().collect(),
        machines: first(say(&["-machine", "help"])?),
        netdevs: first(say(&["-netdev", "help"])?),
        options: Vec::new(),
    };
    Some((program, facts))
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// A place where a machine can really be started.
struct Bed {
    root: Utf8PathBuf,
    paths: Paths,
    _directory: tempfile::TempDir,
}

impl Bed {
    fn new(program: &Utf8Path) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
        for folder in ["instance", "scratch", "images", "images/iso", "images/tftp,root"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        for file in ["k", "vmlinuz"] {
            std::fs::write(root.join("images").join(file), kernel()).expect("a kernel");
        }
        std::fs::write(root.join("images/initrd.gz"), [0; 4096]).expect("an initrd");
        let paths = Paths {
            program: program.to_owned(),
            instance: root.join("instance"),
            scratch: root.join("scratch"),
            images: root.join("images"),
        };
        Self { root, paths, _directory: directory }
    }

    fn line(&self, facts: &Binary, text: &str) -> CommandLine {
        self.line_of(facts, &params(text))
    }

    fn line_of(&self, facts: &Binary, params: &crate::Params) -> CommandLine {
        let images = &self.paths.images;
        let guest = GuestParts {
            name: "small".to_owned(),
            kernel: images.join("vmlinuz"),
            initrd: images.join("initrd.gz"),
            data_disk: images.join("data.qcow2"),
            kernel_params: "console=ttyS0".to_owned(),
        };
        let guest = params.find("guest").is_some().then_some(&guest);
        let paths = &self.paths;
        let request = Request {
            name: "vm,1",
            params,
            facts,
            accel: "tcg",
            guest,
            paths,
            seed: &self.root.as_str(),
        };
        build(&request).expect("a command line")
    }

    /// Makes the images.
    fn prepare(&self, line: &CommandLine) {
        for image in &line.images {
            if image.kind == ImageKind::Disk {
                let size = image.size.to_string();
                // A relative name with a dot in front is never a protocol.
                let file =
                    Utf8Path::new(".").join(image.path.strip_prefix(&self.root).expect("ours"));
                self.run(&["create", "-q", "-f", &image.format, file.as_str(), &size]);
            } else {
                let length = if image.kind == ImageKind::Floppy { 1440 } else { 64 };
                std::fs::write(&image.path, vec![0; length << 10]).expect("an image");
            }
            if let Some(args) = image.overlay_args() {
                self.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }

    fn run(&self, args: &[&str]) {
        let output = Command::new("qemu-img").args(args).current_dir(&self.root).output();
        let output = output.expect("qemu-img is installed with QEMU");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the machine, stopped, gives it `commands` over one more monitor, and ends it.
    fn talk(&self, line: &CommandLine, commands: &[&str]) -> Vec<Value> {
        self.prepare(line);
        let mut child = Command::new(&line.program)
            .args(&line.args)
            .args(["-S", "-qmp", "stdio"])
            .current_dir(&self.paths.instance)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("QEMU starts");
        let replies = read(&mut child);
        let mut input = child.stdin.take().expect("its input");
        let mut answers = Vec::new();
        for command in ["qmp_capabilities"].iter().chain(commands).chain(&["quit"]) {
            // A QEMU that has ended says why on its standard error.
            let _ = writeln!(input, r#"{{"execute":"{command}"}}"#);
            let Ok(answer) = replies.recv_timeout(PATIENCE) else {
                let _ = child.kill();
                let output = child.wait_with_output().expect("its output");
                panic!("{}\n{}", String::from_utf8_lossy(&output.stderr), line.script());
            };
            answers.push(answer);
        }
        let status = wait(&mut child);
        assert!(status.success(), "{status}");
        answers.remove(0);
        answers
    }
}

/// What QEMU answers, without its events.
fn read(child: &mut Child) -> Receiver<Value> {
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(answer) = value.get("return") {
                let _ = sender.send(answer.clone());
            }
        }
    });
    receiver
}

/// The end of a process, which is killed where it does not come.
fn wait(child: &mut Child) -> std::process::ExitStatus {
    let pid = rustix::process::Pid::from_child(child);
    let (done, ended) = channel::<()>();
    let watch = std::thread::spawn(move || {
        if ended
            .recv_timeout(PATIENCE)
            .is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    let status = child.wait().expect("it is our child");
    drop(done);
    watch.join().expect("the watch");
    status
}

/// A kernel by its header, whose first instruction in real mode writes 0x10 to the exit port.
fn kernel() -> Vec<u8> {
    let mut image = vec![0; 8192];
    image[0x1f1] = 4; // sectors of the real-mode part
    image[0x200..0x202].copy_from_slice(&[0xeb, 0x66]); // jmp 0x268
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&[0x0c, 0x02]); // protocol 2.12
    image[0x211] = 1; // loaded high
    image[0x22c..0x230].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]); // initrd up to 2 GiB
    // mov dx, 0xf4; mov al, 0x10; out dx, al; jmp $
    image[0x268..0x270].copy_from_slice(&[0xba, 0xf4, 0x00, 0xb0, 0x10, 0xee, 0xeb, 0xfe]);
    image
}
