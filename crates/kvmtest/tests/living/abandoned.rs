//! Whoever was in the middle of something with a machine is dead; whoever finds it next finds it
//! as it was before.

use std::process::Child;
use std::time::Duration;

use kvmtest::migration::{Compression, Figures};
use kvmtest::vm::SaveOptions;
use kvmtest::{Env, Vm};
use rustix::process::Signal;

use crate::Test;
use crate::machine::{Machine, PATIENCE, under_way, until};
use crate::place::{Place, Process, entries, this};
use crate::role;

pub(crate) const TESTS: &[Test] = &[
    ("abandoned::a_handle_of_before_finds_it_running", old_handle),
    ("abandoned::while_it_moves_and_runs", live),
    ("abandoned::when_it_has_just_moved", just_moved),
    ("abandoned::a_paused_machine_stays_paused", paused),
    ("abandoned::and_the_guard_of_the_destination_is_dead", without_guard),
    ("abandoned::and_qemu_does_not_answer", hanging),
    ("abandoned::and_many_find_it_at_once", many),
    ("abandoned::what_is_half_made_ends", half_made),
    ("abandoned::a_twin_lacks_no_memory_in_a_file", whole_file),
];

/// A machine that is ours, and in the middle of what somebody was killed at.
struct Left {
    env: Env,
    vm: Vm,
}

impl Left {
    /// Lets somebody begin with `role`, and kills him when `is_time`.
    fn by(place: &Place, role: &[&str], is_time: impl FnOnce(&mut Child)) -> Self {
        Self::of(Machine::start(place), role, is_time)
    }

    fn of(machine: Machine, role: &[&str], is_time: impl FnOnce(&mut Child)) -> Self {
        machine.env.set_holder(Some(this())).expect("written");
        machine.vm.hold(&this()).expect("written");
        let Machine { env, vm, mut session } = machine;
        session.close();
        drop(session);
        drop(vm);
        let vm = env.get_vm("vm1").expect("read").expect("known");
        let mut child = role::start(role);
        is_time(&mut child);
        child.kill().expect("it ran");
        child.wait().expect("it ended");
        Self { env, vm }
    }

