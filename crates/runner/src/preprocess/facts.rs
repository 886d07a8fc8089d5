//! What the test ran on, kept with its result.

use camino::Utf8Path;
use kvmtest::Result;
use kvmtest::qemu::Binary;

use crate::around::Around;

/// Keeps `host_kernel`, `kvm_version` and `qemu_version`; of a machine with a QEMU of its own,
/// `qemu_version_NAME` as well. What cannot be told is left out: whoever needs it will say why.
#[expect(clippy::unnecessary_wraps, reason = "other steps may fail")]
pub(super) fn keep(around: &mut Around) -> Result<()> {
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    around.fact("kvm_version", kvm_version(Utf8Path::new("/"), &kernel));
    around.fact("host_kernel", kernel);
    let params = around.params.clone();
    let main = params.get_or("qemu_binary", "");
    let names = params.objects("vms");
    if !names.is_empty() {
        keep_version(around, "qemu_version", main);
    }
    for name in names {
        let own = params.object_params(name);
        let binary = own.get_or("qemu_binary", "");
        if binary != main {
            keep_version(around, &format!("qemu_version_{name}"), binary);
        }
    }
    Ok(())
}

fn keep_version(around: &mut Around, key: &str, binary: &str) {
    if let Ok(binary) = Binary::find(binary) {
        let package = Some(binary.package()).filter(|package| !package.is_empty());
        let package = package.map(|package| format!(" ({package})")).unwrap_or_default();
        around.fact(key, format!("{}{package}", binary.version()));
    }
}

/// The version of the KVM module where it has one of its own, else that of its kernel.
fn kvm_version(root: &Utf8Path, kernel: &str) -> String {
    if !root.join("dev/kvm").exists() {
        return "none".to_owned();
    }
    match std::fs::read_to_string(root.join("sys/module/kvm/version")) {
        Ok(version) => version.trim().to_owned(),
        Err(_) => kernel.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kvm_has_a_version_where_there_is_kvm() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(dir.path()).expect("UTF-8");
        assert_eq!(kvm_version(root, "6.1"), "none");
        std::fs::create_dir_all(root.join("dev/kvm")).expect("made");
        assert_eq!(kvm_version(root, "6.1"), "6.1");
        std::fs::create_dir_all(root.join("sys/module/kvm")).expect("made");
        std::fs::write(root.join("sys/module/kvm/version"), "kvm-88\n").expect("written");
        assert_eq!(kvm_version(root, "6.1"), "kvm-88");
    }
}
