//! The memory of the probe's guest: page tables, descriptors, code.

use std::ffi::c_void;
use std::ptr;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::guest::{self, layout};
use crate::error::Result;

const PRESENT_WRITABLE: u64 = 0b11;
const LARGE: u64 = 1 << 7;
const UNCACHED: u64 = 1 << 4;

/// Anonymous memory that is given back when this is dropped.
pub(super) struct Memory {
    start: *mut c_void,
}

impl Memory {
    /// Memory with everything in it that a guest of this `code` needs.
    pub(super) fn new(code: &[u8]) -> Result<Self> {
        // SAFETY: a new mapping at an address that the kernel chooses overlaps with nothing.
        let start = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                layout::MEMORY,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        let mut memory = Self { start };
        memory.map_pages();
        memory.describe_segments();
        memory.describe_interrupts();
        memory.write(layout::CODE, code);
        Ok(memory)
    }

    /// Where it is in this process.
    pub(super) fn host_address(&self) -> u64 {
        self.start as u64
    }

    /// The lowest 4 MiB in large pages, the next 2 MiB by a table that is empty yet, the page of
    /// the interrupt controller; everything once more in the upper half.
    fn map_pages(&mut self) {
        let [low, high] = layout::DIRECTORIES;
        self.write_u64(layout::PML4, layout::PDPT | PRESENT_WRITABLE);
        self.write_u64(layout::PML4 + 8 * 256, layout::PDPT | PRESENT_WRITABLE);
        self.write_u64(layout::PDPT, low | PRESENT_WRITABLE);
        self.write_u64(layout::PDPT + 8 * 3, high | PRESENT_WRITABLE);
        self.write_u64(low, LARGE | PRESENT_WRITABLE);
        self.write_u64(low + 8, 0x20_0000 | LARGE | PRESENT_WRITABLE);
        self.write_u64(low + 16, layout::FAULTING_TABLE | PRESENT_WRITABLE);
        let slot = (layout::LAPIC >> 21) & 511;
        self.write_u64(high + 8 * slot, layout::LAPIC | UNCACHED | LARGE | PRESENT_WRITABLE);
    }

    /// Nothing, 64-bit code, data.
    fn describe_segments(&mut self) {
        self.write_u64(layout::GDT + 8, 0x00af_9b00_0000_ffff);
        self.write_u64(layout::GDT + 16, 0x00cf_9300_0000_ffff);
    }

    fn describe_interrupts(&mut self) {
        for (vector, address) in guest::handlers() {
            let gate = layout::IDT + 16 * u64::from(vector);
            // An interrupt gate of the first segment; the handlers are all below 64 KiB.
            self.write_u64(gate, (address & 0xffff) | 0x8 << 16 | 0x8e00 << 32);
        }
    }

    fn write_u64(&mut self, address: u64, value: u64) {
        self.write(address, &value.to_le_bytes());
    }

    fn write(&mut self, address: u64, bytes: &[u8]) {
        let offset = usize::try_from(address).unwrap_or(usize::MAX);
        assert!(offset.saturating_add(bytes.len()) <= layout::MEMORY, "in the guest's memory");
        // SAFETY: the assertion keeps it in the mapping, which nobody else writes to yet.
        unsafe {
            let target = self.start.cast::<u8>().add(offset);
            ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and the guest that used it was dropped before.
        let _ = unsafe { munmap(self.start, layout::MEMORY) };
    }
}
