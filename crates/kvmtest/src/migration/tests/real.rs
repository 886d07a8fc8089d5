//! Two QEMUs.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use super::*;
use crate::error::ErrorKind;

/// Slow enough that there is time for everything.
fn slow() -> Settings {
    Settings { bandwidth: Some(1 << 20), ..Settings::default() }
}

fn uri(text: impl Into<String>) -> Target {
    Target::Uri(text.into())
}

#[test]
fn a_machine_goes_over_by_every_way() {
    let noise = Noise::of(8);
    for way in ["tcp", "unix", "fd"] {
        let Some((source, destination)) = noisy(&noise).zip(empty()) else { return };
        let settings = Settings::default();
        let (from, mut to) = match way {
            "tcp" => (Source::Uri("tcp:127.0.0.1:0".to_owned()), None),
            "unix" => {
                let path = destination.at("incoming");
                (Source::Uri(format!("unix:{path}")), Some(uri(format!("unix:{path}"))))
            }
            _ => {
                let (one, other) = UnixStream::pair().expect("a pair");
                (Source::Descriptor(one.into()), Some(Target::Descriptor(other.into())))
            }
        };
        let mut incoming = listen(&destination.monitor, from, &settings).expect("it listens");
        if way == "tcp" {
            let address = incoming.address().expect("asked").expect("it listens on TCP");
            assert!(address.starts_with("tcp:127.0.0.1:") && !address.ends_with(":0"), "{address}");
            to = Some(uri(address));
        }
        let to = to.expect("every way has an end");
        let mut outgoing = start(&source.monitor, to, &settings).expect("started");
        let figures = outgoing.wait(soon(), go_on).expect("it goes over");
        incoming.wait(soon(), destination.pidfd.as_fd()).expect("it arrives");
        assert!(figures.transferred > 8 << 20, "{way}: {figures:?}");
        assert_eq!((figures.remaining, &*figures.status), (0, "completed"), "{way}");
        assert!(figures.passes > 0 && figures.downtime.is_some(), "{figures:?}");
        assert_eq!(memory(&source), memory(&destination), "{way}");
        assert_ne!(destination.monitor.status().expect("asked"), "inmigrate");
        assert!(source.monitor.event("MIGRATION").is_some(), "nobody takes the events");
    }
}

#[test]
fn a_slow_migration_is_cancelled_and_can_be_done_again() {
    let noise = Noise::of(32);
    let Some((source, mut destination)) = noisy(&noise).zip(empty()) else { return };
    let path = destination.at("incoming");
    let from = || Source::Uri(format!("unix:{path}"));
    let mut incoming = listen(&destination.monitor, from(), &Settings::default()).expect("listens");
    let mut outgoing =
        start(&source.monitor, uri(format!("unix:{path}")), &slow()).expect("started");
    let mut seen = 0;
    let error = outgoing.wait(soon(), |figures| {
        seen += u32::from(figures.status == "active" && figures.remaining > 0);
        if seen > 3 { Choice::Cancel } else { Choice::GoOn }
    });
    assert_eq!(error.expect_err("cancelled").kind(), ErrorKind::MigrateCancelled);
    let error = incoming.wait(soon(), destination.pidfd.as_fd()).expect_err("nothing arrives");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    drop(incoming);
    destination.kill();
    // The slow link is forgotten with the migration.
    let Some(next) = empty() else { return };
    let (one, other) = UnixStream::pair().expect("a pair");
    let source_of = Source::Descriptor(one.into());
    let mut incoming = listen(&next.monitor, source_of, &Settings::default()).expect("listens");
    let target = Target::Descriptor(other.into());
    let mut outgoing = start(&source.monitor, target, &Settings::default()).expect("started");
    outgoing.wait(soon(), go_on).expect("it goes over");
    incoming.wait(soon(), next.pidfd.as_fd()).expect("it arrives");
    let error = outgoing.cancel().expect("there is nothing to cancel");
    assert_eq!(error.expect("it had been completed").status, "completed");
}

#[test]
fn a_migration_that_takes_too_long_leaves_the_source() {
    let noise = Noise::of(32);
    let Some((source, destination)) = noisy(&noise).zip(empty()) else { return };
    let from = Source::Uri("tcp:127.0.0.1:0".to_owned());
    let incoming = listen(&destination.monitor, from, &Settings::default()).expect("it listens");
    let address = incoming.address().expect("asked").expect("TCP");
    let mut outgoing = start(&source.monitor, uri(address), &slow()).expect("started");
    let deadline = Deadline::after(Duration::from_millis(300));
    let error = outgoing.wait(deadline, go_on).expect_err("too slow");
    assert_eq!(error.kind(), ErrorKind::MigrateTimeout);
    assert!(error.to_string().contains("MiB"), "{error}");
    assert!(memory(&source).contains("0x"));
    assert_eq!(outgoing.figures().expect("asked").status, "cancelled");
}

