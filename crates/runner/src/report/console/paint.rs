//! Colours.

/// What is coloured, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Red,
    Green,
    Yellow,
    Magenta,
    Cyan,
    Bold,
    Dim,
}

impl Ink {
    /// The ink for an outcome's word.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "PASS" => Self::Green,
            "WARN" | "KNOWN" => Self::Yellow,
            "SKIP" | "CANCEL" => Self::Cyan,
            "INTERRUPTED" | "UNFINISHED" => Self::Magenta,
            _ => Self::Red,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Magenta => 35,
            Self::Cyan => 36,
        }
    }
}

/// Colours text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{}m{text}\x1b[0m", ink.code())
    }
}
