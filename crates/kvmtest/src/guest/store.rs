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
            Ok(Some(manifest)) if manifest.recipe != recipe.digest() => {
                self.own_build(recipe).unwrap_or(GuestState::Outdated)
            }
            Ok(Some(manifest)) => built(manifest, &directory),
            Err(why) => GuestState::Broken(why),
        }
    }

    /// An earlier build from this very recipe: another version of the program has built its own
    /// since, and two of them on one host are not to take turns in building.
    fn own_build(&self, recipe: &Recipe) -> Option<GuestState> {
        let digest = recipe.digest();
        let builds = self.directory.join(recipe.name).read_dir_utf8().ok()?;
        builds.filter_map(|entry| Some(entry.ok()?.into_path())).find_map(|directory| {
            let manifest = Manifest::read(&directory).ok()??;
            let ours = manifest.recipe == digest && manifest.name == recipe.name;
            // A link to it is not its own directory.
            (ours && !directory.is_symlink()).then(|| built(manifest, &directory))
        })
    }
}

fn built(manifest: Manifest, directory: &Utf8Path) -> GuestState {
    let bytes = manifest.files.values().sum();
    GuestState::Built { guest: Guest::from_manifest(manifest, directory), bytes }
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::guest::manifest;

    /// A store in a directory of its own.
    struct Fixture {
        _directory: tempfile::TempDir,
        store: GuestStore,
    }

    impl Fixture {
        fn new() -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            let path = Utf8Path::from_path(directory.path()).expect("UTF-8").join("guests");
            Self { _directory: directory, store: GuestStore::at(path) }
        }

        /// A complete build of `name` that has `drivers`, made from the recipe of digest `recipe`.
        fn put(&self, name: &str, recipe: &str, drivers: &[&str]) -> Utf8PathBuf {
            let guest = self.store.directory().join(name);
            let place = guest.join("0123456789abcdef");
            std::fs::create_dir_all(&place).expect("a place");
            let mut files = BTreeMap::new();
            for file in ["kernel", "initrd", "data.qcow2"] {
                std::fs::write(place.join(file), file).expect("a file");
                files.insert(file.to_owned(), file.len() as u64);
            }
            let manifest = Manifest {
                version: manifest::VERSION,
                name: name.to_owned(),
                hash: "0123456789abcdef".to_owned(),
                recipe: recipe.to_owned(),
                distribution: "debian-12".to_owned(),
                kernel_params: "console=ttyS0".to_owned(),
                packages: Vec::new(),
                drivers: drivers.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>(),
                files,
            };
            let text = serde_json::to_vec(&manifest).expect("JSON");
            std::fs::write(place.join(manifest::FILE), text).expect("a manifest");
            std::os::unix::fs::symlink("0123456789abcdef", guest.join(build::CURRENT))
                .expect("a link");
            place
        }

        fn put_current(&self, name: &str, drivers: &[&str]) -> Utf8PathBuf {
            self.put(name, &Recipe::named(name).expect("known").digest(), drivers)
        }

        fn problem(&self, name: &str) -> String {
            let error = self.store.find(name).expect_err("not usable");
            assert_eq!(error.kind(), ErrorKind::Guest);
            error.to_string()
        }
    }

    #[test]
    fn known_guests_are_those_with_recipes() {
        let known: Vec<&str> = GuestStore::known().iter().map(|known| known.name).collect();
        let recipes: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
        assert_eq!(known, recipes);
    }

    #[test]
    fn a_built_guest_is_found_and_not_built_again() {
        let fixture = Fixture::new();
        let place = fixture.put_current("small", &["virtio_net"]);
        let guest = fixture.store.find("small").expect("found");
        assert_eq!(guest.kernel.file_name(), Some("kernel"));
        assert_eq!(guest.directory, place.canonicalize_utf8().expect("there"));
        assert!(guest.has_driver("virtio-net") && guest.has_driver("virtio_net"));
        assert!(!guest.has_driver("e1000"));
        let mut said = Vec::new();
        let again = fixture.store.build("small", &mut |line| said.push(line.to_owned()));
        assert_eq!(again.expect("nothing to do"), guest);
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn two_versions_of_the_program_each_find_their_own_build() {
        let fixture = Fixture::new();
        let ours = fixture.put_current("small", &["virtio_net"]);
        let guest = fixture.store.directory().join("small");
        let moved = guest.join("fedcba9876543210");
        std::fs::rename(&ours, &moved).expect("moved");
        std::fs::remove_file(guest.join(build::CURRENT)).expect("removed");
        fixture.put("small", "the recipe of another version", &[]);
        let found = fixture.store.find("small").expect("ours is still there");
        assert_eq!(found.directory.file_name(), moved.file_name());
    }

    #[test]
    fn what_is_not_built_is_answered_with_the_command_that_builds_it() {
        let fixture = Fixture::new();
        assert_eq!(
            fixture.problem("small"),
            "guest `small` is not built: build it with `kvmtest guest build small`"
        );
        // A build that was killed before its end has no manifest, or no link.
        let building = fixture.store.directory().join("small/.building/output");
        std::fs::create_dir_all(&building).expect("a directory");
        std::fs::write(building.join("kernel"), "half").expect("a file");
        assert!(fixture.problem("small").contains("is not built"));
        let place = fixture.put_current("small", &[]);
        std::fs::remove_file(place.join(manifest::FILE)).expect("removed");
        assert!(fixture.problem("small").contains("is not built"));
    }

    #[test]
    fn what_another_program_built_is_to_be_built_again() {
        let fixture = Fixture::new();
        fixture.put("wide", "another recipe", &[]);
        assert_eq!(
            fixture.problem("wide"),
            "guest `wide` was built by another version of kvmtest: \
             build it again with `kvmtest guest build wide`"
        );
    }

    #[test]
    fn damage_is_named() {
        let check = |damage: &dyn Fn(&Utf8Path), expected: &str| {
            let fixture = Fixture::new();
            damage(&fixture.put_current("small", &[]));
            let problem = fixture.problem("small");
            assert!(problem.contains("is damaged"), "{problem}");
            assert!(problem.contains(expected), "{problem}");
            assert!(problem.contains("`kvmtest guest build small`"), "{problem}");
        };
        let manifest = |text: &'static str| {
            move |place: &Utf8Path| std::fs::write(place.join(manifest::FILE), text).expect("put")
        };
        check(&manifest(""), "is no manifest");
        check(&manifest("{\"version\": 1, \"name\": \"sma"), "is no manifest");
        check(&manifest("{\"version\": 1}"), "is no manifest");
        check(&manifest("{\"version\": 999}"), "has version 999");
        check(&|place| std::fs::write(place.join("initrd"), "in").expect("put"), "2 bytes, not 6");
        check(&|place| std::fs::remove_file(place.join("kernel")).expect("gone"), "cannot read");
        check(
            &|place| {
                let path = place.join(manifest::FILE);
                let text = std::fs::read_to_string(&path).expect("text");
                std::fs::write(path, text.replace("\"small\"", "\"wide\"")).expect("put");
            },
            "holds guest `wide`",
        );
    }

    #[test]
    fn removing_takes_everything_and_says_whether_there_was_something() {
        let fixture = Fixture::new();
        assert!(!fixture.store.remove("small").expect("nothing there"));
        fixture.put_current("small", &[]);
        fixture.put_current("wide", &[]);
        let downloads = fixture.store.directory().join(".downloads");
        std::fs::create_dir(&downloads).expect("a directory");
        assert!(fixture.store.remove("small").expect("removed"));
        assert!(downloads.exists(), "the other guest is there");
        assert!(fixture.store.find("wide").is_ok());
        assert!(fixture.store.remove("wide").expect("removed"));
        assert!(!downloads.exists());
        assert_eq!(fixture.store.remove("../x").expect_err("no").kind(), ErrorKind::Guest);
    }

    #[test]
    fn the_list_tells_each_state() {
        let fixture = Fixture::new();
        fixture.put_current("small", &[]);
        let list = fixture.store.list().expect("a list");
        assert!(matches!(&list[0].state, GuestState::Built { bytes: 22, .. }), "{list:?}");
        assert_eq!(list[1].state, GuestState::Missing);
    }

    #[test]
    fn hardware_without_a_driver_names_the_guest_that_has_it() {
        let fixture = Fixture::new();
        fixture.put_current("small", &["virtio_net", "virtio_blk", "8139too"]);
        let small = fixture.store.find("small").expect("built");
        let check = |models: &[&str], expected: Option<&str>| {
            let problem = small.check_hardware(models, &fixture.store).err();
            assert_eq!(problem.map(|error| error.to_string()).as_deref(), expected, "{models:?}");
        };
        check(&[], None);
        check(&["virtio-net-pci", "virtio-blk-pci", "rtl8139", "a-new-device"], None);
        // From the recipe: `wide` is not built.
        check(
            &["virtio-net-pci", "e1000"],
            Some("guest `small` has no driver for `e1000`: guest `wide` has it (`guest = wide`)"),
        );
        check(
            &["tpm-crb"],
            Some(
                "guest `small` has no driver for `tpm-crb`: it would be the kernel module `tpm_crb`",
            ),
        );
        // What is built counts more than what its recipe promises.
        fixture.put_current("wide", &["tpm_crb"]);
        check(
            &["tpm-crb"],
            Some("guest `small` has no driver for `tpm-crb`: guest `wide` has it (`guest = wide`)"),
        );
        check(
            &["e1000"],
            Some("guest `small` has no driver for `e1000`: it would be the kernel module `e1000`"),
        );
    }
}
