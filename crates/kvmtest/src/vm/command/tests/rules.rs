//! Rules that a snapshot shows, but does not say.

use super::super::{ImageKind, MonitorKind, Protocol};
use super::bed::{line, params, values};

#[test]
fn old_and_new_spellings_mean_the_same() {
    for (old, new) in [
        ("display = nographic", "display = none"),
        ("nics = a\nnic_model = virtio", "nics = a\nnic_model = virtio-net-pci"),
        ("kernel = k\nkernel_cmdline = x", "kernel = k\nkernel_params = x"),
        (
            "images = a\nimage_name = x\ndrive_format = virtio",
            "images = a\nimage_name = x\ndrive_format = virtio_blk",
        ),
        ("hotplug_ports = 2", "pcie_extra_root_port = 2"),
        ("images = a\nimage_name = x", "images = a\nimage_name = x\nimage_format = qcow2"),
        ("nics = a\nnic_ifname =", "nics = a"),
        (
            "extra_params = -a 'b c' -no-hpet -no-acpi",
            "extra_params = -a 'b c'\ndisable_hpet = yes\nacpi = no",
        ),
        ("extra_params = -usbdevice tablet -rtc-td-hack", "tablet = yes\nrtc_drift = slew"),
    ] {
        let args = |text| line(&params(text)).expect("a command line").args;
        assert_eq!(args(old), args(new), "{old}");
    }
}

#[test]
fn the_new_spelling_counts() {
    let line =
        line(&params("kernel = k\nkernel_cmdline = old\nkernel_params = new")).expect("both");
    assert_eq!(values(&line, "append"), ["new"]);
}

#[test]
fn booting_from_the_images_is_not_booting_from_the_discs() {
    let text = "images = a\nimage_name = x\nimage_boot = yes\ncdroms = c\ncdrom = y.iso";
    let line = line(&params(text)).expect("a disk and a disc");
    let indices = |device: &&&str| device.contains("bootindex");
    let booting: Vec<_> = values(&line, "device").iter().filter(indices).copied().collect();
    assert!(booting.len() == 1 && booting[0].contains("ide-hd"), "{booting:?}");
}

#[test]
fn redirections_go_through_one_interface() {
    let line = line(&params("nics = a b\nredirs = r\nguest_port = 22")).expect("two in user mode");
    assert_eq!(
        values(&line, "netdev"),
        ["user,id=net-a,hostfwd=tcp:127.0.0.1:0-:22", "user,id=net-b"]
    );
    assert_eq!((&*line.redirs[0].nic, line.redirs[0].protocol), ("a", Protocol::Tcp));
}

#[test]
fn a_guest_with_its_own_address_needs_no_redirection() {
    let line = line(&params("nics = a\nnic_mode = tap\nredirs = r\nguest_port = 22")).expect("tap");
    assert_eq!(line.redirs, []);
}

#[test]
fn the_guests_disk_is_shared_and_so_not_written_to() {
    let line = line(&params("guest = small")).expect("a guest");
    let [image] = &line.images[..] else { panic!("one image: {:?}", line.images) };
    assert_eq!(image.path, "/guests/small/data.qcow2");
    assert_eq!(
        image.overlay.as_deref().map(camino::Utf8Path::as_str),
        Some("/scratch/vm1/disk-image1.qcow2")
    );
    assert_eq!(
        image.overlay_args().expect("an overlay").join(" "),
        "create -q -f qcow2 -F qcow2 -b /guests/small/data.qcow2 /scratch/vm1/disk-image1.qcow2"
    );
    assert_eq!((image.kind, &*image.model), (ImageKind::Disk, "virtio-blk-pci"));
}

#[test]
fn the_guests_disk_is_the_first_image_without_a_name() {
    let text = "guest = small\nimages = a b\nimage_name_a = mine";
    let line = line(&params(text)).expect("two images");
    assert_eq!(line.images[0].path, "/images/mine.qcow2");
    assert_eq!(line.images[0].overlay, None);
    assert_eq!(line.images[1].path, "/guests/small/data.qcow2");
    let text = "guest = small\nimages =";
    assert_eq!(super::bed::line(&params(text)).expect("no image").images, []);
}

#[test]
fn an_own_kernel_comes_without_the_guests_initrd() {
    let line = line(&params("guest = small\nkernel = /boot/mine")).expect("a kernel");
    assert_eq!(values(&line, "kernel"), ["/boot/mine"]);
    assert_eq!(values(&line, "initrd"), [] as [&str; 0]);
    assert_eq!(values(&line, "append"), [] as [&str; 0]);
}

#[test]
fn kernel_params_are_replaced_or_added_to() {
    let append = |text| {
        let line = line(&params(text)).expect("a guest");
        values(&line, "append").join("|")
    };
    assert_eq!(append("guest = small"), "console=ttyS0 quiet");
    assert_eq!(append("guest = small\nkernel_params = debug"), "debug");
    assert_eq!(append("guest = small\nkernel_params_extra = a b"), "console=ttyS0 quiet a b");
    assert_eq!(append("guest = small\nkernel_params ="), "");
}

