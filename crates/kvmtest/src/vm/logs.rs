//! What a machine's logs leave in the results.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Record, Vm};
use crate::error::Result;
use crate::state;

/// Of a console that printed more than twice this since the test began, the beginning and the
/// end are kept, this many bytes each.
const HALF: u64 = 32 << 20;

impl Vm {
    /// Where a log called `name` goes, if logs are kept.
    pub(crate) fn log_path(&self, name: &str) -> Option<Utf8PathBuf> {
        let clean: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
            .collect();
        Some(self.home.log_dir.as_ref()?.join(clean))
    }

    /// From here on the console's log belongs to the present test.
    pub fn start_logs(&self) -> Result<()> {
        let Some(mut record) = self.record() else { return Ok(()) };
        record.console_offset = length(&record.instance.serial_log());
        if let Some(running) = &mut self.state().running {
            running.record.console_offset = record.console_offset;
        }
        self.home.file.update(|content| {
            if let Some(kept) = content.vms.get_mut(self.name())
                && kept.instance == record.instance
            {
                kept.console_offset = record.console_offset;
            }
        })
    }

    /// Copies what the console and QEMU printed during this test to the results. A full disk is
    /// no reason not to end a machine, so this only warns.
    pub fn keep_logs(&self) {
        let Some(record) = self.record() else { return };
        let wanted = [
            ("serial", record.instance.serial_log(), record.console_offset, "log"),
            ("qemu", record.instance.qemu_log(), 0, "log"),
        ];
        for (kind, source, from, extension) in wanted {
            let name = format!("{kind}-{}.{extension}", self.name());
            let Some(target) = self.log_path(&name) else { continue };
            if let Err(error) = append(&source, from, &target) {
                tracing::warn!("{target} is not complete: {error}");
            }
        }
        self.keep_script();
    }

    /// Writes a script to the results that starts the same machine by hand.
    pub fn keep_script(&self) {
        let Some(record) = self.record() else { return };
        let script = by_hand(&record);
        if let Some(target) = self.log_path(&format!("qemu-{}.sh", self.name()))
            && let Err(error) = write_script(&target, &script)
        {
            tracing::warn!("{target} was not written: {error}");
        }
    }

    /// How much the console has printed.
    pub(super) fn console_length(&self) -> Result<u64> {
        Ok(length(&self.running()?.instance.serial_log()))
    }

    /// The last `count` bytes that the console printed.
    pub fn console_tail(&self, count: u64) -> Vec<u8> {
        let Some(record) = self.record() else { return Vec::new() };
        super::death::tail(&record.instance.serial_log(), count).unwrap_or_default()
    }
}

/// The script that starts the like of the machine. Where that boots and the machine did not, it
/// says so, and what does as the machine did.
fn by_hand(record: &Record) -> String {
    let script = record.by_hand.as_ref().unwrap_or(&record.line).script();
    let Some(state::Origin { name, digest, .. }) = &record.state else { return script };
    let digits: String = digest.chars().take(12).collect();
    let (interpreter, rest) = script.split_once('\n').unwrap_or(("#!/bin/sh", &script));
    // In a comment nothing may begin a line of its own.
    let plain = |text: &&str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let vm = Some(record.name.as_str()).filter(plain).unwrap_or("VM");
    let test = record.params.find("shortname").filter(plain).unwrap_or("TEST");
    format!(
        "{interpreter}\n\
         # The machine of the test did not boot: it went on from the state `{name}` ({digits}), a\n\
         # guest that has booted and is logged in. This script boots it instead. To have it in that\n\
         # state, untouched, run its test in this way, with the configuration and the statements of\n\
         # that run:\n\
         #     kvmtest run {test} 'type = nothing' 'vm_lifetime = snapshot' 'kill_vm = no'\n\
         #     kvmtest console {vm}\n\
         {rest}"
    )
}

fn write_script(path: &Utf8Path, script: &str) -> Result<()> {
    std::fs::write(path, script)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn length(path: &Utf8Path) -> u64 {
    std::fs::metadata(path).map(|metadata| metadata.len()).unwrap_or_default()
}

fn append(source: &Utf8Path, from: u64, target: &Utf8Path) -> Result<()> {
    let mut source = match File::open(source) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let end = source.metadata()?.len();
    if end <= from {
        return Ok(());
    }
    source.seek(SeekFrom::Start(from))?;
    let mut target = File::options().append(true).create(true).open(target)?;
    if end - from <= 2 * HALF {
        std::io::copy(&mut source.take(end - from), &mut target)?;
        return Ok(());
    }
    std::io::copy(&mut (&mut source).take(HALF), &mut target)?;
    writeln!(target, "\n[... {} bytes are left out here ...]", end - from - 2 * HALF)?;
    source.seek(SeekFrom::Start(end - HALF))?;
    std::io::copy(&mut source.take(HALF), &mut target)?;
    Ok(())
}
