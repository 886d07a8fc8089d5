//! Chooses and downloads packages with the host's apt, in a state of our own: without root, and
//! as if nothing were installed.

use std::collections::BTreeSet;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::command::run;
use super::package::Package;
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::hexadecimal;

/// The host's package lists: read, never written.
const HOST_LISTS: &str = "/var/lib/apt/lists";

/// The host's apt with a state of our own.
#[derive(Debug)]
pub(super) struct Apt {
    directory: Utf8PathBuf,
    /// Where the package lists are read.
    lists: Utf8PathBuf,
}

/// What is to be downloaded.
#[derive(Debug, Clone)]
pub(super) struct Request<'a> {
    /// The package that brings the kernel; `None` where the recipe knows none.
    pub(super) kernel: Option<&'a str>,
    pub(super) follow_kernel: &'a [String],
    pub(super) userland: &'a [String],
    pub(super) follow_userland: &'a [String],
    /// For messages.
    pub(super) distribution: String,
}

/// What was downloaded, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Downloaded {
    pub(super) kernel: Vec<Package>,
    pub(super) userland: Vec<Package>,
}

impl Downloaded {
    /// All packages, the kernel's first.
    pub(super) fn all(&self) -> Vec<&Package> {
        self.kernel.iter().chain(&self.userland).collect()
    }
}

