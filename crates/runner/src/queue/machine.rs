//! Which tests would find the machine of another one still living, and use it.

use kvmtest::Params;
use kvmtest::vm::command::KEYS;
use kvmtest::vm::{GuestUse, Lifetime};

/// Keys that make another machine and are no part of QEMU's command line by themselves.
const OTHERS: &[&str] = &["accel", "guest", "images_dir", "qemu_binary", "vm_state", "vms"];

/// Equal for two tests of which the second may use what the first leaves; `None` for one that
/// leaves no machine.
///
/// It stands in for the comparison of whole command lines that is made when the machine is really
/// there, and which needs QEMU: it is every param whose key is one that command lines are made of,
/// alone or with the name of an object at its end. Where it is wrong a machine is started once
/// more than it might be.
pub(super) fn machine(params: &Params) -> Option<String> {
    if !params.objects("vms").into_iter().any(|vm| lives_on(&params.object_params(vm))) {
        return None;
    }
    let mut lines: Vec<String> = params
        .iter()
        .filter(|(key, _)| makes_machine(key))
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    lines.sort_unstable();
    Some(lines.join("\n"))
}

/// Whether the machine is kept after the test, and another test would take it as it is.
fn lives_on(own: &Params) -> bool {
    // What cannot be understood is told when the test is prepared.
    own.get_or("kill_vm", "yes") != "yes"
        && Lifetime::of(own).is_ok_and(|choice| {
            let is_fit = !choice.is_auto || choice.guest_use == GuestUse::Clean;
            choice.lifetime == Lifetime::Living && is_fit
        })
}

fn makes_machine(key: &str) -> bool {
    let is = |name: &str| {
        key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    OTHERS.iter().any(|name| is(name)) || KEYS.iter().any(|known| is(known.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Option<String> {
        machine(&pairs.iter().copied().collect())
    }

    #[test]
    fn only_what_makes_the_machine_counts() {
        let base = [("vms", "vm1"), ("mem", "256"), ("type", "boot"), ("kill_vm", "no")];
        let with = |key, value| of(&[&base[..], &[(key, value)]].concat());
        assert!(of(&base).is_some());
        for (key, value) in
            [("login_timeout", "9"), ("name", "x"), ("memo", "1"), ("kill_vm_other", "yes")]
        {
            assert_eq!(with(key, value), of(&base), "{key}");
        }
        for (key, value) in [("smp", "2"), ("mem_vm1", "9"), ("image_name_a", "x"), ("guest", "g")]
        {
            assert_ne!(with(key, value), of(&base), "{key}");
        }
        let turned = [("kill_vm", "no"), ("mem", "256"), ("vms", "vm1")];
        assert_eq!(of(&turned), of(&base), "the order does not matter");
    }

    #[test]
    fn what_is_not_kept_is_no_machine_to_share() {
        for pairs in [
            &[][..],
            &[("vms", "")],
            &[("vms", "vm1")],
            &[("vms", "vm1"), ("kill_vm", "yes")],
            &[("vms", "vm1"), ("kill_vm", "no"), ("restart_vm", "yes")],
            &[("vms", "vm1"), ("kill_vm", "no"), ("vm_lifetime", "fresh")],
            &[("vms", "a b"), ("kill_vm_b", "no"), ("restart_vm_b", "yes")],
            &[("vms", "vm1"), ("kill_vm", "no"), ("vm_lifetime", "snapshot"), ("guest", "x")],
            &[("vms", "vm1"), ("kill_vm", "no"), ("vm_lifetime", "auto"), ("guest", "x")],
            &[("vms", "vm1"), ("kill_vm", "no"), ("vm_lifetime", "auto"), ("guest_use", "boot")],
        ] {
            assert_eq!(of(pairs), None, "{pairs:?}");
        }
        assert!(of(&[("vms", "a b"), ("kill_vm_b", "no")]).is_some());
        let clean = [("vm_lifetime", "auto"), ("guest_use", "clean")];
        assert!(of(&[&clean[..], &[("vms", "vm1"), ("kill_vm", "no")]].concat()).is_some());
    }
}
