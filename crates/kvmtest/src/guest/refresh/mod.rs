//! What a guest is told that was away: saved or stopped, and goes on later, or more than once.

mod address;
mod report;
mod resident;
mod step;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use self::address::Address;
use self::step::{Name, Step};
use super::Os;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;
use crate::session::{DEFAULT_TIMEOUT, Session};

/// What a guest is told that was away: the time, new randomness and, if asked, that its place in
/// the network is another one.
///
/// All of it is one command line in a POSIX shell, so it costs one round trip; two where the guest
/// has the program `refresh`, and there is more to tell than it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    clock: Option<String>,
    seed: Option<String>,
    mac: Option<String>,
    link: Option<String>,
    lease: Option<String>,
    /// Old and new.
    addresses: Vec<(Address, Address)>,
    /// Whether the guest has a program that waits for clock and seed.
    resident: bool,
    /// What that program was told and has not answered.
    typed: Option<String>,
}

impl Refresh {
    /// What `params` ask for:
    ///
    /// - `state_clock`: `correct` gives the guest the host's time, `keep` leaves its clock; the
    ///   default is `correct`, or `keep` where `rtc_base` is a date;
    /// - `state_seed`: `new` (the default) or `keep`, of the kernel's random numbers;
    /// - `state_mac`: `keep` (the default) or `new`, of what [`replace_mac`](Self::replace_mac)
    ///   names;
    /// - `state_network`: `keep` (the default), `bounce` takes the links down and up and then asks
    ///   for addresses anew, `renew` only asks.
    ///
    /// `set_time_command`, `set_seed_command`, `set_mac_command`, `bounce_link_command` and
    /// `renew_lease_command` replace those of the guest's [`Os`].
    ///
    /// A wrong value is an error, and so is something that was asked for and for which no command
    /// is known.
    pub fn of(params: &Params) -> Result<Self> {
        let os = Os::of(params);
        let dated = params.find_nonempty("rtc_base").is_some_and(is_date);
        let clocks = if dated { ["keep", "correct"] } else { ["correct", "keep"] };
        let clock = params.get_choice_or("state_clock", &clocks)? == "correct";
        let seed = params.get_choice_or("state_seed", &["new", "keep"])? == "new";
        let mac = params.get_choice_or("state_mac", &["keep", "new"])? == "new";
        let network = params.get_choice_or("state_network", &["keep", "bounce", "renew"])?;

        let command = |key: &str, own: &str, asked_by: &str| match params.find_nonempty(key) {
            Some(command) => Ok(Some(command.to_owned())),
            None if !own.is_empty() => Ok(Some(own.to_owned())),
            None if params.find(asked_by).is_none() => Ok(None),
            None => {
                let what = format!("left alone, or `{key}` set: none is known for `{}`", os.name);
                Err(params.wrong(asked_by, &what))
            }
        };
        let when = |wanted: bool, key, own, asked_by| {
            if wanted { command(key, own, asked_by) } else { Ok(None) }
        };
        let link = network == "bounce";
        let lease = network != "keep";
        Ok(Self {
            clock: when(clock, "set_time_command", os.set_time_command, "state_clock")?,
            seed: when(seed, "set_seed_command", os.set_seed_command, "state_seed")?,
            mac: when(mac, "set_mac_command", os.set_mac_command, "state_mac")?,
            link: when(link, "bounce_link_command", os.bounce_link_command, "state_network")?,
            lease: when(
                lease || mac,
                "renew_lease_command",
                os.renew_lease_command,
                "state_network",
            )?,
            addresses: Vec::new(),
            resident: false,
            typed: None,
        })
    }

    /// Whether there is nothing to tell.
    pub fn is_nothing(&self) -> bool {
        let commands = [&self.clock, &self.seed, &self.mac, &self.link, &self.lease];
        commands.into_iter().all(Option::is_none)
    }

    /// Whether interfaces are to get other MAC addresses: `state_mac = new`.
    pub fn wants_new_mac(&self) -> bool {
        self.mac.is_some()
    }

    /// The guest has the program `refresh`, which waits to be told time and randomness: guests of
    /// `kvmtest guest build` have. Commands of `params` for these are left out of account then.
    pub fn by_resident(&mut self) {
        self.resident = true;
    }

    /// Gives the interface with the MAC address `old` the address `new`, and asks for its address
    /// anew, if other addresses are [wanted](Self::wants_new_mac).
    pub fn replace_mac(&mut self, old: &str, new: &str) -> Result<()> {
        self.addresses.push((old.parse()?, new.parse()?));
        Ok(())
    }

