//! Recipes: what guests are made of, embedded in the program.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::{Context, Error, ErrorKind, Result};
use crate::hexadecimal;

/// Counted up when the builder makes other bytes of the same recipe.
const BUILDER: &str = "kvmtest guest builder 2";

macro_rules! guests {
    ($($path:literal),+) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/", $($path),+))
    };
}

macro_rules! userland {
    ($($path:literal),* $(,)?) => {
        &[$(($path, guests!("userland/files/", $path))),*]
    };
}

/// A guest that can be built.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) name: &'static str,
    text: &'static str,
}

/// All guests that can be built.
pub(super) static RECIPES: [Recipe; 2] = [
    Recipe { name: "small", text: guests!("small/recipe.toml") },
    Recipe { name: "wide", text: guests!("wide/recipe.toml") },
];

/// The userland's own files, by their path in the guest.
pub(super) static FILES: &[(&str, &str)] = userland![
    "etc/acpi/PWRF/00000080",
    "etc/fstab",
    "etc/group",
    "etc/hostname",
    "etc/hosts",
    "etc/hotplug",
    "etc/init.d/devices",
    "etc/init.d/services",
    "etc/init.d/stop",
    "etc/inittab",
    "etc/passwd",
    "etc/profile",
    "etc/shadow",
    "etc/shells",
    "etc/udhcpc",
    "sbin/shutdown",
];

/// What lies on the data disk.
pub(super) static DATA: &[(&str, &str)] = &[("README", guests!("userland/data/README"))];

static USERLAND: &str = guests!("userland/recipe.toml");

/// By distribution: see [`chosen`].
pub(super) type ByDistribution<T> = BTreeMap<String, T>;

/// `guests/<name>/recipe.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuestRecipe {
    pub(super) kernel_params: String,
    pub(super) kernel: ByDistribution<String>,
    pub(super) modules: Modules,
}

/// The kernel modules of a guest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Modules {
    pub(super) load: Vec<String>,
    pub(super) include: Vec<String>,
    pub(super) known: Vec<String>,
}

/// `guests/userland/recipe.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Userland {
    pub(super) packages: ByDistribution<Vec<String>>,
    pub(super) follow: Follow,
    /// Program names by path in the guest.
    pub(super) programs: BTreeMap<String, String>,
    pub(super) data: Data,
}

/// Which dependencies are followed, by the beginning of their names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Follow {
    pub(super) userland: Vec<String>,
    pub(super) kernel: Vec<String>,
}

/// The data disk.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    pub(super) label: String,
    /// In MiB.
    pub(super) size: u64,
    pub(super) uuid: String,
    pub(super) hash_seed: String,
}

impl Recipe {
    /// The recipe called `name`.
    pub(super) fn named(name: &str) -> Result<&'static Self> {
        RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
            let known: Vec<String> =
                RECIPES.iter().map(|recipe| format!("`{}`", recipe.name)).collect();
            Error::new(
                ErrorKind::Guest,
                format!("there is no guest `{name}`: there are {}", known.join(", ")),
            )
        })
    }

    /// A digest of everything that this program brings to the guest.
    pub(super) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let own = [("", BUILDER), (self.name, self.text), ("userland", USERLAND)];
        for (name, text) in own.iter().chain(FILES).chain(DATA) {
            for part in [name, text] {
                digest.update((part.len() as u64).to_le_bytes());
                digest.update(part.as_bytes());
            }
        }
        hexadecimal::of(&digest.finalize())
    }

    /// The recipe as data.
    pub(super) fn parse(&self) -> Result<GuestRecipe> {
        parse(self.text).with_context(|| format!("reading guests/{}/recipe.toml", self.name))
    }
}

impl Userland {
    /// The userland's recipe as data.
    pub(super) fn parse() -> Result<Self> {
        parse(USERLAND).context("reading guests/userland/recipe.toml")
    }
}

/// What `table` says for a distribution that calls itself `names`, the most exact name first.
pub(super) fn chosen<'a, T>(table: &'a ByDistribution<T>, names: &[String]) -> Option<&'a T> {
    names.iter().map(String::as_str).chain(["any"]).find_map(|name| table.get(name))
}

/// A module's name as the kernel counts it: `virtio-net` and `virtio_net` are the same.
pub(super) fn normalised(module: &str) -> String {
    module.replace('-', "_")
}

fn parse<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T> {
    toml::from_str(text)
        .map_err(|error| Error::new(ErrorKind::Guest, "the recipe is broken").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn every_recipe_is_well_formed() {
        for recipe in &RECIPES {
            let parsed = recipe.parse().expect("a recipe");
            for distribution in ["debian", "ubuntu"] {
                assert!(chosen(&parsed.kernel, &names(distribution)).is_some());
            }
            assert!(parsed.kernel_params.contains("console=ttyS0"));
            // What is promised for a guest that is not built must be asked for when it is.
            for module in parsed.modules.known.iter().chain(&parsed.modules.load) {
                assert!(parsed.modules.include.contains(module), "{}: {module}", recipe.name);
            }
        }
        Userland::parse().expect("a userland");
    }

    #[test]
    fn every_file_of_the_userland_is_embedded() {
        fn walk(root: &std::path::Path, at: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(at).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(root, &path, found);
                } else {
                    let relative = path.strip_prefix(root).expect("below the root");
                    found.push(relative.to_str().expect("UTF-8").to_owned());
                }
            }
        }
        let root =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/userland/files");
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.sort();
        let embedded: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(found, embedded);
    }

    #[test]
    fn the_most_exact_name_of_a_distribution_wins() {
        let table: ByDistribution<u32> =
            [("ubuntu-22.04", 1), ("ubuntu", 2), ("any", 3)].map(|(k, v)| (k.to_owned(), v)).into();
        for (distribution, expected) in
            [("ubuntu-22.04 ubuntu debian", 1), ("mint-21 mint ubuntu", 2), ("debian-12 debian", 3)]
        {
            assert_eq!(chosen(&table, &names(distribution)), Some(&expected), "{distribution}");
        }
    }

    #[test]
    fn digests_differ_by_recipe() {
        assert_ne!(RECIPES[0].digest(), RECIPES[1].digest());
        assert_eq!(RECIPES[0].digest(), RECIPES[0].digest());
    }

    #[test]
    fn an_unknown_guest_is_answered_with_the_known_ones() {
        let error = Recipe::named("smal").expect_err("no such guest");
        assert_eq!(error.kind(), ErrorKind::Guest);
        assert_eq!(error.message(), "there is no guest `smal`: there are `small`, `wide`");
    }
}
