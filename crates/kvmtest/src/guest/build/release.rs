//! Which distribution this is.

use std::fmt;

use crate::error::{Context, Result};

/// `/etc/os-release`, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Release {
    id: String,
    version: String,
    like: Vec<String>,
}

impl Release {
    /// The host's.
    pub(super) fn host() -> Result<Self> {
        let text = std::fs::read_to_string("/etc/os-release").context("reading /etc/os-release")?;
        Ok(Self::parse(&text))
    }

    /// What it can be called in a recipe, the most exact name first.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = vec![self.to_string(), self.id.clone()];
        names.extend(self.like.iter().cloned());
        names
    }

    fn parse(text: &str) -> Self {
        let mut release = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim().trim_matches(['"', '\'']);
            match key {
                "ID" => value.clone_into(&mut release.id),
                "VERSION_ID" => value.clone_into(&mut release.version),
                "ID_LIKE" => release.like = value.split(' ').map(str::to_owned).collect(),
                _ => {}
            }
        }
        release
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Testing and sid have no number.
        match self.version.as_str() {
            "" => f.write_str(&self.id),
            version => write!(f, "{}-{version}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_from_exact_to_general() {
        for (text, expected) in [
            ("ID=debian\nVERSION_ID=\"12\"\n", "debian-12 debian"),
            ("ID=ubuntu\nVERSION_ID=\"24.04\"\nID_LIKE=debian\n", "ubuntu-24.04 ubuntu debian"),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID='21'",
                "linuxmint-21 linuxmint ubuntu debian",
            ),
            ("NAME=x\nID=debian\n# nothing\n", "debian debian"),
        ] {
            assert_eq!(Release::parse(text).names().join(" "), expected);
        }
    }
}
