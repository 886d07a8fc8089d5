//! Whoever moves, forks or saves a machine is killed in the middle of it.

use std::process::Child;
use std::time::Duration;

use kvmtest::env::Reach;
use kvmtest::migration::Figures;
use kvmtest::{Env, Vm};

use crate::Test;
use crate::machine::{Machine, PATIENCE, slow, under_way, until};
use crate::place::{Place, Process, entries, this};
use crate::role;

pub(crate) const TESTS: &[Test] = &[
    ("killed::while_a_destination_is_started", early),
    ("killed::while_memory_is_sent", midway),
    ("killed::about_when_it_is_through", late),
    ("killed::while_it_forks", forking),
    ("killed::while_it_saves", saving),
];

/// Lets somebody begin with `role`, kills him when `is_time`, and looks at what is left.
fn kill(place: &Place, role: &[&str], is_time: impl FnOnce(&mut Child)) {
    // The machine is ours, not theirs: it stays when they go.
    let machine = Machine::start(place);
    machine.env.set_holder(Some(this())).expect("written");
    let Machine { env, vm, mut session } = machine;
    // They need the console for themselves.
    session.close();
    drop(session);
    drop(vm);
    let mut child = role::start(role);
    is_time(&mut child);
    let _ = child.kill();
    child.wait().expect("it ended");
    settle(place, &env);
    // Whoever was killed before he started a QEMU has left directories alone.
    kvmtest::env::collect(Reach::Abandoned).expect("cleared up");
    check(place, &env);
    for vm in env.get_all_vms().expect("read") {
        vm.destroy(false).expect("ended");
    }
    env.set_holder(None).expect("written");
    env.tidy().expect("tidied");
    // What is only half written is none of the files of a saved machine.
    assert_eq!(entries(&place.work), [""; 0], "{role:?}");
    assert_eq!(place.leftovers(), [""; 0], "{role:?}");
}

/// Waits until the guards have done what they do: there are as many QEMUs as machines.
fn settle(place: &Place, env: &Env) {
    let deadline = kvmtest::Deadline::after(PATIENCE);
    let are_settled = || {
        let processes = Process::all_in(&place.root);
        let count = |what: &str| {
            processes.iter().filter(|process| process.command_line().contains(what)).count()
        };
        let known = env.get_all_vms().expect("read").len();
        count("-nodefaults") == known && count(" guard") == known && count("cat ") == 0
    };
    while !are_settled() {
        assert!(!deadline.expired(), "left: {:?}", place.leftovers());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the env file names lives, can be worked with, and can be moved; and there is no more.
fn check(place: &Place, env: &Env) {
    let known = env.get_all_vms().expect("read");
    assert!(known.iter().any(|vm| vm.name() == "vm1"), "the machine is never lost");
    for vm in &known {
        vm.verify_alive().expect("what is known lives");
        let monitor = vm.monitor().expect("alive");
        assert_eq!(monitor.status().expect("asked"), "running", "whoever found it let it go on");
        assert!(Figures::ask(&monitor, PATIENCE).expect("asked").is_over());
        assert_works(vm);
        for protocol in ["unix", "exec"] {
            let mut options = slow(protocol.parse().expect("known"));
            options.settings.bandwidth = Some(1 << 40);
            vm.migrate(&options).expect("nothing is in the way");
        }
        assert_works(vm);
    }
    for dir in ["run/kvmtest/vms", "cache/kvmtest/scratch"] {
        let there = entries(&place.root.join(dir));
        let files = there.iter().map(|dir| entries(dir.as_str().into()));
        assert_eq!(there.len(), known.len(), "{dir}: {there:?} {:?}", files.collect::<Vec<_>>());
    }
}

fn assert_works(vm: &Vm) {
    let mut session = vm.wait_for_login(PATIENCE).expect("logged in");
    assert_eq!(session.cmd("echo works").expect("it answers"), "works");
}

fn wait_for_destination(place: &Place, before: usize) {
    until(|| Process::destinations(place).len() > before);
}

fn early(place: &Place) {
    for protocol in ["unix", "exec"] {
        // The machine itself came from a state.
        kill(place, &["migrate", protocol, "slow"], |_| wait_for_destination(place, 1));
    }
}

fn midway(place: &Place) {
    for protocol in ["tcp", "exec"] {
        kill(place, &["migrate", protocol, "slow"], |_| {
            under_way(place);
        });
    }
}

fn late(place: &Place) {
    // One moment after another: of what is done at the end each part takes some milliseconds.
    for step in 0..3 {
        kill(place, &["migrate", "fd", "fast"], |child| {
            wait_for_destination(place, 1);
            std::thread::sleep(Duration::from_millis(400 + 130 * step));
            let _ = child.try_wait();
        });
    }
}

fn forking(place: &Place) {
    for step in 0..3 {
        kill(place, &["fork"], |_| {
            wait_for_destination(place, 1);
            std::thread::sleep(Duration::from_millis(350 * step));
        });
    }
}

fn saving(place: &Place) {
    kill(place, &["save"], |_| {
        let machine = &Process::destinations(place)[0];
        until(|| machine.writes_in(&place.work));
    });
}
