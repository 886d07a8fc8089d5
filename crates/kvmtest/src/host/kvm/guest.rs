//! What the probe's vCPU executes: a few of the things that every 64-bit kernel does, each
//! reported through an I/O port.

use std::arch::global_asm;

/// A value written to the port [`PORT`] is the report of a step, in the order of [`STEPS`].
pub(super) const PORT: u16 = 0x80;

/// How often the timed loop is run; the fastest one counts.
pub(super) const TIMED_LOOPS: usize = 3;

/// How often the timed loop goes round.
pub(super) const ROUNDS: u64 = 20_000;

/// What the vCPU is to report, and what it shows.
pub(super) const STEPS: [Step; 11] = [
    Step { what: "64-bit code", expected: 0x6464_0001 },
    Step { what: "a loop", expected: LOOP_SUM },
    Step { what: "a loop", expected: LOOP_SUM },
    Step { what: "a loop", expected: LOOP_SUM },
    Step { what: "CPUID", expected: 1 },
    Step { what: "paged memory", expected: 0x1000 },
    Step { what: "SSE2", expected: 42 },
    Step { what: "model-specific registers", expected: 0x1234_5678 },
    Step { what: "a breakpoint exception", expected: 1 },
    Step { what: "page faults", expected: 8 },
    Step { what: "a timer interrupt", expected: 1 },
];

/// A step of the probe.
pub(super) struct Step {
    pub(super) what: &'static str,
    pub(super) expected: u32,
}

impl Step {
    /// Whether it is one of the timed loops.
    pub(super) fn is_timed(&self) -> bool {
        self.expected == LOOP_SUM
    }
}

/// Where things lie in the guest's physical memory. The first 4 MiB are mapped one to one.
pub(super) mod layout {
    pub(in super::super) const MEMORY: usize = 4 << 20;
    pub(in super::super) const PML4: u64 = 0x1000;
    pub(in super::super) const PDPT: u64 = 0x2000;
    /// The first GiB, and the one in which the interrupt controller lies.
    pub(in super::super) const DIRECTORIES: [u64; 2] = [0x3000, 0x4000];
    /// Of what lies at 4 MiB: empty, the guest fills it from its page fault handler.
    pub(in super::super) const FAULTING_TABLE: u64 = 0x5000;
    pub(in super::super) const GDT: u64 = 0x6000;
    pub(in super::super) const IDT: u64 = 0x7000;
    pub(in super::super) const CODE: u64 = 0x8000;
    pub(in super::super) const STACK_TOP: u64 = 0x10000;
    pub(in super::super) const LAPIC: u64 = 0xfee0_0000;
}

/// The interrupt vectors that the guest handles, and where in its code.
pub(super) fn handlers() -> [(u8, u64); 3] {
    let offset = |symbol: *const u8| (symbol as u64) - (&raw const kvm_probe_start as u64);
    [
        (3, layout::CODE + offset(&raw const kvm_probe_breakpoint)),
        (14, layout::CODE + offset(&raw const kvm_probe_page_fault)),
        (0x40, layout::CODE + offset(&raw const kvm_probe_timer)),
    ]
}

/// The code, which runs at [`layout::CODE`] and nowhere else.
pub(super) fn code() -> &'static [u8] {
    let start = &raw const kvm_probe_start;
    // SAFETY: both symbols are in the one block below, the second at its end.
    unsafe {
        let length = (&raw const kvm_probe_end).offset_from(start);
        std::slice::from_raw_parts(start, length.cast_unsigned())
    }
}

/// The timed loop of the guest, run by the host's own CPU.
pub(super) fn timed_loop() -> u32 {
    let sum: u64;
    // SAFETY: it touches nothing but the registers that are named.
    unsafe {
        std::arch::asm!(
            "xor {sum:e}, {sum:e}",
            "2: add {sum}, {rounds}",
            "dec {rounds}",
            "jnz 2b",
            sum = out(reg) sum,
            rounds = inout(reg) ROUNDS => _,
            options(nomem, nostack),
        );
    }
    #[expect(clippy::cast_possible_truncation, reason = "the guest reports 32 bits, too")]
    let low = sum as u32;
    low
}

#[expect(clippy::cast_possible_truncation, reason = "the guest reports 32 bits")]
const LOOP_SUM: u32 = (ROUNDS * (ROUNDS + 1) / 2) as u32;

