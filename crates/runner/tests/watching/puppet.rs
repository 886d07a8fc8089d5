//! A machine that is none: a process that sleeps, a monitor and a console that say what a test
//! wants them to.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::host::ProcessId;
use kvmtest::vm::Record;
use kvmtest::{Env, Params};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// How a puppet behaves when it is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    /// Whether its monitor greets.
    pub(crate) greets: bool,
    /// Whether it answers more than the negotiation.
    pub(crate) answers: bool,
    /// What `query-status` says.
    pub(crate) status: &'static str,
    /// What `info registers` prints, one time after another; the last one stays.
    pub(crate) registers: Vec<String>,
    /// What the console says to a line end; nothing: it never says anything.
    pub(crate) console: &'static str,
    /// It is killed by this question.
    pub(crate) dies_of: &'static str,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            greets: true,
            answers: true,
            status: "running",
            registers: vec![registers(0x1000, false), registers(0x2000, false)],
            console: "\r\n# ",
            dies_of: "",
        }
    }
}

/// What QEMU prints of one processor.
pub(crate) fn registers(ip: u64, halted: bool) -> String {
    let halted = u8::from(halted);
    format!("\r\nCPU#0\r\nRIP={ip:016x} RFL=00000246 [---Z-P-] CPL=0 II=0 HLT={halted}\r\n")
}

/// A machine that is none.
pub(crate) struct Puppet {
    pub(crate) name: String,
    env: Utf8PathBuf,
    runtime: Utf8PathBuf,
    scratch: Utf8PathBuf,
    shared: Arc<Shared>,
    _keep: tempfile::TempDir,
}

struct Shared {
    manners: Manners,
    process: Mutex<Child>,
    clients: Mutex<Vec<UnixStream>>,
    runtime: Utf8PathBuf,
    log: Utf8PathBuf,
    asked: Mutex<usize>,
}

impl Puppet {
    /// A machine called `name` in the env file `env`.
    pub(crate) fn new(env: &Utf8Path, name: &str, manners: Manners) -> Self {
        let keep = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(keep.path()).expect("UTF-8").to_owned();
        let (runtime, scratch) = (root.join("runtime"), root.join("scratch"));
        for dir in [&runtime, &scratch] {
            std::fs::create_dir(dir).expect("made");
        }
        std::fs::write(scratch.join("serial.log"), "").expect("written");
        let process = Command::new("sleep").arg("1000").spawn().expect("it starts");
        let id = ProcessId::of(process.id()).expect("it lives");
        let shared = Arc::new(Shared {
            manners,
            process: Mutex::new(process),
            clients: Mutex::default(),
            runtime: runtime.clone(),
            log: scratch.join("serial.log"),
            asked: Mutex::new(0),
        });
        serve(&shared, &runtime.join("harness.qmp"), monitor);
        serve(&shared, &runtime.join("serial0.sock"), console);
        let puppet = Self {
            name: name.to_owned(),
            env: env.to_owned(),
            runtime,
            scratch,
            shared,
            _keep: keep,
        };
        puppet.register(&id);
        puppet
    }

    fn register(&self, process: &ProcessId) {
        let record = json!({
            "name": self.name,
            "instance": {"id": format!("{}-{}", self.name, process.pid), "runtime": self.runtime,
                         "scratch": self.scratch},
            "process": process,
            "line": {
                "program": "/bin/false", "args": ["-name", self.name], "environment": [],
                "images": [], "nics": [],
                "monitors": [{"name": "harness", "kind": "qmp", "socket": "harness.qmp"}],
                "serials": [{"name": "serial0", "socket": "serial0.sock",
                             "log": self.scratch.join("serial.log")}],
                "redirs": [], "models": [], "uuid": null, "agent": null, "display": null,
                "testdev_log": null, "scratch": self.scratch, "fingerprint": ""
            },
            "accel": "tcg",
            "params": Params::new(),
            "created": "2026-01-01T00:00:00Z",
        });
        let record: Record = serde_json::from_value(record).expect("a record");
        let mut content = std::fs::read_to_string(&self.env)
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .unwrap_or_else(|| json!({"version": 1, "vms": {}}));
        content["vms"][&self.name] = serde_json::to_value(record).expect("serialises");
        let new = self.env.with_extension("new");
        std::fs::write(&new, content.to_string()).expect("written");
        std::fs::rename(&new, &self.env).expect("in its place");
    }

    /// The console prints.
    pub(crate) fn prints(&self, bytes: impl AsRef<[u8]>) {
        self.shared.log(bytes.as_ref());
    }

    /// QEMU writes on its own output.
    pub(crate) fn says(&self, words: &str) {
        std::fs::write(self.scratch.join("qemu.log"), words).expect("written");
    }

