//! States that are made before anybody wants them: `kvmtest state build`.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use kvmtest_tests::{Ended, PATIENCE, Process, Running, Sandbox, python_package};
use rustix::process::Signal;
use serde_json::Value;

/// What makes `boot` start from a state, which it does not by itself.
const BOOT: [&str; 2] = ["boot", "vm_lifetime = snapshot"];

/// A sandbox with the guest; nothing where it is not built, and then that was said.
fn sandbox() -> Option<Sandbox> {
    Sandbox::with_guests().map_err(|missing| kvmtest_tests::skip(&missing.to_string())).ok()
}

fn build<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["state", "build"], &BOOT[..], more].concat()
}

/// What is in the store.
fn store(sandbox: &Sandbox) -> Vec<String> {
    let root: Utf8PathBuf = sandbox.root.join("cache/kvmtest/states");
    let Ok(entries) = root.read_dir_utf8() else { return Vec::new() };
    entries.map(|entry| entry.expect("an entry").file_name().to_owned()).collect()
}

/// One whole state, and nothing that somebody has begun or holds.
#[track_caller]
fn has_states(sandbox: &Sandbox, count: usize) {
    let there = store(sandbox);
    assert!(there.len() == count && there.iter().all(|name| name.len() == 64), "{there:?}");
}

fn count(ended: &Ended, part: &str) -> usize {
    ended.stdout.matches(part).count()
}

/// Waits until `is_so`.
#[track_caller]
fn wait_until<T>(what: &str, is_so: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(found) = is_so() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what}: not within {PATIENCE:?}");
}

/// Waits for the machine on which a state is made.
#[track_caller]
fn qemu(sandbox: &Sandbox) -> Process {
    wait_until("a QEMU", || {
        let mut all = Process::all_in(&sandbox.root).into_iter();
        all.find(|process| process.command_line().contains("guest=vm1"))
    })
}

/// Waits until `run` waits for what another one makes.
#[track_caller]
fn waits(run: &Running) {
    let fds = format!("/proc/{}/fd", run.process().pid);
    wait_until("one that waits for a lock", || {
        let mut links = std::fs::read_dir(&fds)
            .ok()?
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        links.find(|link| link.to_string_lossy().contains("inotify"))
    });
}

#[test]
fn a_state_and_one_that_is_made_of_it_by_a_command_are_made_once() {
    let Some(sandbox) = sandbox() else { return };
    let web = ["vm_state = web", "state_command_web = echo it is there >/root/web"];
    let first = sandbox.kvmtest(build(&web));
    first.code(0).is_clean().says(["booted", "web", "MiB", "being made (small"]);
    assert_eq!(count(&first, "made in"), 2, "{first}");
    let names: Vec<_> = first.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["booted", "web"]);
    sandbox.is_empty();
    has_states(&sandbox, 2);
    let again = sandbox.kvmtest(build(&web));
    again.code(0).does_not_say("being made");
    assert_eq!(count(&again, "was there"), 2, "{again}");
    let ended = sandbox.kvmtest(build(&["--json"]));
    let told: Value = serde_json::from_str(&ended.code(0).stdout).expect("JSON alone");
    assert_eq!((&told["version"], &told["failed"]), (&1.into(), &serde_json::json!([])));
    let state = &told["states"][0];
    assert_eq!((&state["name"], &state["made_ms"]), (&"booted".into(), &Value::Null));
    assert!(state["bytes"].as_u64() > Some(1 << 20), "{state}");
    assert!(store(&sandbox).iter().any(|digest| state["digest"] == digest.as_str()), "{state}");
}

#[test]
fn two_at_once_make_a_state_once() {
    let Some(sandbox) = sandbox() else { return };
    let both = [sandbox.start(build(&[])), sandbox.start(build(&[]))].map(Running::end);
    let made: usize = both.iter().map(|ended| count(ended.code(0), "made in")).sum();
    let found: usize = both.iter().map(|ended| count(ended, "was there")).sum();
    assert_eq!((made, found), (1, 1), "{both:?}");
    has_states(&sandbox, 1);
    sandbox.is_empty();
}

#[test]
fn who_waits_makes_it_when_the_maker_is_killed() {
    let Some(sandbox) = sandbox() else { return };
    let first = sandbox.start(build(&[]));
    let machine = qemu(&sandbox);
    let second = sandbox.start(build(&[]));
    waits(&second);
    first.signal(Signal::KILL);
    first.end();
    assert!(machine.ends_within(PATIENCE), "its guard ends it");
    let ended = second.end();
    assert_eq!(count(ended.code(0), "made in"), 1, "{ended}");
    has_states(&sandbox, 1);
    sandbox.kvmtest(["env", "gc"]).code(0);
    sandbox.kvmtest(build(&[])).code(0).says(["was there"]);
    sandbox.is_empty();
}

#[test]
fn ctrl_c_leaves_nothing() {
    let Some(sandbox) = sandbox() else { return };
    let run = sandbox.start(build(&[]));
    let machine = qemu(&sandbox);
    run.signal_group(Signal::INT);
    run.end().code(130).says(["interrupted"]);
    assert!(machine.ends_within(PATIENCE));
    has_states(&sandbox, 0);
    sandbox.is_empty();
}

const MAKER: &str = "
def run_maker(test, params, env):
    vm = env.get_living_vm(params['main_vm'])
    vm.wait_for_login(60).cmd('echo made >/root/made')
";
const LOOK: &str = "
def run_look(test, params, env):
    vm = env.get_living_vm(params['main_vm'])
    assert vm.wait_for_login(60).cmd('cat /root/made') == 'made'
