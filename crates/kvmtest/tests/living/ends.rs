//! Moves and savings that come to an early end.

use std::time::{Duration, Instant};

use kvmtest::ErrorKind;
use kvmtest::migration::{Choice, Compression};
use kvmtest::vm::{MigrateOptions, Protocol, SaveOptions};

use crate::Test;
use crate::machine::{Machine, PATIENCE, once_under_way, slow, until};
use crate::place::{Place, Process, entries};

pub(crate) const TESTS: &[Test] = &[
    ("ends::the_source_is_killed", source_killed),
    ("ends::the_destination_is_killed", destination_killed),
    ("ends::the_destination_is_killed_before_anything_comes", destination_killed_early),
    ("ends::the_machine_is_killed_while_it_is_saved", killed_while_saved),
    ("ends::the_machine_is_killed_while_it_is_restored", killed_while_restored),
    ("ends::a_guest_that_is_faster_than_the_link", faster_than_the_link),
    ("ends::a_cancel_at_the_last_moment", cancelled_late),
];

const PROTOCOLS: [Protocol; 4] = [Protocol::Tcp, Protocol::Unix, Protocol::Exec, Protocol::Fd];

fn source_killed(place: &Place) {
    for protocol in PROTOCOLS {
        let machine = Machine::start(place);
        let qemu = Process::of(machine.pid()).expect("it lives");
        let kill = once_under_way(|| qemu.kill());
        let error = machine.vm.migrate_with(&slow(protocol), kill).expect_err("it is dead");
        assert_eq!(error.kind(), ErrorKind::VmDead, "{protocol:?}: {error}");
        assert!(error.to_string().contains("killed by SIGKILL"), "{error}");
        assert!(machine.vm.is_dead().expect("asked"));
        assert_eq!(Process::destinations(place).len(), 0, "{protocol:?}");
        machine.end();
        assert_eq!(place.leftovers(), [""; 0], "{protocol:?}");
    }
}

fn destination_killed(place: &Place) {
    let mut machine = Machine::start(place);
    for protocol in PROTOCOLS {
        let pid = machine.pid();
        let kill = once_under_way(|| kill_destinations(place, pid));
        let error = machine.vm.migrate_with(&slow(protocol), kill).expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{protocol:?}: {error}");
        let text = error.to_string();
        assert_eq!(text.matches("killed by SIGKILL").count(), 1, "{protocol:?}: {text}");
        assert!(text.contains(error.message()), "{protocol:?}: {text}");
        let (first, _) = error.message().split_once("; the destination").expect("both");
        assert_eq!(text.matches(first).count(), 1, "said once: {protocol:?}: {text}");
        assert_eq!(machine.pid(), pid);
        machine.answers();
        assert_eq!(Process::destinations(place).len(), 1, "the machine itself: {protocol:?}");
    }
    machine.migrate(Protocol::Tcp);
    machine.answers();
    machine.end();
}

fn destination_killed_early(place: &Place) {
    for protocol in PROTOCOLS {
        let mut machine = Machine::start(place);
        let pid = machine.pid();
        let begun = Instant::now();
        let error = std::thread::scope(|scope| {
            scope.spawn(|| {
                while Process::destinations(place).iter().all(|process| process.pid == pid) {
                    std::thread::yield_now();
                }
                kill_destinations(place, pid);
            });
            machine.vm.migrate(&slow(protocol)).expect_err("nobody is there")
        });
        assert!(begun.elapsed() < PATIENCE, "{protocol:?}: {error}");
        assert!(error.to_string().contains("killed by SIGKILL"), "{protocol:?}: {error}");
        machine.answers();
        machine.end();
    }
}

fn kill_destinations(place: &Place, except: u32) {
    let all = Process::destinations(place);
    all.iter().filter(|process| process.pid != except).for_each(Process::kill);
}

fn killed_while_saved(place: &Place) {
    let machine = Machine::start(place);
    let directory = place.work.join("saved");
    std::fs::create_dir(&directory).expect("made");
    let qemu = Process::of(machine.pid()).expect("it lives");
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            until(|| qemu.writes_in(&directory));
            qemu.kill();
        });
        let saved = machine.vm.save_to_file(&directory.join("vm"), SaveOptions::default());
        saved.expect_err("it is dead")
    });
    assert_eq!(error.kind(), ErrorKind::VmDead, "{error}");
    assert!(error.to_string().contains("killed by SIGKILL"), "{error}");
    assert_eq!(entries(&directory), [""; 0]);
    machine.end();
}

fn killed_while_restored(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = place.work.join("saved");
    // What is packed takes longer to be read.
    let packed = SaveOptions { compression: Compression::Gzip, ..SaveOptions::default() };
    machine.vm.save_to_file(&saved, packed).expect("saved");
    let pid = machine.pid();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            until(|| Process::destinations(place).iter().any(|process| process.pid != pid));
            kill_destinations(place, pid);
        });
        machine.vm.restore_from_file(&saved).expect_err("it is dead")
    });
    assert!(error.to_string().contains("killed by SIGKILL"), "{error}");
    assert!(machine.env.get_vm("vm1").expect("read").is_none(), "nothing is left of it");
    assert_eq!(Process::destinations(place).len(), 0);
    // The file is as good as before.
    machine.vm.restore_from_file(&saved).expect("restored");
    machine.session = machine.vm.wait_for_login(PATIENCE).expect("logged in");
    machine.answers();
    machine.end();
}

fn faster_than_the_link(place: &Place) {
    let mut machine = Machine::start(place);
    machine.keep_dirtying();
    let pid = machine.pid();
    // It comes to nothing: what emulation may lose of a guest that runs is not lost here.
    let mut late = MigrateOptions { offline: Some(false), ..slow(Protocol::Tcp) };
    late.settings.timeout = Duration::from_millis(1500);
    let mut cancelled = MigrateOptions { offline: Some(false), ..slow(Protocol::Exec) };
    cancelled.cancel_after = Some(Duration::from_millis(500));
    for (options, kind) in
        [(late, ErrorKind::MigrateTimeout), (cancelled, ErrorKind::MigrateCancelled)]
    {
        let error = machine.vm.migrate(&options).expect_err("it cannot get through");
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(machine.pid(), pid);
        machine.answers();
        assert_eq!(Process::destinations(place).len(), 1, "the machine itself");
    }
    machine.session.cmd("kill -0 $dirt").expect("it still writes");
    machine.stop_dirtying();
    machine.migrate(Protocol::Fd);
    machine.answers();
    machine.end();
}

fn cancelled_late(place: &Place) {
    let mut machine = Machine::start(place);
    let mut cancelled = 0;
    for left in [u64::MAX, 16 << 20, 4 << 20, 1 << 20, 0] {
        let pid = machine.pid();
        let protocol = PROTOCOLS[usize::try_from(left % 3).expect("small")];
        let moved = machine.vm.migrate_with(&MigrateOptions::by(protocol), |figures| {
            let is_time =
                figures.status == "device" || figures.total > 0 && figures.remaining <= left;
            if is_time { Choice::Cancel } else { Choice::GoOn }
        });
        match moved {
            Ok(figures) => {
                assert_eq!(figures.status, "completed");
                assert_ne!(machine.pid(), pid, "{left}");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::MigrateCancelled, "{left}: {error}");
                assert_eq!(machine.pid(), pid, "{left}");
                cancelled += 1;
            }
        }
        assert_eq!(Process::destinations(place).len(), 1, "it is in one place: {left}");
        machine.answers();
    }
    assert!(cancelled > 0, "the first one was in time");
    machine.end();
}
