//! Tests on guests that do as they are told, all of it played by a fake QEMU.

use kvmtest_tests::Sandbox;

#[test]
fn the_quick_set_passes() {
    let sandbox = Sandbox::new();
    let ended = sandbox.fake("obeys", &[]);
    ended.code(0).is_clean().says([
        "PASS   boot",
        "PASS   reboot",
        "PASS   system_reset",
        "PASS   system_powerdown",
        "PASS   shutdown",
        "5 tests in",
        "5 passed",
    ]);
    sandbox.is_empty();
}
