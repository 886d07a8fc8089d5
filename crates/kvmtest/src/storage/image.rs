//! An image that `params` describe.

use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::in_use::is_in_use;
use super::{Check, Info, check, directory, info};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::{Ended, HostCommand};
use crate::params::Params;
use crate::vm::command::image_file;

/// How large an image is made where `image_size` does not say.
const DEFAULT_SIZE: u64 = 10 << 30;

/// How long `qemu-img` may take where `qemu_img_timeout` does not say.
const PATIENCE: Duration = Duration::from_secs(600);

/// Tells apart what several threads are making.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A disk image of a VM: a file (or a device) and its format. It need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    name: String,
    path: Utf8PathBuf,
    format: String,
    size: u64,
    qemu_img: String,
    patience: Duration,
    shareable: bool,
}

impl Image {
    /// The images that `params` (a VM's own) list in `images`, those of the guest apart: its data
    /// disk belongs to all VMs, and is neither made nor removed for one of them.
    pub fn all(params: &Params) -> Result<Vec<Self>> {
        let names = params.objects("images").into_iter();
        let images = names.filter_map(|name| {
            let own = params.object_params(name);
            // A VM without a guest is refused when it is made, with all that there is to say.
            own.find_nonempty("image_name")?;
            Some(Self::of(name, &own).with_context(|| format!("image `{name}`")))
        });
        images.collect()
    }

    /// The image `name` that `params` (its own, see [`Params::object_params`]) describe, by
    /// `image_name`, `image_format`, `image_raw_device`, `image_size` (default `10G`),
    /// `qemu_img_binary` (`qemu-img`) and `qemu_img_timeout` (`10m`).
    pub fn of(name: &str, params: &Params) -> Result<Self> {
        let (path, format) = image_file(params, &directory(params)?)?;
        let size = match params.find_nonempty("image_size") {
            Some(_) => params.get_size("image_size")?,
            None => DEFAULT_SIZE,
        };
        let qemu_img = params.find_nonempty("qemu_img_binary").unwrap_or("qemu-img").to_owned();
        let patience = params.get_duration_or("qemu_img_timeout", PATIENCE)?;
        let shareable = params.get_bool_or("image_shareable", false)?;
        Ok(Self { name: name.to_owned(), path, format, size, qemu_img, patience, shareable })
    }

    /// The same image in another file.
    pub(crate) fn at(&self, path: Utf8PathBuf, format: &str) -> Self {
        Self { path, format: format.to_owned(), ..self.clone() }
    }

    /// Whether several machines may write to it at one time.
    pub fn is_shareable(&self) -> bool {
        self.shareable
    }

    /// Its name in `images`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file. Absolute.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Its format, as QEMU calls it: `qcow2`, `raw`, `vpc`.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// How large it is made, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether there is something at its path.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Makes it, in place of what is there. A file takes its name only when it is complete: what
    /// goes wrong leaves what was there before. One that a machine has open is refused: its guest
    /// would go on writing to a file that nobody finds any more.
    pub fn create(&self) -> Result<()> {
        self.create_at_once().with_context(|| self.doing("making"))
    }

    /// What `qemu-img` says of it. It may be in use.
    pub fn info(&self) -> Result<Info> {
        let arguments = ["info", "--force-share", "--output=json", "-f", &self.format];
        let ended = self.qemu_img(&arguments, &self.path).with_context(|| self.doing("reading"))?;
        info::read(&ended).with_context(|| self.doing("reading"))
    }

    /// Looks for damage. It must not be in use: QEMU's lock makes that an error.
    pub fn check(&self) -> Result<Check> {
        let arguments = ["check", "--output=json", "-f", &self.format];
        let ended =
            self.qemu_img(&arguments, &self.path).with_context(|| self.doing("checking"))?;
        Ok(check::judge(&ended))
    }

    /// Removes the file; says whether there was one. A device is refused, and so is what a machine
    /// has open.
    pub fn remove(&self) -> Result<bool> {
        let kind = match std::fs::symlink_metadata(&self.path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).with_context(|| self.doing("removing")),
        };
        if !kind.is_file() && !kind.is_symlink() {
            let message = "it is no file: only a file can be removed";
            return Err(Error::new(ErrorKind::Image, message).context(self.doing("removing")));
        }
        self.verify_free().with_context(|| self.doing("removing"))?;
        std::fs::remove_file(&self.path).with_context(|| self.doing("removing"))?;
        Ok(true)
    }

    fn verify_free(&self) -> Result<()> {
        if !is_in_use(&self.path)? {
            return Ok(());
        }
        let message = "a machine has it open, perhaps one of another run: end that first";
        Err(Error::new(ErrorKind::Image, message))
    }

    fn create_at_once(&self) -> Result<()> {
        let is_device = std::fs::metadata(&self.path)
            .is_ok_and(|metadata| metadata.file_type().is_block_device());
        if is_device {
            // QEMU's own lock is in its way, if need be.
            return self.create_as(&self.path);
        }
        self.verify_free()?;
        let file = self.path.file_name().unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!(".{file}.{}-{number}", std::process::id());
        let unfinished = self.path.with_file_name(unfinished);
        let made = self
            .create_as(&unfinished)
            .and_then(|()| self.verify_free())
            .and_then(|()| Ok(std::fs::rename(&unfinished, &self.path)?));
        made.inspect_err(|_| {
            // It may not have come that far.
            let _ = std::fs::remove_file(&unfinished);
        })
    }

    fn create_as(&self, path: &Utf8Path) -> Result<()> {
        let size = self.size.to_string();
        let mut command = self.command(&["create", "-q", "-f", &self.format], path);
        command = command.args([size]);
        let mut ended = command.run(self.patience)?;
        if ended.status.success() {
            return Ok(());
        }
        // The name until it is complete is nobody's concern.
        let errors = String::from_utf8_lossy(&ended.errors);
        ended.errors = errors.replace(path.as_str(), self.path.as_str()).into_bytes();
        let message = format!("{} failed ({})", command.words(), ended.words());
        Err(Error::new(ErrorKind::Image, message).with_output(ended.errors))
    }

    fn qemu_img(&self, arguments: &[&str], path: &Utf8Path) -> Result<Ended> {
        self.command(arguments, path).run(self.patience)
    }

    /// The path is absolute: neither an option nor a protocol.
    fn command(&self, arguments: &[&str], path: &Utf8Path) -> HostCommand {
        let arguments = arguments.iter().copied().chain([path.as_str()]);
        HostCommand::new(&self.qemu_img).args(arguments)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} the image `{}` ({})", self.name, self.path)
    }
}

#[cfg(test)]
impl Image {
    /// The program that it uses.
    pub(super) fn program(&self) -> &str {
        &self.qemu_img
    }
}
