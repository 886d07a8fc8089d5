//! The table by which a cause is found: the first row that fits decides.

use kvmtest::ErrorKind;
use kvmtest::guest::progress::Progress;
use kvmtest::guest::sign::Action;

use super::evidence::{Ended, Evidence, Machine, Voice};
use super::vcpu::VcpuState;
use crate::child::verdict::WITHOUT_MEMORY;
use crate::event::{Cause, Phase};
use crate::outcome::Outcome;
use crate::watch::Finding;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The evidence that it asks for, for people.
    pub evidence: &'static str,
    /// What it means.
    pub cause: Cause,
    /// Says why, if the evidence is there.
    fits: fn(&Evidence) -> Option<String>,
}

/// The table, in the order in which it is gone through.
pub static TABLE: &[Row] = &[
    Row {
        evidence: "the guest panicked, had an oops or a BUG: by the console or by its own word to the machine",
        cause: Cause::GuestCrashed,
        fits: |it| found(it, &["panic", "oops", "bug"]),
    },
    Row {
        evidence: "QEMU says that the machine cannot go on (`internal-error`)",
        cause: Cause::GuestCrashed,
        fits: |it| status(it, "internal-error", "QEMU cannot execute what the guest does"),
    },
    Row {
        evidence: "QEMU was killed (SIGKILL), and the kernel of the host killed something for want of memory meanwhile",
        cause: Cause::HostStarved,
        fits: killed_for_memory,
    },
    Row {
        evidence: "QEMU refused to start, with words of its own",
        cause: Cause::QemuRefused,
        fits: refused,
    },
    Row {
        evidence: "the guest powered off or was reset before it had booted",
        cause: Cause::GuestDidNotBoot,
        fits: |it| ended_by_guest(it).filter(|(_, booted)| !booted).map(|(why, _)| why),
    },
    Row {
        evidence: "the guest powered off or was reset, and nobody had asked for it",
        cause: Cause::GuestCrashed,
        fits: |it| ended_by_guest(it).map(|(why, _)| why),
    },
    Row {
        evidence: "the QEMU process ended: by a signal, with an error, or for no reason that is known",
        cause: Cause::QemuDied,
        fits: died,
    },
    Row {
        evidence: "firmware, boot loader or guest say that they cannot boot",
        cause: Cause::GuestDidNotBoot,
        fits: |it| found(it, &["no_boot"]).or_else(|| of_kind(it, &[ErrorKind::GuestNotBooted])),
    },
    Row {
        evidence: "QEMU paused the guest because of an error of a disk (`io-error`)",
        cause: Cause::HostStarved,
        fits: |it| {
            status(it, "io-error", "QEMU paused the guest: a disk of the host is full or broken")
        },
    },
    Row {
        evidence: "the subtest panicked or raised an exception of its own, or its process broke the rules of a child",
        cause: Cause::TestBroken,
        fits: broken,
    },
    Row {
        evidence: "an error while preparing, or one that says what is missing: a param, a guest, an image, a state, a program",
        cause: Cause::SetUpFailed,
        fits: set_up,
    },
    Row {
        evidence: "an assertion of the subtest did not hold (`test.fail`), or a check after it",
        cause: Cause::TestFailed,
        fits: |it| {
            of_kind(it, &[ErrorKind::TestFail, ErrorKind::TestWarn, ErrorKind::ShellCommand])
        },
    },
    Row {
        evidence: "a machine could not be moved, saved or restored, or that was cancelled",
        cause: Cause::TestFailed,
        fits: |it| {
            let kinds =
                [ErrorKind::MigrateBlocked, ErrorKind::MigrateFailed, ErrorKind::MigrateCancelled];
            of_kind(it, &kinds)
        },
    },
    Row {
        evidence: "a processor of the guest stands still or spins at one place, and the guest had not booted",
        cause: Cause::GuestDidNotBoot,
        fits: |it| {
            any(it, |vm| stuck(vm).filter(|_| is_booting(it, vm)).map(|why| so_far(vm, &why)))
        },
    },
    Row {
        evidence: "a processor of the guest stands still or spins at one place, and nobody answers",
        cause: Cause::GuestHung,
        fits: |it| any(it, |vm| stuck(vm).filter(|_| vm.answers() != Some(true))),
    },
    Row {
        evidence: "the host had too little of something for most of the test (processors, memory, disks), and the guest had something to do",
        cause: Cause::HostStarved,
        fits: starved,
    },
    Row {
        evidence: "the kernel of the guest reported a lockup, a stall or a task that hangs",
        cause: Cause::GuestHung,
        fits: |it| found(it, &["soft_lockup", "rcu_stall", "hung_task"]),
    },
    Row {
        evidence: "the login prompt was never seen",
        cause: Cause::GuestDidNotBoot,
        fits: |it| any(it, |vm| is_booting(it, vm).then(|| so_far(vm, "its time was up"))),
    },
    Row {
        evidence: "QEMU lives and does not answer on its monitor",
        cause: Cause::GuestHung,
        fits: |it| any(it, silent),
    },
    Row {
        evidence: "the guest answers neither on its console nor by its agent",
        cause: Cause::GuestHung,
        fits: |it| any(it, |vm| answers_nothing(it, vm)),
    },
    Row { evidence: "anything else", cause: Cause::TestFailed, fits: |it| Some(rest(it)) },
];