#[test]
fn a_name_is_completed_where_it_is_not_whole() {
    let path = |text: &str| {
        let line = line(&params(&format!("images = a\n{text}"))).expect("an image");
        line.images[0].path.clone()
    };
    assert_eq!(path("image_name = RHEL-5.5-64"), "/images/RHEL-5.5-64.qcow2");
    assert_eq!(path("image_name = x\nimage_format = raw"), "/images/x.raw");
    assert_eq!(path("image_name = x\nimage_format = vhd"), "/images/x.vhd");
    assert_eq!(path("image_name = /a/x.img\nimage_format = raw"), "/a/x.img");
    assert_eq!(path("image_name = x\nimage_raw_device = yes"), "/images/x");
    assert_eq!(path("image_name = /dev/sdb"), "/dev/sdb");
}

#[test]
fn a_device_of_the_host_is_opened_as_one() {
    let line = line(&params(
        "images = a\nimage_name = /dev/sdb\nimage_raw_device = yes\ncdroms = c\ncdrom = /dev/sr0",
    ))
    .expect("devices");
    let nodes = values(&line, "blockdev");
    assert!(nodes[0].contains(r#""driver":"host_device""#), "{}", nodes[0]);
    assert!(nodes[1].contains(r#""driver":"host_cdrom""#), "{}", nodes[1]);
}

#[test]
fn a_disc_that_is_not_there_is_left_out() {
    assert_eq!(line(&params("cdroms = cd1")).expect("no disc").images, []);
    let empty = line(&params("cdroms = cd1\ncdrom_drive = yes")).expect("an empty drive");
    assert_eq!(empty.images, []);
    assert!(empty.models.contains(&"ide-cd".to_owned()));
}

#[test]
fn an_image_left_out_takes_no_place() {
    let text = "images = a b\nimage_name_a = x\nimage_name_b = y\nboot_drive_a = no";
    let line = line(&params(text)).expect("one image");
    assert_eq!(line.images.len(), 1);
    assert_eq!(line.images[0].name, "b");
}

#[test]
fn automatic_boot_indices_avoid_the_given_ones() {
    let text = "images = a b c\nimage_name_a = x\nimage_name_b = y\nimage_name_c = z\n\
                image_boot = yes\nbootindex_c = 1";
    let line = line(&params(text)).expect("three images");
    let indices: Vec<&str> = values(&line, "device")
        .into_iter()
        .filter_map(|device| device.split_once(r#""bootindex":"#))
        .map(|(_, rest)| &rest[..1])
        .collect();
    assert_eq!(indices, ["2", "3", "1"]);
}

#[test]
fn the_harness_has_its_own_monitor() {
    let line = line(&params("monitors = hm\nmonitor_type = human")).expect("monitors");
    let monitors: Vec<_> = line.monitors.iter().map(|m| (&*m.name, m.kind, &*m.socket)).collect();
    assert_eq!(
        monitors,
        [("harness", MonitorKind::Qmp, "harness.qmp"), ("hm", MonitorKind::Human, "hm.qmp")]
    );
}

#[test]
fn sockets_stay_in_the_instance_directory() {
    let line =
        line(&params("monitors = ../m /etc/x ä\nserials = ../s\ndisplay = vnc")).expect("odd");
    let sockets = line.monitors.iter().map(|monitor| &monitor.socket);
    let sockets = sockets.chain(line.serials.iter().map(|port| &port.socket));
    for socket in sockets.chain(&line.agent).chain(&line.display) {
        assert!(!socket.contains('/'), "{socket}");
    }
}

#[test]
fn a_named_mac_is_kept_and_others_are_generated() {
    let line = line(&params("nics = a b\nnic_mac_a = 52:54:00:AB:CD:EF")).expect("two");
    assert_eq!(line.nics[0].mac, "52:54:00:ab:cd:ef");
    assert!(line.nics[1].mac.starts_with("9a:"));
}

#[test]
fn every_model_is_known_once() {
    let line =
        line(&params("guest = small\nnics = a b\ncdroms = c\ncdrom = x.iso")).expect("a guest");
    assert_eq!(
        line.models,
        [
            "virtio-scsi-pci",
            "virtio-blk-pci",
            "scsi-cd",
            "virtio-net-pci",
            "virtio-serial-pci",
            "virtserialport",
            "virtio-rng-pci",
            "vmgenid",
            "pvpanic"
        ]
    );
}

#[test]
fn a_command_line_crosses_a_process_boundary() {
    let line = line(&params("guest = small\nnics = a")).expect("a guest");
    let json = serde_json::to_string(&line).expect("JSON");
    let back: super::super::CommandLine = serde_json::from_str(&json).expect("the same");
    assert_eq!(back, line);
}

#[test]
fn the_keys_that_may_log_in_are_told_to_the_guest() {
    let line = line(&params("authorized_keys = /k,1.pub")).expect("a file");
    assert_eq!(values(&line, "fw_cfg"), ["name=opt/kvmtest/authorized_keys,file=/k,,1.pub"]);
}
