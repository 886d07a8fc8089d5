//! The same with a real guest under a real QEMU.

use kvmtest_tests::Sandbox;

use crate::{kept, warnings};

fn sandbox() -> Option<Sandbox> {
    Sandbox::with_guests().map_err(|missing| kvmtest_tests::skip(&missing.to_string())).ok()
}

#[test]
fn a_real_screen_is_taken_and_a_real_image_is_made_and_checked() {
    let Some(sandbox) = sandbox() else { return };
    let ended = sandbox.kvmtest([
        "run",
        "boot",
        "vga = std",
        "take_regular_screendumps = yes",
        "screendump_delay = 1",
        "keep_screendumps = yes",
        "images = data more",
        "image_name_more = more",
        "image_size_more = 8M",
        "create_image_more = yes",
        "check_image = yes",
        "remove_image = yes",
    ]);
    ended.code(0).says(["PASS"]);
    assert_eq!(warnings(&sandbox), "");
    for name in ["pre_vm1.png", "post_vm1.png"] {
        let bytes = std::fs::read(kept(&sandbox, name)).expect("taken");
        assert!(bytes.starts_with(b"\x89PNG"), "{name}");
    }
    assert!(kept(&sandbox, "screendumps_vm1").read_dir_utf8().expect("kept").count() > 0);
    assert!(!sandbox.work.join("more.qcow2").exists(), "it was removed");
    let facts = sandbox.result()["facts"].to_string();
    assert!(facts.contains("qemu_version"), "{facts}");
    sandbox.is_empty();
}

#[test]
fn a_real_machine_that_is_kept_is_looked_at() {
    let Some(sandbox) = sandbox() else { return };
    let keys = ["kill_vm = no", "kill_unresponsive_vms = yes", "profilers = vmstat"];
    let args: Vec<&str> = ["run", "boot"].into_iter().chain(keys).collect();
    sandbox.kvmtest(&args).code(0);
    sandbox.kvmtest(["env", "kill"]).code(0).says(["ended: vm1"]);
    sandbox.is_empty();
}
