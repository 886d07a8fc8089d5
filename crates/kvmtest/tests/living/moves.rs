//! Machines that move, and who is connected to them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use kvmtest::ErrorKind;
use kvmtest::migration::Choice;
use kvmtest::vm::{MigrateOptions, Protocol, SaveOptions};

use crate::Test;
use crate::machine::{Machine, PATIENCE, asked};
use crate::place::Place;

pub(crate) const TESTS: &[Test] = &[
    ("moves::whoever_is_connected_goes_along_or_is_told", whoever_is_connected),
    ("moves::the_output_of_a_command_is_whole", output_is_whole),
    ("moves::ten_in_a_row_and_nobody_looks", ten_in_a_row),
    ("moves::a_session_goes_on_at_once", session_goes_on_at_once),
    ("moves::a_paused_machine_stays_paused", paused),
    ("moves::what_another_thread_types_arrives", typed_meanwhile),
    ("moves::what_is_read_late_comes_once", read_late),
];

const PROTOCOLS: [Protocol; 4] = [Protocol::Tcp, Protocol::Unix, Protocol::Exec, Protocol::Fd];

/// By which name and how a machine moves.
type Move = (&'static str, fn(&Machine));

fn whoever_is_connected(place: &Place) {
    let mut machine = Machine::start(place);
    let mut ssh = machine.vm.wait_for_login(PATIENCE).expect("the console is taken");
    let moves: [Move; 6] = [
        ("tcp", |machine| drop(machine.migrate(PROTOCOLS[0]))),
        ("unix", |machine| drop(machine.migrate(PROTOCOLS[1]))),
        ("exec", |machine| drop(machine.migrate(PROTOCOLS[2]))),
        ("fd", |machine| drop(machine.migrate(PROTOCOLS[3]))),
        ("offline", |machine| {
            let options = MigrateOptions { offline: Some(true), ..MigrateOptions::default() };
            drop(machine.vm.migrate(&options).expect("it goes over"));
        }),
        ("fork", |machine| {
            let twin = machine.vm.fork("twin").expect("forked");
            let mut session = twin.wait_for_login(PATIENCE).expect("the twin answers");
            assert_eq!(session.cmd("echo twin").expect("run"), "twin");
            drop(session);
            twin.destroy(false).expect("ended");
        }),
    ];
    for (name, go) in moves {
        let [main, second] =
            ["qmp1", "qmp2"].map(|name| machine.vm.monitor_named(name).expect("there"));
        assert_eq!([asked(&main), asked(&second)], ["running", "running"], "{name}");
        let other = machine.env.get_vm("vm1").expect("read").expect("known");
        let pid = machine.pid();
        go(&machine);
        machine.answers();
        assert_ne!(machine.pid(), pid, "{name}");
        for monitor in [&main, &second] {
            let error = monitor.status().expect_err("that QEMU is gone");
            assert_eq!(error.kind(), ErrorKind::Monitor, "{name}: {error}");
        }
        for vm in [&machine.vm, &other] {
            assert_eq!(asked(&vm.monitor().expect("it is found")), "running", "{name}");
            assert_eq!(asked(&vm.monitor_named("qmp2").expect("found")), "running", "{name}");
            assert_eq!(vm.get_pid().expect("alive"), machine.pid(), "{name}");
        }
        assert_eq!(ssh.cmd("echo over the network").expect(name), "over the network");
    }
    let mut vms = machine.env.get_all_vms().expect("read");
    assert_eq!(vms.len(), 1, "the twin was ended");
    let other = vms.remove(0);

    let saved = place.work.join("saved");
    machine.vm.save_to_file(&saved, SaveOptions::default()).expect("saved");
    machine.answers();
    let old = machine.vm.monitor().expect("alive");
    machine.vm.restore_from_file(&saved).expect("restored");
    machine.answers();
    assert_eq!(ssh.cmd("echo over the network").expect("logged in anew"), "over the network");
    old.status().expect_err("that QEMU is gone");
    assert_eq!(other.get_pid().expect("alive"), machine.pid());
    assert_eq!(asked(&other.monitor().expect("it is found")), "running");
    machine.end();
}

fn output_is_whole(place: &Place) {
    let mut machine = Machine::start(place);
    // Until somebody says that it is enough, however fast anything is.
    let count = "i=0; while [ ! -e /tmp/enough ]; do i=$((i+1)); echo $i; \
                 [ $((i % 50)) = 0 ] && usleep 100000; done; rm /tmp/enough; echo end $i";
    let Machine { vm, session, .. } = &mut machine;
    let output = std::thread::scope(|scope| {
        let counting = scope.spawn(|| session.cmd_timeout(count, 5 * PATIENCE));
        for moves in 0..6 {
            vm.migrate(&MigrateOptions::by(PROTOCOLS[moves % 4])).expect("it goes over");
            assert!(!counting.is_finished(), "it counts still");
        }
        let mut ssh = vm.wait_for_login(PATIENCE).expect("the console is taken");
        ssh.cmd("touch /tmp/enough").expect("run");
        counting.join().expect("no panic").expect("it ends")
    });
    let (output, last) = output.rsplit_once("\nend ").expect("its end");
    let last: u32 = last.parse().expect("a number");
    let expected: Vec<String> = (1..=last).map(|number| number.to_string()).collect();
    let output: Vec<&str> = output.lines().collect();
    let first = output.iter().zip(&expected).position(|(one, other)| one != other);
    let around = first.map(|at| &output[at.saturating_sub(2)..(at + 4).min(output.len())]);
    assert!(output == expected, "{} lines of {last}; {around:?}", output.len());
    machine.answers();
    machine.end();
}

fn ten_in_a_row(place: &Place) {
    let mut machine = Machine::start(place);
    let tick =
        "(i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo tick $i; usleep 20000; done) & ticks=$!";
    machine.session.cmd(tick).expect("run");
    for number in 0..10 {
        let figures = machine.vm.migrate(&MigrateOptions::by(PROTOCOLS[number % 4]));
        assert_eq!(figures.expect("it goes over").status, "completed");
    }
    // Nobody has looked so far: what was said at each place is still there.
    machine.session.sendline("kill $ticks; echo no more $((1 + 1))").expect("sent");
    let said = machine.session.read_until_output_matches(&["no more 2"], PATIENCE).expect("said");
    let said = String::from_utf8_lossy(&said.before).into_owned();
    let ticks = said.lines().filter_map(|line| line.split_once("tick ")?.1.trim().parse().ok());
    let ticks: Vec<u32> = ticks.collect();
    let expected: Vec<u32> = (ticks[0]..).take(ticks.len()).collect();
    assert_eq!(ticks, expected, "none is missing");
    assert!(ticks.len() > 1 && ticks[0] < 5, "{ticks:?}");
    let record = machine.vm.record().expect("started");
    assert!(record.ancestors.len() >= 10);
    machine.session.read_up_to_prompt().expect("a prompt");
    machine.answers();
    machine.end();
}

/// A QEMU that ends closes its connections a moment before its process is over, and what is said
/// to it in between is lost.
fn session_goes_on_at_once(place: &Place) {
    let mut machine = Machine::start(place);
    for _ in 0..6 {
        machine.migrate(Protocol::Fd);
        machine.answers();
    }
    // Also for who waits for something at that very moment.
    let Machine { vm, session, .. } = &mut machine;
    for round in 0..3 {
        let waits = "while [ ! -e /tmp/go ]; do usleep 10000; done; rm /tmp/go; echo gone";
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| session.cmd_timeout(waits, PATIENCE));
            vm.migrate(&MigrateOptions::by(Protocol::Fd)).expect("it goes over");
            let mut ssh = vm.wait_for_login(PATIENCE).expect("the console is taken");
            ssh.cmd("touch /tmp/go").expect("run");
            assert_eq!(waiting.join().expect("no panic").expect("it goes on"), "gone", "{round}");
        });
    }
    machine.end();
}

