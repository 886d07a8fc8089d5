//! What is refused before anything is tried: the machine goes on as if nobody had asked.

use kvmtest::state::NoSubtests;
use kvmtest::vm::{MigrateOptions, Protocol, SaveOptions};
use kvmtest::{Error, ErrorKind};

use crate::Test;
use crate::machine::{Machine, env};
use crate::place::{Place, Process, entries};

pub(crate) const TESTS: &[Test] = &[
    ("refused::a_device_that_cannot_be_taken_along", unmigratable),
    ("refused::a_9p_device_that_nobody_has_mounted", unmounted),
    ("refused::another_machine_as_destination", another_machine),
    ("refused::names_of_twins", names),
    ("refused::a_fork_of_an_image_that_is_written_to_itself", raw_image),
    ("refused::a_capability_that_qemu_does_not_have", no_capability),
];

fn unmigratable(place: &Place) {
    let devices = [
        ("nvme", "-device nvme,serial=1"),
        (
            "ivshmem",
            "-object memory-backend-ram,id=shm,size=1M,share=on -device ivshmem-plain,memdev=shm",
        ),
    ];
    for (device, extra) in devices {
        let more = [("extra_params", extra), ("guest", ""), ("images", ""), ("nics", "")];
        let env = env(place, &more);
        let vm = env.define_vm("vm1").expect("defined");
        vm.create().expect("started");
        let pid = vm.get_pid().expect("started");
        let saved = place.work.join("saved");
        let check = |what: &str, error: Error| {
            let words = error.to_string();
            assert_eq!(error.kind(), ErrorKind::MigrateBlocked, "{what}: {words}");
            assert!(words.contains("cannot be moved or saved"), "{what}: {words}");
            assert!(words.contains(device), "{what}: {words}");
            assert_eq!(vm.get_pid().expect("alive"), pid, "{what}");
            let status = vm.monitor().expect("alive").status();
            assert_eq!(status.expect("asked"), "running", "{what}");
            assert_eq!(Process::destinations(place).len(), 0, "{what}");
        };
        check("migrate", vm.migrate(&MigrateOptions::default()).expect_err("refused"));
        check("save", vm.save_to_file(&saved, SaveOptions::default()).expect_err("refused"));
        check("fork", vm.fork("twin").err().expect("refused"));
        check("savevm", vm.savevm("now").expect_err("refused"));
        assert_eq!(entries(&place.work).len(), 1, "the env file");
        vm.destroy(false).expect("ended");
        let error = vm.create_from_state(&mut NoSubtests).expect_err("refused");
        let words = error.to_string();
        assert!(words.contains(device), "{words}");
        assert_eq!(error.kind(), ErrorKind::MigrateBlocked, "{words}");
        assert!(env.get_all_vms().expect("read").is_empty(), "nothing is left");
    }
}

/// QEMU would not mind it, and so do we not.
fn unmounted(place: &Place) {
    let extra = format!("-virtfs local,path={},mount_tag=host,security_model=none", place.work);
    let more = [("extra_params", extra.as_str()), ("guest", ""), ("images", ""), ("nics", "")];
    let env = env(place, &more);
    let vm = env.define_vm("vm1").expect("defined");
    vm.create().expect("started");
    vm.migrate(&MigrateOptions::by(Protocol::Fd)).expect("it goes over");
    vm.destroy(false).expect("ended");
}

fn another_machine(place: &Place) {
    let mut machine = Machine::start(place);
    let pid = machine.pid();
    for (key, value, words) in [
        ("mem", "256", "Size mismatch: pc.ram"),
        ("machine_type", "pc", "Machine type received is 'pc-q35"),
        ("nic_model", "e1000", "has no driver for `e1000`"),
        ("rng", "no", "/virtio-rng' 0. Make sure"),
        ("machine_type", "q36", "has no machine type `q36`"),
        ("extra_params", "-device nonsense", "'nonsense' is not a valid device model name"),
        ("extra_params", "-device virtio-rng-pci,id=more", "devices of its own: `more`"),
    ] {
        let mut other = machine.vm.params();
        other.set(key, value);
        let mut options = MigrateOptions::by(Protocol::Tcp);
        options.destination = Some(other);
        let error = machine.vm.migrate(&options).expect_err("QEMU refuses it");
        let text = error.to_string();
        assert_eq!(text.matches(words).count(), 1, "{key}={value}: {text}");
        assert_eq!(text.matches("did not arrive").count().max(1), 1, "{key}={value}: {text}");
        assert_eq!(machine.pid(), pid, "{key}={value}");
        machine.answers();
        assert_eq!(Process::destinations(place).len(), 1, "the machine itself");
    }
    machine.migrate(Protocol::Tcp);
    machine.answers();
    machine.end();
}

