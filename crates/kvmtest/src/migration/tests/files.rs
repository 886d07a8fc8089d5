//! Machines in files.

use std::os::fd::AsFd;

use camino::Utf8Path;

use super::*;
use crate::error::{ErrorKind, Result};

fn stored(machine: &Machine, path: &Utf8Path, compression: Compression) -> Result<Figures> {
    save(&machine.monitor, path, compression, &Settings::default(), go_on)
}

fn restored(machine: &Machine, path: &Utf8Path) -> Result<()> {
    let settings = Settings { timeout: PATIENCE, ..Settings::default() };
    load(&machine.monitor, path, &settings, machine.pidfd.as_fd())
}

fn names(directory: &Utf8Path) -> Vec<String> {
    let entries = directory.read_dir_utf8().expect("listed");
    entries.map(|entry| entry.expect("an entry").file_name().to_owned()).collect()
}

#[test]
fn a_machine_comes_back_from_a_file() {
    let noise = Noise::of(8);
    for compression in [Compression::None, Compression::Gzip] {
        let Some((source, destination)) = noisy(&noise).zip(empty()) else { return };
        let path = source.at("state");
        std::fs::write(&path, "what was there before").expect("written");
        let figures = stored(&source, &path, compression).expect("saved");
        assert_eq!(figures.status, "completed");
        assert_eq!(names(&source.directory).len(), 2, "{:?}", names(&source.directory));
        restored(&destination, &path).expect("restored");
        assert_eq!(memory(&source), memory(&destination), "{compression:?}");
        let parameters =
            destination.monitor.cmd("query-migrate-capabilities", serde_json::json!({}));
        let on = parameters.expect("asked").to_string().contains("true");
        assert!(!on, "the settings are as they were");
    }
}

#[test]
fn a_machine_comes_back_from_a_file_with_fixed_places() {
    let noise = Noise::of(8);
    let Some((source, destination)) = noisy(&noise).zip(empty()) else { return };
    let mapped = Settings {
        capabilities: vec![("mapped-ram".to_owned(), true)],
        timeout: PATIENCE,
        ..Settings::default()
    };
    // A comma would be the beginning of an option if QEMU was told the path.
    let path = source.at("state,offset=1");
    let saved = save(&source.monitor, &path, Compression::None, &mapped, go_on);
    if !offers(&source, "mapped-ram") {
        let error = saved.expect_err("older ones do not have it");
        assert_eq!(error.kind(), ErrorKind::Params, "{error}");
        assert_eq!(names(&source.directory), ["qmp"]);
        return;
    }
    assert_eq!(saved.expect("saved").status, "completed");
    assert_eq!(names(&source.directory).len(), 2, "{:?}", names(&source.directory));
    // Where memory lies in the machine, it lies in the file.
    assert!(path.metadata().expect("there").len() > 64 << 20);
    load(&destination.monitor, &path, &mapped, destination.pidfd.as_fd()).expect("restored");
    assert_eq!(memory(&source), memory(&destination));
    for machine in [&source, &destination] {
        let kept = machine.monitor.cmd("query-fdsets", serde_json::json!({})).expect("asked");
        assert_eq!(kept, serde_json::json!([]), "QEMU keeps no file open");
    }
    let other = empty().expect("installed");
    restored(&other, &path).expect_err("read with another setting");
}

#[test]
fn a_file_that_is_damaged_is_told() {
    let noise = Noise::of(8);
    let Some(source) = noisy(&noise) else { return };
    let (plain, packed) = (source.at("plain"), source.at("packed"));
    stored(&source, &plain, Compression::None).expect("saved");
    // QEMU saves again what it has saved, as long as it is not told to run.
    let Some(other) = noisy(&noise) else { return };
    stored(&other, &packed, Compression::Gzip).expect("saved");
    let check = |path: &Utf8Path, change: &dyn Fn(&mut Vec<u8>), words: &str| {
        let mut bytes = std::fs::read(path).expect("read");
        change(&mut bytes);
        let broken = source.at("broken");
        std::fs::write(&broken, bytes).expect("written");
        let destination = empty().expect("installed");
        let error = restored(&destination, &broken).expect_err(words);
        assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{error}");
        let told = error.to_string();
        assert!(told.contains(words) && told.contains(broken.as_str()), "{told}");
    };
    check(&plain, &|bytes| bytes.truncate(bytes.len() / 2), "did not arrive");
    check(&plain, &|bytes| bytes.truncate(4), "did not arrive");
    check(&plain, &|bytes| bytes.truncate(10), "did not arrive");
    check(&plain, &|bytes| bytes.clear(), "no saved machine");
    check(&plain, &|bytes| bytes[0] = b'x', "no saved machine");
    check(&plain, &|bytes| bytes[5] = 0xff, "did not arrive");
    check(&packed, &|bytes| bytes.truncate(bytes.len() / 2), "damaged");
    check(&packed, &|bytes| bytes.truncate(2), "damaged");
    check(
        &packed,
        &|bytes| {
            let last = bytes.len() - 6;
            bytes[last] ^= 1;
        },
        "damaged",
    );
}

