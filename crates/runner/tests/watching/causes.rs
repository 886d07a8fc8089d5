//! Each row of the table of causes.

use kvmtest::ErrorKind;
use kvmtest::guest::progress::Progress;
use kvmtest::guest::sign::Action;
use kvmtest_runner::Outcome;
use kvmtest_runner::cause::{
    Answer, Ended, Evidence, Failure, HostFacts, Machine, Sample, TABLE, Vcpu, Voice, cause,
};
use kvmtest_runner::event::{Cause, Phase};
use kvmtest_runner::watch::Finding;

/// A failure of this kind, on a machine where all is well.
fn evidence(kind: &str) -> Evidence {
    Evidence {
        version: 1,
        failure: Failure {
            outcome: Outcome::Fail,
            phase: Phase::Run,
            kind: (!kind.is_empty()).then(|| kind.to_owned()),
            message: "so it said".into(),
            contexts: Vec::new(),
        },
        findings: Vec::new(),
        machines: vec![vm()],
        host: HostFacts { seconds: 10.0, cpu_stall: Some(0.1), ..HostFacts::default() },
        took_ms: 1,
    }
}

fn vm() -> Machine {
    Machine {
        name: "vm1".into(),
        monitor: Voice::Answers,
        status: Some("running".into()),
        process_state: Some('S'),
        progress: Progress::Login,
        console_whole: true,
        last_line: "kvmtest login:".into(),
        console: Some(Answer::Answers),
        vcpus: vec![vcpu(&[0x1000, 0x2000, 0x3000], false)],
        ..Machine::default()
    }
}

fn vcpu(ips: &[u64], halted: bool) -> Vcpu {
    let sample = |ip: &u64| Sample { ip: *ip, halted: Some(halted), interrupts: Some(true) };
    Vcpu { number: 0, samples: ips.iter().map(sample).collect() }
}

fn spinning() -> Vec<Vcpu> {
    vec![vcpu(&[0x1000; 3], false)]
}

fn finding(sign: &str, action: Action) -> Finding {
    Finding {
        vm: "vm1".into(),
        sign: sign.into(),
        action,
        kind: ErrorKind::GuestFault,
        message: format!("found {sign}"),
        lines: Vec::new(),
        count: 1,
    }
}

fn ended(signal: Option<i32>, status: Option<i32>, reason: Option<&str>) -> Ended {
    let how = "QEMU is gone".into();
    Ended { how, status, signal, reason: reason.map(str::to_owned) }
}

/// Checks what is decided for a failure of `kind` once `change` was made to the evidence.
#[track_caller]
fn check(kind: &str, change: impl FnOnce(&mut Evidence), expected: Cause, part: &str) {
    let mut evidence = evidence(kind);
    change(&mut evidence);
    let (cause, why) = cause(&evidence);
    assert_eq!(cause, expected, "{why}: {evidence:#?}");
    assert!(why.contains(part), "`{why}` lacks `{part}`");
}

#[test]
fn what_was_found_on_the_machine_comes_first() {
    for sign in ["panic", "oops", "bug"] {
        let change = |it: &mut Evidence| {
            it.findings = vec![finding("death", Action::Fail), finding(sign, Action::Fail)];
            it.machines[0].ended = Some(ended(Some(6), None, None));
        };
        check("test-fail", change, Cause::GuestCrashed, &format!("found {sign}"));
    }
    check("guest-panicked", |_| (), Cause::GuestCrashed, "so it said");
    let warned = |it: &mut Evidence| it.findings = vec![finding("oops", Action::Warn)];
    check("test-fail", warned, Cause::TestFailed, "so it said");
    let status = |it: &mut Evidence| it.machines[0].status = Some("internal-error".into());
    check("shell-timeout", status, Cause::GuestCrashed, "internal-error");
}