/// Why a test failed, and what shows it, in words. Of an interrupted test nothing failed.
pub fn cause(evidence: &Evidence) -> (Cause, String) {
    let mut rows = TABLE.iter().map(|row| (row.cause, (row.fits)(evidence)));
    let found = rows.find_map(|(cause, why)| Some((cause, why?)));
    // The last row always fits.
    found.unwrap_or((Cause::TestFailed, String::new()))
}

/// A finding with one of these names, unless it is to be ignored.
fn found(evidence: &Evidence, names: &[&str]) -> Option<String> {
    finding(evidence, names).map(|finding| finding.message.clone()).or_else(|| {
        // The subtest may have met it where nothing was watched.
        let panicked = names.contains(&"panic") && is_kind(evidence, &[ErrorKind::GuestPanicked]);
        panicked.then(|| evidence.failure.message.clone())
    })
}

fn finding<'a>(evidence: &'a Evidence, names: &[&str]) -> Option<&'a Finding> {
    let fails = |finding: &&Finding| finding.action == Action::Fail;
    evidence.findings.iter().filter(fails).find(|finding| names.contains(&finding.sign.as_str()))
}

fn is_kind(evidence: &Evidence, kinds: &[ErrorKind]) -> bool {
    evidence.failure.error_kind().is_some_and(|kind| kinds.contains(&kind))
}

fn of_kind(evidence: &Evidence, kinds: &[ErrorKind]) -> Option<String> {
    is_kind(evidence, kinds).then(|| evidence.failure.message.clone())
}

fn any(evidence: &Evidence, why: impl FnMut(&Machine) -> Option<String>) -> Option<String> {
    evidence.machines.iter().find_map(why)
}

fn status(evidence: &Evidence, status: &str, what: &str) -> Option<String> {
    any(evidence, |vm| {
        let shows = vm.status.as_deref() == Some(status);
        shows.then(|| format!("the VM `{}`: {what} (`{status}`)", vm.name))
    })
}

fn ends(evidence: &Evidence) -> impl Iterator<Item = (&Machine, &Ended)> {
    evidence.machines.iter().filter_map(|vm| Some((vm, vm.ended.as_ref()?)))
}

fn killed_for_memory(evidence: &Evidence) -> Option<String> {
    let kills = evidence.host.oom_kills;
    let killed = |(_, ended): &(&Machine, &Ended)| ended.signal == Some(9);
    let (vm, _) = ends(evidence).find(killed).filter(|_| kills > 0)?;
    Some(format!(
        "QEMU of the VM `{}` was killed, and the host's kernel killed {kills} for want of memory",
        vm.name
    ))
}

fn refused(evidence: &Evidence) -> Option<String> {
    let why = of_kind(evidence, &[ErrorKind::VmCreate])?;
    (!why.contains("was killed by") && !why.contains("did not open its monitors")).then_some(why)
}

/// Why the guest ended what it ran on, and whether it had booted.
fn ended_by_guest(evidence: &Evidence) -> Option<(String, bool)> {
    let finding = finding(evidence, &["shutdown", "reset"])?;
    let vm = evidence.machines.iter().find(|vm| vm.name == finding.vm);
    // After a reset the console shows the boot that comes after it.
    let booted = vm.is_none_or(|vm| {
        finding.sign == "reset" || vm.progress >= Progress::Login || !vm.console_whole
    });
    let why = match vm.filter(|_| !booted) {
        Some(vm) => so_far(vm, &finding.message),
        None => finding.message.clone(),
    };
    Some((why, booted))
}

