//! What is done before a test, in its order.

mod command;
mod facts;
mod hugepages;
mod image;
mod leftovers;
mod lifetime;
mod profilers;
mod refusals;
mod screens;
#[cfg(test)]
mod tests;
mod vm;
mod vms;

use kvmtest::{Params, Result};

pub(crate) use refusals::Refusals;

use crate::around::{Around, Step};
use crate::hook;

/// The steps. The first one that fails ends the preparation; whatever was done up to there is
/// undone by the steps of [`postprocess`](crate::postprocess).
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "leftovers",
        what: "ending the machines that this test does not name",
        keys: &["vms"],
        check: None,
        run: leftovers::end,
    },
    Step {
        name: "facts",
        what: "keeping the versions of kernel, KVM and QEMU",
        keys: &["qemu_binary"],
        check: None,
        run: facts::keep,
    },
    Step {
        name: "hugepages",
        what: "reserving huge pages",
        keys: &["setup_hugepages", "max_vms", "hugepage", "mem", "mem_path"],
        check: Some(hugepages::check),
        run: hugepages::reserve,
    },
    Step {
        name: "command",
        what: "running `pre_command`",
        keys: &["pre_command", "pre_command_timeout", "pre_command_noncritical"],
        check: Some(|params| hook::check(params, "pre_command")),
        run: command::run,
    },
    Step {
        name: "vms",
        what: "preparing the machines",
        keys: &[
            "create_image",
            "force_create_image",
            "vm_lifetime",
            "guest_use",
            "vm_state",
            "restart_vm",
            "migration_mode",
            "start_vm",
        ],
        check: Some(vms::check),
        run: vms::prepare,
    },
    Step {
        name: "screens",
        what: "beginning to take screens",
        keys: &["take_regular_screendumps", "screendump_delay"],
        check: Some(screens::check),
        run: screens::begin,
    },
    Step {
        name: "profilers",
        what: "starting the profilers",
        keys: &["profilers", "profiler_command"],
        check: Some(profilers::check),
        run: profilers::start,
    },
];

/// Refuses params that some step cannot understand.
pub(crate) fn check(params: &Params) -> Result<()> {
    STEPS.iter().try_for_each(|step| step.check(params))
}

/// Does what is to be done before a test.
pub(crate) fn prepare(around: &mut Around) -> Result<()> {
    STEPS.iter().try_for_each(|step| step.run(around))
}