#[test]
fn a_qemu_that_ended() {
    let died = |it: &mut Evidence| it.machines[0].ended = Some(ended(Some(11), None, None));
    check("vm-dead", died, Cause::QemuDied, "QEMU is gone");
    check("panic", died, Cause::QemuDied, "QEMU is gone");
    let found = |it: &mut Evidence| {
        died(it);
        it.findings = vec![finding("death", Action::Fail)];
    };
    check("test-fail", found, Cause::QemuDied, "found death");
    let status = |it: &mut Evidence| it.machines[0].ended = Some(ended(None, Some(1), None));
    check("monitor", status, Cause::QemuDied, "QEMU is gone");
    // A subtest that ends its machine itself, and then fails.
    let quit = |it: &mut Evidence| {
        it.machines[0].ended = Some(ended(None, Some(0), Some("host-qmp-quit")));
    };
    check("test-fail", quit, Cause::TestFailed, "so it said");
    let killed = |it: &mut Evidence| {
        it.machines[0].ended = Some(ended(Some(9), None, None));
        it.host.oom_kills = 1;
    };
    check("vm-dead", killed, Cause::HostStarved, "for want of memory");
    let only_killed = |it: &mut Evidence| it.machines[0].ended = Some(ended(Some(9), None, None));
    check("vm-dead", only_killed, Cause::QemuDied, "");
}

#[test]
fn a_machine_that_somebody_else_ended_is_not_for_want_of_anything() {
    let ended = |message: &'static str| {
        move |it: &mut Evidence| {
            it.machines.clear();
            it.host.cpu_stall = Some(0.99);
            it.failure.message = message.into();
        }
    };
    let gone = "the VM `vm1` is dead: QEMU is gone";
    check("vm-dead", ended(gone), Cause::QemuDied, "QEMU is gone");
    let late = "the VM `vm1` did not shut down within 2s";
    check("vm-dead", ended(late), Cause::HostStarved, "");
}

#[test]
fn a_qemu_that_was_not_started() {
    let early = |message: &'static str| {
        move |it: &mut Evidence| {
            it.machines.clear();
            it.failure.phase = Phase::Prepare;
            it.failure.outcome = Outcome::Error;
            it.failure.message = message.into();
        }
    };
    let refused = "QEMU ended with exit status 1; its last words: no such device";
    check("vm-create", early(refused), Cause::QemuRefused, "no such device");
    let crashed = "QEMU was killed by SIGSEGV";
    check("vm-create", early(crashed), Cause::QemuDied, "SIGSEGV");
    check("vm-create", early("QEMU did not open its monitors within 20s"), Cause::SetUpFailed, "");
    for kind in ["params", "guest", "host", "image", "env", "io", "monitor-timeout", ""] {
        check(kind, early("no"), Cause::SetUpFailed, "no");
    }
}

#[test]
fn a_guest_that_ended_its_machine() {
    let booted = |sign: &'static str| {
        move |it: &mut Evidence| {
            it.findings = vec![finding(sign, Action::Fail)];
            it.machines[0].ended = Some(ended(None, Some(0), Some("guest-shutdown")));
        }
    };
    check("vm-dead", booted("shutdown"), Cause::GuestCrashed, "found shutdown");
    check("test-fail", booted("reset"), Cause::GuestCrashed, "found reset");
    let booting = |it: &mut Evidence| {
        booted("shutdown")(it);
        it.machines[0].progress = Progress::Kernel;
    };
    check("vm-dead", booting, Cause::GuestDidNotBoot, "as far as the kernel");
}

