//! Living state: what it costs to start from a state, to fork and to migrate, against booting and
//! against the same steps typed by hand.
//!
//! Prints, never judges: figures of another host, or of a busy one, are other figures.

#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

use std::path::Path;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::env::Env;
use kvmtest::host::ProcessId;
use kvmtest::state::NoSubtests;
use kvmtest::vm::{MigrateOptions, Protocol};
use kvmtest::{Params, Vm};
use kvmtest_benches::{ByHand, Figures, Program};

const BOOTS: usize = 3;
const STARTS: usize = 15;
const FORKS: usize = 5;
const TWINS: usize = 10;
const MIGRATIONS: usize = 5;
const LOGIN: Duration = Duration::from_secs(300);

fn main() {
    println!("medians of this run; times are this host's, ratios are what counts\n");
    let room = Room::new();
    starts(&room);
    forks(&room);
    migrations(&room);
    lifetimes();
}

/// An env of its own, whose machines are gone with it.
struct Room {
    env: Env,
    _keep: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let keep = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(keep.path()).expect("UTF-8").join("env.json");
        let env = Env::open(&path).expect("a new env");
        let guard = std::env::var("KVMTEST_PROGRAM").expect("`make bench` names the program");
        // It stays as long as we do, with or without machines.
        env.set_holder(Some(ProcessId::own().expect("this process"))).expect("written");
        env.set_guard(&Utf8PathBuf::from(guard)).expect("written");
        Self { env, _keep: keep }
    }

    fn vm(&self, name: &str, mem: &str) -> Vm {
        let params: Params = [
            ("guest", "small"),
            ("images", "data"),
            ("nics", "nic1"),
            ("redirs", "ssh"),
            ("guest_port_ssh", "22"),
            ("shell_client", "serial"),
            ("username", "root"),
            ("password", "kvmtest"),
            ("machine_type", "q35"),
            ("mem", mem),
        ]
        .into_iter()
        .collect();
        self.env.clone().with_params(&params).define_vm(name).expect("params for it")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for vm in self.env.get_all_vms().unwrap_or_default() {
            let _ = vm.destroy(false);
        }
    }
}

