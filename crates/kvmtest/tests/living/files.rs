//! Saved machines and states whose files are damaged, incomplete, or of others; full disks.

use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::migration::Compression;
use kvmtest::state::{NoSubtests, Store};
use kvmtest::vm::{Protocol, SaveOptions};
use kvmtest::{Deadline, ErrorKind};

use crate::Test;
use crate::machine::{Machine, PATIENCE, env};
use crate::place::{Place, Process, entries, flip};
use crate::role;

/// Those that want a store without a state come first.
pub(crate) const STATES: &[Test] = &[
    ("files::whoever_makes_a_state_is_killed", builder_killed),
    ("files::a_state_that_is_damaged_is_made_anew", damaged_state),
    ("files::the_disk_is_full_while_a_state_is_made", full_cache),
];

pub(crate) const TESTS: &[Test] = &[
    ("files::a_state_is_dropped_while_another_is_to_be_made_of_it", dropped_parent),
    ("files::a_saved_machine_that_is_damaged", damaged),
    ("files::a_saved_machine_that_is_another_one", another_machine),
    ("files::the_disk_is_full_while_a_machine_is_saved", full_disk),
    ("files::a_machine_is_saved_on_another_disk_and_again_while_it_is_paused", paused_elsewhere),
    ("files::what_fails_leaves_what_was_saved_before", saved_before),
];

fn builder_killed(place: &Place) {
    let mut child = role::start(&["build"]);
    // When it has begun to boot: there may be QEMUs before that which are asked what they can do.
    let has_draft = || place.states().iter().any(|path| path.as_str().contains(".new-"));
    while !has_draft() || Process::all_in(&place.root).len() < 3 {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("it ran");
    child.wait().expect("it ended");
    let parts = place.states();
    assert!(parts.iter().any(|path| path.as_str().contains(".new-")), "a draft: {parts:?}");
    // The guard clears up after it, and the next one after that.
    let mut machine = Machine::start(place);
    assert_eq!(place.states().len(), 1, "whole, and nothing else: {:?}", place.states());
    machine.answers();
    machine.end();
}

fn damaged_state(place: &Place) {
    Machine::start(place).end();
    let [state] = &place.states()[..] else { panic!("one state: {:?}", place.states()) };
    flip(&state.join("memory"));
    let vm = env(place, &[]).define_vm("vm1").expect("defined");
    let origin = vm.create_from_state(&mut NoSubtests).expect("made anew");
    assert!(origin.built.is_some(), "nobody starts from memory that has changed");
    vm.destroy(false).expect("ended");
    // And that one is good.
    let origin = vm.create_from_state(&mut NoSubtests).expect("found");
    assert!(origin.built.is_none());
    vm.destroy(false).expect("ended");
    assert_eq!(place.states().len(), 1);
}

fn dropped_parent(place: &Place) {
    let more =
        [("vm_state", "more"), ("state_from_more", "booted"), ("state_command_more", "true")];
    let vm = env(place, &more).define_vm("vm1").expect("defined");
    let recipe = vm.state_recipe(&NoSubtests).expect("said");
    env(place, &[]).define_vm("vm1").expect("defined").build_state(&mut NoSubtests).expect("made");
    let store = Store::open().expect("there");
    let (begin, begun) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let maker = scope.spawn(|| {
            store.find_or_build(&recipe, Deadline::after(PATIENCE), |_| {
                begin.send(()).expect("waited for");
                // By now the other one has found what he needs, and waits for us.
                std::thread::sleep(Duration::from_secs(1));
                store.remove("booted").expect("removed");
                Err(kvmtest::Error::new(ErrorKind::TestError, "given up"))
            })
        });
        begun.recv().expect("it makes it");
        let (state, built) = vm.build_state(&mut NoSubtests).expect("made");
        assert!(state.name() == "more" && built.is_some());
        maker.join().expect("no panic").expect_err("it gave up");
    });
    assert_eq!(place.states().len(), 2, "{:?}", place.states());
    store.remove("more").expect("removed");
}

