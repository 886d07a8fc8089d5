//! Which machine a test gets: one that lives already, one that boots, or one that starts from a
//! state; and why.

use std::fmt;

use super::{Record, Vm};
use crate::error::Result;
use crate::params::Params;
use crate::state::BOOTED;

/// How long the machine of a test lives, in the words of `vm_lifetime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifetime {
    /// Kept from test to test, and started where it is not there.
    Living,
    /// Started for the test, and booted.
    Fresh,
    /// Started for the test from a state: a guest that has booted and is logged in.
    Snapshot,
}

/// What a test does to its guest: `guest_use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GuestUse {
    /// It only reads, or leaves the guest as it was.
    Clean,
    /// It leaves something behind, or nobody has said that it does not.
    Dirty,
    /// It boots or reboots the guest, and has to see it do so.
    Boot,
}

/// The lifetime that was chosen for a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The lifetime.
    pub lifetime: Lifetime,
    /// Why it is that: a sentence for the log, beginning with the param that decided.
    pub why: String,
    /// What the test does to the guest.
    pub guest_use: GuestUse,
    /// Whether it was chosen by itself (`vm_lifetime = auto`). Then a machine whose guest another
    /// test may have changed is not used again, and what cannot start from a state boots.
    pub is_auto: bool,
    /// Whether a machine that has to be started is started from a state.
    pub from_state: bool,
}

const LIFETIMES: &[&str] = &["living", "fresh", "snapshot", "auto"];
// What nobody has said anything about may do anything.
const USES: &[&str] = &["dirty", "clean", "boot"];

impl Lifetime {
    /// The lifetime for the machine that `params` (its own, see [`Params::object_params`])
    /// describe. The first rule that fits decides:
    ///
    /// | params | |
    /// |---|---|
    /// | `restart_vm = yes`, `vm_lifetime = fresh` | fresh |
    /// | `migration_mode` | fresh: it waits for what another machine sends |
    /// | `start_vm = no` | living: it is left as it is |
    /// | `vm_lifetime = living`, or none | living |
    /// | `vm_lifetime = snapshot` | snapshot |
    /// | `auto`, `guest_use = boot` | fresh |
    /// | `auto`, `start_paused = yes` | fresh: its guest is to be seen before it boots |
    /// | `auto`, `guest_use = clean` | living, started from a state where nobody else left it |
    /// | `auto`, and nobody can log in | fresh: a state is a guest that is logged in |
    /// | `auto` | snapshot |
    ///
    /// A machine that nobody can log in to and that is to start from a state in any case is an
    /// error.
    pub fn of(params: &Params) -> Result<Choice> {
        let guest_use = GuestUse::of(params)?;
        let wanted = params.get_choice_or("vm_lifetime", LIFETIMES)?;
        let restart = params.get_bool_or("restart_vm", false)?;
        let start = params.get_bool_or("start_vm", true)?;
        let paused = params.get_bool_or("start_paused", false)?;
        let nobody = why_nobody_logs_in(params);
        let is_auto = wanted == "auto";
        let choice = |lifetime, from_state: bool, why: String| {
            Ok(Choice { lifetime, why, guest_use, is_auto, from_state })
        };
        let fresh = |why: String| choice(Self::Fresh, false, why);
        if restart {
            return fresh("`restart_vm = yes`".into());
        }
        if wanted == "fresh" {
            return fresh("`vm_lifetime = fresh`".into());
        }
        if let Some(mode) = params.find_nonempty("migration_mode") {
            let mode = mode.escape_debug();
            return fresh(format!("`migration_mode = {mode}`: it waits for another machine"));
        }
        if !start {
            return choice(Self::Living, false, "`start_vm = no`: it is left as it is".into());
        }
        match (wanted, nobody) {
            ("living", _) => choice(Self::Living, false, living(params)),
            ("snapshot", Some(nobody)) => {
                let without = format!("another one than `snapshot`, because {nobody}");
                Err(params.wrong("vm_lifetime", &without))
            }
            ("snapshot", None) => choice(Self::Snapshot, true, "`vm_lifetime = snapshot`".into()),
            _ if paused => fresh("`start_paused = yes`: its guest is to be seen unbooted".into()),
            (_, nobody) => match (guest_use, nobody) {
                (GuestUse::Boot, _) => fresh(guest_use.why(params)),
                (GuestUse::Clean, nobody) => {
                    choice(Self::Living, nobody.is_none(), guest_use.why(params))
                }
                (GuestUse::Dirty, Some(nobody)) => fresh(format!("no state of it: {nobody}")),
                (GuestUse::Dirty, None) => choice(Self::Snapshot, true, guest_use.why(params)),
            },
        }
    }