";

#[test]
fn a_subtest_in_python_makes_a_state_and_another_one_when_it_changes() {
    let Some(sandbox) = sandbox() else { return };
    python_package();
    let file = sandbox.work.join("maker.py");
    std::fs::write(&file, MAKER).expect("written");
    std::fs::write(sandbox.work.join("look.py"), LOOK).expect("written");
    let state = ["vm_state = mine", "state_subtest_mine = maker", "--subtests", "."];
    let ended = sandbox.kvmtest(build(&state));
    ended.code(0).says(["mine: being made"]);
    assert_eq!(count(&ended, "made in"), 2, "{ended}");
    let run = [&["run", "look", "vm_lifetime = snapshot"], &state[..]].concat();
    sandbox.kvmtest(run).code(0).says(["1 passed"]);
    has_states(&sandbox, 2);
    std::fs::write(&file, format!("{MAKER}    raise RuntimeError('no more')\n")).expect("written");
    let ended = sandbox.kvmtest(build(&state));
    ended.code(1).says(["booted", "was there", "no more", "making the state `mine`", "`maker`"]);
    has_states(&sandbox, 2);
    sandbox.is_empty();
}

#[test]
fn other_params_of_a_subtest_make_another_state() {
    let Some(sandbox) = sandbox() else { return };
    python_package();
    std::fs::write(sandbox.work.join("maker.py"), MAKER).expect("written");
    let state = ["vm_state = mine", "state_subtest_mine = maker", "--subtests", "."];
    let made = |more: &[&str]| {
        let ended = sandbox.kvmtest(build(&[&state[..], more].concat()));
        ended.code(0).stderr.matches("mine: being made").count()
    };
    assert_eq!(made(&["db_size = 10"]), 1);
    assert_eq!(made(&["db_size = 20"]), 1);
    assert_eq!(made(&["db_size = 10"]), 0, "that is there");
    assert_eq!(made(&["db_size = 10", "login_timeout = 59"]), 0, "what changes no guest");
    // Who says which params count says that no other does.
    let by_size = "state_params_mine = db_size";
    assert_eq!(made(&[by_size, "db_size = 20", "color = red"]), 0);
    assert_eq!(made(&[by_size, "db_size = 30", "color = red"]), 1);
    assert_eq!(made(&[by_size, "db_size = 30", "color = blue"]), 0);
    has_states(&sandbox, 4);
    sandbox.is_empty();
}

#[test]
fn a_command_that_ends_its_shell_tells_its_status() {
    let Some(sandbox) = sandbox() else { return };
    let state = ["vm_state = one", "state_command_one = echo hello; exit 3 # no more"];
    let ended = sandbox.kvmtest(build(&state));
    ended.code(1).says(["making the state `one`", "3"]);
    has_states(&sandbox, 1);
    sandbox.is_empty();
}

#[test]
fn ctrl_c_ends_the_subtest_that_makes_a_state() {
    let Some(sandbox) = sandbox() else { return };
    python_package();
    let asleep = "\ndef run_maker(test, params, env):\n    import subprocess, os\n    \
                  open('asleep', 'w').close()\n    subprocess.run(['sleep', '1000'])\n";
    std::fs::write(sandbox.work.join("maker.py"), asleep).expect("written");
    let state = ["vm_state = mine", "state_subtest_mine = maker", "--subtests", "."];
    let run = sandbox.start(build(&state));
    wait_until("the subtest", || sandbox.work.join("asleep").exists().then_some(()));
    run.signal_group(Signal::INT);
    run.end().code(130);
    has_states(&sandbox, 1);
    sandbox.is_empty();
}

#[test]
fn what_cannot_be_made_says_why() {
    let sandbox = Sandbox::new();
    let ended = sandbox.kvmtest(build(&["vm_state = mine"]));
    ended.code(1).says(["`state_command_mine`", "`boot`"]).is_clean();
    let ended = sandbox.kvmtest(build(&["vm_state = mine", "state_subtest_mine = nobody"]));
    ended.code(1).says(["there is no subtest `nobody`"]);
    let ended = sandbox.kvmtest(build(&[]));
    ended.code(1).says(["guest `small` is not built", "making what `boot` starts from"]);
    let ended = sandbox.kvmtest(build(&["--json"]));
    let told: Value = serde_json::from_str(&ended.code(1).stdout).expect("JSON alone");
    assert_eq!(
        (&told["states"], &told["failed"][0]["state"]),
        (&serde_json::json!([]), &"booted".into())
    );
    let ended = sandbox.kvmtest(["state", "build", "boot", "vm_lifetime = fresh"]);
    ended.code(4).says(["no test that is meant starts from a state", "`vm_lifetime = fresh`"]);
    sandbox.kvmtest(["state", "build", "xyzzy"]).code(4);
    sandbox.kvmtest(["state", "build", "mem ="]).does_not_say("panicked");
    has_states(&sandbox, 0);
    sandbox.is_empty();
}

#[test]
fn with_nothing_said_the_first_test_decides() {
    let Some(sandbox) = sandbox() else { return };
    let ended = sandbox.kvmtest(["state", "build"]);
    ended.code(0).says(["booted"]);
    assert_eq!(count(&ended, "made in"), 1, "{ended}");
    // What it makes is what the others of the set want, too.
    let ended = sandbox.kvmtest(["state", "build", "--set", "quick"]);
    assert!(count(ended.code(0), "was there") == 1, "{ended}");
}
