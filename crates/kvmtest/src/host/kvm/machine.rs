//! The probe's virtual machine: one vCPU in 64-bit mode, the kernel's interrupt controller.

use kvm_bindings::{
    CpuId, KVM_MAX_CPUID_ENTRIES, kvm_regs, kvm_segment, kvm_sregs, kvm_userspace_memory_region,
};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};

use super::guest::{self, layout};
use super::memory::Memory;
use super::objection::Objection;
use super::vcpu_thread::Recall;

/// A machine that is ready to run the probe. The order of the fields is that of their end.
pub(super) struct Machine {
    pub(super) vcpu: VcpuFd,
    _vm: VmFd,
    _memory: Memory,
}

impl Machine {
    /// A machine whose vCPU is about to execute `code`.
    pub(super) fn new(kvm: &Kvm, code: &[u8]) -> Result<Self, Objection> {
        let memory = Memory::new(code)
            .map_err(|error| Objection::passing(format!("no memory for a guest: {error}")))?;
        let vm = kvm.create_vm().map_err(refused("a virtual machine"))?;
        // Where Intel's CPUs keep what they need for real mode: out of the way.
        vm.set_tss_address(0xfffb_d000).map_err(refused("a place for the task state"))?;
        vm.create_irq_chip().map_err(refused("an interrupt controller"))?;
        let region = kvm_userspace_memory_region {
            slot: 0,
            flags: 0,
            guest_phys_addr: 0,
            memory_size: layout::MEMORY as u64,
            userspace_addr: memory.host_address(),
        };
        // SAFETY: the memory lives as long as the machine, and is taken away after it.
        unsafe { vm.set_user_memory_region(region) }.map_err(refused("memory"))?;
        let vcpu = vm.create_vcpu(0).map_err(refused("a vCPU"))?;
        let cpuid: CpuId = kvm
            .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
            .map_err(refused("the features of its vCPUs"))?;
        vcpu.set_cpuid2(&cpuid).map_err(refused("a vCPU of its own features"))?;
        let mut sregs = vcpu.get_sregs().map_err(refused("the state of a vCPU"))?;
        enter_long_mode(&mut sregs);
        vcpu.set_sregs(&sregs).map_err(refused("64-bit mode"))?;
        vcpu.set_regs(&kvm_regs {
            rip: layout::CODE,
            rsp: layout::STACK_TOP,
            rflags: 2,
            ..kvm_regs::default()
        })
        .map_err(refused("registers of a vCPU"))?;
        Ok(Self { vcpu, _vm: vm, _memory: memory })
    }

    /// Runs the guest to its next report.
    pub(super) fn next_report(&mut self, recall: &Recall) -> Result<u32, Objection> {
        loop {
            let message = match self.vcpu.run() {
                Ok(VcpuExit::IoOut(guest::PORT, data)) => match <[u8; 4]>::try_from(data) {
                    Ok(bytes) => return Ok(u32::from_le_bytes(bytes)),
                    Err(_) => "a report of an odd size".to_owned(),
                },
                Ok(VcpuExit::InternalError) => self.internal_error(),
                Ok(VcpuExit::Shutdown) => "the vCPU faulted three times in a row".to_owned(),
                Ok(VcpuExit::FailEntry(reason, _)) => {
                    format!("the CPU refused to enter the guest (reason {reason:#x})")
                }
                Ok(other) => format!("the vCPU left its guest unexpectedly: {other:?}"),
                Err(error) if error.errno() == libc::EINTR => {
                    if recall.is_requested() {
                        return Err(Objection::passing("it was given up"));
                    }
                    // The whole process was stopped for a while, or frozen.
                    continue;
                }
                Err(error) => format!("the vCPU cannot run: {error}"),
            };
            return Err(Objection::lasting(message));
        }
    }

    fn internal_error(&mut self) -> String {
        /// `KVM_INTERNAL_ERROR_EMULATION`
        const EMULATION: u32 = 1;
        // SAFETY: the kernel has just said that this is the member which it filled in.
        let suberror = unsafe { self.vcpu.get_kvm_run().__bindgen_anon_1.internal.suberror };
        match suberror {
            EMULATION => "KVM tried to emulate an instruction, and does not know it".to_owned(),
            other => format!("internal error {other} of KVM"),
        }
    }
}

fn enter_long_mode(sregs: &mut kvm_sregs) {
    /// Protection, no FPU emulation, paging; write protection holds for the kernel, too.
    const CR0: u64 = 0x8005_0033;
    /// Physical addresses of more than 32 bits, SSE with its exceptions.
    const CR4: u64 = 0x620;
    /// Long mode enabled, long mode active.
    const EFER: u64 = 0x500;
    let segment = |selector, code: bool| kvm_segment {
        base: 0,
        limit: 0xffff_ffff,
        selector,
        type_: if code { 11 } else { 3 },
        present: 1,
        dpl: 0,
        db: u8::from(!code),
        s: 1,
        l: u8::from(code),
        g: 1,
        avl: 0,
        unusable: 0,
        padding: 0,
    };
    sregs.cr0 = CR0;
    sregs.cr3 = layout::PML4;
    sregs.cr4 = CR4;
    sregs.efer = EFER;
    sregs.cs = segment(8, true);
    for data in [&mut sregs.ds, &mut sregs.es, &mut sregs.fs, &mut sregs.gs, &mut sregs.ss] {
        *data = segment(16, false);
    }
    sregs.gdt.base = layout::GDT;
    sregs.gdt.limit = 23;
    sregs.idt.base = layout::IDT;
    sregs.idt.limit = 0xfff;
}

fn refused(what: &'static str) -> impl Fn(kvm_ioctls::Error) -> Objection {
    move |error| Objection::passing(format!("KVM does not give {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::super::vcpu_thread;
    use super::*;
    use crate::deadline::Deadline;

    /// What to do in a guest that a recall has to reach.
    fn recalled_from(code: &'static [u8]) {
        let Ok(kvm) = Kvm::new() else {
            let _ = writeln!(std::io::stderr(), "skipped: /dev/kvm cannot be opened");
            return;
        };
        let (sender, receiver) = std::sync::mpsc::channel();
        let soon = Deadline::after(Duration::from_millis(50));
        let outcome = vcpu_thread::run(soon, move |recall| {
            let mut machine = Machine::new(&kvm, code).expect("a machine");
            vcpu_thread::admit_recall(&machine.vcpu).expect("a mask");
            sender.send(machine.next_report(&recall)).expect("somebody listens");
        });
        assert_eq!(outcome.expect("no error"), None, "{code:x?}");
        let report = receiver.recv_timeout(Duration::from_secs(60)).expect("the thread ended");
        let objection = report.expect_err("it was interrupted");
        assert_eq!(objection, Objection::passing("it was given up"), "{code:x?}");
    }

    #[test]
    fn a_guest_that_loops_is_called_back() {
        recalled_from(b"\xeb\xfe");
    }

    #[test]
    fn a_guest_that_halts_is_called_back() {
        recalled_from(b"\xf4\xeb\xfd");
    }
}
