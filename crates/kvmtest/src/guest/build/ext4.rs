//! Makes the data disk's file system, the same bytes each time.

use std::fmt::Write;
use std::process::Command;

use camino::Utf8Path;

use super::command::run;
use crate::deadline::Deadline;
use crate::error::{Context, Result};
use crate::guest::recipe::{DATA, Data};

/// Seconds since 1970: 2020-01-01. A time before the tool's own birth would be taken for none.
const WHEN: &str = "1577836800";

/// Makes the file system that `data` describes in the new file `image`; `scratch` may be used.
pub(super) fn make(
    image: &Utf8Path,
    data: &Data,
    scratch: &Utf8Path,
    deadline: Deadline,
) -> Result<()> {
    std::fs::create_dir(scratch)?;
    let mut script = String::new();
    for (name, text) in DATA {
        std::fs::write(scratch.join(name), text)?;
        let _ = writeln!(script, "write \"{name}\" \"{name}\"");
        for field in ["uid 0", "gid 0", "mode 0100644"] {
            let _ = writeln!(script, "set_inode_field \"{name}\" {field}");
        }
        for field in ["atime", "ctime", "mtime", "crtime"] {
            let _ = writeln!(script, "set_inode_field \"{name}\" {field} @{WHEN}");
        }
    }
    let file = std::fs::File::create(image)?;
    file.set_len(data.size * 1024 * 1024)?;
    // The host's own mke2fs.conf would decide otherwise.
    let features = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg,\
                    sparse_super,large_file,huge_file,dir_nlink,extra_isize,uninit_bg";
    let mut command = Command::new("mke2fs");
    command
        .args(["-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-i", "16384", "-m", "0"])
        .args(["-O", features, "-J", "size=4", "-L", &data.label, "-U", &data.uuid])
        .args(["-o", "Linux", "-e", "continue"])
        .arg("-E")
        .arg(format!(
            "hash_seed={},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0,nodiscard",
            data.hash_seed
        ))
        .arg(image);
    run(timeless(&mut command), deadline).context("making the data disk")?;
    let commands = scratch.join("debugfs");
    std::fs::write(&commands, script)?;
    let mut command = Command::new("debugfs");
    // No path goes into the script: the tool's quoting would have to be trusted with it.
    command.current_dir(scratch).args(["-w", "-f"]).arg(&commands).arg(image);
    run(timeless(&mut command), deadline).context("filling the data disk")?;
    Ok(())
}

fn timeless(command: &mut Command) -> &mut Command {
    command
        .env("E2FSPROGS_FAKE_TIME", WHEN)
        .env("SOURCE_DATE_EPOCH", WHEN)
        .env("MKE2FS_CONFIG", "/dev/null")
        .env("TZ", "UTC")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::recipe::Userland;
    use std::time::Duration;

    #[test]
    fn two_file_systems_are_the_same_bytes() {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = Utf8Path::from_path(directory.path()).expect("UTF-8");
        let data = Userland::parse().expect("a recipe").data;
        let images = ["a", "b"].map(|name| {
            let image = directory.join(name);
            let scratch = directory.join(format!("{name}.scratch"));
            let deadline = Deadline::after(Duration::from_secs(600));
            make(&image, &data, &scratch, deadline).expect("a file system");
            std::fs::read(image).expect("an image")
        });
        assert!(images[0] == images[1], "the images differ");
        let mut command = Command::new("debugfs");
        command.args(["-R", "cat README"]).arg(directory.join("a"));
        let text = run(&mut command, Deadline::after(Duration::from_secs(60))).expect("the file");
        assert_eq!(String::from_utf8_lossy(&text), DATA[0].1);
    }
}
