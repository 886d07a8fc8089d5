//! Why nothing was chosen.

use super::config::Unreadable;
use crate::exit_code;

/// Why nothing was chosen.
#[derive(Debug)]
pub enum Refusal {
    /// The configuration cannot be read.
    Unreadable(Unreadable),
    /// Nothing matched: a sentence with the nearest names.
    Nothing(String),
    /// What was asked for cannot be done, or not with this configuration.
    Impossible(String),
    /// What was typed cannot be understood.
    Usage(String),
}

impl Refusal {
    /// The exit code of a program that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable(unreadable) if unreadable.is_typed() => exit_code::USAGE,
            Self::Unreadable(_) | Self::Impossible(_) => exit_code::SETUP_IMPOSSIBLE,
            Self::Usage(_) => exit_code::USAGE,
            Self::Nothing(_) => exit_code::NOTHING_MATCHED,
        }
    }

    /// The text for a person, in colour if the terminal takes it.
    pub fn render(&self, color: bool) -> String {
        match self {
            Self::Unreadable(unreadable) => unreadable.render(color),
            Self::Nothing(sentence) | Self::Impossible(sentence) | Self::Usage(sentence) => {
                sentence.clone()
            }
        }
    }
}