// SAFETY: the labels are bytes of the code that is assembled right below.
unsafe extern "C" {
    static kvm_probe_start: u8;
    static kvm_probe_breakpoint: u8;
    static kvm_probe_page_fault: u8;
    static kvm_probe_timer: u8;
    static kvm_probe_end: u8;
}

// Position independent but for the addresses of the layout. Registers across the whole: r12 counts
// breakpoints, r13 page faults, r14 timer interrupts, r15 points at the interrupt controller.
global_asm!(
    r#"
    .pushsection .rodata.kvm_probe, "a", @progbits
    .globl kvm_probe_start, kvm_probe_breakpoint, kvm_probe_page_fault, kvm_probe_timer
    .globl kvm_probe_end
kvm_probe_start:
    xor r12d, r12d
    xor r13d, r13d
    xor r14d, r14d
    mov r15d, {lapic}
    // 64-bit code: only in long mode does the upper half survive.
    movabs rax, 0x6464000100000000
    shr rax, 32
    out {port}, eax

    // The timed loop.
    .rept {loops}
    mov ecx, {rounds}
    xor eax, eax
2:  add rax, rcx
    dec rcx
    jnz 2b
    out {port}, eax
    .endr

    // CPUID has long mode.
    mov eax, 0x80000001
    cpuid
    mov eax, edx
    shr eax, 29
    and eax, 1
    out {port}, eax

    // Paged memory: written below, read through the alias in the upper half.
    mov edi, 0x200000
    mov eax, 1
    mov ecx, 0x1000
    cld
    rep stosq
    movabs rsi, 0xffff800000200000
    mov ecx, 0x1000
    xor eax, eax
2:  add rax, [rsi]
    add rsi, 8
    dec ecx
    jnz 2b
    out {port}, eax

    // SSE2.
    mov eax, 21
    movd xmm0, eax
    paddd xmm0, xmm0
    movd eax, xmm0
    out {port}, eax

    // Model-specific registers: KERNEL_GS_BASE, and the swap that every kernel entry does.
    mov ecx, 0xc0000102
    mov eax, 0x12345678
    mov edx, 0xffff8000
    wrmsr
    swapgs
    mov ecx, 0xc0000101
    rdmsr
    swapgs
    out {port}, eax

    // A breakpoint exception.
    int3
    mov eax, r12d
    out {port}, eax

    // Page faults: eight pages that are not there until they are touched.
    mov edi, 0x400000
    mov ecx, 8
2:  inc dword ptr [rdi]
    add rdi, 0x1000
    dec ecx
    jnz 2b
    mov eax, r13d
    out {port}, eax

    // A timer interrupt: one shot of the local APIC, waited for as an idle kernel does it.
    mov dword ptr [r15 + 0xf0], 0x1ff
    mov dword ptr [r15 + 0x80], 0
    mov dword ptr [r15 + 0x3e0], 0xb
    mov dword ptr [r15 + 0x320], 0x40
    mov dword ptr [r15 + 0x380], 100000
2:  cli
    test r14d, r14d
    jnz 3f
    sti
    hlt
    jmp 2b
3:  mov eax, r14d
    out {port}, eax
4:  hlt
    jmp 4b

kvm_probe_breakpoint:
    inc r12d
    iretq

kvm_probe_page_fault:
    push rax
    push rbx
    inc r13d
    mov rax, cr2
    // The page frames are in the last MiB of the memory, in the order of the addresses.
    mov rbx, rax
    shr rbx, 12
    and ebx, 511
    and eax, 0x1ff000
    add eax, 0x300003
    mov [rbx * 8 + {table}], rax
    pop rbx
    pop rax
    add rsp, 8
    iretq

kvm_probe_timer:
    inc r14d
    mov dword ptr [r15 + 0xb0], 0
    iretq
kvm_probe_end:
    .popsection
    "#,
    port = const PORT,
    loops = const TIMED_LOOPS,
    rounds = const ROUNDS,
    lapic = const layout::LAPIC,
    table = const layout::FAULTING_TABLE,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_runs_the_same_loop() {
        assert_eq!(timed_loop(), LOOP_SUM);
    }

    #[test]
    fn the_code_fits_and_its_handlers_are_in_it() {
        let end = layout::CODE + code().len() as u64;
        assert!(end < layout::STACK_TOP - 0x1000);
        for (vector, address) in handlers() {
            assert!((layout::CODE + 1..end).contains(&address), "vector {vector}");
        }
    }

    #[test]
    fn as_many_loops_are_reported_as_are_run() {
        assert_eq!(STEPS.iter().filter(|step| step.is_timed()).count(), TIMED_LOOPS);
    }
}
