//! Machines that a test leaves.

use kvmtest_tests::Sandbox;

use crate::{failing, passing, warnings};

const KEPT: [&str; 2] = ["kill_vm = no", "kill_unresponsive_vms = yes"];

#[test]
fn a_machine_that_lets_people_in_is_kept() {
    let sandbox = Sandbox::new();
    passing(&sandbox, &KEPT).code(0).says(["PASS"]);
    sandbox.kvmtest(["env", "kill"]).code(0).says(["ended: vm1"]);
    sandbox.is_empty();
}

#[test]
fn a_machine_that_lets_nobody_in_is_destroyed_and_said_so() {
    let sandbox = Sandbox::new();
    failing(&sandbox, &KEPT);
    assert!(warnings(&sandbox).contains("destroyed the VM `vm1`: nobody can log in"));
    sandbox.kvmtest(["env"]).code(0).says(["no machine lives"]);
    sandbox.is_empty();
    // Kept for who wants to look.
    failing(
        &sandbox,
        &[
            "kill_vm_on_error = no",
            "kill_unresponsive_vms = yes",
            "kill_unresponsive_vms_on_error = no",
        ],
    );
    sandbox.kvmtest(["env", "kill"]).code(0).says(["ended: vm1"]);
    sandbox.is_empty();
}

#[test]
fn a_machine_whose_guest_panicked_is_asked_no_further() {
    let sandbox = Sandbox::new();
    let what = ["boot", "kill_vm = no", "kill_unresponsive_vms = yes"];
    sandbox.fake("panics-quietly", &what).code(1);
    assert!(warnings(&sandbox).contains("it does not run (`guest-panicked`)"));
    sandbox.is_empty();
}

#[test]
fn a_machine_that_the_next_test_does_not_name_is_ended() {
    let sandbox = Sandbox::new();
    passing(&sandbox, &["kill_vm = no"]).code(0);
    passing(&sandbox, &["kill_vm = no", "vms = other", "main_vm = other"]).code(0);
    let list = sandbox.kvmtest(["env"]);
    list.code(0).says(["other "]).does_not_say("vm1 ");
    sandbox.kvmtest(["env", "kill"]).code(0).says(["ended: other"]);
    sandbox.is_empty();
}
