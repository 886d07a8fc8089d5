//! `--shuffle`: an order by chance, which a number brings back.

use std::hash::{BuildHasher, RandomState};

/// A number for an order that nobody has asked for by its number. It is small enough to be typed.
pub fn seed() -> u64 {
    // The standard library draws its keys from the system's randomness.
    RandomState::new().hash_one(std::process::id()) % 1_000_000
}

/// Numbers up to `count` in an order by chance, the same one for the same seed, on every host and
/// in every version.
pub(super) fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut numbers: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        let bound = u64::try_from(at + 1).expect("no host has more memory than that");
        let other = usize::try_from(below(bound, &mut state)).expect("it is not more than `at`");
        numbers.swap(at, other);
    }
    numbers
}

/// A number less than `bound`, each as likely as the others.
fn below(bound: u64, state: &mut u64) -> u64 {
    let product = u128::from(next(state)) * u128::from(bound);
    u64::try_from(product >> 64).expect("it is less than `bound`")
}

/// The next number of the sequence called SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
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
    fn the_sequence_is_the_published_one() {
        let mut state = 1_234_567;
        assert_eq!(next(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(next(&mut state), 3_203_168_211_198_807_973);
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
