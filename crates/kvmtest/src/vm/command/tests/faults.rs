//! What is refused, and in which words.

use super::super::{CommandLine, Request, build};
use super::bed::{Binary, line, line_on, nowhere, params};
use crate::error::ErrorKind;
use crate::params::{Origin, Params, Value};

#[track_caller]
fn check(text: &str, kind: ErrorKind, message: &str) {
    let error = line(&params(text)).err().unwrap_or_else(|| panic!("accepted: {text}"));
    assert_eq!(error.kind(), kind, "{text}: {error}");
    assert!(error.to_string().contains(message), "{text}: {error}");
}

#[track_caller]
fn wrong(text: &str, message: &str) {
    check(text, ErrorKind::Params, message);
}

#[test]
fn a_wrong_value_is_named() {
    wrong("smp = two", "`smp` must be a whole number from 1 to 4096: `two`");
    wrong("smp = 0", "`smp` must be");
    wrong("mem = lots", "`mem` must be a size (`512` for 512 MiB, `4G`): `lots`");
    wrong("mem = 100K", "`mem` must be a whole number of MiB");
    wrong("mem = 0", "`mem` must be a whole number of MiB");
    wrong("mem_max = 256\nmem_slots = 1", "`mem_max` must be at least `mem`, 512M: `256`");
    wrong("mem_max = 1G", "`mem_max` must be accompanied by `mem_slots`: `1G`");
    wrong("balloon = true", "`balloon` must be `yes` or `no`: `true`");
    wrong("rng = 1", "`rng` must be `yes` or `no`: `1`");
    wrong("display = x11", "`display` must be one of `none`, `vnc`");
    wrong("vga = on", "`vga` must be one of `none`, `std`");
    wrong("qxl = maybe", "`qxl` must be `on` or `off`: `maybe`");
    wrong("boot_order = cc", "`boot_order` must be letters of drives, each once");
    wrong("boot_order = hdx", "`boot_order` must be");
    wrong("boot_once = c,menu=on", "`boot_once` must be");
    wrong("rtc_base = tomorrow", "`rtc_base` must be `utc`");
    wrong("rtc_clock = sundial", "`rtc_clock` must be one of `host`, `rt`, `vm`: `sundial`");
    wrong("uuid = 1234", "`uuid` must be `random` or a UUID");
    wrong("uuid = 0123456789ab-4cde-8f01-2345-6789abcd", "`uuid` must be");
    wrong("watchdog_model = dog", "`watchdog_model` must be one of");
    wrong("watchdog_action = bark", "`watchdog_action` must be one of");
    wrong("panic_action = scream", "`panic_action` must be one of `pause`");
    wrong("usb_controller = wusb", "`usb_controller` must be one of");
    wrong("hotplug_ports = 99", "`hotplug_ports` must be a whole number from 0 to 24: `99`");
    wrong("pci_assignable = vf", "`pci_assignable` must be `no` or addresses");
    wrong("extra_params = -name 'x", "but a `'` is not closed");
}

#[test]
fn a_topology_must_add_up() {
    wrong("smp = 4\nvcpu_cores = 3", "sockets, cores and threads make 4 CPUs and not 3 of them");
    wrong("smp = 4\nvcpu_sockets = 1\nvcpu_cores = 2\nvcpu_threads = 1", "make 4 CPUs and not 2");
    wrong("smp = 4\nvcpu_maxcpus = 2", "`vcpu_maxcpus` must be at least `smp`, 4: `2`");
}

#[test]
fn images_are_checked() {
    wrong("images = image1", "`image_name` is not set");
    wrong("images = a a\nimage_name = x", "`images` must be a list in which each name comes once");
    wrong("images = a\nimage_name = x\nimage_format = zip", "`image_format` must be one of");
    wrong("images = a\nimage_name = x\ndrive_format = mfm", "`drive_format` must be one of");
    wrong("images = a\nimage_name = x\ndrive_format = mfm", "[context: image `a`]");
    wrong("images = a\nimage_name = x\ndrive_cache = lots", "`drive_cache` must be one of `none`");
    wrong("images = a\nimage_name = x\nimage_size = big", "`image_size` must be a size");
    wrong("images = a\nimage_name = x\ndrive_aio = native", "`drive_cache` must be `none` or");
    wrong("images = a\nimage_name = x\ndrive_index = 6", "must be below 6 on this bus: `6`");
    wrong(
        "images = a b\nimage_name_a = x\nimage_name_b = y\ndrive_index = 1",
        "`drive_index` of `b` is that of `a`, too: `1`",
    );
    wrong(
        "images = a b\nimage_name_a = x\nimage_name_b = y\nbootindex = 1",
        "`bootindex` must be another number",
    );
    wrong(
        "images = a\nimage_name = x\ndrive_format = nvme\ndrive_werror = stop",
        "`drive_werror` must be left out with `drive_format = nvme`, which cannot do it: `stop`",
    );
    wrong("images = a\nimage_name = x\nimage_iothread = yes", "with `drive_format = ide`");
    wrong("images = a\nimage_name = x\ndrive_format = sd\nimage_boot = yes", "`drive_format = sd`");
    wrong("cdroms = c\ncdrom = x\ncd_format = nvme", "`cd_format` must be one of `virtio_scsi`");
}

