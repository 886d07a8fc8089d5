//! The built guests in the cache.

use camino::{Utf8Path, Utf8PathBuf};

use super::build;
use super::built::Guest;
use super::manifest::Manifest;
use super::recipe::{RECIPES, Recipe};
use crate::directories;
use crate::error::{Context, Error, ErrorKind, Result};

/// Built guests: `guests` in the cache, a directory for each guest, in it one for each build,
/// and the symbolic link `current`, which is replaced when a build is complete.
#[derive(Debug, Clone)]
pub struct GuestStore {
    directory: Utf8PathBuf,
}

/// A guest that can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What it is called.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
}

/// A guest that can be built, and whether it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestStatus {
    /// What it is called.
    pub name: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// Whether it is built.
    pub state: GuestState,
}

/// Whether a guest is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuestState {
    /// Built from this program's recipe.
    Built {
        /// The guest.
        guest: Guest,
        /// What its files take up, in bytes.
        bytes: u64,
    },
    /// Not built.
    Missing,
    /// Built from another program's recipe: to be built again.
    Outdated,
    /// There is something, but it cannot be used, and why.
    Broken(String),
}

impl std::fmt::Display for GuestState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Built { bytes, .. } => write!(f, "built, {} MiB", bytes >> 20),
            Self::Missing => f.write_str("not built"),
            Self::Outdated => f.write_str("built from another version's recipe"),
            Self::Broken(why) => write!(f, "broken: {why}"),
        }
    }
}

impl GuestStore {
    /// The user's store, in [`directories::cache`].
    pub fn open() -> Result<Self> {
        Ok(Self::at(directories::cache()?.join("guests")))
    }

    /// The store in `directory`, which need not exist.
    pub fn at(directory: impl Into<Utf8PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// What can be built.
    pub fn known() -> &'static [Known] {
        &KNOWN
    }

    /// Where the store lies.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// The built guest called `name`; reads its manifest only.
    ///
    /// An unknown name, a guest that is not built, is built from another recipe than this
    /// program's, or has lost a file, is an [`ErrorKind::Guest`] that says what to do.
    pub fn find(&self, name: &str) -> Result<Guest> {
        let recipe = Recipe::named(name)?;
        let command = format!("kvmtest guest build {name}");
        let problem = match self.state(recipe) {
            GuestState::Built { guest, .. } => return Ok(guest),
            GuestState::Missing => {
                format!("guest `{name}` is not built: build it with `{command}`")
            }
            GuestState::Outdated => format!(
                "guest `{name}` was built by another version of kvmtest: \
                 build it again with `{command}`"
            ),
            GuestState::Broken(why) => {
                format!("guest `{name}` is damaged ({why}): build it again with `{command}`")
            }
        };
        Err(Error::new(ErrorKind::Guest, problem))
    }

    /// Every guest that can be built, and whether it is.
    pub fn list(&self) -> Result<Vec<GuestStatus>> {
        KNOWN
            .iter()
            .map(|known| {
                Ok(GuestStatus {
                    name: known.name,
                    description: known.description,
                    state: self.state(Recipe::named(known.name)?),
                })
            })
            .collect()
    }

    /// Builds the guest called `name`; does nothing when it is built from this program's recipe.
    ///
    /// `progress` is told in words for people what is going on. Of two builds at once the second
    /// waits for the first and then has nothing to do. Needs the network unless everything was
    /// downloaded before, and no root.
    pub fn build(&self, name: &str, progress: &mut dyn FnMut(&str)) -> Result<Guest> {
        let recipe = Recipe::named(name)?;
        if let GuestState::Built { guest, .. } = self.state(recipe) {
            return Ok(guest);
        }
        self.build_locked(recipe, progress, false)
    }

    /// Builds the guest called `name` from the newest packages, even when it is built.
    pub fn rebuild(&self, name: &str, progress: &mut dyn FnMut(&str)) -> Result<Guest> {
        self.build_locked(Recipe::named(name)?, progress, true)
    }

    /// Removes all builds of the guest called `name`, and what was downloaded when it was the
    /// last one. Returns whether there was anything to remove.
    pub fn remove(&self, name: &str) -> Result<bool> {
        let recipe = Recipe::named(name)?;
        let directory = self.directory.join(recipe.name);
        if !directory.exists() {
            return Ok(false);
        }
        let _lock = build::lock(&self.directory)?;
        std::fs::remove_dir_all(&directory).with_context(|| format!("removing {directory}"))?;
        if !RECIPES.iter().any(|other| self.directory.join(other.name).exists()) {
            build::forget_downloads(&self.directory)?;
        }
        Ok(true)
    }

    fn build_locked(
        &self,
        recipe: &'static Recipe,
        progress: &mut dyn FnMut(&str),
        newest: bool,
    ) -> Result<Guest> {
        directories::private(&self.directory)?;
        let _lock = build::lock(&self.directory)?;
        if !newest && let GuestState::Built { guest, .. } = self.state(recipe) {
            return Ok(guest);
        }
        build::build(recipe, &self.directory, progress, newest)
            .with_context(|| format!("building guest `{}`", recipe.name))?;
        self.find(recipe.name)
    }

    fn state(&self, recipe: &Recipe) -> GuestState {
        let current = self.directory.join(recipe.name).join(build::CURRENT);
        // The build's own directory: the link may point at a newer one while this one is in use.
        let Ok(directory) = current.canonicalize_utf8() else {
            return GuestState::Missing;
        };
        match Manifest::read(&directory) {
            Ok(None) => GuestState::Missing,
            Ok(Some(manifest)) if manifest.name != recipe.name => {
                GuestState::Broken(format!("{directory} holds guest `{}`", manifest.name))
            }
            Ok(Some(manifest)) if manifest.recipe != recipe.digest() => GuestState::Outdated,
            Ok(Some(manifest)) => {
                let bytes = manifest.files.values().sum();
                GuestState::Built { guest: Guest::from_manifest(manifest, &directory), bytes }
            }
            Err(why) => GuestState::Broken(why),
        }
    }
}

static KNOWN: [Known; 2] = [
    Known {
        name: "small",
        description: "the distribution's cloud kernel: paravirtual devices, boots fastest",
    },
    Known {
        name: "wide",
        description: "the distribution's general kernel: e1000, ahci, usb, 9p, watchdogs too",
    },
];
