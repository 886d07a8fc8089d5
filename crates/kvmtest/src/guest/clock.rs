//! How late a guest's clock is.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Os;
use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;
use crate::session::Session;

/// A guest's clock, as seen from the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    command: String,
}

impl Clock {
    /// The clock of the guest that `params` describe: read by `get_time_command`, or else by the
    /// command of its [`Os`]. It prints the seconds since 1970, and after them, if it can, something
    /// with their fraction: a point and digits.
    pub fn of(params: &Params) -> Self {
        let own = Os::of(params).get_time_command;
        Self { command: params.find_nonempty("get_time_command").unwrap_or(own).to_owned() }
    }

    /// How many seconds the guest's clock is behind the host's; negative if it is ahead. Exact to
    /// half the time that the command takes, and to a second where it prints no fractions.
    pub fn lag(&self, session: &mut Session) -> Result<f64> {
        let before = now();
        let output = session.cmd(&self.command)?;
        let middle = f64::midpoint(before, now());
        let time = read(&output).ok_or_else(|| {
            let message = format!("`{}` printed no time: `{output}`", self.command);
            Error::new(ErrorKind::Guest, message)
        })?;
        Ok(middle - time)
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// `1795415512 2026-11-23 06:31:52.064000064 +0000`
fn read(output: &str) -> Option<f64> {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let text = output.trim_start();
    let seconds: f64 = text.get(..digits(text)).filter(|it| !it.is_empty())?.parse().ok()?;
    let fraction = text.split_once('.').map_or("", |(_, rest)| &rest[..digits(rest)]);
    Some(seconds + format!("0.{fraction}0").parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_their_fraction_are_read() {
        for (output, expected) in [
            ("1795415512 2026-11-23 06:31:52.25 +0000\n", Some(1_795_415_512.25)),
            ("1795415512.75", Some(1_795_415_512.75)),
            ("1795415512.%N", Some(1_795_415_512.0)),
            ("\n17", Some(17.0)),
            ("", None),
            ("today", None),
            ("-5", None),
            (".5", None),
        ] {
            assert_eq!(read(output), expected, "{output}");
        }
    }

    #[test]
    fn a_shell_on_this_host_is_not_late() {
        let argv = ["sh", "-i"].map(str::to_owned);
        let mut session = Session::spawn(&argv, "host", None).expect("every system has one");
        let lag = Clock::of(&Params::new()).lag(&mut session).expect("the time");
        // As late as its start took, at most: half a minute on a host that has too much to do.
        assert!(lag.abs() < 30.0, "{lag}");
        let late = [("get_time_command", "echo $(($(date +%s) - 1000))")].into_iter().collect();
        let lag = Clock::of(&late).lag(&mut session).expect("the time");
        assert!((970.0..1030.0).contains(&lag), "{lag}");
        let silent = [("get_time_command", "echo noon")].into_iter().collect();
        let error = Clock::of(&silent).lag(&mut session).expect_err("no time");
        assert_eq!(error.message(), "`echo noon` printed no time: `noon`");
    }
}
