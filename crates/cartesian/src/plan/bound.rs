//! Keys that bound others: `mem_max = 50` makes `mem = 100` a 50.

/// What a key with such an ending does to the key without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bound {
    Min,
    Max,
    Fixed,
}

impl Bound {
    /// The bound that a key is, and the key that it bounds: what precedes the first occurrence
    /// of its ending.
    pub(crate) fn of(key: &str) -> Option<(Self, &str)> {
        let endings = [("_max", Self::Max), ("_min", Self::Min), ("_fixed", Self::Fixed)];
        let (ending, bound) = endings.into_iter().find(|(ending, _)| key.ends_with(ending))?;
        Some((bound, key.split(ending).next().unwrap_or_default()))
    }

    /// Whether the bound replaces the value. Values that are no numbers are left alone.
    pub(crate) fn replaces(self, value: &str, bound: &str) -> bool {
        let limit = Quantity::parse(bound);
        match (self, Quantity::parse(value), limit) {
            (Self::Fixed, _, _) => true,
            (Self::Min, Some(value), Some(limit)) => value.is_less(&limit),
            (Self::Max, Some(value), Some(limit)) => limit.is_less(&value),
            (Self::Min | Self::Max, _, _) => false,
        }
    }
}

/// A whole number, or a number with a unit (`500M`). A number without a unit counts mebibytes
/// when it is compared with one that has a unit.
enum Quantity {
    Whole(i128),
    Sized(f64),
}

impl Quantity {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let power = match text.chars().last()?.to_ascii_uppercase() {
            'B' => 0,
            'K' => 1,
            'M' => 2,
            'G' => 3,
            'T' => 4,
            _ => return None,
        };
        let number: f64 = text[..text.len() - 1].trim().parse().ok()?;
        Some(Self::Sized(number * 1024_f64.powi(power)))
    }

    fn is_less(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a < b,
            _ => self.bytes() < other.bytes(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the other side is a float anyway")]
    fn bytes(&self) -> f64 {
        match self {
            Self::Whole(number) => *number as f64 * 1024_f64.powi(2),
            Self::Sized(bytes) => *bytes,
        }
    }
}
