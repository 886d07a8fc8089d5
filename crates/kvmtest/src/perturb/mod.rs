//! Any subtest under any transition of its machines: they are moved, restored, stopped or forked
//! under it at its checkpoints, by chance, and it goes on as if nothing had been.
//!
//! A *checkpoint* is a place where the machine may well be another afterwards: each command of a
//! session is one. At each of them a [`Perturb`] is asked what is to happen. What it says comes
//! from a seed, the test's name and the VM's name alone, so the same seed gives the same transitions
//! at the same checkpoints, on every host and in every version.

mod done;
mod kind;
mod order;
mod random;
mod refusal;

use std::time::Duration;

use crate::error::Result;
use crate::params::Params;

pub use done::{Done, listen, listen_no_more};
pub use kind::Kind;
pub use order::Order;
pub use random::SplitMix64;
pub use refusal::{check, refusal};

/// How likely a transition is at a checkpoint: `perturb_rate`.
pub const RATE: f64 = 0.25;

/// What happens to one VM of one test at its checkpoints.
#[derive(Debug, Clone)]
pub struct Perturb {
    kind: Kind,
    rate: f64,
    random: SplitMix64,
    checkpoints: u64,
}

impl Perturb {
    /// What `params` (the VM's own) want of the VM called `vm` in the test called `test`, by its
    /// full name: `perturb_with` (`migrate@42`), `perturb_rate`. Nothing where nothing is wanted,
    /// or the test forbids it (`perturb = no`).
    pub fn of(params: &Params, test: &str, vm: &str) -> Result<Option<Self>> {
        let Some(Order { kind, seed }) = wanted(params)? else { return Ok(None) };
        let rate = rate(params)?;
        if refusal(params)?.is_some() {
            return Ok(None);
        }
        let random = SplitMix64::of_stream(seed, &[test, vm]);
        Ok(Some(Self { kind, rate, random, checkpoints: 0 }))
    }

    /// The next checkpoint: what is to happen at it. One number is drawn for each, whatever comes
    /// of it, so that a transition that failed moves none of those after it.
    pub fn draw(&mut self) -> Option<Kind> {
        self.checkpoints += 1;
        (self.random.fraction() < self.rate).then_some(self.kind)
    }

    /// How many checkpoints there were; the number of the present one, counted from 1.
    pub fn checkpoint(&self) -> u64 {
        self.checkpoints
    }

    /// What was done at the present checkpoint, before `command`, in the time `took`; told to
    /// whoever listens ([`listen`]).
    pub fn done(&self, kind: Kind, command: &str, took: Duration) -> Done {
        let done = Done::new(self.checkpoints, kind, command, took);
        done::tell(&done);
        done
    }
}

/// What `perturb_with` says.
fn wanted(params: &Params) -> Result<Option<Order>> {
    let Some(text) = params.find_nonempty("perturb_with") else { return Ok(None) };
    match text.parse() {
        Ok(order) => Ok(Some(order)),
        Err(why) => Err(params.wrong("perturb_with", &format!("a transition with a seed ({why})"))),
    }
}

fn rate(params: &Params) -> Result<f64> {
    if params.find("perturb_rate").is_none() {
        return Ok(RATE);
    }
    let rate = params.get_f64("perturb_rate")?;
    let is_fit = (0.0..=1.0).contains(&rate);
    is_fit.then_some(rate).ok_or_else(|| params.wrong("perturb_rate", "between 0 and 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        pairs.iter().copied().collect()
    }

    /// `.` for a checkpoint where nothing happens, `x` for one where something does.
    fn draws(params: &Params, test: &str, vm: &str) -> String {
        let perturb = Perturb::of(params, test, vm).expect("understood");
        let mut perturb = perturb.expect("it is perturbed");
        (0..24).map(|_| if perturb.draw().is_some() { 'x' } else { '.' }).collect()
    }

    #[test]
    fn a_seed_brings_its_transitions_back() {
        let with = |order| params(&[("perturb_with", order)]);
        let first = draws(&with("migrate@42"), "small.boot", "vm1");
        // On every host, in every version: what was told of a run must be true for ever.
        assert_eq!(first, "..x.x..xx..x...x....x.x.");
        assert_eq!(draws(&with("migrate@42"), "small.boot", "vm1"), first);
        assert_eq!(draws(&with("pause@42"), "small.boot", "vm1"), first, "whatever happens then");
        for (order, test, vm) in [
            ("migrate@43", "small.boot", "vm1"),
            ("migrate@42", "small.reboot", "vm1"),
            ("migrate@42", "small.boot", "vm2"),
            ("migrate@42", "small.bootvm1", ""),
        ] {
            assert_ne!(draws(&with(order), test, vm), first, "{order} {test} {vm}");
        }
    }

    #[test]
    fn a_rate_is_how_often() {
        let count = |rate: &str| {
            let params = params(&[("perturb_with", "fork@7"), ("perturb_rate", rate)]);
            let mut perturb = Perturb::of(&params, "t", "v").expect("understood").expect("some");
            let drawn: Vec<Kind> = (0..4000).filter_map(|_| perturb.draw()).collect();
            assert!(drawn.iter().all(|kind| *kind == Kind::Fork));
            assert_eq!(perturb.checkpoint(), 4000);
            drawn.len()
        };
        assert_eq!(count("0"), 0);
        assert_eq!(count("1"), 4000);
        assert!((900..1100).contains(&count("0.25")));
        let usual = params(&[("perturb_with", "fork@7")]);
        let rare = params(&[("perturb_with", "fork@7"), ("perturb_rate", "0.25")]);
        assert_eq!(draws(&usual, "t", "v"), draws(&rare, "t", "v"));
        // A transition at a lower rate is one at a higher, too: the numbers are the same.
        let often = params(&[("perturb_with", "fork@7"), ("perturb_rate", "0.75")]);
        let (few, many) = (draws(&usual, "t", "v"), draws(&often, "t", "v"));
        assert!(few.chars().zip(many.chars()).all(|(few, many)| few == '.' || many == 'x'));
    }

    #[test]
    fn who_asks_for_nothing_gets_nothing() {
        let none = |pairs: &[(&str, &str)]| {
            assert!(Perturb::of(&params(pairs), "t", "v").expect("understood").is_none());
        };
        none(&[]);
        none(&[("perturb_with", "")]);
        none(&[("perturb_rate", "1")]);
        none(&[("perturb_with", "fork@1"), ("perturb", "no"), ("perturb_reason", "no")]);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let check = |pairs: &[(&str, &str)], part: &str| {
            let error = Perturb::of(&params(pairs), "t", "v").expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        };
        check(&[("perturb_with", "migrate")], "`perturb_with` must be a transition with a seed");
        check(&[("perturb_with", "sleep@1")], "`sleep` is no transition");
        check(&[("perturb_with", "fork@-1")], "`-1` is no seed");
        for rate in ["2", "-0.1", "often", "nan", ""] {
            check(&[("perturb_with", "fork@1"), ("perturb_rate", rate)], "`perturb_rate` must be");
        }
        check(&[("perturb_with", "fork@1"), ("perturb", "no")], "`perturb_reason`");
        check(&[("perturb_with", "fork@1"), ("perturb", "never")], "`perturb` must be");
    }
}