fn died(evidence: &Evidence) -> Option<String> {
    let by_finding = finding(evidence, &["death"]).map(|finding| finding.message.clone());
    by_finding
        .or_else(|| {
            of_kind(evidence, &[ErrorKind::VmCreate]).filter(|why| why.contains("was killed by"))
        })
        .or_else(|| {
            // The one that a machine was to go on in: nobody else knows of it.
            of_kind(evidence, &[ErrorKind::MigrateFailed])
                .filter(|why| why.contains("the destination: QEMU was killed by"))
        })
        .or_else(|| {
            // Whoever has it ended by a monitor wants it so, and the subtest may have ended it so.
            let on_purpose = |ended: &Ended| {
                matches!(ended.reason.as_deref(), Some("host-qmp-quit" | "guest-shutdown"))
            };
            let bad =
                |ended: &Ended| ended.signal.is_some() || ended.status.is_some_and(|it| it != 0);
            let (vm, ended) = ends(evidence).find(|(_, it)| !on_purpose(it) && bad(it))?;
            Some(format!("the VM `{}` is dead: {}", vm.name, ended.how))
        })
        .or_else(|| {
            // Of a machine that somebody else ended nothing may be left but the error.
            let is_dead = |why: &String| ends(evidence).count() > 0 || why.contains("` is dead: ");
            of_kind(evidence, &[ErrorKind::VmDead]).filter(is_dead)
        })
}

/// The runner's words for children that did not keep the rules.
const BROKEN: [&str; 7] = [
    "panic",
    "exception",
    "child-died",
    WITHOUT_MEMORY,
    "child-broke-protocol",
    "child-lingered",
    "left-behind",
];

fn broken(evidence: &Evidence) -> Option<String> {
    let kind = evidence.failure.kind.as_deref()?;
    BROKEN.contains(&kind).then(|| evidence.failure.message.clone())
}

fn set_up(evidence: &Evidence) -> Option<String> {
    let failure = &evidence.failure;
    let kinds = [
        ErrorKind::Params,
        ErrorKind::Config,
        ErrorKind::Env,
        ErrorKind::Host,
        ErrorKind::Guest,
        ErrorKind::Image,
        ErrorKind::State,
        ErrorKind::StateGone,
        ErrorKind::VmCreate,
        ErrorKind::VmMissing,
        ErrorKind::VmAddress,
        ErrorKind::TestError,
    ];
    let unnamed = failure.kind.is_none() && failure.outcome == Outcome::Error;
    let early = failure.phase == Phase::Prepare;
    (early || unnamed || is_kind(evidence, &kinds)).then(|| failure.message.clone())
}

/// What a processor does that will not come away from where it is.
fn stuck(vm: &Machine) -> Option<String> {
    let (vcpu, what) = vm
        .vcpu(VcpuState::Spins)
        .map(|vcpu| (vcpu, "spins"))
        .or_else(|| Some((vm.vcpu(VcpuState::Stopped)?, "waits with interrupts switched off")))?;
    let ip = vcpu.samples.first()?.ip;
    Some(format!("processor {} of the VM `{}` {what} at {ip:#x}", vcpu.number, vm.name))
}

/// Whether the guest was on its way up when the test failed: the test wanted to get in, and
/// nobody ever asked for a login.
fn is_booting(evidence: &Evidence, vm: &Machine) -> bool {
    let waiting = [ErrorKind::LoginTimeout, ErrorKind::LoginTerminated];
    let seen = vm.progress > Progress::Nothing || vm.console_whole;
    let late = ["test-timeout", "expect-timeout"];
    let late = evidence.failure.kind.as_deref().is_some_and(|kind| late.contains(&kind));
    vm.ended.is_none()
        && vm.progress < Progress::Login
        && seen
        && (is_kind(evidence, &waiting) || late && vm.progress > Progress::Nothing)
}