    /// QEMU tells of an event.
    pub(crate) fn tells(&self, name: &str, data: &Value) {
        self.shared.tell(name, data);
    }

    /// The process is killed, and its guard writes that down.
    pub(crate) fn dies(&self, signal: Signal) {
        self.shared.die(signal);
    }

    /// QEMU ends as it does when a monitor says `quit`.
    pub(crate) fn quits(&self, reason: &str) {
        let guest = reason.starts_with("guest");
        self.tells("SHUTDOWN", &json!({"guest": guest, "reason": reason}));
        self.shared.die(Signal::TERM);
    }

    /// Whoever ended it forgets it.
    pub(crate) fn is_forgotten(&self) {
        let env = Env::open(&self.env).expect("an env file");
        env.unregister_vm(&self.name).expect("forgotten");
    }

    /// The machine as the library sees it.
    pub(crate) fn vm(&self) -> kvmtest::Vm {
        let env = Env::open(&self.env).expect("an env file");
        env.get_vm(&self.name).expect("readable").expect("known")
    }

    /// What somebody stops stays where it is.
    pub(crate) fn freezes(&self) {
        let process = lock(&self.shared.process);
        kill_process(Pid::from_child(&process), Signal::STOP).expect("it lives");
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        self.shared.die(Signal::KILL);
    }
}

impl Shared {
    /// The log of the console.
    fn log(&self, bytes: &[u8]) {
        let mut log = std::fs::File::options().append(true).open(&self.log).expect("a log");
        log.write_all(bytes).expect("it takes it");
    }

    fn tell(&self, name: &str, data: &Value) {
        let time = json!({"seconds": 1, "microseconds": 2});
        let line = json!({"event": name, "data": data, "timestamp": time}).to_string() + "\r\n";
        lock(&self.clients).retain_mut(|client| client.write_all(line.as_bytes()).is_ok());
    }

    fn die(&self, signal: Signal) {
        let mut process = lock(&self.process);
        if process.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        let _ = kill_process(Pid::from_child(&process), signal);
        let _ = process.wait();
        let clean = signal == Signal::TERM;
        let exit = json!({
            "version": 1,
            "status": clean.then_some(0),
            "signal": (!clean).then_some(signal.as_raw()),
        });
        let _ = std::fs::write(self.runtime.join("exit.json.new"), exit.to_string());
        let _ = std::fs::rename(self.runtime.join("exit.json.new"), self.runtime.join("exit.json"));
        for client in lock(&self.clients).drain(..) {
            let _ = client.shutdown(std::net::Shutdown::Both);
        }
    }

    /// The registers, this time.
    fn registers(&self) -> String {
        let mut asked = lock(&self.asked);
        let all = &self.manners.registers;
        let now = all.get(*asked).or(all.last()).cloned().unwrap_or_default();
        *asked += 1;
        now
    }
}

fn serve(shared: &Arc<Shared>, path: &Utf8Path, talk: fn(&Shared, UnixStream)) {
    let listener = UnixListener::bind(path).expect("a socket");
    let shared = Arc::clone(shared);
    // One client at a time, as QEMU does.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            talk(&shared, stream);
        }
    });
}

fn monitor(shared: &Shared, stream: UnixStream) {
    if !shared.manners.greets {
        std::thread::park();
    }
    let mut output = stream.try_clone().expect("a descriptor");
    let mut say = |message: &Value| output.write_all((message.to_string() + "\r\n").as_bytes());
    let version = json!({"qemu": {"micro": 0, "minor": 2, "major": 9}, "package": ""});
    let _ = say(&json!({"QMP": {"version": version, "capabilities": []}}));
    lock(&shared.clients).push(stream.try_clone().expect("a descriptor"));
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let Ok(request) = serde_json::from_str::<Value>(&line) else { continue };
        let command = request["execute"].as_str().unwrap_or_default();
        if command == shared.manners.dies_of {
            shared.die(Signal::SEGV);
            return;
        }
        if command != "qmp_capabilities" && !shared.manners.answers {
            continue;
        }
        let answer = match command {
            "query-status" => json!({"status": shared.manners.status}),
            "human-monitor-command" => match request["arguments"]["command-line"].as_str() {
                Some("info registers -a") => shared.registers().into(),
                _ => "bus: main-system-bus\r\n".into(),
            },
            _ => json!({}),
        };
        if say(&json!({"return": answer, "id": request["id"]})).is_err() {
            return;
        }
    }
}

fn console(shared: &Shared, mut stream: UnixStream) {
    let mut heard = [0; 16];
    while stream.read(&mut heard).is_ok_and(|read| read > 0) {
        shared.log(shared.manners.console.as_bytes());
        if stream.write_all(shared.manners.console.as_bytes()).is_err() {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