fn paused(place: &Place) {
    let mut machine = Machine::start(place);
    machine.vm.pause().expect("paused");
    for (protocol, offline) in [(Protocol::Tcp, false), (Protocol::Fd, true)] {
        let options =
            MigrateOptions { protocol, offline: Some(offline), ..MigrateOptions::default() };
        machine.vm.migrate(&options).expect("it goes over");
        assert_eq!(asked(&machine.vm.monitor().expect("alive")), "paused", "{protocol:?}");
    }
    let mut options = MigrateOptions::by(Protocol::Tcp);
    options.settings.bandwidth = Some(1 << 20);
    let error = machine.vm.migrate_with(&options, |_| Choice::Cancel).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::MigrateCancelled);
    assert_eq!(asked(&machine.vm.monitor().expect("alive")), "paused");
    machine.vm.fork("twin").expect("forked").destroy(false).expect("ended");
    assert_eq!(asked(&machine.vm.monitor().expect("alive")), "paused");
    let nothing = machine.session.read_nonblocking(Duration::ZERO, Duration::ZERO);
    assert!(nothing.expect("connected").is_empty());
    machine.vm.resume().expect("it runs");
    machine.answers();
    machine.end();
}

/// Another thread types all the time, without waiting for anything.
fn typed_meanwhile(place: &Place) {
    let mut machine = Machine::start(place);
    // So that what is typed is not echoed, and read as fast as it comes.
    let count = "stty -echo; while read line; do [ $line = end ] && break; echo got $line; done";
    let Machine { vm, session, .. } = &mut machine;
    session.sendline(count).expect("sent");
    let is_over = AtomicBool::new(false);
    let typed = AtomicU32::new(0);
    let sent = std::thread::scope(|scope| {
        let typing = scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::SeqCst) {
                number += 1;
                session.sendline(format!("{number}")).expect("sent");
                typed.store(number, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(10));
            }
            session.sendline("end").expect("sent");
            number
        });
        // Something before, between and after all that happens, however fast it is.
        let more = || {
            let before = typed.load(Ordering::SeqCst);
            while !typing.is_finished() && typed.load(Ordering::SeqCst) < before + 20 {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        for protocol in PROTOCOLS {
            more();
            vm.migrate(&MigrateOptions::by(protocol)).expect("it goes over");
        }
        more();
        vm.save_and_restore().expect("it goes on");
        more();
        let twin = vm.fork("twin").expect("forked");
        twin.destroy(false).expect("ended");
        is_over.store(true, Ordering::SeqCst);
        typing.join().expect("no panic")
    });
    let last = format!("got {sent}\\b");
    let read = session.read_until_output_matches(&[last.as_str()], PATIENCE).expect("all of it");
    let read = read.output();
    let got: Vec<u32> =
        read.lines().filter_map(|line| line.split_once("got ")?.1.trim().parse().ok()).collect();
    assert!(sent > 100, "{sent}");
    assert_eq!(got, (1..=sent).collect::<Vec<u32>>());
    session.cmd("stty echo").expect("run");
    machine.answers();
    machine.end();
}

