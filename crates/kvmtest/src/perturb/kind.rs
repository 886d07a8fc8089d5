//! What can happen to a machine at a checkpoint.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What can happen to a machine at a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It goes to another QEMU.
    Migrate,
    /// It is saved in a file, ended, and goes on from the file.
    Restore,
    /// It is stopped for a moment.
    Pause,
    /// It is forked; the twin is ended.
    Fork,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Migrate, Self::Restore, Self::Pause, Self::Fork];

    /// The word: `migrate`, `restore`, `pause`, `fork`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Migrate => "migrate",
            Self::Restore => "restore",
            Self::Pause => "pause",
            Self::Fork => "fork",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.word() == text).ok_or_else(|| {
            let text = text.escape_debug();
            format!("`{text}` is no transition: there are `migrate`, `restore`, `pause`, `fork`")
        })
    }
}
