//! Who was connected to a machine that is set back to what was saved of it.

use std::sync::mpsc;
use std::time::Duration;

use camino::Utf8PathBuf;
use kvmtest::ErrorKind;
use kvmtest::vm::{Protocol, SaveOptions};

use crate::Test;
use crate::machine::{Machine, PATIENCE};
use crate::place::Place;

pub(crate) const TESTS: &[Test] = &[
    ("restored::a_session_of_before_begins_anew", begins_anew),
    ("restored::who_waits_for_something_is_told", waiting_is_told),
    ("restored::who_types_meanwhile_types_for_what_is_restored", typed_meanwhile),
    ("restored::the_console_is_as_it_was_saved", console_as_saved),
    ("restored::the_console_was_taken_by_another_session", console_is_taken),
    ("restored::what_fails_leaves_the_sessions", failure),
    ("restored::sessions_go_on_in_a_snapshot_of_its_images", snapshot),
];

fn begins_anew(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = save(&machine, place);
    // As often as wanted, whether the session looks in between or not, and wherever it goes then.
    for moves in 0..4 {
        machine.session.cmd("later=yes; echo yes >/tmp/later").expect("run");
        machine.vm.restore_from_file(&saved).expect("restored");
        if moves > 1 {
            machine.migrate(Protocol::Fd);
        }
        if moves > 2 {
            machine.vm.restore_from_file(&saved).expect("restored");
        }
        machine.answers();
        let left = machine.session.cmd_output("echo $later; cat /tmp/later").expect("run");
        assert!(left.contains("No such file") && !left.contains("yes"), "{moves}: {left}");
        // From here on it goes along again, in the middle of things.
        machine.migrate(Protocol::Fd);
        machine.answers();
    }
    let record = machine.vm.record().expect("started");
    assert_eq!(record.restored.expect("it was").path, saved);
    machine.end();
}

fn waiting_is_told(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = save(&machine, place);
    let Machine { vm, session, .. } = &mut machine;
    let error = std::thread::scope(|scope| {
        let (waits, is_waiting) = mpsc::channel();
        let waiting = scope.spawn(move || {
            session.sendline("echo is waiting | tr a-z A-Z").expect("sent");
            session.read_until_output_matches(&["IS WAITING"], PATIENCE).expect("said");
            waits.send(()).expect("somebody listens");
            session.read_until_output_matches(&["never"], PATIENCE).expect_err("it never comes")
        });
        is_waiting.recv().expect("it waits");
        vm.restore_from_file(&saved).expect("restored");
        waiting.join().expect("no panic")
    });
    assert_eq!(error.kind(), ErrorKind::ExpectTerminated, "{error}");
    let words = format!("the VM `vm1` was restored from {saved} meanwhile");
    assert!(error.to_string().contains(&words), "{error}");
    machine.answers();
    machine.end();
}

/// Without a look at whether the machine is there at all.
fn typed_meanwhile(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = save(&machine, place);
    machine.session.cmd("later=yes").expect("run");
    let pid = machine.pid();
    let Machine { vm, session, .. } = &mut machine;
    let process = crate::place::Process::of(pid).expect("it lives");
    std::thread::scope(|scope| {
        let typing = scope.spawn(|| {
            assert!(process.ends_within(PATIENCE), "the machine of before");
            session.cmd_timeout("echo \"<$later>\"", PATIENCE)
        });
        vm.restore_from_file(&saved).expect("restored");
        assert_eq!(typing.join().expect("no panic").expect("it is run"), "<>");
    });
    machine.answers();
    machine.end();
}

fn console_as_saved(place: &Place) {
    let mut machine = Machine::start(place);
    // In the middle of something: whoever begins anew ends it, as any login does.
    let words = "sh -c 'echo it runs | tr a-z A-Z; exec sleep 1000'";
    machine.session.sendline(words).expect("sent");
    machine.session.read_until_output_matches(&["IT RUNS"], PATIENCE).expect("said");
    let running = save(&machine, place);
    machine.session.send("\x03").expect("sent");
    machine.session.read_up_to_prompt().expect("a prompt");
    machine.vm.restore_from_file(&running).expect("restored");
    machine.answers();
    // Nobody is logged in there.
    machine.session.sendline("exit").expect("sent");
    machine.session.read_until_output_matches(&["login:"], PATIENCE).expect("asked");
    let nobody = save(&machine, place);
    machine.vm.restore_from_file(&nobody).expect("restored");
    assert_eq!(machine.session.cmd("echo \"<$mark>\"").expect("logged in"), "<>", "a new shell");
    // Nobody answers: that is said, and it goes on when somebody does.
    machine.vm.pause().expect("paused");
    let paused = save(&machine, place);
    machine.vm.restore_from_file(&paused).expect("restored");
    let soon = Duration::from_secs(1);
    let error = machine.session.cmd_timeout("true", soon).expect_err("nobody answers");
    let words = format!("logging in again: the VM `vm1` was restored from {paused}");
    assert!(error.to_string().contains(&words), "{error}");
    machine.vm.resume().expect("it runs");
    assert_eq!(machine.session.cmd("echo works").expect("logged in"), "works");
    machine.end();
}

fn console_is_taken(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = save(&machine, place);
    machine.vm.restore_from_file(&saved).expect("restored");
    let mut other = machine.vm.wait_for_serial_login(PATIENCE).expect("logged in");
    other.cmd("test \"$mark\" = $$").expect("the shell of before");
    let error = machine.session.cmd("true").expect_err("there is room for one");
    let message = error.to_string();
    assert!(message.contains("was restored from"), "{message}");
    assert!(
        message.contains("the serial console of the VM `vm1` has a session already"),
        "{message}"
    );
    drop(other);
    machine.answers();
    machine.end();
}

fn failure(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = save(&machine, place);
    crate::place::flip(&saved);
    machine.vm.restore_from_file(&saved).expect_err("it is damaged");
    machine.answers();
    machine.vm.destroy(false).expect("ended");
    // It is none of that machine's any more.
    let machine_of_now = Machine::start(place);
    let error = machine.session.cmd("true").expect_err("it was ended");
    assert_eq!(error.kind(), ErrorKind::VmDead, "{error}");
    drop(machine);
    machine_of_now.end();
}

fn snapshot(place: &Place) {
    let mut machine = Machine::start(place);
    let mut ssh = machine.vm.wait_for_login(PATIENCE).expect("the console is taken");
    ssh.cmd("shell=old").expect("run");
    machine.vm.savevm("before").expect("saved");
    for _ in 0..2 {
        machine.session.cmd("later=yes; echo yes >/tmp/later").expect("run");
        machine.vm.loadvm("before").expect("loaded");
        machine.answers();
        for session in [&mut machine.session, &mut ssh] {
            let left = session.cmd("echo \"<$later$shell>\" $(ls /tmp)").expect("it answers");
            assert_eq!(left, "<>");
        }
    }
    machine.migrate(Protocol::Fd);
    assert_eq!(ssh.cmd("echo moved").expect("it answers"), "moved");
    let error = machine.vm.loadvm("nope").expect_err("there is none");
    assert!(error.message().contains("no snapshot `nope`: they have `before`"), "{error}");
    assert_eq!(ssh.cmd("echo works").expect("nothing happened"), "works");
    machine.end();
}

/// Saves the machine; under a name of its own.
fn save(machine: &Machine, place: &Place) -> Utf8PathBuf {
    let number = (0..100).find(|number| !place.work.join(format!("saved{number}")).exists());
    let path = place.work.join(format!("saved{}", number.unwrap_or_default()));
    machine.vm.save_to_file(&path, SaveOptions::default()).expect("saved");
    path
}
