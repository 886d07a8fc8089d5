//! Packages, as `apt-cache show` describes them.

use camino::Utf8PathBuf;

/// A package that was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: String,
    /// Of the package file, in bytes; for people.
    pub(super) size: u64,
    /// What it depends on, by name: the first one of alternatives, all of them otherwise.
    pub(super) depends: Vec<String>,
    /// Where it lies once it is downloaded.
    pub(super) file: Utf8PathBuf,
}

impl Package {
    /// The packages of a text in the form of `apt-cache show`; the first of several versions.
    pub(super) fn parse_all(text: &str) -> Vec<Self> {
        let mut packages: Vec<Self> = Vec::new();
        for stanza in text.split("\n\n") {
            let package = Self::parse(stanza);
            // What is installed but in no repository has no digest, and cannot be downloaded.
            if !package.sha256.is_empty() && packages.iter().all(|p| p.name != package.name) {
                packages.push(package);
            }
        }
        packages
    }

    fn parse(stanza: &str) -> Self {
        let mut package = Self::default();
        for line in stanza.lines() {
            let Some((key, value)) = line.split_once(": ") else { continue };
            match key {
                "Package" => value.clone_into(&mut package.name),
                "Version" => value.clone_into(&mut package.version),
                "Size" => package.size = value.parse().unwrap_or_default(),
                "SHA256" => value.clone_into(&mut package.sha256),
                "Depends" | "Pre-Depends" => {
                    package.depends.extend(value.split(", ").filter_map(first_alternative));
                }
                _ => {}
            }
        }
        package
    }
}

/// `libc6` of `libc6:any (>= 2.34) | libc6.1`.
fn first_alternative(dependency: &str) -> Option<String> {
    let name = dependency.split([' ', ':', '|']).find(|part| !part.is_empty())?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_are_read() {
        let packages = Package::parse_all(
            "Package: dash\nVersion: 0.5.12-2\nPre-Depends: libc6 (>= 2.36), perl:any | perl6\n\
             Depends: debianutils (>= 5.6-0.1), dpkg (>= 1.19.1)\n\
             Description: a shell\n Depends: nothing, it is prose\nSize: 96\nSHA256: aa\n\n\
             Package: dash\nVersion: 0.5.11\nSHA256: bb\n\n\
             Package: local\nVersion: 1\n\n",
        );
        assert_eq!(packages.len(), 1);
        assert_eq!(packages[0].version, "0.5.12-2");
        assert_eq!((packages[0].sha256.as_str(), packages[0].size), ("aa", 96));
        assert_eq!(packages[0].depends, ["libc6", "perl", "debianutils", "dpkg"]);
    }
}
