//! Asks one machine what state it is in, in a time that is bounded whatever it does.

use std::os::fd::AsFd;
use std::time::Duration;

use kvmtest::guest::progress::Progress;
use kvmtest::monitor::QmpMonitor;
use kvmtest::vm::{Record, Vm};
use kvmtest::{Deadline, wait};
use serde_json::{Value, json};

use super::answer;
use super::evidence::{Ended, Machine, Voice};
use super::vcpu::{Vcpu, parse};

/// So much of the end of a console is read.
const CONSOLE: u64 = 4 << 20;
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long QEMU has to greet or to answer.
const MONITOR: Duration = Duration::from_millis(1500);
/// How long the guest has to answer.
const GUEST: Duration = Duration::from_secs(1);

/// What was asked of QEMU besides, for people.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    pub(super) registers: String,
    pub(super) devices: String,
}

/// Asks all that is worth asking of `vm` until `deadline`. With `speak`, the guest is spoken to.
pub(super) fn examine(vm: &Vm, speak: bool, deadline: Deadline) -> (Machine, Dumps) {
    let mut dumps = Dumps::default();
    let mut seen = Machine { name: vm.name().to_owned(), ..Machine::default() };
    let tail = vm.console_tail(CONSOLE);
    seen.console_whole = (tail.len() as u64) < CONSOLE;
    (seen.progress, seen.last_line) = Progress::of(&tail);
    drop(tail);
    let Some(record) = vm.record() else { return (seen, dumps) };
    if matches!(vm.is_dead(), Ok(true)) {
        seen.ended = ended(vm);
        return (seen, dumps);
    }
    seen.process_state = process_state(record.process.pid);
    match vm.monitor_by(deadline.at_most(MONITOR)) {
        Ok(monitor) => ask_monitor(&monitor, vm, &mut seen, &mut dumps, deadline),
        Err(error) => {
            seen.monitor = Voice::Silent;
            seen.missing.push(format!("the monitor: {error}"));
        }
    }
    if speak && seen.status.as_deref() == Some("running") {
        speak_to(&record, &mut seen, deadline);
    }
    // It may have died while it was asked.
    if matches!(vm.is_dead(), Ok(true)) {
        seen.ended = ended(vm);
        seen.monitor = Voice::NotAsked;
    }
    (seen, dumps)
}

fn ended(vm: &Vm) -> Option<Ended> {
    let ending = vm.ending()?;
    Some(Ended {
        how: ending.to_string(),
        status: ending.exit.as_ref().and_then(|exit| exit.status),
        signal: ending.exit.as_ref().and_then(|exit| exit.signal),
        reason: ending.reason,
    })
}

fn ask_monitor(
    monitor: &QmpMonitor,
    vm: &Vm,
    seen: &mut Machine,
    dumps: &mut Dumps,
    deadline: Deadline,
) {
    let ask = |command: &str, arguments: Value| {
        monitor.cmd_timeout(command, arguments, deadline.at_most(MONITOR).remaining())
    };
    let human = |line: &str| -> kvmtest::Result<String> {
        let answer = ask("human-monitor-command", json!({ "command-line": line }))?;
        Ok(answer.as_str().unwrap_or_default().replace("\r\n", "\n"))
    };
    match ask("query-status", Value::Null) {
        Ok(answer) => {
            seen.monitor = Voice::Answers;
            seen.status = answer["status"].as_str().map(str::to_owned);
        }
        Err(error) => {
            seen.monitor = Voice::Silent;
            seen.missing.push(format!("the status: {error}"));
            return;
        }
    }
    for look in 0..LOOKS {
        if look > 0 && (pause(vm) || deadline.expired()) {
            break;
        }
        match human("info registers -a") {
            Ok(registers) => {
                note_registers(&registers, &mut seen.vcpus);
                dumps.registers = registers;
            }
            Err(error) => {
                seen.missing.push(format!("registers: {error}"));
                return;
            }
        }
    }
    match human("info qtree") {
        Ok(devices) => dumps.devices = devices,
        Err(error) => seen.missing.push(format!("devices: {error}")),
    }
}

fn note_registers(registers: &str, vcpus: &mut Vec<Vcpu>) {
    for (number, sample) in parse(registers) {
        match vcpus.iter_mut().find(|vcpu| vcpu.number == number) {
            Some(vcpu) => vcpu.samples.push(sample),
            None => vcpus.push(Vcpu { number, samples: vec![sample] }),
        }
    }
}

/// Lets a moment pass; tells whether QEMU died in it.
fn pause(vm: &Vm) -> bool {
    let Ok(Some(process)) = vm.process() else { return true };
    wait::readable([process.as_fd()], Deadline::after(BETWEEN_LOOKS)).map_or(true, |[ended]| ended)
}

fn speak_to(record: &Record, seen: &mut Machine, deadline: Deadline) {
    let connect = |socket: &str| record.instance.connect(socket);
    if let Some(serial) = record.line.serials.first() {
        let asked = connect(&serial.socket)
            .and_then(|stream| answer::of_console(stream, deadline.at_most(GUEST)));
        match asked {
            Ok(answer) => seen.console = Some(answer),
            Err(error) => seen.missing.push(format!("the console: {error}")),
        }
    }
    if let Some(agent) = &record.line.agent {
        let asked =
            connect(agent).and_then(|stream| answer::of_agent(stream, deadline.at_most(GUEST)));
        match asked {
            Ok(answer) => seen.agent = Some(answer),
            Err(error) => seen.missing.push(format!("the agent: {error}")),
        }
    }
}

/// The letter that `/proc/PID/stat` has behind the name, which may hold anything.
fn process_state(pid: u32) -> Option<char> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.rsplit_once(") ")?.1.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_state() {
        let own = process_state(std::process::id());
        assert!(own.is_some_and(|state| "RSD".contains(state)), "{own:?}");
        assert_eq!(process_state(u32::MAX), None);
    }
}