    /// Types what the guest's program [`refresh`](Self::by_resident) is told, if it has one, and
    /// does not wait: a machine that stands still reads it when it goes on. [`run`](Self::run)
    /// waits for the answer. `now` is the time to set the guest's clock to.
    pub fn type_ahead(&mut self, session: &mut Session, now: SystemTime) -> Result<()> {
        if let Some(command) = self.resident_command(now)? {
            session.sendline(&command)?;
            self.typed = Some(command);
        }
        Ok(())
    }

    /// Tells the guest behind `session`; `now` is the time to set its clock to, taken just before
    /// this is called. Where the guest's `date` takes no fractions of a second, its clock is up to
    /// half a second off.
    ///
    /// What the guest cannot do is a warning in the log that names it. Only a session that does
    /// not answer is an error.
    pub fn run(&self, session: &mut Session, now: SystemTime) -> Result<()> {
        self.run_timeout(session, now, DEFAULT_TIMEOUT)
    }

    /// [`run`](Self::run) with a deadline.
    pub fn run_timeout(
        &self,
        session: &mut Session,
        now: SystemTime,
        deadline: impl Into<Deadline>,
    ) -> Result<()> {
        let deadline = deadline.into();
        for failure in self.failures(session, now, deadline)? {
            tracing::warn!("refreshing the guest of `{}`: {failure}", session.name());
        }
        Ok(())
    }

    fn failures(
        &self,
        session: &mut Session,
        now: SystemTime,
        deadline: Deadline,
    ) -> Result<Vec<String>> {
        let mut failures = self.tell_resident(session, now, deadline)?;
        let steps = self.steps(now)?;
        if steps.is_empty() {
            return Ok(failures);
        }
        if session.is_posix() {
            let output = session.cmd_output_bytes(&step::line(&steps), deadline)?;
            failures.extend(report::failures(&steps, &output));
            return Ok(failures);
        }
        for step in &steps {
            let (status, output) = session.cmd_status_output_bytes(&step.command, deadline)?;
            failures.extend(report::failure(step, Some(status), &output));
        }
        Ok(failures)
    }

    /// What failed of telling the guest's program, if it has one.
    fn tell_resident(
        &self,
        session: &mut Session,
        now: SystemTime,
        deadline: Deadline,
    ) -> Result<Vec<String>> {
        if let Some(typed) = &self.typed {
            return resident::answer(typed, session, deadline);
        }
        let Some(command) = self.resident_command(now)? else { return Ok(Vec::new()) };
        session.sendline(&command)?;
        resident::answer(&command, session, deadline)
    }

    fn resident_command(&self, now: SystemTime) -> Result<Option<String>> {
        if !self.resident || self.clock.is_none() && self.seed.is_none() {
            return Ok(None);
        }
        let clock = self.clock.as_ref().map(|_| now);
        let seed = self.seed.as_ref().map(|_| resident::seed()).transpose()?;
        Ok(Some(resident::command(clock, seed)))
    }

    /// The clock comes first: what comes before it makes it wrong.
    fn steps(&self, now: SystemTime) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        if let Some(command) = self.clock.as_ref().filter(|_| !self.resident) {
            steps.push(Step::new(Name::Clock, command, &step::time(now)));
        }
        if let Some(command) = self.seed.as_ref().filter(|_| !self.resident) {
            steps.push(Step::new(Name::Seed, command, &[("{seed}", seed()?)]));
        }
        if let Some(command) = &self.mac {
            steps.extend(self.addresses.iter().map(|(old, new)| {
                let values = [("{old_mac}", old.to_string()), ("{mac}", new.to_string())];
                Step::new(Name::Mac, command, &values)
            }));
        }
        let plain = [(Name::Link, &self.link), (Name::Lease, &self.lease)];
        steps.extend(plain.into_iter().filter_map(|(name, command)| {
            command.as_ref().map(|command| Step::new(name, command, &[]))
        }));
        Ok(steps)
    }
}

fn is_date(base: &str) -> bool {
    base.trim().starts_with(|c: char| c.is_ascii_digit())
}

/// 32 bytes of the host's randomness, in hexadecimal digits.
fn seed() -> Result<String> {
    use std::fmt::Write;
    let mut bytes = [0; 32];
    let wrong = |error| Error::new(ErrorKind::Host, format!("no randomness: {error}"));
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).map_err(wrong)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
