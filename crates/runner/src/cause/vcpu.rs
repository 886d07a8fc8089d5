//! Whether a processor of a guest still does something: by looking at its registers some times.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A processor, looked at some times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vcpu {
    /// Its number.
    pub number: u32,
    /// What was seen, one after another.
    pub samples: Vec<Sample>,
}

/// What one look at a processor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The address of the instruction.
    pub ip: u64,
    /// Whether it waits for an interrupt, where QEMU tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<bool>,
    /// Whether it takes interrupts, where QEMU tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupts: Option<bool>,
}

/// What a processor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VcpuState {
    /// It goes from place to place.
    Runs,
    /// It does not come away from one place, and does not wait there.
    Spins,
    /// It waits for an interrupt: it has nothing to do, or lost one.
    Idle,
    /// It waits for an interrupt, and takes none.
    Stopped,
    /// There is not enough to tell.
    Unknown,
}

/// A loop of this many bytes is one place.
const LOOP: u64 = 16;
/// So many looks are needed.
const ENOUGH: usize = 3;

impl Vcpu {
    /// What it does.
    pub fn state(&self) -> VcpuState {
        let samples = &self.samples;
        if samples.len() < ENOUGH {
            return VcpuState::Unknown;
        }
        let ips = || samples.iter().map(|sample| sample.ip);
        let (Some(first), Some(last)) = (ips().min(), ips().max()) else {
            return VcpuState::Unknown;
        };
        let halted = |wanted| samples.iter().all(|sample| sample.halted == Some(wanted));
        if halted(true) {
            let deaf = samples.iter().all(|sample| sample.interrupts == Some(false));
            return if deaf && first == last { VcpuState::Stopped } else { VcpuState::Idle };
        }
        if last - first > LOOP {
            return VcpuState::Runs;
        }
        // Where nobody tells whether it waits, a fixed place may be that of the idle loop.
        if halted(false) { VcpuState::Spins } else { VcpuState::Unknown }
    }
}

static CPU: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*CPU#(\d+)").expect("a fixed expression"));
static IP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?m)(?:\b[RE]IP=|^\s*PC=|^\s*NIP |^\s*pc\s+|PSW=mask [0-9a-f]+ addr )([0-9a-f]{4,16})\b",
    )
    .expect("a fixed expression")
});
static HALTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bHLT=([01])").expect("a fixed expression"));
static FLAGS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[RE]FL=([0-9a-f]{8,16})").expect("a fixed expression"));
/// The interrupt flag of x86.
const INTERRUPTS: u64 = 1 << 9;

/// Reads what `info registers -a` printed: one sample for each processor, in their order.
pub(super) fn parse(registers: &str) -> Vec<(u32, Sample)> {
    let starts: Vec<_> = CPU.captures_iter(registers).collect();
    let begin =
        |index: usize| starts.get(index).and_then(|found| found.get(0)).map(|it| it.start());
    (0..starts.len().max(1))
        .filter_map(|index| {
            let number = starts.get(index).map_or(Some(0), |found| found[1].parse().ok())?;
            let end = begin(index + 1).unwrap_or(registers.len());
            let text = &registers[begin(index).unwrap_or(0)..end];
            Some((number, sample(text)?))
        })
        .collect()
}

fn sample(text: &str) -> Option<Sample> {
    let hex = |expression: &Regex| {
        u64::from_str_radix(expression.captures(text)?.get(1)?.as_str(), 16).ok()
    };
    Some(Sample {
        ip: hex(&IP)?,
        halted: hex(&HALTED).map(|halted| halted == 1),
        interrupts: hex(&FLAGS).map(|flags| flags & INTERRUPTS != 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: &str = "\r\nCPU#0\r\nRAX=0000000000000000 RBX=ffffffff82a13940\r\n\
        RIP=ffffffff81c3b1ab RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n\
        CS =0010 0000000000000000 ffffffff 00af9b00\r\n\r\nCPU#1\r\nEAX=00000000\r\n\
        EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\r\n";

    #[test]
    fn registers_are_read() {
        let sample = |ip, halted, interrupts| Sample {
            ip,
            halted: Some(halted),
            interrupts: Some(interrupts),
        };
        assert_eq!(
            parse(X86),
            [(0, sample(0xffff_ffff_81c3_b1ab, true, true)), (1, sample(0xfff0, false, false))]
        );
        let bare = |ip| Sample { ip, halted: None, interrupts: None };
        for (text, ip) in [
            ("CPU#0\n PC=ffffffc0080101f4 X00=0000000000000000\n", 0xffff_ffc0_0801_01f4),
            ("CPU#0\nNIP c000000000c4e5a8   LR c0 CTR c0\n", 0xc000_0000_00c4_e5a8),
            ("CPU#0\n pc       ffffffff8000347c\n mhartid  0\n", 0xffff_ffff_8000_347c),
            ("CPU#0\nPSW=mask 0706c00180000000 addr 0000000000a1b2c4 cc 00\n", 0xa1_b2c4),
            (" PC=ffffffc0080101f4 X00=0\n", 0xffff_ffc0_0801_01f4),
        ] {
            assert_eq!(parse(text), [(0, bare(ip))], "{text}");
        }
        for text in ["", "unknown command: 'info registers'\r\n", "CPU#0\r\nRIP=zz\r\n", "CPU#x"] {
            assert_eq!(parse(text), [], "{text}");
        }
        assert_eq!(parse("CPU#99999999999\nRIP=ffff HLT=0\n"), []);
    }

    #[test]
    fn three_looks_tell_what_a_processor_does() {
        let check = |ips: &[u64], halted: Option<bool>, interrupts: bool, expected| {
            let sample = |ip: &u64| Sample { ip: *ip, halted, interrupts: Some(interrupts) };
            let vcpu = Vcpu { number: 0, samples: ips.iter().map(sample).collect() };
            assert_eq!(vcpu.state(), expected, "{vcpu:?}");
        };
        check(&[1, 1, 1], Some(false), true, VcpuState::Spins);
        check(&[0x1000, 0x1002, 0x1000], Some(false), false, VcpuState::Spins);
        check(&[0x1000, 0x2000, 0x1000], Some(false), true, VcpuState::Runs);
        check(&[1, 1, 1], Some(true), true, VcpuState::Idle);
        check(&[1, 1, 1], Some(true), false, VcpuState::Stopped);
        check(&[1, 1, 1], None, true, VcpuState::Unknown);
        check(&[1, 5000, 1], None, true, VcpuState::Runs);
        check(&[1, 1], Some(false), true, VcpuState::Unknown);
        check(&[], Some(false), true, VcpuState::Unknown);
    }
}