    /// The word: `living`, `fresh`, `snapshot`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Living => "living",
            Self::Fresh => "fresh",
            Self::Snapshot => "snapshot",
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl GuestUse {
    /// What `guest_use` says; dirty where it says nothing.
    pub fn of(params: &Params) -> Result<Self> {
        Ok(match params.get_choice_or("guest_use", USES)? {
            "clean" => Self::Clean,
            "boot" => Self::Boot,
            _ => Self::Dirty,
        })
    }

    /// Why it decides as it does.
    fn why(self, params: &Params) -> String {
        let said = params.find("guest_use").is_some();
        let why = match self {
            Self::Clean => "`guest_use = clean`: the test leaves the guest as it was",
            Self::Boot => "`guest_use = boot`: the test is about booting",
            Self::Dirty if said => "`guest_use = dirty`: the test changes the guest",
            Self::Dirty => "no `guest_use`: the test may change the guest",
        };
        why.to_owned()
    }
}

impl Choice {
    /// Why the machine, which lives, is not to be used again; nothing where it may be.
    ///
    /// Only what was chosen by itself is particular. Whoever says `living` has to know.
    pub fn objection(&self, vm: &Vm) -> Option<String> {
        let record = vm.record().filter(|_| self.is_auto)?;
        if record.entered {
            return Some("somebody was in its guest by hand".to_owned());
        }
        if record.soiled {
            return Some("another test may have changed its guest".to_owned());
        }
        let wanted = vm.params().find_nonempty("vm_state").unwrap_or(BOOTED).to_owned();
        let state = record.state.map_or_else(|| BOOTED.to_owned(), |origin| origin.name);
        (state != wanted).then(|| format!("its guest is in the state `{state}`, not `{wanted}`"))
    }
}

impl Vm {
    /// Notes, in the env file, too, that a test may have changed the guest, so that nobody who
    /// needs a clean one gets it. For good: only another guest is clean again.
    pub fn soil(&self) -> Result<()> {
        self.change_record(|record| record.soiled = true)
    }

