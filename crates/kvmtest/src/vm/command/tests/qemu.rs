//! A real QEMU, and a place where it can be started.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::super::{CommandLine, GuestParts, ImageKind, Paths, Request, build};
use super::bed::{Binary, params};

/// Far more than a start takes: only a hang gets there.
const PATIENCE: Duration = Duration::from_secs(60);

/// The QEMU that is installed, with what it offers.
pub(super) fn installed() -> Option<(Utf8PathBuf, Binary)> {
    // Another binary than the one in the path can be tried: KVMTEST_QEMU=/opt/qemu/bin/…
    let named = std::env::var("KVMTEST_QEMU").ok();
    let program = Utf8PathBuf::from(named.as_deref().unwrap_or("qemu-system-x86_64"));
    let say = |option: &[&str]| {
        let output = Command::new(&program).args(option).output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let Some(version) = say(&["-version"]) else {
        skip(&format!("`{program}` is not installed"));
        return None;
    };
    let numbers = version.split_whitespace().nth(3).expect("`QEMU emulator version N`");
    let mut numbers = numbers.split('.').filter_map(|number| number.parse().ok());
    let mut number = || numbers.next().expect("a version with two numbers");
    let version = (number(), number());
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
    let devices = say(&["-device", "help"]).expect("help");
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
        machines: first(say(&["-machine", "help"]).expect("help")),
        netdevs: first(say(&["-netdev", "help"]).expect("help")),
        options: Vec::new(),
    };
    Some((program, facts))
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// A place where a machine can really be started.
pub(super) struct Bed {
    pub(super) root: Utf8PathBuf,
    pub(super) paths: Paths,
    _directory: tempfile::TempDir,
}

impl Bed {
    pub(super) fn new(program: &Utf8Path) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
        for folder in ["instance", "scratch", "images", "images/iso", "images/tftp,root"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        for file in ["k", "vmlinuz"] {
            // mov dx, 0xf4; mov al, 0x10; out dx, al; jmp $
            let code = [0xba, 0xf4, 0x00, 0xb0, 0x10, 0xee, 0xeb, 0xfe];
            std::fs::write(root.join("images").join(file), kernel(code)).expect("a kernel");
        }
        std::fs::write(root.join("images/initrd.gz"), [0; 4096]).expect("an initrd");
        let paths = Paths {
            program: program.to_owned(),
            instance: root.join("instance"),
            scratch: root.join("scratch"),
            images: root.join("images"),
            overlays: None,
            own_images: std::collections::BTreeMap::new(),
            memory: None,
            layers: None,
        };
        Self { root, paths, _directory: directory }
    }

    pub(super) fn line(&self, facts: &Binary, text: &str) -> CommandLine {
        self.line_of(facts, &params(text))
    }

    pub(super) fn line_of(&self, facts: &Binary, params: &crate::Params) -> CommandLine {
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
            seed: self.root.as_str(),
        };
        build(&request).expect("a command line")
    }

    /// Makes the images.
    pub(super) fn prepare(&self, line: &CommandLine) {
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

    pub(super) fn run(&self, args: &[&str]) {
        let output = Command::new("qemu-img").args(args).current_dir(&self.root).output();
        let output = output.expect("qemu-img is installed with QEMU");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the machine, stopped, gives it `commands`, and ends it.
    pub(super) fn talk(&self, line: &CommandLine, commands: &[&str]) -> Vec<Value> {
        let mut machine = self.start(line, &["-S"]);
        machine.execute("qmp_capabilities");
        let answers = commands.iter().map(|command| machine.execute(command)).collect();
        machine.quit();
        answers
    }

    /// Makes the images and starts the machine with one more monitor.
    pub(super) fn start(&self, line: &CommandLine, more: &[&str]) -> Machine {
        self.prepare(line);
        self.start_prepared(line, more)
    }

    /// The same where the images are there.
    pub(super) fn start_prepared(&self, line: &CommandLine, more: &[&str]) -> Machine {
        let mut child = Command::new(&line.program)
            .args(&line.args)
            .args(more)
            .args(["-qmp", "stdio"])
            .current_dir(&self.paths.instance)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("QEMU starts");
        let (answers, events) = read(&mut child);
        let input = child.stdin.take().expect("its input");
        Machine { child: Some(child), input, answers, events, script: line.script() }
    }
}

/// A QEMU that runs.
pub(super) struct Machine {
    child: Option<Child>,
    input: ChildStdin,
    answers: Receiver<Value>,
    events: Receiver<Value>,
    script: String,
}

impl Machine {
    pub(super) fn execute(&mut self, command: &str) -> Value {
        self.execute_with(&format!(r#"{{"execute":"{command}"}}"#))
    }

    pub(super) fn execute_with(&mut self, command: &str) -> Value {
        // A QEMU that has ended says why on its standard error.
        let _ = writeln!(self.input, "{command}");
        let answer = self.answers.recv_timeout(PATIENCE);
        answer.unwrap_or_else(|_| self.fail(command))
    }

    pub(super) fn event(&mut self, name: &str) -> Value {
        loop {
            let event = self.events.recv_timeout(PATIENCE);
            let event = event.unwrap_or_else(|_| self.fail(name));
            if event["event"] == name {
                return event["data"].clone();
            }
        }
    }

    pub(super) fn quit(mut self) {
        self.execute("quit");
        let status = wait(self.child.as_mut().expect("it runs"));
        assert!(status.success(), "{status}");
        self.child = None;
    }

    fn fail(&mut self, waiting_for: &str) -> ! {
        let mut child = self.child.take().expect("it ran");
        let _ = child.kill();
        let output = child.wait_with_output().expect("its output");
        let words = String::from_utf8_lossy(&output.stderr);
        panic!("waiting for {waiting_for}: {words}\n{}", self.script);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What QEMU answers, and its events.
fn read(child: &mut Child) -> (Receiver<Value>, Receiver<Value>) {
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let (answers, answered) = channel();
    let (events, happened) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            if value.get("event").is_some() {
                let _ = events.send(value);
            } else if value.get("QMP").is_none() {
                let _ = answers.send(value["return"].clone());
            }
        }
    });
    (answered, happened)
}

/// The end of a process, which is killed where it does not come.
pub(super) fn wait(child: &mut Child) -> std::process::ExitStatus {
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

/// A kernel by its header, which runs `code` in real mode.
pub(super) fn kernel(code: [u8; 8]) -> Vec<u8> {
    let mut image = vec![0; 8192];
    image[0x1f1] = 4; // sectors of the real-mode part
    image[0x200..0x202].copy_from_slice(&[0xeb, 0x66]); // jmp 0x268
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&[0x0c, 0x02]); // protocol 2.12
    image[0x211] = 1; // loaded high
    image[0x22c..0x230].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]); // initrd up to 2 GiB
    image[0x268..0x270].copy_from_slice(&code);
    image
}