#[test]
fn nobody_there_is_told_in_qemus_words() {
    let Some(source) = Machine::start(&[]) else { return };
    let nowhere = format!("unix:{}", source.at("nobody"));
    let mut outgoing = start(&source.monitor, uri(nowhere), &Settings::default()).expect("begun");
    let error = outgoing.wait(soon(), go_on).expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    assert!(error.to_string().contains("Failed to connect"), "{error}");
    let error = start(&source.monitor, uri("carrier:pigeon"), &Settings::default());
    let error = error.err().expect("no protocol");
    assert_eq!(error.kind(), ErrorKind::MonitorCommand);
}

#[test]
fn another_machine_does_not_take_it() {
    let Some(source) = Machine::start(&["-device", "virtio-rng-pci"]) else { return };
    let Some(destination) = empty() else { return };
    let (one, other) = UnixStream::pair().expect("a pair");
    let settings = Settings::default();
    let from = Source::Descriptor(one.into());
    let mut incoming = listen(&destination.monitor, from, &settings).expect("it listens");
    let to = Target::Descriptor(other.into());
    let mut outgoing = start(&source.monitor, to, &settings).expect("started");
    // The source may or may not notice.
    let _ = outgoing.wait(soon(), go_on);
    let error = incoming.wait(soon(), destination.pidfd.as_fd()).expect_err("it differs");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    assert_eq!(source.monitor.status().map(|status| status.is_empty()).ok(), Some(false));
}

#[test]
fn a_destination_that_is_killed_leaves_the_source() {
    let noise = Noise::of(32);
    let Some((source, mut destination)) = noisy(&noise).zip(empty()) else { return };
    let from = Source::Uri("tcp:127.0.0.1:0".to_owned());
    let incoming = listen(&destination.monitor, from, &Settings::default()).expect("it listens");
    let address = incoming.address().expect("asked").expect("TCP");
    let mut outgoing = start(&source.monitor, uri(address), &slow()).expect("started");
    drop(incoming);
    let mut is_killed = false;
    let error = outgoing.wait(soon(), |figures| {
        if figures.transferred > 0 && !is_killed {
            destination.kill();
            is_killed = true;
        }
        Choice::GoOn
    });
    let error = error.expect_err("nobody reads");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{error}");
    assert!(memory(&source).contains("0x"), "it goes on");
}

#[test]
fn a_source_that_is_killed_ends_both_waits() {
    let noise = Noise::of(32);
    let Some((source, destination)) = noisy(&noise).zip(empty()) else { return };
    let from = Source::Uri("tcp:127.0.0.1:0".to_owned());
    let settings = Settings::default();
    let mut incoming = listen(&destination.monitor, from, &settings).expect("it listens");
    let address = incoming.address().expect("asked").expect("TCP");
    let mut outgoing = start(&source.monitor, uri(address), &slow()).expect("started");
    let error = outgoing.wait(soon(), |figures| {
        if figures.transferred > 1 << 18 {
            source.signal_kill();
        }
        Choice::GoOn
    });
    assert_eq!(error.expect_err("it is gone").kind(), ErrorKind::Monitor);
    let error = incoming.wait(soon(), destination.pidfd.as_fd()).expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed, "{error}");
}

#[test]
fn what_blocks_a_machine_is_told_by_the_device() {
    let Some(clean) = Machine::start(&["-device", "virtio-rng-pci"]) else { return };
    assert_eq!(blockers(&clean.monitor).expect("asked"), []);
    let machine = Machine::start(&["-device", "nvme,serial=x,id=n"]).expect("installed");
    let found = blockers(&machine.monitor).expect("asked");
    assert!(found[0].device.as_ref().is_some_and(|device| device.ends_with("nvme")), "{found:?}");
    let to = uri("tcp:127.0.0.1:1");
    let error = start(&machine.monitor, to, &Settings::default()).err().expect("blocked");
    assert!(error.to_string().contains("nvme"), "{error}");
}

