//! Migration, on scripted monitors and with the real QEMU.

mod files;
mod real;
mod scripted;
mod settings;
mod snapshots;

use std::time::Duration;

use super::*;
use crate::deadline::Deadline;
use crate::monitor::tests::machine::{Machine, PATIENCE};

fn soon() -> Deadline {
    Deadline::after(PATIENCE)
}

fn go_on(_: &Figures) -> Choice {
    Choice::GoOn
}

/// As much noise in a machine's memory: arguments of QEMU.
struct Noise {
    file: tempfile::NamedTempFile,
}

impl Noise {
    fn of(mib: u32) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let bytes: Vec<u8> = (0..mib << 17)
            .flat_map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed.to_ne_bytes()
            })
            .collect();
        std::fs::write(file.path(), bytes).expect("written");
        Self { file }
    }

    fn device(&self) -> String {
        format!("loader,file={},addr=0x1000000,force-raw=on", self.file.path().display())
    }
}

/// A machine with noise in its memory, with one page of it that can be read back.
fn noisy(noise: &Noise) -> Option<Machine> {
    Machine::start(&["-device", &noise.device()])
}

fn empty() -> Option<Machine> {
    Machine::start(&["-incoming", "defer"])
}

/// Whether migration can do this in the installed QEMU; says so where it cannot.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn offers(machine: &Machine, capability: &str) -> bool {
    let answer = machine.monitor.cmd("query-migrate-capabilities", serde_json::Value::Null);
    let answer = answer.expect("asked");
    let is_there = answer.as_array().into_iter().flatten().any(|it| it["capability"] == capability);
    if !is_there {
        eprintln!("skipped in part: this QEMU has no `{capability}`");
    }
    is_there
}

/// Some of the noise, as the machine has it.
fn memory(machine: &Machine) -> String {
    machine.monitor.human("xp /16xg 0x1000000").expect("memory")
}