fn names(place: &Place) {
    let mut machine = Machine::start(place);
    let pid = machine.pid();
    let twin = machine.vm.fork("twin").expect("forked");
    let now = machine.pid();
    assert_ne!(now, pid);
    let long = "x".repeat(41);
    let cases: [(&[&str], &str); 8] = [
        (&["twin"], "`twin`: there is a machine of that name"),
        (&["vm1"], "`vm1`: the machine that is forked has that name"),
        (&["a", "a"], "`a`: another twin is to have that name"),
        (&["b", "twin"], "`twin`: there is a machine of that name"),
        (&[""], "``: a name is up to 40 letters"),
        (&["a/b"], "`a/b`: a name is up to 40 letters"),
        (&["good", "../x"], "`../x`: a name is up to 40 letters"),
        (&[&long], "…`: a name is up to 40 letters"),
    ];
    for (names, words) in cases {
        let error = machine.vm.fork_all(names).err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::Params, "{names:?}: {error}");
        assert!(error.message().starts_with("a twin cannot be called"), "{names:?}: {error}");
        assert!(error.message().contains(words), "{names:?}: {error}");
        assert_eq!(machine.pid(), now, "{names:?}");
        machine.answers();
    }
    let (none, forked) = machine.vm.fork_all(&[]).expect("nothing to do");
    assert!(none.is_empty() && forked.pause.is_zero() && !forked.moved, "{forked:?}");
    assert_eq!(machine.pid(), now, "it was not touched");
    machine.answers();
    for name in ["", "../x", "a/b"] {
        let error = machine.vm.clone(name).err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::Params, "{error}");
        let error = machine.env.define_vm(name).err().expect("refused");
        assert!(error.message().starts_with("a VM cannot be called"), "{error}");
    }
    let known = machine.env.get_all_vms().expect("read");
    assert_eq!(known.iter().map(kvmtest::Vm::name).collect::<Vec<_>>(), ["twin", "vm1"]);
    twin.destroy(false).expect("ended");
    machine.end();
}

fn raw_image(place: &Place) {
    let image = place.work.join("own.raw");
    std::fs::write(&image, vec![0; 1 << 20]).expect("written");
    let more = [
        ("images", "own"),
        ("image_name_own", image.as_str()),
        ("image_format_own", "raw"),
        ("image_raw_device_own", "yes"),
        ("guest", ""),
        ("nics", ""),
    ];
    let env = env(place, &more);
    let vm = env.define_vm("vm1").expect("defined");
    vm.create().expect("started");
    let pid = vm.get_pid().expect("started");
    let error = vm.fork("twin").err().expect("refused");
    assert_eq!(error.kind(), ErrorKind::MigrateBlocked, "{error}");
    assert!(error.to_string().contains("`own` is written to itself"), "{error}");
    assert_eq!(vm.get_pid().expect("alive"), pid, "it was not even moved");
    assert_eq!(vm.monitor().expect("alive").status().expect("asked"), "running");
    assert_eq!(env.get_all_vms().expect("read").len(), 1);
    vm.destroy(false).expect("ended");
}

fn no_capability(place: &Place) {
    let mut machine = Machine::start(place);
    let pid = machine.pid();
    let mut options = MigrateOptions::by(Protocol::Tcp);
    options.settings.capabilities.push(("time-travel".into(), true));
    let error = machine.vm.migrate(&options).expect_err("no such capability");
    assert!(error.to_string().contains("time-travel"), "{error}");
    assert_eq!(machine.pid(), pid);
    machine.answers();
    machine.end();
}