fn full_cache(place: &Place) {
    let Some(full) = Full::mount(place, 48) else { return };
    let cache = full.path.join("kvmtest");
    std::fs::create_dir(&cache).expect("made");
    for shared in ["guests", "qemu"] {
        let there = place.root.join("cache/kvmtest").join(shared);
        std::os::unix::fs::symlink(there, cache.join(shared)).expect("linked");
    }
    let output =
        role::command(&["build"]).env("XDG_CACHE_HOME", &full.path).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "there is no room for it");
    assert!(said.contains("no space left for the guest's memory"), "{said}");
    assert_eq!(entries(&cache.join("states")), [""; 0], "{said}");
    assert_eq!(entries(&cache.join("scratch")), [""; 0], "{said}");
}

type Damage<'a> = &'a dyn Fn(&Utf8Path);

fn damaged(place: &Place) {
    let mut machine = Machine::start(place);
    let pid = machine.pid();
    let saved = place.work.join("saved");
    let keep = place.work.join("keep");
    machine.vm.save_to_file(&saved, SaveOptions::default()).expect("saved");
    let disk = "saved.disks/disk-data.qcow2";
    let truncate = |path: &Utf8Path| {
        let file = std::fs::File::options().write(true).open(path).expect("opened");
        file.set_len(file.metadata().expect("there").len() / 2).expect("cut");
    };
    let remove = |path: &Utf8Path| std::fs::remove_file(path).expect("removed");
    let cases: [(&str, Damage<'_>, &str); 8] = [
        ("saved", &flip, "its digest differs"),
        ("saved", &truncate, "bytes, and had"),
        ("saved", &remove, "No such file"),
        ("saved.json", &truncate, "is broken"),
        ("saved.json", &remove, "is not there"),
        (disk, &flip, "its digest differs"),
        (disk, &truncate, "bytes, and had"),
        (disk, &remove, "No such file"),
    ];
    for (file, damage, words) in cases {
        let path = place.work.join(file);
        std::fs::copy(&path, &keep).expect("copied");
        damage(&path);
        let error = machine.vm.restore_from_file(&saved).expect_err(words);
        assert!(error.to_string().contains(words), "{file}: {error}");
        if file == "saved.json" {
            assert_eq!(error.kind(), ErrorKind::Image, "{words}");
        }
        assert_eq!(machine.pid(), pid, "{file}: it was not touched");
        machine.answers();
        assert_eq!(Process::destinations(place).len(), 1, "{file}: the machine itself");
        std::fs::rename(&keep, &path).expect("as before");
    }
    machine.vm.restore_from_file(&saved).expect("it is whole");
    machine.session = machine.vm.wait_for_login(PATIENCE).expect("logged in");
    machine.answers();
    machine.end();
}

fn another_machine(place: &Place) {
    let mut machine = Machine::start(place);
    let pid = machine.pid();
    let saved = place.work.join("saved");
    machine.vm.save_to_file(&saved, SaveOptions::default()).expect("saved");
    for (key, value, words) in [
        ("mem", "256", "`-m size=128M`"),
        ("machine_type", "pc", "-machine"),
        ("nics", "", "virtio-net-pci"),
    ] {
        let mut params = machine.vm.params();
        let before = params.clone();
        params.set(key, value);
        machine.vm.set_params(params);
        let error = machine.vm.restore_from_file(&saved).expect_err("another machine");
        machine.vm.set_params(before);
        assert_eq!(error.kind(), ErrorKind::Params, "{error}");
        let message = error.to_string();
        assert!(
            message.contains("another machine was saved") && message.contains(words),
            "{error}"
        );
        assert_eq!(machine.pid(), pid);
        machine.answers();
    }
    // As if it had been saved before somebody installed another QEMU.
    let manifest = place.work.join("saved.json");
    let text = std::fs::read_to_string(&manifest).expect("there");
    let of_another = text.replace(r#""board":"pc-q35-"#, r#""board":"pc-q35-0."#);
    assert_ne!(of_another, text);
    std::fs::write(&manifest, of_another).expect("written");
    let error = machine.vm.restore_from_file(&saved).expect_err("another QEMU");
    assert_eq!(error.kind(), ErrorKind::Params, "{error}");
    assert!(error.to_string().contains("it was a `pc-q35-0."), "{error}");
    assert_eq!(machine.pid(), pid);
    machine.answers();
    let foreign = place.work.join("foreign");
    std::fs::write(&foreign, "QEVM and the rest").expect("written");
    machine.vm.restore_from_file(&foreign).expect_err("it was not saved by us");
    machine.answers();
    machine.end();
}

fn paused_elsewhere(place: &Place) {
    let mut machine = Machine::start(place);
    let other = tempfile::tempdir_in("/dev/shm").expect("a directory");
    let saved = Utf8Path::from_path(other.path()).expect("UTF-8").join("saved");
    machine.vm.pause().expect("paused");
    let login = machine.vm.wait_for_login(Duration::from_secs(1)).map(drop);
    let error = login.expect_err("it stands still");
    assert!(error.to_string().contains("`vm1`, which is paused, over ssh"), "{error}");
    for _ in 0..2 {
        machine.vm.save_to_file(&saved, SaveOptions::default()).expect("saved");
        assert!(machine.vm.is_paused().expect("asked"), "as it was before");
    }
    machine.migrate(Protocol::Unix);
    assert!(machine.vm.is_paused().expect("asked"));
    machine.vm.save_to_file(&saved, SaveOptions::default()).expect("saved");
    machine.vm.fork("twin").expect("forked").destroy(false).expect("ended");
    machine.vm.resume().expect("runs");
    machine.answers();
    machine.vm.restore_from_file(&saved).expect("restored");
    assert!(machine.vm.is_paused().expect("asked"), "as it was saved");
    machine.vm.resume().expect("runs");
    machine.session = machine.vm.wait_for_login(PATIENCE).expect("logged in");
    machine.answers();
    machine.end();
}

fn full_disk(place: &Place) {
    let Some(full) = Full::mount(place, 8) else { return };
    let mut machine = Machine::start(place);
    let pid = machine.pid();
    for compression in [Compression::None, Compression::Gzip] {
        let options = SaveOptions { compression, ..SaveOptions::default() };
        let error = machine.vm.save_to_file(&full.path.join("vm"), options).expect_err("full");
        assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{compression:?}: {error}");
        let words = full_story(&error).to_lowercase();
        assert!(words.contains("no space left"), "{compression:?}: {words}");
        assert_eq!(entries(&full.path), [""; 0], "{compression:?}");
        assert_eq!(machine.pid(), pid);
        machine.answers();
    }
    machine.end();
}

fn saved_before(place: &Place) {
    let mut machine = Machine::start(place);
    let saved = place.work.join("saved");
    machine.session.cmd("word=first").expect("run");
    machine.vm.save_to_file(&saved, SaveOptions::default()).expect("saved");
    machine.session.cmd("word=second").expect("run");
    let all = || {
        let mut all = entries(&place.work);
        all.sort();
        all
    };
    let before = all();
    let impossible = SaveOptions { compression: Compression::Gzip, mapped_ram: true };
    machine.vm.save_to_file(&saved, impossible).expect_err("both at once cannot be");
    assert_eq!(all(), before);
    machine.vm.restore_from_file(&saved).expect("it is whole");
    assert_eq!(machine.session.cmd("echo $word").expect("run"), "first");
    machine.vm.save_to_file(&saved, SaveOptions::default()).expect("saved over itself");
    assert_eq!(all(), before);
    machine.vm.restore_from_file(&saved).expect("it is whole");
    machine.answers();
    machine.end();
}

fn full_story(error: &kvmtest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |story, cause| format!("{story}: {cause}"))
}

/// A small file system.
struct Full {
    path: Utf8PathBuf,
}

impl Full {
    fn mount(place: &Place, mib: u32) -> Option<Self> {
        let path = place.work.join("full");
        std::fs::create_dir(&path).expect("made");
        let options = format!("size={mib}M,mode=0700");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs", path.as_str()])
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self { path });
        }
        println!("skipped: only root can mount a small file system");
        None
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