#[test]
fn a_bus_has_so_many_places() {
    let many = |count: usize| -> String {
        let names: Vec<String> = (0..count).map(|n| format!("d{n}")).collect();
        let each: Vec<String> = names.iter().map(|n| format!("image_name_{n} = {n}")).collect();
        format!("images = {}\n{}", names.join(" "), each.join("\n"))
    };
    line(&params(&many(6))).expect("six ports");
    wrong(&many(7), "`ide` has no more than 6 places");
    wrong(&format!("machine_type = pc\n{}", many(5)), "`ide` has no more than 4 places");
    let scsi = line(&params(&format!("drive_format = scsi\n{}", many(15)))).expect("any number");
    assert_eq!(scsi.args.iter().filter(|arg| arg.contains("lsi53c895a")).count(), 3);
    let error = line(&params(&format!("drive_format = floppy\nimage_format = raw\n{}", many(3))));
    assert_eq!(error.expect_err("two drives").kind(), ErrorKind::Params);
}

#[test]
fn the_second_nameless_image_is_an_error() {
    wrong("guest = small\nimages = a b", "`image_name` is not set [context: image `b` --> ");
}

#[test]
fn a_kernel_is_needed_for_its_parameters() {
    wrong("kernel_params = quiet", "`kernel_params` must be accompanied by `kernel` or `guest`");
    wrong("initrd = x", "`initrd` must be accompanied by");
    wrong("kernel_cmdline = quiet", "`kernel_params` must be accompanied by");
}

#[test]
fn the_network_is_checked() {
    wrong("nics = a\nnic_mac = 01:00:00:00:00:00", "`nic_mac` must be a unicast MAC address");
    wrong("nics = a\nnic_mode = tap\nnic_ifname = 0123456789abcdef", "`nic_ifname` must be");
    wrong("nics = a\nnic_mode = socket", "exactly one of `nic_listen`, `nic_connect`");
    wrong("nics = a\nnic_mode = stream\nnic_listen = x", "`nic_listen` must be `HOST:PORT` or");
    wrong("nics = a\nredirs = r", "`guest_port` is not set [context: redirection `r`]");
    wrong("nics = a\nredirs = r\nguest_port = 65536", "from 1 to 65535: `65536`");
    wrong("nics = a\nredirs = r\nguest_port = 22\nredir_nic = b", "`redir_nic` must be a name in");
    wrong("monitors = harness", "`monitors` must be a list without `harness`");
    wrong("monitors = m\nmonitor_type = telepathy", "`monitor_type` must be one of `qmp`, `human`");
    wrong("serials = a b c d e", "`serials` must be a list of at most 4 names");
}

#[test]
fn a_zero_byte_is_refused() {
    let mut given = params("images = a");
    given.set("image_name", "a\0b");
    let error = line(&given).expect_err("no such name");
    assert_eq!(error.kind(), ErrorKind::Params);
    assert!(error.to_string().contains("`image_name` must be text without a zero byte"));
}

#[test]
fn the_place_of_a_wrong_value_is_named() {
    let mut given = Params::new();
    let origin = Some(Origin { file: "base.cfg".into(), line: 9 });
    given.insert("kernel_cmdline", Value { text: "quiet".into(), origin });
    let error = line(&given).expect_err("no kernel");
    assert!(error.to_string().ends_with("`quiet` (base.cfg:9)"), "{error}");
}

#[test]
fn what_the_binary_lacks_is_the_hosts_fault() {
    check(
        "nics = a\nnic_model = rtl8193",
        ErrorKind::Host,
        "`/usr/bin/qemu-system-x86_64`, QEMU 7.2, has no device `rtl8193` (it has `rtl8139`) \
         [context: `nic_model` is `rtl8193`]",
    );
    check("machine_type = q53", ErrorKind::Host, "has no machine type `q53` (it has `q35`)");
    check("nics = a\nnic_mode = strem", ErrorKind::Host, "backend `strem` (it has `stream`)");
}

#[test]
fn what_nobody_asked_for_may_be_missing() {
    let binary = Binary::usual().without("virtio-rng-pci").without("vmgenid");
    line_on(&binary, &params("")).expect("it is left out");
    for key in ["rng", "vmgenid"] {
        let error =
            line_on(&binary, &params(&format!("{key} = yes"))).expect_err("it is asked for");
        assert_eq!(error.kind(), ErrorKind::Host);
        assert!(error.to_string().contains(&format!("`{key}` is `yes`")), "{error}");
    }
}

#[test]
fn what_has_no_place_is_left_out_or_refused() {
    for machine in ["machine_type = microvm", "acpi = no"] {
        let has = |line: &CommandLine| line.models.contains(&"vmgenid".to_owned());
        assert!(!has(&line(&params(machine)).expect("it is left out")), "{machine}");
        let wanted = format!("{machine}\nvmgenid = yes");
        check(&wanted, ErrorKind::Params, "on this machine: it needs a `q35` or `pc`");
    }
}

#[test]
fn an_old_binary_is_refused() {
    let binary = Binary { version: (6, 1), ..Binary::usual() };
    let paths = nowhere();
    let request = Request {
        name: "vm1",
        params: &Params::new(),
        facts: &binary,
        accel: "tcg",
        guest: None,
        paths: &paths,
        seed: "",
    };
    let error = build(&request).expect_err("too old");
    assert_eq!(error.kind(), ErrorKind::Host);
    assert!(error.to_string().contains("is QEMU 6.1: 6.2 or later is needed"), "{error}");
}
