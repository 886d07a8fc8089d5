//! The table of signs.

use super::Action;
use crate::error::ErrorKind;

/// A sign of trouble.
#[derive(Debug, Clone, Copy)]
pub struct Sign {
    /// What `params` call it.
    pub name: &'static str,
    /// What has happened, as it goes on after "the guest of the VM `vm1` ".
    pub what: &'static str,
    /// Where it is seen.
    pub source: Source,
    /// What is done about it where `params` say nothing.
    pub action: Action,
    /// The kind of error that it is.
    pub kind: ErrorKind,
}

/// Where a sign is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In a line of the serial console that this expression matches; every such line contains one
    /// of these words, so that all other lines need not be held against it. `KERNEL` stands for the
    /// beginning of a message of Linux: a time stamp anywhere, or the beginning of a line. What
    /// somebody types at a prompt (`dmesg | grep Oops:`) is therefore no sign.
    Console(&'static str, &'static [&'static str]),
    /// In what QEMU says or does.
    Machine,
}

/// All signs. Of several that a line shows, the first one counts.
pub static SIGNS: &[Sign] = &[
    Sign {
        name: "panic",
        what: "panicked",
        source: Source::Console(
            r"KERNELKernel panic - not syncing|\*\*\* STOP: 0x|A problem has been detected and Windows has been shut down",
            &[
                "Kernel panic - not syncing",
                "*** STOP: 0x",
                "A problem has been detected and Windows",
            ],
        ),
        action: Action::Fail,
        kind: ErrorKind::GuestPanicked,
    },
    Sign {
        name: "soft_lockup",
        what: "has a processor that is stuck",
        source: Source::Console(
            r"KERNEL(?:watchdog: |NMI watchdog: )*(?:BUG: soft lockup|Watchdog detected hard LOCKUP|BUG: workqueue lockup)",
            &["lockup", "LOCKUP"],
        ),
        action: Action::Fail,
        kind: ErrorKind::GuestFault,
    },
    Sign {
        name: "oops",
        what: "had an oops in its kernel",
        source: Source::Console(
            r"KERNEL(?:Oops(?: - [^:]*)?: |BUG: unable to handle|BUG: kernel NULL pointer|general protection fault|Unable to handle kernel|Internal error: )",
            &[
                "Oops",
                "BUG: unable to handle",
                "BUG: kernel NULL",
                "general protection fault",
                "Unable to handle kernel",
                "Internal error: ",
            ],
        ),
        action: Action::Fail,
        kind: ErrorKind::GuestFault,
    },
    Sign {
        name: "bug",
        what: "met a BUG in its kernel",
        source: Source::Console(r"KERNEL(?:kernel BUG at |BUG: )", &["BUG"]),
        action: Action::Fail,
        kind: ErrorKind::GuestFault,
    },
    Sign {
        name: "rcu_stall",
        what: "has a stall in its kernel (RCU)",
        source: Source::Console(
            r"KERNEL(?:rcu: )?(?:INFO: )?rcu\w* (?:self-)?detected (?:expedited )?stalls?\b",
            &["detected"],
        ),
        action: Action::Fail,
        kind: ErrorKind::GuestFault,
    },
    Sign {
        name: "hung_task",
        what: "has a task that hangs",
        source: Source::Console(
            r"KERNELINFO: task .{1,100} blocked .{0,40}for more than \d+ s",
            &["INFO: task"],
        ),
        action: Action::Fail,
        kind: ErrorKind::GuestFault,
    },
    Sign {
        name: "oom",
        what: "ran out of memory",
        source: Source::Console(
            r"KERNEL(?:Out of memory: |Memory cgroup out of memory: |\S+ invoked oom-killer)",
            &["ut of memory: ", "oom-killer"],
        ),
        action: Action::Warn,
        kind: ErrorKind::GuestFault,
    },
    Sign {
        name: "no_boot",
        what: "cannot boot",
        source: Source::Console(
            r"No bootable device|Boot failed: not a bootable disk|Boot failed: could not read the boot disk|Could not read from CDROM|No bootable option or device was found|FATAL: No bootable medium found|Missing operating system|Operating system not found|Non-system disk|error: no such partition|Gave up waiting for root|You are in emergency mode",
            &[
                "No bootable device",
                "Boot failed: not a bootable disk",
                "Boot failed: could not read the boot disk",
                "Could not read from CDROM",
                "No bootable option or device was found",
                "FATAL: No bootable medium found",
                "Missing operating system",
                "Operating system not found",
                "Non-system disk",
                "error: no such partition",
                "Gave up waiting for root",
                "You are in emergency mode",
            ],
        ),
        action: Action::Fail,
        kind: ErrorKind::GuestNotBooted,
    },
    Sign {
        name: "reset",
        what: "was reset, and nobody had asked for it",
        source: Source::Machine,
        action: Action::Fail,
        kind: ErrorKind::GuestFault,
    },
    Sign {
        name: "shutdown",
        what: "powered off, and nobody had asked for it",
        source: Source::Machine,
        action: Action::Fail,
        kind: ErrorKind::VmDead,
    },
    Sign {
        name: "death",
        what: "lost its machine",
        source: Source::Machine,
        action: Action::Fail,
        kind: ErrorKind::VmDead,
    },
];

impl Sign {
    /// The sign called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        SIGNS.iter().find(|sign| sign.name == name)
    }
}
