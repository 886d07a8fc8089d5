//! Screens: of machines that have one, and of machines whose screen is broken.

use kvmtest_tests::{Ended, Running, Sandbox};

use crate::{FAILS, kept, outcome, warnings};

const OFTEN: [&str; 2] = ["take_regular_screendumps = yes", "screendump_delay = 0.1"];

/// Runs `boot` in `role` on a machine with this screen.
fn run(sandbox: &Sandbox, role: &str, screen: &str, what: &[&str]) -> Ended {
    let what: Vec<&str> = ["boot"].into_iter().chain(what.iter().copied()).collect();
    let mut command = sandbox.fake_run(role, &what);
    command.env("FAKE_QEMU_SCREEN", screen);
    Running::start(&mut command).end()
}

fn fails<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [FAILS].into_iter().chain(OFTEN).chain(more.iter().copied()).collect()
}

/// The width of a PNG, and its number of frames where it is animated.
#[track_caller]
fn png(path: &camino::Utf8Path) -> (u32, Option<u32>) {
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG");
    let info = reader.info();
    (info.width, info.animation_control().map(|control| control.num_frames))
}

fn screens(sandbox: &Sandbox) -> Vec<String> {
    let Ok(entries) = kept(sandbox, "screendumps_vm1").read_dir_utf8() else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_screen_is_taken_before_and_after() {
    let sandbox = Sandbox::new();
    for screen in ["png", "ppm"] {
        run(&sandbox, "obeys", screen, &[]).code(0).says(["PASS"]);
        assert_eq!(png(&kept(&sandbox, "pre_vm1.png")), (2, None));
        assert_eq!(png(&kept(&sandbox, "post_vm1.png")), (2, None));
        assert!(screens(&sandbox).is_empty());
    }
    sandbox.is_empty();
}

#[test]
fn a_failed_test_keeps_its_screens_once_each_and_as_one_picture() {
    let sandbox = Sandbox::new();
    for screen in ["png", "ppm"] {
        run(&sandbox, "silent", screen, &fails(&[])).code(1).says(["FAIL"]);
        // One was shown twice, one came back, and the last one lasted; the first of all was taken
        // before.
        let names = screens(&sandbox);
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("vm1_20") && name.contains(".png")));
        assert_eq!(png(&kept(&sandbox, "screens_vm1.png")), (2, Some(4)));
        assert_eq!(warnings(&sandbox), "");
    }
    sandbox.is_empty();
}

#[test]
fn screens_are_kept_as_it_is_said() {
    let sandbox = Sandbox::new();
    run(&sandbox, "silent", "png", &fails(&["keep_screendumps_on_error = no"])).code(1);
    assert!(!kept(&sandbox, "screendumps_vm1").exists());
    assert!(kept(&sandbox, "screens_vm1.png").exists(), "what is left of them");
    run(&sandbox, "obeys", "png", &OFTEN).code(0);
    assert!(!kept(&sandbox, "screendumps_vm1").exists());
    let keep: Vec<&str> = OFTEN.into_iter().chain(["keep_screendumps = yes"]).collect();
    run(&sandbox, "obeys", "png", &keep).code(0);
    assert!(!screens(&sandbox).is_empty());
    assert!(!kept(&sandbox, "screens_vm1.png").exists(), "it passed");
}

#[test]
fn a_machine_without_a_screen_makes_no_noise() {
    let sandbox = Sandbox::new();
    let what: Vec<&str> = ["boot"].into_iter().chain(OFTEN).collect();
    sandbox.fake("obeys", &what).code(0).says(["PASS"]);
    assert_eq!(warnings(&sandbox), "");
    for name in ["pre_vm1.png", "post_vm1.png", "screendumps_vm1", "screens_vm1.png"] {
        assert!(!kept(&sandbox, name).exists(), "{name}");
    }
}

#[test]
fn a_broken_screen_warns_and_costs_nothing_else() {
    let sandbox = Sandbox::new();
    for (screen, part) in [("garbage", "no PNG that can be read"), ("refuses", "no surface")] {
        let ended = run(&sandbox, "obeys", screen, &OFTEN);
        ended.code(0).says(["WARN"]).is_clean();
        let warnings = warnings(&sandbox);
        assert!(warnings.contains(part), "{screen}: {warnings}");
        assert!(warnings.lines().count() <= 3, "{screen}: {warnings}");
        assert!(!kept(&sandbox, "pre_vm1.png").exists());
        assert!(screens(&sandbox).is_empty());
        sandbox.is_empty();
    }
}

#[test]
fn a_monitor_that_hangs_in_a_screendump_is_given_up() {
    let sandbox = Sandbox::new();
    run(&sandbox, "obeys", "hangs", &OFTEN);
    assert!(warnings(&sandbox).contains("did not answer `screendump` within"));
    assert_eq!(outcome(&sandbox), "WARN");
    sandbox.is_empty();
}
