//! What is to be done afterwards is understood before, for a test that passes and one that fails.

use kvmtest::Params;

use super::check;

const KEYS: [&str; 9] = [
    "kill_vm",
    "kill_vm_gracefully",
    "kill_vm_timeout",
    "check_image",
    "remove_image",
    "keep_screendumps",
    "kill_unresponsive_vms",
    "post_command_timeout",
    "post_command_noncritical",
];

fn params(key: &str, value: &str) -> Params {
    [("vms", "vm1"), ("images", "sys"), (key, value)].into_iter().collect()
}

#[test]
fn every_key_is_looked_at_and_so_is_what_counts_on_an_error() {
    for key in KEYS {
        for asked in [key.to_owned(), format!("{key}_on_error")] {
            let error = check(&params(&asked, "perhaps")).expect_err(&asked).to_string();
            assert!(error.contains(&format!("`{key}` must be")), "{asked}: {error}");
        }
    }
}

#[test]
fn a_machine_and_an_image_have_keys_of_their_own() {
    for key in ["kill_vm_vm1", "kill_vm_vm1_on_error", "check_image_sys", "remove_image_sys_vm1"] {
        check(&params(key, "perhaps")).expect_err(key);
    }
    for key in ["kill_vm_vm2", "check_image_other", "kill_vm_on_errors"] {
        check(&params(key, "perhaps")).expect(key);
    }
}