#[test]
fn a_guest_that_did_not_boot() {
    let sign = |it: &mut Evidence| it.findings = vec![finding("no_boot", Action::Fail)];
    check("login-timeout", sign, Cause::GuestDidNotBoot, "found no_boot");
    check("guest-not-booted", |_| (), Cause::GuestDidNotBoot, "so it said");
    for (progress, part) in [
        (Progress::Nothing, "no sign of a boot; the last thing on its console: `kvmtest login:`"),
        (Progress::Firmware, "as far as the firmware"),
        (Progress::BootLoader, "the boot loader"),
        (Progress::Kernel, "as far as the kernel; the last thing on its console: `kvmtest login:`"),
        (Progress::Userspace, "the first program"),
    ] {
        let change = |it: &mut Evidence| it.machines[0].progress = progress;
        check("login-timeout", change, Cause::GuestDidNotBoot, part);
        let stuck = |it: &mut Evidence| {
            it.machines[0].progress = progress;
            it.machines[0].vcpus = spinning();
            it.host.cpu_stall = Some(1.0);
        };
        check("login-timeout", stuck, Cause::GuestDidNotBoot, "spins at 0x1000");
    }
    // The login was seen, or the console is not what was waited for.
    check("login-timeout", |_| (), Cause::TestFailed, "answers");
    let elsewhere = |it: &mut Evidence| it.machines[0].progress = Progress::Nothing;
    check("shell-timeout", elsewhere, Cause::TestFailed, "answers");
    let tail = |it: &mut Evidence| {
        it.machines[0].progress = Progress::Nothing;
        it.machines[0].console_whole = false;
    };
    check("login-timeout", tail, Cause::TestFailed, "answers");
    let late = |it: &mut Evidence| it.machines[0].progress = Progress::Kernel;
    check("test-timeout", late, Cause::GuestDidNotBoot, "the kernel");
}

#[test]
fn a_guest_that_hangs() {
    let stuck = |it: &mut Evidence| {
        it.machines[0].vcpus = spinning();
        it.machines[0].console = Some(Answer::Silent);
        it.host.cpu_stall = Some(1.0);
    };
    check("shell-timeout", stuck, Cause::GuestHung, "processor 0 of the VM `vm1` spins at 0x1000");
    let deaf = |it: &mut Evidence| {
        stuck(it);
        let sample = Sample { ip: 9, halted: Some(true), interrupts: Some(false) };
        it.machines[0].vcpus = vec![Vcpu { number: 1, samples: vec![sample; 3] }];
    };
    check("shell-timeout", deaf, Cause::GuestHung, "processor 1 of the VM `vm1` waits with");
    for sign in ["soft_lockup", "rcu_stall", "hung_task"] {
        let found = |it: &mut Evidence| it.findings = vec![finding(sign, Action::Fail)];
        check("test-fail", found, Cause::TestFailed, "so it said");
        check("guest-fault", found, Cause::GuestHung, "found");
    }
    let silent = |it: &mut Evidence| it.machines[0].console = Some(Answer::Echo);
    check("shell-timeout", silent, Cause::GuestHung, "does not answer; its processor runs");
    let idle = |it: &mut Evidence| {
        it.machines[0].console = Some(Answer::Silent);
        it.machines[0].vcpus = vec![vcpu(&[7; 3], true)];
    };
    check("test-timeout", idle, Cause::GuestHung, "an interrupt may be lost");
    let by_agent = |it: &mut Evidence| {
        it.machines[0].console = Some(Answer::Silent);
        it.machines[0].agent = Some(Answer::Answers);
    };
    check("shell-timeout", by_agent, Cause::TestFailed, "answers");
    let qemu = |it: &mut Evidence| {
        it.machines[0].monitor = Voice::Silent;
        it.machines[0].status = None;
        it.machines[0].process_state = Some('D');
    };
    check("monitor-timeout", qemu, Cause::GuestHung, "waits for a device of the host");
}

#[test]
fn a_host_that_had_too_little() {
    let cpu = |it: &mut Evidence| it.host.cpu_stall = Some(0.9);
    check("shell-timeout", cpu, Cause::HostStarved, "90 %");
    check("login-timeout", cpu, Cause::HostStarved, "processor");
    check("test-timeout", cpu, Cause::HostStarved, "processor");
    check("test-fail", cpu, Cause::TestFailed, "so it said");
    let lockup = |it: &mut Evidence| {
        cpu(it);
        it.findings = vec![finding("soft_lockup", Action::Fail)];
    };
    check("guest-fault", lockup, Cause::HostStarved, "processor");
    let memory = |it: &mut Evidence| it.host.memory_stall = Some(0.3);
    check("shell-timeout", memory, Cause::HostStarved, "memory");
    let io = |it: &mut Evidence| it.host.io_stall = Some(0.6);
    check("shell-timeout", io, Cause::HostStarved, "disks");
    // A guest that has nothing to do does not wait for a processor.
    let idle = |it: &mut Evidence| {
        cpu(it);
        it.machines[0].console = Some(Answer::Silent);
        it.machines[0].vcpus = vec![vcpu(&[7; 3], true)];
    };
    check("shell-timeout", idle, Cause::GuestHung, "idle");
    let disk = |it: &mut Evidence| it.machines[0].status = Some("io-error".into());
    check("shell-timeout", disk, Cause::HostStarved, "io-error");
}