    fn end(self, place: &Place) {
        for vm in self.env.get_all_vms().expect("read") {
            vm.destroy(false).expect("ended");
        }
        self.env.set_holder(None).expect("written");
        self.env.tidy().expect("tidied");
        for path in entries(&place.work) {
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[track_caller]
fn assert_runs(vm: &Vm) {
    assert_eq!(vm.monitor().expect("alive").status().expect("asked"), "running");
    let mut session = vm.wait_for_login(PATIENCE).expect("logged in");
    assert_eq!(session.cmd("echo works").expect("it answers"), "works");
}

fn old_handle(place: &Place) {
    for role in [&["migrate", "unix", "slow"][..], &["save"]] {
        let left = Left::by(place, role, |_| match role {
            ["save"] => while_it_writes(place),
            _ => under_way(place),
        });
        left.vm.verify_alive().expect("it is set right");
        assert_runs(&left.vm);
        assert_eq!(entries(&place.work).len(), 1, "the env file: {:?}", entries(&place.work));
        left.end(place);
    }
}

fn live(place: &Place) {
    let left = Left::by(place, &["migrate", "tcp", "live"], |_| under_way(place));
    let found = left.env.get_vm("vm1").expect("read").expect("known");
    let monitor = found.monitor().expect("alive");
    // Cancelled, or failed because the destination had been ended before that.
    let status = Figures::ask(&monitor, PATIENCE).expect("asked").status;
    assert!(["cancelled", "failed"].contains(&&*status), "{status}");
    assert_runs(&found);
    left.end(place);
}

fn just_moved(place: &Place) {
    for role in [&["migrate", "fd", "fast"][..], &["migrate", "fd", "fast-live"], &["fork"]] {
        let env = place.work.join("env.json");
        let process = || {
            let text = std::fs::read_to_string(&env).expect("there");
            let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            json["vms"]["vm1"]["process"]["pid"].as_u64().expect("a number")
        };
        let left = Left::by(place, role, |_| {
            let before = process();
            until(|| process() != before);
        });
        let found = left.env.get_vm("vm1").expect("read").expect("known");
        assert_runs(&found);
        // The one that was before, and twins that nobody knows of.
        let known = left.env.get_all_vms().expect("read").len();
        let deadline = kvmtest::Deadline::after(PATIENCE);
        while Process::destinations(place).len() != known {
            assert!(!deadline.expired(), "{role:?}: {:?}", place.leftovers());
            std::thread::sleep(Duration::from_millis(20));
        }
        left.end(place);
    }
}

fn paused(place: &Place) {
    let machine = Machine::start(place);
    machine.vm.pause().expect("paused");
    let left = Left::of(machine, &["migrate", "unix", "slow"], |_| under_way(place));
    let found = left.env.get_vm("vm1").expect("read").expect("known");
    assert!(found.is_paused().expect("asked"));
    found.resume().expect("it can go on");
    assert_runs(&found);
    left.end(place);
}

fn without_guard(place: &Place) {
    let machine = Machine::start(place);
    let before = Process::guards(place);
    let left = Left::of(machine, &["migrate", "unix", "slow"], |_| {
        under_way(place);
        let guards = Process::guards(place).into_iter();
        let new = guards.filter(|guard| before.iter().all(|other| other.pid != guard.pid));
        new.for_each(|guard| guard.kill());
    });
    assert_eq!(Process::destinations(place).len(), 2, "nobody ends the destination");
    let found = left.env.get_vm("vm1").expect("read").expect("known");
    assert_eq!(Process::destinations(place).len(), 1);
    assert_runs(&found);
    left.end(place);
}

fn hanging(place: &Place) {
    let left = Left::by(place, &["migrate", "unix", "slow"], |_| under_way(place));
    let qemu = Process::of(left.vm.get_pid().expect("started")).expect("it lives");
    qemu.signal(Signal::STOP);
    for _ in 0..2 {
        // It is told of all the same.
        left.env.get_vm("vm1").expect("read").expect("known");
    }
    left.vm.verify_alive().expect_err("it does not answer");
    qemu.signal(Signal::CONT);
    left.vm.verify_alive().expect("it does now");
    assert_runs(&left.vm);
    left.end(place);
}

fn many(place: &Place) {
    let left = Left::by(place, &["migrate", "unix", "slow"], |_| under_way(place));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let found = left.env.get_vm("vm1").expect("read").expect("known");
                assert_eq!(found.monitor().expect("alive").status().expect("asked"), "running");
            });
        }
    });
    assert_runs(&left.vm);
    left.end(place);
}

fn half_made(place: &Place) {
    let machine = Machine::start(place);
    // What is packed takes longer to be read.
    let packed = SaveOptions { compression: Compression::Gzip, ..SaveOptions::default() };
    machine.vm.save_to_file(&place.work.join("saved"), packed).expect("saved");
    let pid = machine.pid();
    let left = Left::of(machine, &["restore"], |_| {
        let is_new = |process: &Process| process.pid != pid;
        until(|| Process::destinations(place).iter().any(is_new));
        // Until it is known.
        let env = place.work.join("env.json");
        until(|| std::fs::read_to_string(&env).is_ok_and(|text| text.contains("\"ends\"")));
    });
    assert!(left.env.get_vm("vm1").expect("read").is_none(), "nobody wants what it is");
    assert_eq!(Process::destinations(place).len(), 0);
    left.end(place);
}

fn whole_file(place: &Place) {
    let machine = Machine::with(place, &[("vm_forkable", "yes")]);
    let saved = place.work.join("saved");
    let left = Left::of(machine, &["fork"], |_| {
        let env = place.work.join("env.json");
        until(|| std::fs::read_to_string(&env).is_ok_and(|text| text.contains("forking it")));
        std::thread::sleep(Duration::from_millis(10));
    });
    let found = left.env.get_vm("vm1").expect("read").expect("known");
    // That memory was not to be sent was true of its twin alone.
    found.save_to_file(&saved, SaveOptions::default()).expect("saved");
    found.restore_from_file(&saved).expect("restored");
    assert_runs(&found);
    left.end(place);
}

/// Until a machine has begun to write what is saved of it.
fn while_it_writes(place: &Place) {
    let machine = &Process::destinations(place)[0];
    until(|| machine.writes_in(&place.work));
}
