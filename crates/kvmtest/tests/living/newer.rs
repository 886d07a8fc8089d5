//! What only newer QEMUs can do. Where the installed one cannot, that is said, and the rest is
//! looked at: it refuses, and the machine goes on.

use kvmtest::ErrorKind;
use kvmtest::migration::{Choice, Compression};
use kvmtest::vm::{MigrateOptions, Protocol, SaveOptions};
use serde_json::Value;

use crate::Test;
use crate::machine::{Machine, PATIENCE, asked, once_under_way, slow};
use crate::place::{Place, Process, entries, flip};

pub(crate) const TESTS: &[Test] = &[
    ("newer::a_machine_moves_by_a_file", by_file),
    ("newer::a_move_by_a_file_comes_to_an_early_end", by_file_ends_early),
    ("newer::a_machine_is_saved_at_fixed_places_of_a_file", fixed_places),
];

fn by_file(place: &Place) {
    let mut machine = Machine::start(place);
    let pid = machine.pid();
    let options = MigrateOptions::by(Protocol::File);
    if !moves_by_file(&machine) {
        let error = machine.vm.migrate(&options).expect_err("it does not know the way");
        assert!(error.to_string().contains("8.2 and later ones do"), "{error}");
        assert_eq!(machine.pid(), pid);
        machine.answers();
        return machine.end();
    }
    let mut ssh = machine.vm.wait_for_login(PATIENCE).expect("the console is taken");
    machine.session.cmd("echo before >/tmp/before").expect("run");
    let figures = machine.migrate(Protocol::File);
    assert!(figures.transferred > 1 << 20, "{figures}");
    assert_ne!(machine.pid(), pid);
    machine.answers();
    assert_eq!(machine.session.cmd("cat /tmp/before").expect("run"), "before");
    assert_eq!(ssh.cmd("echo over the network").expect("it logs in"), "over the network");
    assert_eq!(Process::destinations(place).len(), 1, "it is in one place");
    assert_eq!(files_of_moves(place), [""; 0]);
    // From there on by any way, and stopped by somebody else.
    machine.migrate(Protocol::Fd);
    machine.vm.pause().expect("paused");
    machine.migrate(Protocol::File);
    assert_eq!(asked(&machine.vm.monitor().expect("alive")), "paused");
    machine.vm.resume().expect("it runs");
    machine.answers();
    drop(ssh);
    machine.end();
}

fn by_file_ends_early(place: &Place) {
    let mut machine = Machine::start(place);
    if !moves_by_file(&machine) {
        return machine.end();
    }
    let pid = machine.pid();
    let cancel = |_: &kvmtest::migration::Figures| Choice::Cancel;
    let error = machine.vm.migrate_with(&slow(Protocol::File), cancel).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::MigrateCancelled, "{error}");
    // Nobody reads before all of it is written, and this would take minutes.
    let kill = once_under_way(|| {
        let all = Process::destinations(place);
        all.iter().filter(|process| process.pid != pid).for_each(Process::kill);
    });
    let error = machine.vm.migrate_with(&slow(Protocol::File), kill).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{error}");
    assert!(error.to_string().contains("killed by SIGKILL"), "{error}");
    assert_eq!(machine.pid(), pid);
    machine.answers();
    assert_eq!(Process::destinations(place).len(), 1, "the machine itself");
    assert_eq!(files_of_moves(place), [""; 0]);
    machine.migrate(Protocol::File);
    machine.answers();
    machine.end();
}

fn fixed_places(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = place.work.join("saved, at fixed places");
    let options = SaveOptions { mapped_ram: true, ..SaveOptions::default() };
    let packed = SaveOptions { compression: Compression::Gzip, ..options };
    if !saves_at_fixed_places(&machine) {
        let error = machine.vm.save_to_file(&saved, options).expect_err("it cannot do that");
        assert!(error.to_string().contains("no migration capability `mapped-ram`"), "{error}");
        machine.answers();
        return machine.end();
    }
    let error = machine.vm.save_to_file(&saved, packed).expect_err("one or the other");
    assert_eq!(error.kind(), ErrorKind::Params, "{error}");
    assert_eq!(entries(&place.work).len(), 1, "the env file");

    machine.wait_for_disk();
    machine.session.cmd("echo before >/tmp/when; echo before >/data/when; sync").expect("run");
    machine.vm.save_to_file(&saved, options).expect("saved");
    assert!(saved.metadata().expect("there").len() > 128 << 20, "memory is where it is");
    machine.answers();
    machine.session.cmd("echo after >/tmp/when; echo after >/data/when; sync").expect("run");
    for _again in 0..2 {
        machine.vm.restore_from_file(&saved).expect("restored");
        machine.session = machine.vm.wait_for_login(PATIENCE).expect("logged in");
        machine.answers();
        let when = machine.session.cmd("echo $(cat /tmp/when /data/when)").expect("run");
        assert_eq!(when, "before before");
        machine.session.cmd("echo again >/tmp/when; echo again >/data/when; sync").expect("run");
    }
    // It is a machine like any other.
    machine.migrate(Protocol::Tcp);
    machine.answers();
    let pid = machine.pid();
    flip(&saved);
    let error = machine.vm.restore_from_file(&saved).expect_err("one bit");
    assert!(error.to_string().contains("its digest differs"), "{error}");
    assert_eq!(machine.pid(), pid);
    machine.answers();
    machine.end();
}

/// What is left of files by which machines moved.
fn files_of_moves(place: &Place) -> Vec<String> {
    let machines = entries(&place.root.join("cache/kvmtest/scratch"));
    let files = machines.iter().flat_map(|machine| entries(machine));
    files.filter(|file| file.file_name() == Some("migration")).map(Into::into).collect()
}

fn moves_by_file(machine: &Machine) -> bool {
    let answer = machine.vm.monitor().expect("alive").cmd("query-qmp-schema", Value::Null);
    let answer = answer.expect("asked");
    let ways = answer.as_array().expect("a list").iter().filter(|it| it["meta-type"] == "enum");
    let mut ways = ways.filter_map(|it| it["values"].as_array());
    offers("`file:`", ways.any(|ways| ["rdma", "exec", "file"].iter().all(|way| has(ways, way))))
}

fn saves_at_fixed_places(machine: &Machine) -> bool {
    let monitor = machine.vm.monitor().expect("alive");
    let answer = monitor.cmd("query-migrate-capabilities", Value::Null).expect("asked");
    let mut known = answer.as_array().expect("a list").iter();
    offers("`mapped-ram`", known.any(|it| it["capability"] == "mapped-ram"))
}

fn has(ways: &[Value], way: &str) -> bool {
    ways.iter().any(|known| known == way)
}

fn offers(what: &str, is_there: bool) -> bool {
    if !is_there {
        println!("skipped in part: this QEMU has no {what}");
    }
    is_there
}