#[test]
fn the_tests_own_errors() {
    for kind in [
        "panic",
        "child-died",
        "child-without-memory",
        "child-broke-protocol",
        "child-lingered",
        "left-behind",
    ] {
        check(kind, |_| (), Cause::TestBroken, "so it said");
    }
    for kind in ["params", "config", "guest", "image", "vm-missing", "test-error"] {
        check(kind, |_| (), Cause::SetUpFailed, "so it said");
    }
    check("test-fail", |_| (), Cause::TestFailed, "so it said");
    check("shell-command", |_| (), Cause::TestFailed, "so it said");
    check("a-kind-of-the-future", |_| (), Cause::TestFailed, "so it said");
    check("", |_| (), Cause::TestFailed, "so it said");
    let paused = |it: &mut Evidence| it.machines[0].status = Some("paused".into());
    check("shell-timeout", paused, Cause::TestFailed, "the VM `vm1` is paused");
}

#[test]
fn a_machine_that_could_not_be_moved_or_saved() {
    let paused = |it: &mut Evidence| it.machines[0].status = Some("paused".into());
    for kind in ["migrate-blocked", "migrate-failed", "migrate-cancelled", "migrate-timeout"] {
        check(kind, |_| (), Cause::TestFailed, "so it said");
        check(kind, paused, Cause::TestFailed, "so it said");
        let early = |it: &mut Evidence| it.failure.phase = Phase::Prepare;
        check(kind, early, Cause::SetUpFailed, "so it said");
    }
    let starved = |it: &mut Evidence| it.host.cpu_stall = Some(0.95);
    check("migrate-timeout", starved, Cause::HostStarved, "processor");
    check("migrate-failed", starved, Cause::TestFailed, "so it said");
    let dead = "the migration failed; the destination: QEMU was killed by SIGSEGV";
    let died = |it: &mut Evidence| it.failure.message = dead.into();
    check("migrate-failed", died, Cause::QemuDied, "SIGSEGV");
    for kind in ["state", "state-gone"] {
        check(kind, |_| (), Cause::SetUpFailed, "so it said");
    }
}

#[test]
fn of_several_machines_the_one_with_the_trouble_counts() {
    let change = |it: &mut Evidence| {
        let mut second = vm();
        second.name = "vm2".into();
        second.console = Some(Answer::Silent);
        second.vcpus = spinning();
        it.machines.push(second);
    };
    check("shell-timeout", change, Cause::GuestHung, "vm2");
}

#[test]
fn nothing_at_all_is_a_failure_of_the_test() {
    let change = |it: &mut Evidence| {
        it.machines.clear();
        it.host = HostFacts::default();
    };
    check("test-timeout", change, Cause::TestFailed, "so it said");
}

#[test]
fn every_cause_has_a_row_and_the_book_has_every_row() {
    let book = include_str!("../../../../docs/src/causes.md");
    let rows: Vec<&str> = book.lines().filter(|line| line.starts_with("| ")).collect();
    let mut expected = TABLE.iter().enumerate().map(|(index, row)| {
        format!("| {} | {} | `{}` |", index + 1, row.evidence, row.cause.words())
    });
    let missing = expected.find(|row| !rows.contains(&row.as_str()));
    assert_eq!(missing, None, "of docs/src/causes.md");
    for cause in [
        Cause::TestFailed,
        Cause::GuestCrashed,
        Cause::GuestHung,
        Cause::GuestDidNotBoot,
        Cause::QemuDied,
        Cause::QemuRefused,
        Cause::HostStarved,
        Cause::SetUpFailed,
        Cause::TestBroken,
    ] {
        assert!(TABLE.iter().any(|row| row.cause == cause), "{cause:?}");
    }
}