    /// Notes the same because a person is about to type in its guest, who may do anything there.
    pub fn enter_by_hand(&self) -> Result<()> {
        self.change_record(|record| {
            record.soiled = true;
            record.entered = true;
        })
    }
}

impl Record {
    /// Takes over what became of the guest while others knew it as `known`.
    pub(crate) fn stain(&mut self, known: &Self) {
        self.soiled |= known.soiled;
        self.entered |= known.entered;
    }
}

fn living(params: &Params) -> String {
    let why = match params.find("vm_lifetime") {
        Some(_) => "`vm_lifetime = living`",
        None => "`vm_lifetime` says nothing else",
    };
    why.to_owned()
}

/// Why nobody can log in to the machine, as far as its params tell.
fn why_nobody_logs_in(params: &Params) -> Option<&'static str> {
    if params.find_nonempty("guest").is_some() {
        return None;
    }
    let lists = ["images", "cdroms"];
    let boots = params.find_nonempty("kernel").is_some()
        || lists.iter().any(|list| !params.objects(list).is_empty());
    if !boots {
        return Some("it has nothing to boot from");
    }
    let says = params.find_nonempty("username").is_some();
    (!says).then_some("nothing says how to log in (`username`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `lifetime from_state: why`, or the error.
    fn chosen(text: &str) -> String {
        let pairs = text.split(", ").filter_map(|pair| pair.split_once(" = "));
        let params: Params =
            pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect();
        match Lifetime::of(&params) {
            Ok(Choice { lifetime, why, from_state, is_auto, .. }) => {
                assert_eq!(is_auto, text.contains("vm_lifetime = auto"), "{text}");
                let from = if from_state { " from a state" } else { "" };
                format!("{lifetime}{from}: {why}")
            }
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn check(params: &str, expected: &str) {
        let got = chosen(params);
        assert!(got.starts_with(expected), "{params}: `{got}` instead of `{expected}`");
    }

    #[test]
    fn what_is_said_is_done() {
        check("", "living: `vm_lifetime` says nothing else");
        check("guest = small", "living: `vm_lifetime` says nothing else");
        check("vm_lifetime = living", "living: `vm_lifetime = living`");
        check("vm_lifetime = living, guest_use = boot", "living: `vm_lifetime = living`");
        check("vm_lifetime = fresh", "fresh: `vm_lifetime = fresh`");
        check("vm_lifetime = fresh, guest_use = clean", "fresh: `vm_lifetime = fresh`");
        check("guest = small, vm_lifetime = snapshot", "snapshot from a state: `vm_lifetime");
        check("guest = small, vm_lifetime = snapshot, guest_use = boot", "snapshot from a state");
        check("guest = small, vm_lifetime = snapshot, start_paused = yes", "snapshot from a");
    }

    #[test]
    fn auto_goes_by_what_the_test_does() {
        let check = |params: &str, expected: &str| {
            check(&format!("vm_lifetime = auto, guest = small, {params}"), expected);
        };
        check("mem = 1", "snapshot from a state: no `guest_use`: the test may");
        check("guest_use = dirty", "snapshot from a state: `guest_use = dirty`: the test");
        check("guest_use = clean", "living from a state: `guest_use = clean`: the test");
        check("guest_use = boot", "fresh: `guest_use = boot`: the test");
        for value in ["clean", "dirty", "boot"] {
            check(&format!("guest_use = {value}, restart_vm = yes"), "fresh: `restart_vm = yes`");
            check(&format!("guest_use = {value}, start_vm = no"), "living: `start_vm = no`: it");
            check(&format!("guest_use = {value}, start_paused = yes"), "fresh: `start_paused");
            check(
                &format!("guest_use = {value}, migration_mode = tcp"),
                "fresh: `migration_mode = tcp`: it waits",
            );
        }
        check("guest_use = clean, restart_vm = no, start_vm = yes", "living from a state");
        check("migration_mode = ", "snapshot from a state");
    }

    #[test]
    fn what_is_no_machine_for_a_state_boots() {
        let auto = |params: &str, expected: &str| {
            check(&format!("vm_lifetime = auto, {params}"), expected);
        };
        let snapshot = |params: &str, expected: &str| {
            check(&format!("vm_lifetime = snapshot, {params}"), expected);
        };
        auto("mem = 1", "fresh: no state of it: it has nothing to boot from");
        auto("username = root", "fresh: no state of it: it has nothing to boot from");
        auto("images = a", "fresh: no state of it: nothing says how to log in (`username`)");
        auto("images = a, username = root", "snapshot from a state");
        auto("kernel = x, username = root", "snapshot from a state");
        auto("cdroms = x, username = root", "snapshot from a state");
        auto("guest = , images = ", "fresh: no state of it: it has nothing");
        // It may live; it is only not started from a state.
        auto("guest_use = clean", "living: `guest_use = clean`");
        auto("guest_use = boot", "fresh: `guest_use = boot`");
        snapshot("mem = 1", "`vm_lifetime` must be another one than `snapshot`, because it has");
        snapshot("images = a", "`vm_lifetime` must be another one than `snapshot`, because noth");
        snapshot("start_vm = no", "living: `start_vm = no`");
        snapshot("restart_vm = yes", "fresh: `restart_vm = yes`");
        snapshot("migration_mode = tcp", "fresh: `migration_mode = tcp`");
        check("migration_mode = tcp", "fresh: `migration_mode = tcp`");
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for lifetime in ["living", "fresh", "snapshot", "auto"] {
            let with = |params: &str| format!("vm_lifetime = {lifetime}, guest = small, {params}");
            check(&with("guest_use = tidy"), "`guest_use` must be one of");
            check(&with("guest_use = "), "`guest_use` must be one of");
            check(&with("restart_vm = 1"), "`restart_vm` must be `yes` or `no`");
            check(&with("start_vm = perhaps"), "`start_vm` must be `yes` or `no`");
            check(&with("start_paused = x"), "`start_paused` must be `yes` or `no`");
        }
        check("vm_lifetime = long", "`vm_lifetime` must be one of `living`, `fresh`, `snapshot`");
        check("vm_lifetime = ", "`vm_lifetime` must be one of");
    }
}