#[test]
fn what_cannot_be_saved_leaves_what_was_there() {
    let noise = Noise::of(32);
    let Some(source) = noisy(&noise) else { return };
    let path = source.at("state");
    std::fs::write(&path, "mine").expect("written");
    let slow = Settings { bandwidth: Some(1 << 20), ..Settings::default() };
    for compression in [Compression::None, Compression::Gzip] {
        let cancel = |_: &Figures| Choice::Cancel;
        let error = save(&source.monitor, &path, compression, &slow, cancel);
        assert_eq!(error.expect_err("cancelled").kind(), ErrorKind::MigrateCancelled);
        let hasty = Settings { timeout: Duration::from_millis(200), ..slow.clone() };
        let error = save(&source.monitor, &path, compression, &hasty, go_on);
        assert_eq!(error.expect_err("slow").kind(), ErrorKind::MigrateTimeout);
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "mine");
        assert_eq!(names(&source.directory).len(), 2, "{:?}", names(&source.directory));
    }
    let error = stored(&source, &source.at("nowhere/state"), Compression::None);
    assert_eq!(error.expect_err("no directory").kind(), ErrorKind::Io);
    let mapped =
        Settings { capabilities: vec![("mapped-ram".to_owned(), true)], ..Settings::default() };
    let error = save(&source.monitor, &path, Compression::Gzip, &mapped, go_on);
    assert_eq!(error.expect_err("not both").kind(), ErrorKind::Params);
    stored(&source, &path, Compression::None).expect("it still can be saved");
}

#[test]
fn a_full_disk_is_told() {
    let noise = Noise::of(32);
    let Some(source) = noisy(&noise) else { return };
    let full = std::fs::File::options().write(true).open("/dev/full").expect("everywhere");
    let target = Target::Descriptor(full.into());
    let mut outgoing = start(&source.monitor, target, &Settings::default()).expect("started");
    let error = outgoing.wait(soon(), go_on).expect_err("it is full");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{error}");
    assert!(memory(&source).contains("0x"), "it goes on");
}

#[test]
fn a_qemu_that_is_killed_while_it_saves_leaves_nothing() {
    let noise = Noise::of(32);
    for compression in [Compression::None, Compression::Gzip] {
        let Some(source) = noisy(&noise) else { return };
        let directory = tempfile::tempdir().expect("a directory");
        let directory = Utf8Path::from_path(directory.path()).expect("UTF-8");
        let slow = Settings { bandwidth: Some(1 << 20), ..Settings::default() };
        let path = directory.join("state");
        let error = save(&source.monitor, &path, compression, &slow, |figures| {
            if figures.transferred > 0 {
                source.signal_kill();
            }
            Choice::GoOn
        });
        assert_eq!(error.expect_err("it is gone").kind(), ErrorKind::Monitor);
        assert!(names(directory).is_empty(), "{:?}", names(directory));
    }
}

#[test]
fn memory_of_its_own_is_left_where_it_is() {
    let Some(source) = Machine::start(&[
        "-object",
        "memory-backend-file,id=ram,size=64M,mem-path=ram,share=on",
        "-machine",
        "memory-backend=ram",
    ]) else {
        return;
    };
    let settings = Settings {
        capabilities: vec![("x-ignore-shared".to_owned(), true)],
        ..Settings::default()
    };
    let path = source.at("devices");
    save(&source.monitor, &path, Compression::None, &settings, go_on).expect("saved");
    let length = path.metadata().expect("there").len();
    assert!(length < 2 << 20, "{length}");
    let ram = source.at("ram");
    let object = format!("memory-backend-file,id=ram,size=64M,mem-path={ram},share=off");
    let machine = ["-object", &object, "-machine", "memory-backend=ram", "-incoming", "defer"];
    let destination = Machine::start(&machine).expect("installed");
    load(&destination.monitor, &path, &settings, destination.pidfd.as_fd()).expect("restored");
}
