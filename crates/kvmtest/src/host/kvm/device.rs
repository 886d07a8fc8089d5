//! The device file through which KVM is reached.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

/// Where it is.
pub(in super::super) const DEVICE: &str = "/dev/kvm";

/// Whether this process may use it.
pub(in super::super) fn open() -> io::Result<()> {
    File::options().read(true).write(true).open(DEVICE).map(drop)
}

/// Its mode, owner and so on; nothing if it is not there.
pub(in super::super) fn metadata() -> Option<Metadata> {
    std::fs::metadata(DEVICE).ok()
}

/// Who may use it, in words.
pub(in super::super) fn describe(metadata: &Metadata) -> String {
    let mode = metadata.mode() & 0o7777;
    format!("mode {mode:04o}, group {}", group_name(&groups(), metadata.gid()))
}

/// The command that opens it to this user.
pub(in super::super) fn permit(metadata: &Metadata) -> String {
    permit_by(metadata.mode(), &group_name(&groups(), metadata.gid()))
}

fn permit_by(mode: u32, group: &str) -> String {
    // Nobody is put into the group of the superuser for this.
    if mode & 0o060 == 0o060 && group != "root" {
        format!("sudo usermod -aG {group} \"$USER\" # then log in anew")
    } else {
        format!("sudo chown \"$USER\" {DEVICE} # until the next boot")
    }
}

fn groups() -> String {
    std::fs::read_to_string("/etc/group").unwrap_or_default()
}

/// The name of a group in the text of `/etc/group`, or its number.
fn group_name(groups: &str, gid: u32) -> String {
    let named = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| gid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_known_by_name() {
        let check = |gid, expected: &str| {
            let groups = "root:x:0:\nodd\nkvm:x:104:me,you\nworse:x:many:\n";
            assert_eq!(group_name(groups, gid), expected);
        };
        check(104, "kvm");
        check(0, "root");
        check(7, "7");
    }

    #[test]
    fn a_group_is_joined_only_where_that_helps_and_is_harmless() {
        let check = |mode, group: &str, expected: &str| {
            let command = permit_by(mode, group);
            assert!(command.starts_with(expected), "{command}");
        };
        check(0o20660, "kvm", "sudo usermod -aG kvm ");
        check(0o20600, "kvm", "sudo chown ");
        check(0o20640, "kvm", "sudo chown ");
        check(0o20660, "root", "sudo chown ");
    }
}
