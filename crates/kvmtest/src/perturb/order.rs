//! A transition and the seed by which it happens: `migrate@42`.

use std::fmt;
use std::str::FromStr;

use super::Kind;

/// A transition and the seed by which it happens: `migrate@42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order {
    /// What happens.
    pub kind: Kind,
    /// What decides when.
    pub seed: u64,
}

impl Order {
    /// What `text` says: a transition, and a seed if it has one.
    pub fn parse(text: &str) -> Result<(Kind, Option<u64>), String> {
        let (kind, seed) = match text.split_once('@') {
            Some((kind, seed)) => (kind, Some(seed)),
            None => (text, None),
        };
        let kind = kind.parse()?;
        // As it is printed, so that one run has one name: without a sign.
        let number = |seed: &str| seed.parse().ok().filter(|_| !seed.starts_with('+'));
        let seed = seed.map(|seed| {
            number(seed).ok_or_else(|| {
                let seed = seed.escape_debug();
                format!("`{seed}` is no seed: a whole number, as a run has told it (`{kind}@42`)")
            })
        });
        Ok((kind, seed.transpose()?))
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind, self.seed)
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Self::parse(text)? {
            (kind, Some(seed)) => Ok(Self { kind, seed }),
            (kind, None) => Err(format!("`{kind}` has no seed: `{kind}@42`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        for kind in Kind::ALL {
            for seed in [0, 42, u64::MAX] {
                let order = Order { kind, seed };
                assert_eq!(order.to_string().parse(), Ok(order));
            }
            assert_eq!(Order::parse(kind.word()), Ok((kind, None)));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let check = |text: &str, part: &str| {
            let error = text.parse::<Order>().expect_err(text);
            assert!(error.contains(part) && !error.contains('\x1b'), "{error}");
        };
        check("", "`` is no transition: there are `migrate`");
        check("Migrate@1", "`Migrate` is no transition");
        check("migrate,fork@1", "`migrate,fork` is no transition");
        check("\x1b[2J", "is no transition");
        check("@1", "`` is no transition");
        check("migrate", "`migrate` has no seed: `migrate@42`");
        check("migrate@", "`` is no seed: a whole number");
        for seed in ["x", "-1", "+1", "1.5", " 1", "1@2", "18446744073709551616", "0x1"] {
            check(&format!("fork@{seed}"), &format!("`{seed}` is no seed"));
        }
    }
}
