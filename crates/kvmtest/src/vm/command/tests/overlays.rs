//! Images that several workers use at one time.

use super::super::{CommandLine, ImageUse, Paths};
use super::bed::{Binary, line, line_in, nowhere, params, values};
use super::qemu::{Bed, installed};

fn overlays(directory: &str, text: &str) -> CommandLine {
    let paths = Paths { overlays: Some(directory.into()), ..nowhere() };
    line_in(&paths, &Binary::usual(), &params(text)).expect("a command line")
}

/// The only image of a machine, as one of several workers has it.
fn image(text: &str) -> ImageUse {
    let line = overlays("/w1", text);
    assert_eq!(line.images.len(), 1, "{text}");
    line.images[0].clone()
}

#[test]
fn a_writable_image_is_written_to_by_nobody_but_its_overlay_is() {
    let text = "images = a\nimage_name = x\ndrive_format = ahci";
    let line = overlays("/w1", text);
    let used = &line.images[0];
    let overlay = used.overlay.as_ref().expect("an overlay");
    assert!(overlay.starts_with("/w1") && used.keeps_overlay);
    let node = values(&line, "blockdev")[0];
    assert!(node.contains(&format!(r#""filename":"{overlay}""#)), "{node}");
    assert!(node.contains(r#""read-only":true"#) && node.contains("/images/x.qcow2"), "{node}");
    assert!(!node.contains("no-flush"), "what was written is to be found by the next test: {node}");
    let other = overlays("/w2", text);
    assert_ne!(other.images[0].overlay, used.overlay);
    assert_eq!(line.images, overlays("/w1", text).images, "one image has one overlay");
}

#[test]
fn only_what_may_meet_others_has_an_overlay_that_stays() {
    let check = |text: &str, overlay: bool, stays: bool| {
        let image = image(text);
        assert_eq!((image.overlay.is_some(), image.keeps_overlay), (overlay, stays), "{text}");
    };
    check("images = a\nimage_name = x", true, true);
    check("images = a\nimage_name = /dev/sdb\nimage_raw_device = yes", true, true);
    check("images = a\nimage_name = x\nimage_snapshot = yes", true, false);
    check("images = a\nimage_name = x\nimage_readonly = yes", false, false);
    check("images = a\nimage_name = x\nimage_shareable = yes", false, false);
    check("guest = small", true, false);
    check("cdroms = a\ncdrom = x.iso", false, false);
    check("floppy = x.img", true, true);
    check("floppy = x.img\nfloppy_readonly = yes", false, false);
    let alone = line(&params("images = a\nimage_name = x")).expect("a command line");
    assert_eq!(alone.images[0].overlay, None);
}

#[test]
fn an_image_that_was_made_for_an_env_is_written_to_itself() {
    let own = [("/images/x.qcow2".into(), "/w1/own.qcow2".into())].into();
    let paths = Paths { overlays: Some("/w1".into()), own_images: own, ..nowhere() };
    let check = |text: &str, path: &str, overlay: bool| {
        let text = params(&format!("images = a\nimage_name = {text}"));
        let line = line_in(&paths, &Binary::usual(), &text).expect("a command line");
        assert_eq!(
            (line.images[0].path.as_str(), line.images[0].overlay.is_some()),
            (path, overlay)
        );
    };
    check("x", "/w1/own.qcow2", false);
    check("x\nimage_snapshot = yes", "/w1/own.qcow2", true);
    check("x\nimage_readonly = yes", "/w1/own.qcow2", false);
    check("y", "/images/y.qcow2", true);
}

#[test]
fn a_shareable_image_is_said_to_be_one() {
    let shares = |text: &str| {
        let line = line(&params(&format!("images = a\nimage_name = x\n{text}"))).expect("a line");
        values(&line, "device").iter().any(|device| device.contains("share-rw"))
    };
    assert!(shares("image_shareable = yes"));
    assert!(!shares("image_shareable = no") && !shares(""));
    let error =
        line(&params("images = a\nimage_name = x\ndrive_format = sd\nimage_shareable = yes"));
    assert!(error.expect_err("it cannot").to_string().contains("image_shareable"));
}

#[test]
fn a_script_makes_the_overlay_that_is_gone_with_the_run() {
    let script = overlays("/w1", "images = a\nimage_name = x").script();
    assert!(script.contains("|| qemu-img create") && !script.contains("/w1"), "{script}");
}

#[test]
fn two_machines_have_one_image_at_one_time() {
    let Some((program, facts)) = installed() else { return };
    let mut bed = Bed::new(&program);
    let shared = "images = a\nimage_name = a\nimage_size = 1M\nimage_format = raw\n\
                  drive_format = ahci\nimage_shareable = yes";
    let apart = "images = a\nimage_name = a\nimage_size = 1M\ndrive_format = ahci";
    for (text, workers) in [(shared, false), (apart, true)] {
        let mut machines = Vec::new();
        for number in 1..=2 {
            bed.paths.instance = bed.root.join(format!("instance-{workers}-{number}"));
            bed.paths.scratch = bed.root.join(format!("scratch-{workers}-{number}"));
            let overlays = bed.root.join(format!("overlays-{number}"));
            bed.paths.overlays = workers.then(|| overlays.clone());
            for dir in [&bed.paths.instance, &bed.paths.scratch, &overlays] {
                std::fs::create_dir_all(dir).expect("made");
            }
            let line = bed.line(&facts, text);
            if number == 1 {
                bed.prepare(&line);
            } else if let Some(args) = line.images[0].overlay_args() {
                bed.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            }
            machines.push(bed.start_prepared(&line, &["-S"]));
        }
        for machine in &mut machines {
            machine.execute("qmp_capabilities");
            let blocks = machine.execute("query-named-block-nodes");
            assert!(blocks.as_array().is_some_and(|blocks| !blocks.is_empty()), "{text}");
        }
        machines.into_iter().for_each(super::qemu::Machine::quit);
    }
}