fn so_far(vm: &Machine, why: &str) -> String {
    let last = format!("the last thing on its console: `{}`", vm.last_line);
    let name = &vm.name;
    match (vm.progress, vm.last_line.is_empty()) {
        (Progress::Nothing, true) => {
            format!("{why}; the console of the VM `{name}` showed nothing")
        }
        (Progress::Nothing, false) => {
            format!("{why}; the VM `{name}` showed no sign of a boot; {last}")
        }
        (so_far, true) => format!("{why}; the VM `{name}` got as far as {}", so_far.words()),
        (so_far, false) => {
            format!("{why}; the VM `{name}` got as far as {}; {last}", so_far.words())
        }
    }
}

/// Parts of a test's time, from which on the host is to blame.
const CPU: f64 = 0.85;
const MEMORY: f64 = 0.25;
const IO: f64 = 0.5;

/// Only what took too long is for want of something.
fn starved(evidence: &Evidence) -> Option<String> {
    // Who waits for nothing on the host is not starved by it.
    let waits = |vm: &Machine| {
        !vm.vcpus.is_empty()
            && vm.vcpus.iter().all(|vcpu| vcpu.state() == VcpuState::Idle)
            && vm.answers() == Some(false)
    };
    if !is_late(evidence) || evidence.machines.iter().any(waits) {
        return None;
    }
    let host = &evidence.host;
    let over = |share: Option<f64>, limit: f64| share.filter(|share| *share >= limit);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    if let Some(share) = over(host.cpu_stall, CPU) {
        return Some(format!("for {} of the time work waited for a processor", percent(share)));
    }
    if let Some(share) = over(host.memory_stall, MEMORY) {
        return Some(format!(
            "for {} of the time nothing went on for want of memory",
            percent(share)
        ));
    }
    if let Some(share) = over(host.io_stall, IO) {
        return Some(format!(
            "for {} of the time nothing went on because of disks",
            percent(share)
        ));
    }
    (host.oom_kills > 0).then(|| {
        format!("the host's kernel killed {} for want of memory meanwhile", host.oom_kills)
    })
}

/// Whether the test failed because something did not happen in time.
fn is_late(evidence: &Evidence) -> bool {
    let kinds = [
        ErrorKind::LoginTimeout,
        ErrorKind::ShellTimeout,
        ErrorKind::ExpectTimeout,
        ErrorKind::MonitorTimeout,
        ErrorKind::MigrateTimeout,
        ErrorKind::VmDead,
        ErrorKind::Transfer,
    ];
    let stalls = ["soft_lockup", "rcu_stall", "hung_task"];
    is_kind(evidence, &kinds)
        || evidence.failure.kind.as_deref() == Some("test-timeout")
        || finding(evidence, &stalls).is_some()
}

fn silent(vm: &Machine) -> Option<String> {
    let state = match vm.process_state {
        Some('T' | 't') => ": it is stopped (SIGSTOP)",
        Some('D') => ": it waits for a device of the host",
        _ => "",
    };
    (vm.monitor == Voice::Silent)
        .then(|| format!("QEMU of the VM `{}` does not answer on its monitor{state}", vm.name))
}

fn answers_nothing(evidence: &Evidence, vm: &Machine) -> Option<String> {
    let runs = vm.status.as_deref() == Some("running");
    if !is_late(evidence) || !runs || vm.answers() != Some(false) {
        return None;
    }
    let kernel = if vm.vcpu(VcpuState::Runs).is_some() {
        "its processor runs"
    } else if vm.vcpu(VcpuState::Idle).is_some() {
        "its processor is idle: an interrupt may be lost"
    } else {
        "what its processor does is not known"
    };
    Some(format!("the guest of the VM `{}` does not answer; {kernel}", vm.name))
}

fn rest(evidence: &Evidence) -> String {
    let answering = evidence.machines.iter().find(|vm| vm.answers() == Some(true));
    let paused = evidence.machines.iter().find(|vm| vm.status.as_deref() == Some("paused"));
    match (paused, answering) {
        // It says how far the machine had got.
        _ if is_kind(evidence, &[ErrorKind::MigrateTimeout]) => evidence.failure.message.clone(),
        (Some(vm), _) => format!("the VM `{}` is paused", vm.name),
        (None, Some(vm)) if is_late(evidence) => {
            format!("the guest of the VM `{}` answers; what was waited for did not come", vm.name)
        }
        _ => evidence.failure.message.clone(),
    }
}
