//! What a machine shows.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::Vm;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::screen::Picture;

/// How long QEMU may take for a screen. It does nothing else meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

impl Vm {
    /// Whether there is a screen to be seen. A machine with `vga = none` has none.
    pub fn has_screen(&self) -> Result<bool> {
        let monitor = self.monitor()?;
        match monitor.cmd_timeout("qom-list", json!({ "path": "/backend" }), PATIENCE) {
            Ok(things) => Ok(names(&things).any(|name| name.starts_with("console["))),
            // There is nothing at all of that kind.
            Err(error) if error.kind() == ErrorKind::MonitorCommand => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes what is on the first screen to `path`, which ends in `.png` or `.ppm`: a file of
    /// QEMU's, or of ours where QEMU is older than 7.1 or was built without PNG.
    ///
    /// Errors are of the kinds `Screen` (there is none, or it is no picture) and those of a
    /// monitor. QEMU has five seconds.
    pub fn screendump(&self, path: &Utf8Path) -> Result<()> {
        let path = absolute(path)?;
        let dumped = match path.extension() {
            Some("ppm") => self.dump(&path, None),
            Some("png") => self.dump_png(&path),
            _ => {
                let message = format!("a screen is written as .png or .ppm: {path}");
                return Err(Error::new(ErrorKind::Params, message));
            }
        };
        match dumped {
            Err(error) if error.kind() == ErrorKind::MonitorCommand && !self.has_screen()? => {
                Err(Error::new(ErrorKind::Screen, "it has no screen (`vga = std` gives it one)"))
            }
            dumped => dumped,
        }
        .with_context(|| format!("taking the screen of the VM `{}`", self.name()))
    }

    fn dump_png(&self, path: &Utf8Path) -> Result<()> {
        match self.dump(path, Some("png")) {
            Err(error) if error.kind() == ErrorKind::MonitorCommand => {}
            dumped => {
                dumped?;
                // A disk that was full leaves a part of a picture, and no error.
                return Picture::size_of(path).map(drop);
            }
        }
        let raw = path.with_extension("ppm.unfinished");
        let converted = self
            .dump(&raw, None)
            .and_then(|()| Picture::read(&raw))
            .and_then(|picture| picture.write_png(path));
        // It may not have come that far.
        let _ = std::fs::remove_file(&raw);
        converted
    }

    /// Older versions know no format but their own.
    fn dump(&self, path: &Utf8Path, format: Option<&str>) -> Result<()> {
        let mut arguments = json!({ "filename": path });
        if let Some(format) = format {
            arguments["format"] = format.into();
        }
        self.monitor()?.cmd_timeout("screendump", arguments, PATIENCE).map(drop)
    }
}

fn names(things: &Value) -> impl Iterator<Item = &str> {
    things.as_array().into_iter().flatten().filter_map(|thing| thing["name"].as_str())
}

/// QEMU has another working directory.
fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf> {
    Ok(camino::absolute_utf8(path)?)
}