/// A kernel that says by an event that it has begun, and writes to a hundred pages, again and
/// again.
fn restless() -> tempfile::NamedTempFile {
    let mut image = vec![0; 8192];
    image[0x1f1] = 4; // sectors of the real-mode part
    image[0x200..0x202].copy_from_slice(&[0xeb, 0x66]); // jmp 0x268
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&[0x0c, 0x02]); // protocol 2.12
    image[0x211] = 1; // loaded high
    let code = [
        0xfa, 0xb8, 0x00, 0x20, 0x8e, 0xd8, 0x31,
        0xff, // cli; mov ax, 0x2000; mov ds, ax; xor di, di
        0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, // mov dx, 0x505; mov al, 1; out dx, al
        0xfe, 0x05, 0x81, 0xc7, 0x00, 0x10, 0x75, 0xf8, // inc byte [di]; add di, 0x1000; jnz
        // QEMU 7.2 under emulation does not see what is written through a TLB that is not flushed.
        0x0f, 0x20, 0xc0, 0x66, 0x0f, 0xba, 0xf8, 0x10, // mov eax, cr0; btc eax, 16
        0x0f, 0x22, 0xc0, // mov cr0, eax
        0x8c, 0xd8, 0x80, 0xc4, 0x10, // mov ax, ds; add ah, 0x10
        0x80, 0xfc, 0x80, 0x72, 0x02, 0xb4, 0x20, // cmp ah, 0x80; jb over; mov ah, 0x20
        0x8e, 0xd8, 0xeb, 0xdd, // mov ds, ax; jmp to the inc
    ];
    image[0x268..0x268 + code.len()].copy_from_slice(&code);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), image).expect("written");
    file
}

#[test]
fn a_guest_that_is_faster_than_the_link_goes_on() {
    let kernel = restless();
    let kernel = kernel.path().to_str().expect("UTF-8");
    let args = ["-kernel", kernel, "-device", "pvpanic", "-action", "panic=none"];
    let Some(source) = Machine::start(&args) else { return };
    let device = ["-device", "pvpanic", "-incoming", "defer"];
    let destination = Machine::start(&device).expect("installed");
    let from = Source::Uri("tcp:127.0.0.1:0".to_owned());
    let incoming = listen(&destination.monitor, from, &Settings::default()).expect("it listens");
    let address = incoming.address().expect("asked").expect("TCP");
    source.monitor.cmd("cont", serde_json::Value::Null).expect("it runs");
    source.monitor.wait_event("GUEST_PANICKED", PATIENCE).expect("the kernel runs");
    // A pass takes a third of a second, and what may be left for the end is a page.
    let settings = Settings { downtime: Some(Duration::from_millis(1)), ..slow() };
    let mut outgoing = start(&source.monitor, uri(address), &settings).expect("started");
    let error = outgoing
        .wait(soon(), |figures| if figures.passes > 3 { Choice::Cancel } else { Choice::GoOn });
    assert_eq!(error.expect_err("it never ends by itself").kind(), ErrorKind::MigrateCancelled);
    assert_eq!(source.monitor.status().expect("asked"), "running");
}

#[test]
fn a_guest_runs_at_the_destination_before_its_memory_is_there() {
    let noise = Noise::of(16);
    let Some((source, destination)) = noisy(&noise).zip(empty()) else { return };
    let settings =
        Settings { capabilities: vec![("postcopy-ram".to_owned(), true)], ..Settings::default() };
    let from = Source::Uri("tcp:127.0.0.1:0".to_owned());
    let mut incoming = match listen(&destination.monitor, from, &settings) {
        // Not every user may do what it takes (`vm.unprivileged_userfaultfd`).
        Err(error) if error.kind() == ErrorKind::MonitorCommand => return,
        incoming => incoming.expect("it listens"),
    };
    let address = incoming.address().expect("asked").expect("TCP");
    source.monitor.cmd("cont", serde_json::Value::Null).expect("it runs");
    let slow = Settings { bandwidth: Some(1 << 20), ..settings };
    let mut outgoing = start(&source.monitor, uri(address), &slow).expect("started");
    let figures = outgoing.wait(soon(), |_| Choice::Postcopy);
    let figures = figures.expect("it goes over");
    incoming.wait(soon(), destination.pidfd.as_fd()).expect("it arrives");
    assert_eq!(figures.status, "completed");
    assert_eq!(memory(&source), memory(&destination));
    let states = source.monitor.events().into_iter().filter(|event| event.name == "MIGRATION");
    let states: Vec<String> = states.map(|event| event.data["status"].to_string()).collect();
    assert!(states.contains(&"\"postcopy-active\"".to_owned()), "{states:?}");
}