/// The guest says more than a connection holds, so that some of it waits in its serial port
/// whenever it is stopped: there, and where it goes on.
fn read_late(place: &Place) {
    let mut machine = Machine::start(place);
    let Machine { vm, session, .. } = &mut machine;
    session.sendline("seq 1 5000; echo no more $((1 + 1))").expect("sent");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let read = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut read = Vec::new();
            while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                let piece = session.read_nonblocking(Duration::ZERO, Duration::ZERO);
                read.extend(piece.expect("it goes on"));
                std::thread::sleep(Duration::from_millis(150));
            }
            let rest = session.read_until_output_matches(&["no more 2"], PATIENCE);
            String::from_utf8_lossy(&read).into_owned() + &rest.expect("all of it").output()
        });
        for _ in 0..3 {
            vm.save_and_restore().expect("it goes on");
            vm.migrate(&MigrateOptions::by(Protocol::Fd)).expect("it goes over");
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        reading.join().expect("no panic")
    });
    let numbers: Vec<u32> = read.lines().filter_map(|line| line.trim().parse().ok()).collect();
    let first = numbers.iter().zip(1..).position(|(one, other)| *one != other);
    let around = first.map(|at| &numbers[at.saturating_sub(2)..(at + 4).min(numbers.len())]);
    assert!(numbers == (1..=5000).collect::<Vec<u32>>(), "{} of them, {around:?}", numbers.len());
    session.read_up_to_prompt().expect("a prompt");
    machine.answers();
    machine.end();
}
