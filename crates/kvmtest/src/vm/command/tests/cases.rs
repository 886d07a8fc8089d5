//! The machines whose command lines are written down, and which a real QEMU must accept.

/// A machine.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) params: &'static str,
    /// Whether a QEMU on any host can start it.
    pub(super) starts_anywhere: bool,
}

const fn case(name: &'static str, params: &'static str) -> Case {
    Case { name, params, starts_anywhere: true }
}

const fn special(name: &'static str, params: &'static str) -> Case {
    Case { name, params, starts_anywhere: false }
}

pub(super) const CASES: &[Case] = &[
    case("bare", ""),
    case(
        "small_guest",
        "guest = small\nnics = nic1\nredirs = shell\nguest_port_shell = 22\nmem = 256\nsmp = 2",
    ),
    case(
        "historical",
        "machine_type = pc
         images = image1
         image_name = f14-64
         drive_index_image1 = 0
         image_boot = yes
         drive_cache = none
         drive_werror = stop
         drive_serial = SN0
         cdroms = cd1
         cdrom = iso/f14.iso
         drive_index_cd1 = 1
         floppy = floppy.img
         nics = nic1
         nic_model = rtl8139
         nic_mode = user
         redirs = remote_shell
         guest_port_remote_shell = 22
         monitors = humanmonitor1 qmp
         monitor_type = human
         monitor_type_qmp = qmp
         disable_hpet = yes
         display = nographic
         uuid = 01234567-89AB-4cde-8f01-23456789abcd",
    ),
    case(
        "every_bus_q35",
        "images = a b c d e f g h i
         image_name_a = a
         image_name_b = b
         image_name_c = c
         image_name_d = d
         image_name_e = e
         image_name_f = f
         image_name_g = g
         image_name_h = h
         image_name_i = i
         image_size = 64M
         drive_format_a = ide
         drive_format_b = sata
         drive_format_c = scsi
         drive_format_d = virtio
         drive_format_e = virtio_scsi
         drive_format_f = nvme
         drive_format_g = usb2
         drive_format_h = usb3
         drive_format_i = sd
         image_format_a = raw
         image_format_b = vmdk
         image_format_c = vdi
         image_format_g = vpc
         image_format_h = vhdx
         image_format_i = raw
         floppy = floppy.img",
    ),
    case(
        "every_bus_pc",
        "machine_type = pc
         images = a b c d
         image_name_a = a
         image_name_b = b
         image_name_c = c
         image_name_d = d
         image_size = 64M
         drive_format_a = ide
         drive_format_b = ahci
         drive_format_c = usb1
         drive_format_d = floppy
         image_format_d = raw
         image_size_d = 1440K
         cdroms = x y z
         cdrom_x = x.iso
         cd_format_y = scsi
         cdrom_y = y.iso
         cdrom_drive_z = yes
         cd_format_z = virtio_scsi",
    ),
    case(
        "caches",
        "images = a b c d e
         drive_format = virtio_blk
         image_name_a = a
         image_name_b = b
         image_name_c = c
         image_name_d = d
         image_name_e = e
         image_size = 64M
         drive_cache_a = none
         drive_cache_b = writethrough
         drive_cache_c = writeback
         drive_cache_d = directsync
         drive_cache_e = unsafe
         drive_aio_a = native
         drive_aio_b = threads
         drive_discard_c = unmap
         drive_rerror_d = stop
         drive_werror_d = enospc
         image_iothread_e = yes
         image_readonly_c = yes",
    ),
    case(
        "snapshot_and_order",
        "images = second first
         image_name_first = first
         image_name_second = second.img
         image_format_second = raw
         image_size = 64M
         image_snapshot = yes
         drive_format = virtio_scsi
         image_iothread = yes
         drive_index_first = 0
         drive_index_second = 1
         image_boot_first = yes
         bootindex_second = 1
         boot_order = cdn
         boot_once = d
         boot_menu = yes
         boot_splash_time = 3000
         boot_strict = yes",
    ),
    case(
        "own_kernel",
        "kernel = vmlinuz\ninitrd = initrd.gz\nkernel_cmdline = root=/dev/vda \"a b\"\nkernel_params_extra = nokaslr\nnics = nic1",
    ),
    case(
        "network_boot",
        "nics = nic1\nnic_model = e1000e\nbootindex_nic1 = 1\ntftp = tftp,root\nbootp = /pxelinux.0\nnetdev_extra_params = ,hostname=box",
    ),
    case(
        "two_user_nics",
        "nics = one two three
         nic_model = virtio
         nic_mac_two = 52-54-00-12-34-56
         nic_mode_three = none
         redirs = shell files dns
         guest_port_shell = 22
         guest_port_files = 12323
         guest_port_dns = 53
         redir_nic_files = two
         redir_protocol_dns = udp",
    ),
    case(
        "sockets",
        "nics = a b c d e f
         nic_model = e1000
         nic_mode_a = socket
         nic_listen_a = 127.0.0.1:0
         nic_mode_b = stream
         nic_listen_b = unix:b,sock
         nic_mode_c = dgram
         nic_local_c = 127.0.0.1:0
         nic_remote_c = 127.0.0.1:9
         nic_mode_d = dgram
         nic_local_d = unix:d-local.sock
         nic_remote_d = unix:d-remote.sock
         nic_mode_e = hubport
         netdev_extra_params_e = hubid=1
         nic_model_f = usb-net",
    ),
    special(
        "tap",
        "nics = nic1
         nic_model = virtio
         nic_mode = tap
         nic_ifname = t0-vm1
         nic_script = /etc/qemu ifup,x
         nic_vhost = yes
         nic_queues = 4",
    ),
    case(
        "memory_and_processors",
        "mem = 1G
         mem_max = 4G
         mem_slots = 4
         mem_path = ram
         mem_share = yes
         cpu_model = qemu64
         cpu_model_flags = +x2apic,-svm
         smp = 2
         vcpu_maxcpus = 8
         vcpu_sockets = 2
         vcpu_cores = 2
         vcpu_threads = 2
         rtc_base = 2030-01-31T12:00:00
         rtc_clock = vm
         rtc_drift = slew
         accel_extra_params = thread=single",
    ),
    case("shared_memory_microvm", "machine_type = microvm\nmem_share = yes"),
    case("shared_memory", "mem_share = yes\nmem = 128"),
    special("hugepages", "hugepage = yes"),
    case("vnc", "display = vnc\ntablet = yes"),
    case("cards", "vga = cirrus\ndisplay = none"),
    special(
        "spice",
        "display = spice\nspice = disable-ticketing,image-compression=off\nqxl = on\nqxl_dev_nr = 2",
    ),
    special("sdl", "display = sdl\nx11_display = :0.0"),
    case(
        "everything_else",
        "balloon = yes
         watchdog_model = i6300esb
         watchdog_action = pause
         panic_action = none
         reboot_action = shutdown
         shutdown_action = pause
         usb_controller = ehci
         tablet = yes
         testdev = yes
         uuid = random
         hotplug_ports = 2
         serials = serial0 second
         incoming = defer
         start_paused = yes
         acpi = yes
         machine_type_extra_params = vmport=off
         extra_params = -global \"ICH9-LPC.disable_s3=1\" -msg timestamp=on",
    ),
    case(
        "nothing_else",
        "rng = no\nguest_agent = no\nvmgenid = no\npvpanic = no\nmonitors =\nserials =\nacpi = no\nwatchdog_model = itco",
    ),
    case(
        "devices_as_options",
        "images = image1
         image_name = image,1
         image_size = 64M
         drive_format = virtio_scsi
         drive_extra_params = physical_block_size=4096
         nics = nic1
         nic_model = virtio
         nic_extra_params = ,gso=off,mrg_rxbuf=off
         usb_controller = xhci
         extra_params = -device usb-tablet,bus=xhci.0",
    ),
    case("microvm", "machine_type = microvm\nguest = small\nnics = nic1\nnic_model = virtio"),
    special("assignment", "pci_assignable = 01:00.0 0000:02:00.1"),
];