impl Apt {
    /// Keeps its state and the packages in `directory`.
    pub(super) fn new(directory: &Utf8Path) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial", "packages"] {
            let part = directory.join(part);
            std::fs::create_dir_all(&part).with_context(|| format!("making {part}"))?;
        }
        std::fs::write(directory.join("status"), "")?;
        Ok(Self { directory: directory.to_owned(), lists: HOST_LISTS.into() })
    }

    /// Downloads what `request` asks for, with what that depends on.
    ///
    /// The host's package lists are used as long as everything they name can be had; otherwise,
    /// and with `newest`, lists of our own are fetched.
    pub(super) fn download(
        &mut self,
        request: &Request<'_>,
        newest: bool,
        progress: &mut dyn FnMut(&str),
        deadline: Deadline,
    ) -> Result<Downloaded> {
        let own = self.directory.join("lists");
        let attempts: &[(&str, bool)] = if newest {
            &[(own.as_str(), true)]
        } else {
            &[(HOST_LISTS, false), (own.as_str(), false), (own.as_str(), true)]
        };
        let mut failure = None;
        for (lists, update) in attempts {
            self.lists = (*lists).into();
            if *update {
                progress("fetching package lists");
                self.update(deadline)?;
            }
            match self.choose_and_fetch(request, progress, deadline) {
                Ok(downloaded) => return Ok(downloaded),
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    tracing::debug!(%error, lists, "these package lists did not do");
                    failure = Some(error);
                }
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::Host, "nothing was tried")))
    }

    fn choose_and_fetch(
        &self,
        request: &Request<'_>,
        progress: &mut dyn FnMut(&str),
        deadline: Deadline,
    ) -> Result<Downloaded> {
        let Some(kernel) = request.kernel else {
            return Err(Error::new(
                ErrorKind::Host,
                format!(
                    "the recipe names no kernel package of {}: guests are built from the packages \
                     of Debian or Ubuntu",
                    request.distribution
                ),
            ));
        };
        let kernel = self.closure(&[kernel.to_owned()], request.follow_kernel, deadline)?;
        let userland = self.closure(request.userland, request.follow_userland, deadline)?;
        let mut downloaded = Downloaded { kernel, userland };
        for package in downloaded.kernel.iter_mut().chain(&mut downloaded.userland) {
            package.file = self.packages().join(format!("{}.deb", package.sha256));
        }
        self.fetch(&downloaded.all(), progress, deadline)?;
        Ok(downloaded)
    }

    /// The packages `seeds`, and those they depend on whose names begin with one of `follow`;
    /// sorted by name.
    fn closure(
        &self,
        seeds: &[String],
        follow: &[String],
        deadline: Deadline,
    ) -> Result<Vec<Package>> {
        let mut known: Vec<Package> = Vec::new();
        let mut asked: BTreeSet<String> = seeds.iter().cloned().collect();
        let mut next: Vec<String> = seeds.to_vec();
        while !next.is_empty() {
            let found = self.show(&next, deadline)?;
            next = found
                .iter()
                .flat_map(|package| &package.depends)
                .filter(|name| follow.iter().any(|prefix| name.starts_with(prefix.as_str())))
                .filter(|name| asked.insert((*name).clone()))
                .cloned()
                .collect();
            known.extend(found);
        }
        if let Some(seed) = seeds.iter().find(|seed| known.iter().all(|p| p.name != **seed)) {
            return Err(Error::new(
                ErrorKind::Host,
                format!("apt knows no package `{seed}`: look at the sources in /etc/apt"),
            ));
        }
        known.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(known)
    }

    fn show(&self, names: &[String], deadline: Deadline) -> Result<Vec<Package>> {
        let mut command = self.command("apt-cache");
        command.args(["show", "--no-all-versions", "--"]).args(names);
        match run(&mut command, deadline) {
            Ok(output) => Ok(Package::parse_all(&String::from_utf8_lossy(&output))),
            // It fails where it knows none of the names; who needs one of them will say so.
            Err(error) if error.output().is_some_and(|said| contains(said, b"No packages")) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Downloads those of `packages` that are not there; their names are their digests.
    fn fetch(
        &self,
        packages: &[&Package],
        progress: &mut dyn FnMut(&str),
        deadline: Deadline,
    ) -> Result<()> {
        let missing: Vec<&Package> = packages
            .iter()
            .copied()
            .filter(|package| !has_digest(&package.file, &package.sha256))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let size: u64 = missing.iter().map(|package| package.size).sum();
        progress(&format!("downloading {} packages, {} MB", missing.len(), size / 1_000_000));
        let partial = self.packages().join("partial");
        let _ = std::fs::remove_dir_all(&partial);
        std::fs::create_dir(&partial)?;
        let mut command = self.command("apt-get");
        command.current_dir(&partial).args(["download", "--"]);
        command.args(missing.iter().map(|p| format!("{}={}", p.name, p.version)));
        run(&mut command, deadline).context("downloading packages (is the network up?)")?;
        for entry in partial.read_dir_utf8()? {
            let path = entry?.into_path();
            let digest = digest(&path)?;
            if let Some(package) = missing.iter().find(|package| package.sha256 == digest) {
                std::fs::rename(&path, &package.file)?;
            }
        }
        std::fs::remove_dir_all(&partial)?;
        match missing.iter().find(|package| !package.file.exists()) {
            Some(package) => Err(Error::new(
                ErrorKind::Host,
                format!("what was downloaded as {} has another digest", package.name),
            )),
            None => Ok(()),
        }
    }

    fn packages(&self) -> Utf8PathBuf {
        self.directory.join("packages")
    }

    fn update(&self, deadline: Deadline) -> Result<()> {
        let mut command = self.command("apt-get");
        // Without this option it takes the old lists for good enough, and succeeds.
        command.args(["update", "-o", "APT::Update::Error-Mode=any"]);
        command.args(["-o", "Acquire::Languages=none", "-o", "Acquire::Retries=2"]);
        run(&mut command, deadline).map(drop).context("fetching package lists (is the network up?)")
    }

    fn command(&self, program: &str) -> Command {
        let directory = &self.directory;
        // Each set of lists has its index: apt would build it anew at every change.
        let index = if self.lists == HOST_LISTS { "host" } else { "own" };
        let mut command = Command::new(program);
        for option in [
            format!("Dir::State={directory}"),
            format!("Dir::State::lists={}", self.lists),
            format!("Dir::State::status={directory}/status"),
            format!("Dir::Cache={directory}/cache"),
            format!("Dir::Cache::pkgcache={index}.bin"),
            "Dir::Cache::srcpkgcache=".to_owned(),
            "APT::Architecture=amd64".to_owned(),
            // The lists of the host are locked while somebody updates them; reading is harmless.
            "Debug::NoLocking=true".to_owned(),
            // Root's apt would drop to a user who cannot enter our directory.
            "APT::Sandbox::User=root".to_owned(),
            "quiet=2".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }
}

fn has_digest(path: &Utf8Path, sha256: &str) -> bool {
    digest(path).is_ok_and(|digest| digest == sha256)
}

fn digest(path: &Utf8Path) -> Result<String> {
    Ok(hexadecimal::of(&Sha256::digest(std::fs::read(path)?)))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
