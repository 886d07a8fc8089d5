//! What keeps a machine from being migrated or saved.

use std::fmt;

use serde_json::Value;

use crate::error::Result;
use crate::monitor::QmpMonitor;

/// Something that keeps a machine from being migrated or saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The device, or what else it is, as far as that can be told.
    pub device: Option<String>,
    /// Why; of a machine that runs, in QEMU's words.
    pub reason: String,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Some(device) => write!(f, "`{device}`: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// What keeps the machine behind `monitor` from being migrated or saved now; nothing if it can be.
pub fn blockers(monitor: &QmpMonitor) -> Result<Vec<Blocker>> {
    let answer = monitor.cmd("query-migrate", Value::Null)?;
    let reasons = answer["blocked-reasons"].as_array().into_iter().flatten();
    Ok(reasons.filter_map(Value::as_str).map(read).collect())
}

/// What will keep a machine from being migrated or saved that has devices of `models` and is
/// started with the arguments `args`: for what is told before QEMU is asked. What QEMU allows in
/// one version and not in another is not told.
pub fn blockers_of(models: &[String], args: &[String]) -> Vec<Blocker> {
    let mut found: Vec<Blocker> = Vec::new();
    let mut add = |blocker: Blocker| {
        if !found.contains(&blocker) {
            found.push(blocker);
        }
    };
    models.iter().filter_map(|model| of_model(model)).for_each(&mut add);
    let values = args.iter().skip(1).map(String::as_str).chain([""]);
    for (option, value) in args.iter().zip(values) {
        let blocker = match option.trim_start_matches('-') {
            "device" => property(value, "driver").and_then(of_model),
            "blockdev" | "drive" => of_format(value),
            "cpu" => of_cpu(value),
            "virtfs" => of_model("virtio-9p-pci"),
            _ => None,
        };
        blocker.into_iter().for_each(&mut add);
    }
    found
}

/// Device models by how their names begin.
const MODELS: &[(&str, &str)] = &[
    ("virtio-9p", "what is mounted from the host cannot be taken along: unmount it in the guest"),
    ("vfio-pci", "a device of the host is passed through, and stays there"),
    ("vfio-ccw", "a device of the host is passed through, and stays there"),
    ("vfio-ap", "a device of the host is passed through, and stays there"),
    ("usb-host", "a device of the host is passed through, and stays there"),
    ("u2f-passthru", "a device of the host is passed through, and stays there"),
    ("tpm-passthrough", "the TPM of the host stays there"),
    ("vhost-user-fs", "what its daemon knows of open files cannot be taken along"),
    ("vhost-scsi", "the host's kernel has its state, and does not give it away"),
    ("vhost-vdpa", "the host's device has its state"),
    ("ivshmem-doorbell", "the memory that it shares belongs to several machines"),
    (
        "ivshmem-plain",
        "the memory that it shares belongs to several machines, unless it is `master`",
    ),
    ("nvme", "QEMU cannot write down its state"),
    ("virtio-gpu-gl", "the host's graphics have its state"),
    ("virtio-vga-gl", "the host's graphics have its state"),
    ("virtio-gpu-rutabaga", "the host's graphics have its state"),
    ("amd-iommu", "QEMU cannot write down its state"),
    ("usb-mtp", "QEMU cannot write down its state"),
    ("usb-uas", "QEMU cannot write down its state"),
    ("pvrdma", "QEMU cannot write down its state"),
];

/// Image formats that know one user only.
const FORMATS: &[&str] = &["vmdk", "vdi", "vpc", "vhdx", "qcow", "parallels", "vvfat"];

fn of_model(model: &str) -> Option<Blocker> {
    let is = |name: &str| {
        let rest = model.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let (_, reason) = MODELS.iter().find(|(name, _)| is(name))?;
    Some(Blocker { device: Some(model.to_owned()), reason: (*reason).to_owned() })
}

fn of_format(value: &str) -> Option<Blocker> {
    let format = property(value, "driver").filter(|name| FORMATS.contains(name));
    let format = format.or_else(|| property(value, "format"))?;
    let reason = format!("images of the format {format} cannot be used by two QEMUs in turn");
    let name = ["node-name", "id", "file", "filename"].iter().find_map(|key| property(value, key));
    FORMATS.contains(&format).then(|| Blocker { device: name.map(str::to_owned), reason })
}

fn of_cpu(value: &str) -> Option<Blocker> {
    let has = |word: &str| value.split(',').any(|it| it == word);
    let on = has("+invtsc") || has("invtsc=on") || has("invtsc");
    let is_fixed = value.contains("tsc-frequency=");
    (on && !is_fixed).then(|| Blocker {
        device: Some("cpu".to_owned()),
        reason: "`invtsc` promises a clock that no other host has".to_owned(),
    })
}

/// The value of a property: in JSON, or in QEMU's own syntax, where what comes first and has no
/// name is the driver.
fn property<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    if value.trim_start().starts_with('{') {
        // The names that matter have nothing that JSON would escape.
        let after = value.split(&format!("\"{key}\"")).nth(1)?.trim_start().strip_prefix(':')?;
        return after.trim_start().strip_prefix('"')?.split('"').next();
    }
    let mut parts = value.split(',');
    if key == "driver"
        && let Some(first) = parts.clone().next().filter(|first| !first.contains('='))
    {
        return Some(first);
    }
    parts.find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
}

/// Takes QEMU's words apart.
fn read(words: &str) -> Blocker {
    let quoted = |after: &str| {
        let rest = words.split_once(after)?.1;
        rest.split_once('\'').map(|(name, _)| name.to_owned())
    };
    if let Some(device) = words.strip_prefix("non-migratable device: ") {
        return Blocker {
            device: Some(device.trim().to_owned()),
            reason: "it cannot be migrated".to_owned(),
        };
    }
    let device = ["device '", "mount_tag '", "node '"].iter().find_map(|after| quoted(after));
    // `0000:01:00.0: VFIO device doesn't support migration`
    let place = words.split_once(": ").map(|(place, _)| place).filter(|place| is_place(place));
    Blocker { device: device.or(place.map(str::to_owned)), reason: words.trim().to_owned() }
}

fn is_place(text: &str) -> bool {
    text.contains(':')
        && text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_qemu_are_taken_apart() {
        for (words, device, reason) in [
            (
                "non-migratable device: 0000:00:02.0/nvme",
                "0000:00:02.0/nvme",
                "it cannot be migrated",
            ),
            (
                "Migration is disabled when VirtFS export path '/srv' is mounted in the guest using \
                 mount_tag 'host'",
                "host",
                "Migration is disabled",
            ),
            ("The vmdk format used by node 'd1' does not support live migration", "d1", "The vmdk"),
            ("State blocked by non-migratable device 'a/b'", "a/b", "State blocked"),
            (
                "0000:01:00.0: VFIO device doesn't support migration",
                "0000:01:00.0",
                "0000:01:00.0: VFIO",
            ),
            ("Migration disabled: vhost lacks VHOST_F_LOG_ALL feature.", "", "Migration disabled"),
            ("State blocked by non-migratable CPU device (invtsc flag)", "", "State blocked"),
            ("device '", "", "device '"),
            ("", "", ""),
        ] {
            let blocker = read(words);
            assert_eq!(blocker.device.as_deref().unwrap_or_default(), device, "{words}");
            assert!(blocker.reason.starts_with(reason), "{blocker}");
        }
    }

    fn of(models: &[&str], line: &str) -> String {
        let models: Vec<String> = models.iter().map(|&model| model.to_owned()).collect();
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let found = blockers_of(&models, &args);
        let devices = found.iter().map(|it| it.device.as_deref().unwrap_or("?"));
        devices.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_command_line_is_looked_through() {
        for (line, expected) in [
            ("-device virtio-net-pci,netdev=n -m 64", ""),
            ("-device vfio-pci,host=00:02.0", "vfio-pci"),
            ("-device driver=nvme,serial=1", "nvme"),
            ("-device nvme-ns,bus=x", "nvme-ns"),
            ("--device {\"id\":\"a\",\"driver\":\"virtio-9p-pci\"}", "virtio-9p-pci"),
            ("-device nvmexpress", ""),
            ("-virtfs local,path=/", "virtio-9p-pci"),
            ("-cpu host,+invtsc -smp 2", "cpu"),
            ("-cpu max,invtsc=on,tsc-frequency=1000", ""),
            ("-cpu max,-invtsc", ""),
            ("-drive file=a.vmdk,format=vmdk,id=d", "d"),
            ("-drive file=a,if=none", ""),
            ("-blockdev {\"driver\":\"vdi\",\"node-name\":\"n\",\"file\":\"f\"}", "n"),
            ("-blockdev qcow2,file=f", ""),
            ("-device", ""),
            ("-name device", ""),
        ] {
            assert_eq!(of(&[], line), expected, "{line}");
        }
        assert_eq!(of(&["virtio-blk-pci", "nvme", "nvme"], "-device nvme"), "nvme");
    }
}
