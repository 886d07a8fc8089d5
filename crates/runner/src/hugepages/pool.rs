//! The pool of huge pages of one size.

use std::fmt;
use std::fs::File;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Error, ErrorKind, Result};

/// The pool of huge pages of one size, which nobody else of us changes as long as this lives.
pub(super) struct Pool {
    dir: Utf8PathBuf,
    size_kib: u64,
    /// The lock is on the kernel's own file: runs of all users see the same.
    _lock: File,
}

/// Why a pool did not grow.
pub(super) enum Refused {
    /// By whom it may be changed.
    Forbidden(io::Error),
    /// The kernel gave so many of so many.
    Short { got: u64, wanted: u64 },
}

impl Pool {
    /// The pool of pages of `size_kib`; an error that names the sizes if there is none.
    pub(super) fn open(sysfs: &Utf8Path, size_kib: u64) -> Result<Self> {
        let dir = sysfs.join(format!("hugepages-{size_kib}kB"));
        let file = match File::open(dir.join("nr_hugepages")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = format!("this host has no huge pages of {size_kib} KiB: no {dir}");
                return Err(Error::new(ErrorKind::Host, message));
            }
            Err(error) => return Err(error).with_context(|| format!("opening {dir}")),
        };
        // Held for the time of a few small writes by whoever has it, so there is no deadline.
        file.lock().with_context(|| format!("locking {dir}"))?;
        Ok(Self { dir, size_kib, _lock: file })
    }

    pub(super) fn size_kib(&self) -> u64 {
        self.size_kib
    }

    /// Adds `pages`, all or none.
    pub(super) fn add(&self, pages: u64) -> Result<Result<(), Refused>> {
        let before = self.persistent()?;
        if let Err(error) = self.set(before.saturating_add(pages)) {
            return Ok(Err(Refused::Forbidden(error)));
        }
        let got = self.persistent()?.saturating_sub(before);
        if got >= pages {
            return Ok(Ok(()));
        }
        self.set(before)?;
        Ok(Err(Refused::Short { got, wanted: pages }))
    }

    /// Takes `pages` away. Those that are in use go when they are free.
    pub(super) fn subtract(&self, pages: u64) -> Result<()> {
        let before = self.persistent()?;
        self.set(before.saturating_sub(pages))
            .with_context(|| format!("writing {}/nr_hugepages", self.dir))
    }

    /// How many are neither in use nor promised to anybody.
    pub(super) fn free(&self) -> Result<u64> {
        let promised = self.number("resv_hugepages").unwrap_or_default();
        Ok(self.number("free_hugepages")?.saturating_sub(promised))
    }

    /// How many there are for good: what is only lent until its user is done does not count.
    fn persistent(&self) -> Result<u64> {
        let surplus = self.number("surplus_hugepages").unwrap_or_default();
        Ok(self.number("nr_hugepages")?.saturating_sub(surplus))
    }

    fn number(&self, file: &str) -> Result<u64> {
        let path = self.dir.join(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        text.trim().parse().map_err(|_| {
            let odd = text.trim().escape_debug();
            Error::new(ErrorKind::Host, format!("{path} should be a number: `{odd}`"))
        })
    }

    fn set(&self, pages: u64) -> io::Result<()> {
        std::fs::write(self.dir.join("nr_hugepages"), format!("{pages}\n"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(error) => write!(
                f,
                "the number of huge pages cannot be changed by this user ({error}): reserve them \
                 beforehand, or run as root"
            ),
            Self::Short { got, wanted } => write!(
                f,
                "the kernel had room for {got} of {wanted}: its memory is too small or too \
                 fragmented"
            ),
        }
    }
}
