//! A real browser, told what to do over a pair of pipes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use camino::{Utf8Path, Utf8PathBuf};
use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::PATIENCE;

/// The programs that are looked for, unless `KVMTEST_BROWSER` names one.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Chromium without a window, with one page, by the DevTools protocol.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    commands: File,
    messages: Receiver<Value>,
    /// Messages that came while an answer was waited for.
    events: VecDeque<Value>,
    session: Option<String>,
    last: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts the browser, with a page that is `width` pixels wide; says why there is none.
    pub fn start(width: u32, height: u32) -> Result<Self, String> {
        let program = program()?;
        let profile = tempfile::Builder::new().prefix("kvmtest-browser-").tempdir().expect("made");
        let (theirs, commands) = std::io::pipe().expect("a pipe");
        let (answers, their_answers) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(&program);
        command
            .args(["--headless", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run"])
            .args(["--disable-extensions", "--disable-background-networking", "--mute-audio"])
            .args(["--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--window-size={width},{height}"))
            // What it keeps for a desktop would stay there.
            .env("XDG_RUNTIME_DIR", profile.path())
            .env("XDG_CONFIG_HOME", profile.path())
            .env("XDG_CACHE_HOME", profile.path());
        if rustix::process::geteuid().is_root() {
            // It refuses to run as root otherwise.
            command.arg("--no-sandbox");
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .fd_mappings(vec![
                FdMapping { parent_fd: theirs.into(), child_fd: 3 },
                FdMapping { parent_fd: their_answers.into(), child_fd: 4 },
            ])
            .expect("descriptors")
            .spawn()
            .map_err(|error| format!("{program} does not start: {error}"))?;
        // What the child has is to be its alone, or no end would be seen.
        drop(command);
        let commands = File::from(std::os::fd::OwnedFd::from(commands));
        let mut browser = Self {
            child,
            commands,
            messages: read(File::from(std::os::fd::OwnedFd::from(answers))),
            events: VecDeque::new(),
            session: None,
            last: 0,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", target);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser.call("Emulation.setDeviceMetricsOverride", size);
        Ok(browser)
    }

    /// Opens a page, and waits until it is loaded.
    #[track_caller]
    pub fn open(&mut self, address: &str) {
        // Of the page before, nothing is to be left, its events included.
        self.eval("0");
        self.events.clear();
        self.call("Page.navigate", json!({"url": "about:blank"}));
        self.wait_for("Page.loadEventFired");
        self.events.clear();
        let answer = self.call("Page.navigate", json!({"url": address}));
        assert_eq!(answer["errorText"], Value::Null, "{address}: {answer}");
        self.wait_for("Page.loadEventFired");
    }

    /// What an expression of JavaScript is; what it promises, if it is a promise.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        let wanted = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", wanted);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses and releases a key, by the name that pages know it by.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "Tab" => 9,
            _ => 0,
        };
        let text = if key == "Enter" {
            "\r"
        } else if key.len() == 1 {
            key
        } else {
            ""
        };
        let mut event =
            json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        event["text"] = "".into();
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Types into what has the focus.
    pub fn types(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Lets the page believe in `dark` or `light` colours, and in the medium `screen` or `print`.
    pub fn media(&mut self, scheme: &str, medium: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"media": medium, "features": features}));
    }

    /// Makes the page's window another size.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// What the window shows, as PNG.
    pub fn screenshot(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"}));
        bytes(answer["data"].as_str().expect("an image"))
    }

    /// The page on paper, as PDF.
    pub fn print(&mut self) -> Vec<u8> {
        let answer = self.call("Page.printToPDF", json!({"preferCSSPageSize": true}));
        bytes(answer["data"].as_str().expect("a document"))
    }

    /// The addresses of everything that the page has asked for so far, itself included.
    pub fn requests(&mut self) -> Vec<String> {
        let requests = self.told("Network.requestWillBeSent");
        requests.iter().filter_map(|told| Some(told["request"]["url"].as_str()?.into())).collect()
    }

    /// What the page has complained about so far: errors of scripts, and what its policy forbade.
    pub fn complaints(&mut self) -> Vec<String> {
        let mut complaints = self.told("Runtime.exceptionThrown");
        complaints.extend(self.told("Log.entryAdded"));
        complaints.extend(self.told("Page.javascriptDialogOpening"));
        complaints.iter().map(ToString::to_string).collect()
    }

    fn told(&mut self, method: &str) -> Vec<Value> {
        // An answer comes after everything that was told before it.
        self.eval("0");
        let events = self.events.iter().filter(|event| event["method"] == method);
        events.map(|event| event["params"].clone()).collect()
    }

    #[track_caller]
    fn wait_for(&mut self, method: &str) {
        while !self.events.iter().any(|event| event["method"] == method) {
            let message = self.receive();
            self.events.push_back(message);
        }
    }

    #[track_caller]
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).expect("it reads");
        loop {
            let mut message = self.receive();
            if message["id"] == self.last {
                assert_eq!(message["error"], Value::Null, "{method}: {message}");
                return message["result"].take();
            }
            self.events.push_back(message);
        }
    }

    #[track_caller]
    fn receive(&mut self) -> Value {
        self.messages.recv_timeout(PATIENCE).expect("the browser answers")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its group is its own, and it has not been waited for: nobody else can be meant.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The address of a file.
pub fn address(file: &Utf8Path) -> String {
    format!("file://{file}")
}

fn program() -> Result<Utf8PathBuf, String> {
    if let Ok(named) = std::env::var("KVMTEST_BROWSER") {
        return Ok(named.into());
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let candidates = PROGRAMS
        .iter()
        .flat_map(|name| path.split(':').map(move |folder| Utf8Path::new(folder).join(name)));
    let mut found = candidates.filter(|path| path.is_file());
    found.next().ok_or_else(|| {
        format!("no browser is installed ({}); KVMTEST_BROWSER can name one", PROGRAMS.join(", "))
    })
}

/// What base64 stands for.
fn bytes(letters: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters = letters.trim_end_matches('=').as_bytes();
    let of_four = |four: &[u8]| {
        let bits = four.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(value(*letter)));
        let [_, bytes @ ..] = (bits << (6 * (4 - four.len()))).to_be_bytes();
        bytes.into_iter().take(four.len() * 3 / 4)
    };
    letters.chunks(4).flat_map(of_four).collect()
}

/// Messages, each ended by a zero.
fn read(answers: File) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for message in BufReader::new(answers).split(0).map_while(Result::ok) {
            let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}