/// Until the guest has answered a command.
fn answers(vm: &Vm) {
    let mut session = vm.wait_for_login(LOGIN).expect("a login");
    session.cmd("echo").expect("an answer");
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// From nothing to the first command that the guest answers.
fn starts(room: &Room) {
    let vm = room.vm("vm1", "256");
    let [mut boot, mut state, mut hand, mut told] = [const { Figures::new() }; 4];
    for _ in 0..BOOTS {
        boot.add(timed(|| {
            vm.create().expect("it boots");
            answers(&vm);
        }));
    }
    let made = vm.create_from_state(&mut NoSubtests).expect("a state").built;
    let by_hand = ByHand::of(&vm);
    for _ in 0..STARTS {
        state.add(timed(|| {
            vm.create_from_state(&mut NoSubtests).expect("a state");
            answers(&vm);
        }));
        vm.destroy(false).expect("ended");
        hand.add(by_hand.start());
        told.add(by_hand.start_and_tell());
    }
    println!("booted, to the first answer         {boot}");
    println!("from a state, to the first answer   {state}");
    println!("by hand, and the guest told time    {told}");
    println!("by hand, and the guest knows naught {hand}");
    println!("  boot against state {:.1} times", boot.ratio(&state));
    println!("  state against by hand, told {:+.1} ms", difference(&state, &told));
    println!("  state against by hand, not told {:+.1} ms", difference(&state, &hand));
    let made = made.map_or_else(|| "before".to_owned(), |made| format!("in {made:?}"));
    println!("  the state was made {made}\n");
}

/// A running machine becomes two, and eleven.
fn forks(room: &Room) {
    let vm = room.vm("vm1", "512");
    let mut params = vm.params();
    params.set("vm_forkable", "yes");
    vm.set_params(params);
    let [mut first, mut pause] = [const { Figures::new() }; 2];
    for number in 0..FORKS {
        vm.create_from_state(&mut NoSubtests).expect("a state");
        answers(&vm);
        let name = format!("twin{number}");
        let begun = Instant::now();
        let (twins, forked) = vm.fork_all(&[&name]).expect("forked");
        first.add(begun.elapsed());
        pause.add(forked.pause);
        twins[0].destroy(false).expect("ended");
    }
    vm.create_from_state(&mut NoSubtests).expect("a state");
    answers(&vm);
    let alone = memory(&vm);
    let names: Vec<String> = (0..TWINS).map(|number| format!("twin{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut twins = Vec::new();
    let ten = timed(|| twins = vm.fork_all(&names).expect("forked").0);
    twins.iter().for_each(answers);
    let private: u64 = twins.iter().map(|twin| memory(twin).private).sum();
    let shared: u64 = twins.iter().map(|twin| memory(twin).shared).sum();
    println!("fork of 512 MiB                     {first}");
    println!("  of that, nobody ran               {pause}");
    println!("{TWINS} forks at once                    {ten:?}");
    println!("  one against the ten of them {:.1} times", ratio(ten, first.median()));
    println!(
        "  memory: alone {} MiB; each twin {} MiB of its own, {} MiB shared\n",
        alone.private >> 10,
        (private / TWINS as u64) >> 10,
        (shared / TWINS as u64) >> 10,
    );
    for twin in &twins {
        twin.destroy(false).expect("ended");
    }
}

/// Between two QEMUs of this host, by us and by hand.
fn migrations(room: &Room) {
    let vm = room.vm("vm1", "256");
    vm.create_from_state(&mut NoSubtests).expect("a state");
    let hands = [ByHand::of(&vm), ByHand::of(&vm)];
    let [mut whole, mut total, mut downtime] = [const { Figures::new() }; 3];
    let [mut hand_whole, mut hand_total, mut hand_downtime] = [const { Figures::new() }; 3];
    for _ in 0..MIGRATIONS {
        vm.create_from_state(&mut NoSubtests).expect("a state");
        answers(&vm);
        let begun = Instant::now();
        let figures = vm.migrate(&MigrateOptions::by(Protocol::Tcp)).expect("migrated");
        whole.add(begun.elapsed());
        total.add(figures.total_time.unwrap_or_default());
        downtime.add(figures.downtime.unwrap_or_default());
        vm.destroy(false).expect("ended");
        let moved = hands[0].migrate(&hands[1]);
        hand_whole.add(moved.whole);
        hand_total.add(moved.total);
        hand_downtime.add(moved.downtime);
    }
    println!("migration, from call to return      {whole}");
    println!("  the same typed by hand            {hand_whole}");
    println!("  by QEMU's own account             {total}");
    println!("  the same typed by hand            {hand_total}");
    println!("  downtime, by QEMU's own account   {downtime}");
    println!("  the same typed by hand            {hand_downtime}");
    println!("  against by hand {:+.1} ms\n", difference(&whole, &hand_whole));
}

/// The quick set, by what machine each of its tests gets.
fn lifetimes() {
    let program = Program::new();
    program.time(&["run", "vm_lifetime = snapshot"]);
    let mut times = Vec::new();
    for lifetime in ["fresh", "living", "snapshot", "auto"] {
        let time = program.time(&["run", &format!("vm_lifetime = {lifetime}")]);
        println!("the quick set, {lifetime:8}             {:9.1} ms", time.as_secs_f64() * 1000.0);
        times.push(time);
    }
    println!("  fresh against snapshot {:.1} times", ratio(times[0], times[2]));
}

/// In KiB.
struct Memory {
    private: u64,
    shared: u64,
}

/// What a machine's QEMU has for itself, and with others.
fn memory(vm: &Vm) -> Memory {
    let pid = vm.get_pid().expect("it runs");
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(Path::new(&path)).expect("ours to read");
    let sum = |keys: [&str; 2]| {
        let lines = text.lines().filter(|line| keys.iter().any(|key| line.starts_with(key)));
        lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
    };
    Memory {
        private: sum(["Private_Dirty:", "Private_Clean:"]),
        shared: sum(["Shared_Dirty:", "Shared_Clean:"]),
    }
}

/// In milliseconds.
fn difference(one: &Figures, other: &Figures) -> f64 {
    (one.median().as_secs_f64() - other.median().as_secs_f64()) * 1000.0
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
