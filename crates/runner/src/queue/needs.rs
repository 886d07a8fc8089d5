//! What a test takes of the host while it runs, as its params say.

use kvmtest::{Params, Result};

use super::capacity::Capacity;

/// What a test takes of the host while it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Needs {
    /// `used_cpus` and `used_mem`; where one is not set, what its machines have of it.
    pub used: Capacity,
    /// `alone = yes`: nothing else may run meanwhile.
    pub alone: bool,
}

/// What a machine has where its params do not say (`mem`), in MiB.
const MEMORY: u64 = 512;

impl Needs {
    /// Reads the params. What only a machine's start would find fault with (`smp`, `mem`) is taken
    /// for its default here: it is told there.
    pub fn read(params: &Params) -> Result<Self> {
        let mut used = machines(params);
        if params.find_nonempty("used_cpus").is_some() {
            used.cpus = params.get_u64("used_cpus")?;
        }
        if params.find_nonempty("used_mem").is_some() {
            used.memory = mebibytes(params.get_size_mib("used_mem")?);
        }
        Ok(Self { used, alone: params.get_bool_or("alone", false)? })
    }
}

/// The memory of the machines that live on after the test, in MiB, however it ends.
pub(super) fn kept(params: &Params) -> u64 {
    let failed = params.object_params("on_error");
    let lives_on = |name: &str| {
        [params, &failed]
            .into_iter()
            .any(|params| params.object_params(name).get_or("kill_vm", "yes") == "no")
    };
    let names = params.objects("vms").into_iter().filter(|name| lives_on(name));
    names.map(|name| machine(params, name).memory).fold(0, u64::saturating_add)
}

/// The processors and the memory of the machines in `vms`; nothing where there are none.
fn machines(params: &Params) -> Capacity {
    let machine = |name| machine(params, name);
    params
        .objects("vms")
        .into_iter()
        .map(machine)
        .fold(Capacity::default(), |one, other| one + other)
}

fn machine(params: &Params, name: &str) -> Capacity {
    let own = params.object_params(name);
    let cpus = own.get_u64_or("smp", 1).unwrap_or(1);
    let memory = own.get_size_mib("mem").map_or(MEMORY, mebibytes);
    Capacity { cpus, memory }
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Needs> {
        Needs::read(&pairs.iter().copied().collect())
    }

    #[test]
    fn what_a_test_takes_is_what_its_machines_have_or_what_it_says() {
        #[track_caller]
        fn check(pairs: &[(&str, &str)], cpus: u64, memory: u64) {
            let needs = read(pairs).expect("understood");
            assert_eq!(needs.used, Capacity { cpus, memory }, "{pairs:?}");
            assert!(!needs.alone);
        }
        check(&[], 0, 0);
        check(&[("vms", ""), ("smp", "4")], 0, 0);
        check(&[("vms", "vm1")], 1, 512);
        check(&[("vms", "vm1"), ("smp", "2"), ("mem", "256")], 2, 256);
        check(&[("vms", "vm1"), ("mem", "4G")], 1, 4096);
        check(&[("vms", "a b"), ("smp", "2"), ("smp_b", "3"), ("mem_a", "100")], 5, 612);
        check(&[("vms", "vm1"), ("smp", "many"), ("mem", "lots")], 1, 512);
        check(&[("vms", "vm1"), ("used_cpus", "7")], 7, 512);
        check(&[("vms", "vm1"), ("used_mem", "1G")], 1, 1024);
        check(&[("used_cpus", ""), ("used_mem", "")], 0, 0);
        check(&[("used_mem", "1b")], 0, 1);
        check(&[("vms", "a b"), ("smp", &u64::MAX.to_string())], u64::MAX, 1024);
    }

    #[test]
    fn what_a_test_says_wrongly_is_told() {
        for (key, value) in [("used_cpus", "two"), ("used_mem", "lots"), ("alone", "maybe")] {
            let error = read(&[(key, value)]).expect_err(key).to_string();
            assert!(error.contains(&format!("`{key}` must be")), "{error}");
        }
        assert!(read(&[("alone", "yes")]).expect("understood").alone);
    }
}
