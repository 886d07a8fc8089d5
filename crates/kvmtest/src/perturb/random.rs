//! Numbers by chance that are the same for ever.

use sha2::{Digest, Sha256};

/// The sequence of numbers called SplitMix64. It is the same on every host and in every version of
/// this program and of the compiler, which nobody promises of a library's.
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The sequence that begins with `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// One of many sequences of one seed, which have nothing to do with each other: the one of
    /// these names. It begins with the first eight bytes, the highest first, of the SHA-256 of the
    /// seed in decimal and then each name, each of them with a line break after it.
    pub fn of_stream(seed: u64, names: &[&str]) -> Self {
        let mut digest = Sha256::new();
        digest.update(format!("{seed}\n"));
        for name in names {
            digest.update(format!("{name}\n"));
        }
        let digest = digest.finalize();
        Self::new(digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `bound`, each as likely as the others; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.number()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the upper half has 64 bits")
    }

    /// A number from 0 on that is less than 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    pub fn fraction(&mut self) -> f64 {
        const BITS: u32 = f64::MANTISSA_DIGITS;
        (self.number() >> (64 - BITS)) as f64 / (1_u64 << BITS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.number(), 6_457_827_717_110_365_317);
        assert_eq!(random.number(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn numbers_keep_to_their_bounds() {
        let mut random = SplitMix64::new(1);
        assert!((0..1000).all(|_| random.below(3) < 3));
        assert!((0..1000).all(|_| (0.0..1.0).contains(&random.fraction())));
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn streams_differ_by_seed_and_names() {
        let first = |seed, names: &[&str]| SplitMix64::of_stream(seed, names).number();
        let mut all = vec![
            first(1, &["a", "b"]),
            first(2, &["a", "b"]),
            first(1, &["b", "a"]),
            first(1, &["ab", ""]),
            first(1, &["ab"]),
            first(11, &["a", "b"]),
        ];
        assert_eq!(first(1, &["a", "b"]), all[0]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }
}
