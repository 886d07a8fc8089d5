//! What the program `refresh` in a guest is told: see the builder's `refresher`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::report;
use super::step::{Name, Step};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::session::Session;

/// How much randomness, in bytes.
const SEED: usize = 16;
/// In the nanoseconds, which have no need of it: there is a seed.
const SEEDED: u32 = 1 << 31;

/// New randomness.
pub(super) fn seed() -> Result<[u8; SEED]> {
    let mut seed = [0; SEED];
    rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())?;
    Ok(seed)
}

/// The command that tells it, and waits for its answer: a function of the guest's shell. Nothing
/// more is typed, since each letter costs an emulated guest a tenth of a millisecond.
pub(super) fn command(clock: Option<SystemTime>, seed: Option<[u8; SEED]>) -> String {
    format!("refresh '{}'", letters(message(clock, seed)))
}

/// What went wrong with `command`, which was typed before.
pub(super) fn answer(
    command: &str,
    session: &mut Session,
    deadline: Deadline,
) -> Result<Vec<String>> {
    let output = session.bytes_up_to_prompt(deadline)?;
    let plain: Vec<u8> = output.into_iter().filter(|byte| *byte != b'\r').collect();
    Ok(report::failures(&[Step::new(Name::Resident, command, &[])], &plain))
}

fn message(clock: Option<SystemTime>, seed: Option<[u8; SEED]>) -> [u8; 24] {
    let since = clock.and_then(|now| now.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let seconds = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
    let nanoseconds = since.subsec_nanos() | seed.map_or(0, |_| SEEDED);
    let mut message = [0; 24];
    message[..4].copy_from_slice(&seconds.to_le_bytes());
    message[4..8].copy_from_slice(&nanoseconds.to_le_bytes());
    message[8..].copy_from_slice(&seed.unwrap_or_default());
    message
}

/// Three bytes, the lowest first, are four letters of six bits each.
fn letters(message: [u8; 24]) -> String {
    let group = |bytes: &[u8]| bytes.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
    let letter = |bits: u32| char::from(b'0' + u8::try_from(bits & 0x3f).unwrap_or(0));
    let groups = message.chunks(3).map(group);
    groups.flat_map(|bits| [18, 12, 6, 0].map(|shift| letter(bits >> shift))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_message_is_time_and_randomness() {
        let at = UNIX_EPOCH + Duration::new(0x0102_0304, 5);
        let told = message(Some(at), Some([7; SEED]));
        assert_eq!(told[..8], [4, 3, 2, 1, 5, 0, 0, 0x80]);
        assert_eq!(told[8..], [7; SEED]);
        assert_eq!(message(Some(at), None)[4..], [[5, 0, 0, 0].as_slice(), &[0; SEED]].concat());
        assert_eq!(message(None, None), [0; 24], "nothing is to be done");
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(message(Some(before), None), [0; 24], "no such time");
    }

    #[test]
    fn its_letters_are_such_as_a_shell_leaves_alone_between_quotes() {
        assert_eq!(letters([0; 24]), "0".repeat(32));
        assert_eq!(letters([255; 24]), "o".repeat(32));
        let mut one = [0; 24];
        (one[0], one[1], one[2]) = (1, 2, 0xfc);
        assert_eq!(&letters(one)[..4], "o081", "from the highest bits to the lowest");
    }
}
