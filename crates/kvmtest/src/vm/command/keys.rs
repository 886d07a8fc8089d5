//! Every key that the command line is made from.

/// A key of `params`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Whose it is.
    pub scope: Scope,
    /// What holds where it is not set or empty; in words where there is no value for it.
    pub default: &'static str,
    /// What it does.
    pub what: &'static str,
}

/// Whose a key is: `key_NAME` is for one object only, where the scope has objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A VM's: `key`, `key_VM`.
    Vm,
    /// An image's, of the list `images`.
    Image,
    /// A CD-ROM's, of the list `cdroms`.
    Cdrom,
    /// A network interface's, of the list `nics`.
    Nic,
    /// A monitor's, of the list `monitors`.
    Monitor,
    /// A redirection's, of the list `redirs`.
    Redir,
}

const fn key(scope: Scope, name: &'static str, default: &'static str, what: &'static str) -> Key {
    Key { name, scope, default, what }
}

/// Every key, in the order of the command line.
pub const KEYS: &[Key] = {
    use Scope::{Cdrom, Image, Monitor, Nic, Redir, Vm};
    &[
        // The board.
        key(Vm, "machine_type", "q35", "the machine type: `q35`, `pc`, `microvm`, `pc-q35-7.2` …"),
        key(Vm, "machine_type_extra_params", "", "further options of `-machine`, in QEMU's syntax"),
        key(
            Vm,
            "accel_extra_params",
            "",
            "further options of `-accel`, in QEMU's syntax: `thread=single`",
        ),
        key(Vm, "acpi", "as the machine has it", "`no` takes ACPI away"),
        key(Vm, "disable_hpet", "no", "`yes` takes the HPET away"),
        key(
            Vm,
            "hotplug_ports",
            "0",
            "`q35`: how many PCI Express ports (`hotplug0` …) are free for devices plugged in later",
        ),
        key(
            Vm,
            "panic_action",
            "pause",
            "what QEMU does when the guest panics, besides saying so: `pause` keeps memory and registers for a dump, `none`, `shutdown`, `exit-failure`",
        ),
        key(Vm, "reboot_action", "reset", "what a guest's reset does: `reset`, `shutdown`"),
        key(
            Vm,
            "shutdown_action",
            "poweroff",
            "what a guest's power-off does: `poweroff`, `pause`",
        ),
        key(Vm, "uuid", "none", "the machine's UUID; `random` generates one"),
        // Processors, memory, clock.
        key(
            Vm,
            "cpu_model",
            "`host` with KVM, `max` without",
            "the CPU model, in QEMU's syntax with features",
        ),
        key(Vm, "cpu_model_flags", "", "further features: `+x2apic,-svm`"),
        key(Vm, "smp", "1", "how many CPUs the guest starts with"),
        key(
            Vm,
            "vcpu_maxcpus",
            "as `smp`",
            "how many CPUs there can be with those plugged in later",
        ),
        key(Vm, "vcpu_sockets", "QEMU's choice", "sockets"),
        key(Vm, "vcpu_cores", "QEMU's choice", "cores of a socket"),
        key(Vm, "vcpu_threads", "QEMU's choice", "threads of a core"),
        key(Vm, "mem", "512", "memory: MiB, or a size with a suffix (`4G`)"),
        key(Vm, "mem_max", "as `mem`", "memory with what is plugged in later; needs `mem_slots`"),
        key(Vm, "mem_slots", "none", "slots for memory plugged in later"),
        key(
            Vm,
            "mem_path",
            "anonymous memory",
            "a file or directory for the guest's memory; relative to the VM's runtime directory",
        ),
        key(
            Vm,
            "mem_share",
            "no",
            "`yes` lets other processes see the guest's memory, and writes it to `mem_path`",
        ),
        key(
            Vm,
            "mem_prealloc",
            "`yes` with `hugepage`",
            "whether all memory is taken at the start",
        ),
        key(
            Vm,
            "hugepage",
            "no",
            "`yes` puts the memory on huge pages, in `mem_path` or `/dev/hugepages`",
        ),
        key(
            Vm,
            "rtc_base",
            "utc",
            "the clock at the start: `utc`, `localtime`, `2030-01-31T12:00:00`",
        ),
        key(Vm, "rtc_clock", "host", "what drives the clock: `host`, `rt`, `vm`"),
        key(Vm, "rtc_drift", "none", "`slew` makes up for lost ticks"),
        // Starting.
        key(
            Vm,
            "kernel",
            "the guest's, or the firmware boots",
            "a kernel that QEMU loads itself; relative to the images",
        ),
        key(Vm, "initrd", "the guest's", "its initial RAM file system; relative to the images"),
        key(Vm, "kernel_params", "the guest's", "the kernel's command line"),
        key(Vm, "kernel_params_extra", "", "what is added to the kernel's command line"),
        key(
            Vm,
            "authorized_keys",
            "",
            "a file of public keys that may log in as root, told to the guests `small` and `wide`; \
             relative to the images; `identity_file` names the private one",
        ),
        key(
            Vm,
            "boot_order",
            "the firmware's",
            "letters of drives: `a` floppy, `c` disk, `d` CD-ROM, `n` network",
        ),
        key(Vm, "boot_once", "as `boot_order`", "the same for the first start only"),
        key(Vm, "boot_menu", "no", "whether the firmware offers a menu"),
        key(Vm, "boot_splash_time", "the firmware's", "how long the menu waits, in milliseconds"),
        key(Vm, "boot_strict", "no", "`yes` boots from nothing that has no boot index"),
        key(Vm, "incoming", "none", "the address where the machine waits for a migration"),
        key(Vm, "start_paused", "no", "`yes` waits for `cont` before the first instruction"),
        // Monitors and consoles.
        key(Vm, "monitors", "qmp1", "the subtest's monitors; the harness has one of its own"),
        key(Monitor, "monitor_type", "qmp", "`qmp` or `human`"),
        key(Vm, "serials", "serial0", "the serial ports, at most four; the first is the console"),
        key(
            Vm,
            "guest_agent",
            "yes, where the binary has virtio-serial",
            "whether there is a port for the guest agent",
        ),
        key(Vm, "display", "none", "`none`, `vnc` or `spice` (on a socket), `sdl`, `gtk`"),
        key(
            Vm,
            "vga",
            "`none` with `display = none`, otherwise `std`",
            "the video card: `none`, `std`, `cirrus`, `vmware`, `qxl`, `virtio`, `bochs`, `ati`. A screendump needs one; it costs every boot time",
        ),
        key(Vm, "vnc_extra_params", "", "further options of `-vnc`, in QEMU's syntax"),
        key(Vm, "spice", "disable-ticketing", "further options of `-spice`, in QEMU's syntax"),
        key(Vm, "qxl", "off", "`on` makes `qxl` the card for `display = spice`"),
        key(Vm, "qxl_dev_nr", "1", "how many heads a `qxl` card has"),
        key(Vm, "x11_display", "the caller's", "the X display that `sdl` and `gtk` use: `:0`"),
        // Disks.
        key(Vm, "images", "`image1` for a guest of our own, otherwise none", "the disks"),
        key(
            Image,
            "image_name",
            "the guest's data disk, for the first image",
            "the image without its ending, or with a usual one; relative to the images",
        ),
        key(
            Image,
            "image_format",
            "qcow2",
            "`qcow2`, `raw`, `vmdk`, `vdi`, `vpc`, `vhdx`, `qed`, `qcow`, `parallels`, `bochs`, `cloop`, `dmg`",
        ),
        key(
            Image,
            "image_raw_device",
            "no",
            "`yes` takes `image_name` as it is, and `raw` for its format",
        ),
        key(Image, "image_size", "10G", "how large the image is made, where it is made"),
        key(Image, "image_snapshot", "no", "`yes` throws away what the guest writes"),
        key(Image, "image_readonly", "no", "`yes` forbids the guest to write"),
        key(
            Image,
            "image_shareable",
            "no",
            "`yes` lets several machines write to it at one time, of several workers as well",
        ),
        key(Image, "image_boot", "no", "`yes` boots from it, before what has no boot index"),
        key(
            Image,
            "image_iothread",
            "no",
            "`yes` gives it an I/O thread (`virtio_blk`, `virtio_scsi`)",
        ),
        key(Image, "boot_drive", "yes", "`no` leaves it out: it is plugged in later"),
        key(
            Image,
            "bootindex",
            "none",
            "its place in the order of booting; a CD-ROM's and a NIC's as well",
        ),
        key(
            Image,
            "drive_format",
            "`virtio_blk` for a guest of our own, otherwise `ide`",
            "what it is plugged into: `ide`, `ahci`, `scsi`, `virtio_blk`, `virtio_scsi`, `nvme`, `usb1`, `usb2`, `usb3`, `sd`, `floppy`",
        ),
        key(
            Image,
            "drive_index",
            "the next",
            "its place among the drives; on `ide` and `ahci` its port. A CD-ROM's as well",
        ),
        key(
            Image,
            "drive_cache",
            "writeback; `unsafe` for what is thrown away",
            "`none`, `writethrough`, `writeback`, `directsync`, `unsafe`",
        ),
        key(Image, "drive_aio", "threads", "`threads`, `native`, `io_uring`"),
        key(Image, "drive_discard", "ignore", "`unmap` gives back what the guest discards"),
        key(
            Image,
            "drive_werror",
            "enospc",
            "what a write error does: `report`, `ignore`, `enospc`, `stop`, `auto`",
        ),
        key(
            Image,
            "drive_rerror",
            "report",
            "what a read error does: `report`, `ignore`, `stop`, `auto`",
        ),
        key(Image, "drive_serial", "none", "the serial number that the guest reads"),
        key(
            Image,
            "drive_extra_params",
            "",
            "further properties of the device, in QEMU's syntax; a CD-ROM's as well",
        ),
        key(
            Vm,
            "scsi_hba",
            "lsi53c895a",
            "the host adapter for `scsi`: `lsi53c895a`, `lsi53c810`, `megasas`, `megasas-gen2`, `mptsas1068`, `am53c974`, `pvscsi`",
        ),
        key(Vm, "cdroms", "none", "the CD-ROM drives"),
        key(
            Cdrom,
            "cdrom",
            "none: the drive is left out",
            "the disc's image; relative to the images",
        ),
        key(Cdrom, "cdrom_drive", "no", "`yes` keeps a drive without a disc"),
        key(
            Cdrom,
            "cd_format",
            "`virtio_scsi` for a guest of our own, otherwise `ide`",
            "what the drive is plugged into: `ide`, `ahci`, `scsi`, `virtio_scsi`",
        ),
        key(Vm, "floppy", "none", "the floppy disk's image; relative to the images"),
        key(Vm, "floppy_readonly", "no", "`yes` protects the floppy disk"),
        // The network.
        key(Vm, "nics", "none", "the network interfaces"),
        key(
            Nic,
            "nic_model",
            "`virtio-net-pci` for a guest of our own, otherwise `rtl8139`",
            "the device model; `virtio` is the one that fits the machine",
        ),
        key(Nic, "nic_mac", "generated", "the MAC address"),
        key(
            Nic,
            "nic_mode",
            "user",
            "what is behind it: `user`, `tap`, `bridge`, `socket`, `stream`, `dgram`, `none`, or another backend of the binary's",
        ),
        key(Nic, "nic_ifname", "QEMU's choice", "`tap`: the host's interface"),
        key(Nic, "nic_script", "no", "`tap`: what is run to set the host's interface up"),
        key(Nic, "nic_downscript", "no", "`tap`: what is run to take it down"),
        key(
            Nic,
            "nic_vhost",
            "QEMU's choice",
            "`tap`: whether the host's kernel moves the packets",
        ),
        key(Nic, "nic_queues", "1", "`tap`: how many queues; virtio becomes multiqueue"),
        key(Nic, "nic_bridge", "br0", "`bridge`: the host's bridge"),
        key(
            Nic,
            "nic_listen",
            "none",
            "`socket`, `stream`: where to wait for a peer, `HOST:PORT` or (`stream`) `unix:PATH`",
        ),
        key(Nic, "nic_connect", "none", "`socket`, `stream`: where the peer waits"),
        key(Nic, "nic_mcast", "none", "`socket`, `dgram`: the multicast group, `ADDRESS:PORT`"),
        key(Nic, "nic_remote", "none", "`socket`, `dgram`: where to send to"),
        key(Nic, "nic_local", "none", "`socket`, `dgram`: where to send from"),
        key(Nic, "nic_extra_params", "", "further properties of the device, in QEMU's syntax"),
        key(Nic, "netdev_extra_params", "", "further options of `-netdev`, in QEMU's syntax"),
        key(
            Nic,
            "tftp",
            "none",
            "`user`: the directory of the built-in TFTP server; relative to the images",
        ),
        key(Nic, "bootp", "none", "`user`: the file that the DHCP server offers for booting"),
        key(
            Vm,
            "redirs",
            "none",
            "ports of the guest that the host reaches, through user networking",
        ),
        key(Redir, "guest_port", "required", "the guest's port"),
        key(Redir, "redir_nic", "the first in user mode", "the interface"),
        key(Redir, "redir_protocol", "tcp", "`tcp` or `udp`"),
        // What else is in the box.
        key(
            Vm,
            "rng",
            "yes, where the binary has virtio-rng",
            "whether there is a source of randomness",
        ),
        key(
            Vm,
            "vmgenid",
            "yes, where binary and machine (`q35`, `pc`) have it",
            "whether the guest can see that it was started from a saved state, and draws new randomness",
        ),
        key(Vm, "balloon", "no", "whether there is a memory balloon"),
        key(
            Vm,
            "pvpanic",
            "yes, where the binary has it",
            "whether the guest's kernel can say that it panicked",
        ),
        key(Vm, "usb_controller", "none, or what is needed", "`none`, `uhci`, `ehci`, `xhci`"),
        key(Vm, "tablet", "no", "whether there is a pointer with absolute coordinates"),
        key(
            Vm,
            "watchdog_model",
            "none",
            "`i6300esb`, `ib700`, `diag288`, `itco` (the one that `q35` has)",
        ),
        key(
            Vm,
            "watchdog_action",
            "reset",
            "what a watchdog does: `reset`, `shutdown`, `poweroff`, `inject-nmi`, `pause`, `debug`, `none`",
        ),
        key(
            Vm,
            "testdev",
            "no",
            "whether there are the test device of kvm-unit-tests and the exit port 0xf4",
        ),
        key(
            Vm,
            "pci_assignable",
            "no",
            "addresses of the host's PCI devices that the guest gets: `0000:01:00.0`",
        ),
        key(Vm, "extra_params", "", "further arguments, split into words by the shell's rules"),
    ]
};
