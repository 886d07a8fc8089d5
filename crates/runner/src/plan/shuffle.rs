//! `--shuffle`: an order by chance, which a number brings back.

use std::hash::{BuildHasher, RandomState};

use kvmtest::perturb::SplitMix64;

/// A number for what nobody has asked for by its number. It is small enough to be typed.
pub fn seed() -> u64 {
    // The standard library draws its keys from the system's randomness.
    RandomState::new().hash_one(std::process::id()) % 1_000_000
}

/// Numbers up to `count` in an order by chance, the same one for the same seed, on every host and
/// in every version.
pub(super) fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut random = SplitMix64::new(seed);
    let mut numbers: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        let bound = u64::try_from(at + 1).expect("no host has more memory than that");
        let other = usize::try_from(random.below(bound)).expect("it is not more than `at`");
        numbers.swap(at, other);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_brings_its_order_back() {
        assert_eq!(shuffled(8, 1), [0, 3, 7, 1, 2, 6, 5, 4], "this may never change");
        assert_ne!(shuffled(20, 1), shuffled(20, 2));
        assert_eq!(shuffled(0, 1), [0; 0]);
        assert_eq!(shuffled(1, 1), [0]);
    }

    #[test]
    fn every_number_comes_once_and_anywhere() {
        let mut first = [0_u32; 5];
        for seed in 0..5000 {
            let numbers = shuffled(5, seed);
            first[numbers[0]] += 1;
            let mut sorted = numbers;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert!(first.iter().all(|count| (850..1150).contains(count)), "{first:?}");
    }
}
