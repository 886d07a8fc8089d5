//! Which accelerator a VM gets: what `accel = auto|kvm|tcg` means on this host.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::kvm::device::{self, DEVICE};
use super::kvm::{self, Verdict};
use super::{boot_id, memo};
use crate::directories;
use crate::error::{Error, ErrorKind, Result};
use crate::qemu::Binary;

/// How guests' instructions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accel {
    /// By the CPU itself.
    Kvm,
    /// By QEMU's translator, in software.
    Tcg,
}

impl Accel {
    /// QEMU's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

impl fmt::Display for Accel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The accelerator that was chosen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What QEMU is to be told.
    pub accel: Accel,
    /// Why it is this one.
    pub reason: String,
}

/// The accelerator that `wanted` (`auto`, `kvm` or `tcg`; empty is `auto`) means for `binary`.
///
/// `auto` is KVM where it has shown that it works, and TCG everywhere else. `kvm` where KVM does
/// not work is an error of [`ErrorKind::Host`] that says what mends it; any other word is one of
/// [`ErrorKind::Params`].
pub fn choose(wanted: &str, binary: &Binary) -> Result<Choice> {
    decide(wanted, binary, verdict)
}

/// Whether KVM works here. It is tried once in a boot of the host, which takes some 20 ms; the
/// verdict is kept, and found again, in the cache.
pub fn verdict() -> Result<Verdict> {
    // What is missing may be there in a moment, so that is asked each time.
    if let Some(verdict) = obstacle() {
        return Ok(verdict);
    }
    let place = directories::cache().map(|dir| dir.join("kvm.json"));
    match (place, Conditions::now()) {
        (Ok(file), Ok(conditions)) => recall_or(&file, &conditions, kvm::probe),
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(%error, "whether KVM works is found out anew: it cannot be kept");
            kvm::probe()
        }
    }
}

/// What makes KVM work, if `verdict` says that it does not.
pub fn mend(verdict: &Verdict) -> Option<String> {
    if verdict.usable {
        return None;
    }
    Some(match device::metadata() {
        None => "sudo modprobe kvm_intel || sudo modprobe kvm_amd".to_owned(),
        Some(metadata) if device::open().is_err() => device::permit(&metadata),
        // Nothing on this host can do better: what it runs on would have to.
        Some(_) => TCG_INSTEAD.to_owned(),
    })
}

/// What is left where nothing makes KVM work.
const TCG_INSTEAD: &str = "use `accel = tcg`";

/// Grows whenever the probe demands something else.
const PROBE_VERSION: u32 = 1;

/// A verdict is void when one of these changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Conditions {
    boot_id: String,
    // Another module of KVM makes another device.
    device: (u64, i64, i64),
}

impl Conditions {
    fn now() -> Result<Self> {
        let metadata = std::fs::metadata(DEVICE)?;
        let device = (metadata.ino(), metadata.ctime(), metadata.ctime_nsec());
        Ok(Self { boot_id: boot_id()?.to_owned(), device })
    }
}

fn recall_or(
    file: &Utf8Path,
    conditions: &Conditions,
    probe: impl FnOnce() -> Result<Verdict>,
) -> Result<Verdict> {
    if let Some(verdict) = memo::recall(file, PROBE_VERSION, conditions) {
        return Ok(verdict);
    }
    let verdict = probe()?;
    tracing::debug!(usable = verdict.usable, reason = verdict.reason, "tried KVM");
    if verdict.lasting {
        memo::remember(file, PROBE_VERSION, conditions, &verdict);
    }
    Ok(verdict)
}

/// Why KVM cannot even be tried.
fn obstacle() -> Option<Verdict> {
    let reason = match device::open() {
        Ok(()) => return None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("there is no {DEVICE}")
        }
        Err(error) => format!("{DEVICE} cannot be opened: {error}"),
    };
    Some(Verdict { usable: false, reason, took: Duration::ZERO, lasting: false })
}

fn decide(
    wanted: &str,
    binary: &Binary,
    verdict: impl FnOnce() -> Result<Verdict>,
) -> Result<Choice> {
    let tcg = |reason: String| {
        if binary.has_accelerator("tcg") {
            return Ok(Choice { accel: Accel::Tcg, reason });
        }
        let message = format!("`{}` has no TCG, and nothing else: {reason}", binary.path());
        Err(Error::new(ErrorKind::Host, message))
    };
    match wanted {
        "tcg" => tcg("params say so".to_owned()),
        "kvm" | "auto" | "" if !binary.has_accelerator("kvm") => {
            let reason = format!("`{}` has no KVM", binary.path());
            if wanted == "kvm" {
                return Err(unusable(&reason, Some(TCG_INSTEAD)));
            }
            tcg(reason)
        }
        "kvm" | "auto" | "" => {
            let verdict = verdict()?;
            if verdict.usable {
                return Ok(Choice { accel: Accel::Kvm, reason: verdict.reason });
            }
            if wanted == "kvm" {
                return Err(unusable(&verdict.reason, mend(&verdict).as_deref()));
            }
            tcg(format!("KVM is not usable: {}", verdict.reason))
        }
        other => Err(Error::new(
            ErrorKind::Params,
            format!("`accel` is none of `auto`, `kvm` and `tcg`: `{other}`"),
        )),
    }
}

fn unusable(reason: &str, mend: Option<&str>) -> Error {
    let mend = match mend {
        Some(mend) if mend != TCG_INSTEAD => format!("`{mend}` may mend it; or {TCG_INSTEAD}"),
        _ => TCG_INSTEAD.to_owned(),
    };
    Error::new(ErrorKind::Host, format!("KVM is not usable: {reason}; {mend}"))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::qemu::Capabilities;

    fn binary(accelerators: &[&str]) -> Binary {
        let json = serde_json::json!({"accelerators": accelerators});
        let capabilities: Capabilities = serde_json::from_value(json).expect("capabilities");
        Binary::known("/opt/qemu", capabilities)
    }

    fn told(usable: bool) -> Verdict {
        let reason = "that is so".to_owned();
        Verdict { usable, reason, took: Duration::ZERO, lasting: true }
    }

    #[test]
    fn what_is_wanted_meets_what_works() {
        let check = |wanted: &str, accelerators: &[&str], usable: bool, expected| {
            let outcome = decide(wanted, &binary(accelerators), || Ok(told(usable)));
            let outcome = outcome.map(|choice| choice.accel).map_err(|error| error.kind());
            assert_eq!(outcome, expected, "{wanted} of {accelerators:?}, {usable}");
        };
        let (both, kvm, tcg) = (&["kvm", "tcg"][..], &["kvm"][..], &["tcg"][..]);
        check("auto", both, true, Ok(Accel::Kvm));
        check("auto", both, false, Ok(Accel::Tcg));
        check("", both, true, Ok(Accel::Kvm));
        check("auto", tcg, true, Ok(Accel::Tcg));
        check("auto", kvm, false, Err(ErrorKind::Host));
        check("auto", &[], true, Err(ErrorKind::Host));
        check("kvm", both, true, Ok(Accel::Kvm));
        check("kvm", both, false, Err(ErrorKind::Host));
        check("kvm", tcg, true, Err(ErrorKind::Host));
        check("tcg", both, true, Ok(Accel::Tcg));
        check("tcg", kvm, true, Err(ErrorKind::Host));
        check("hvf", both, true, Err(ErrorKind::Params));
        check("KVM", both, true, Err(ErrorKind::Params));
    }

    #[test]
    fn nothing_is_tried_where_tcg_is_wanted_or_kvm_is_not_there() {
        let never = || panic!("KVM was tried");
        decide("tcg", &binary(&["kvm", "tcg"]), never).expect("TCG");
        decide("auto", &binary(&["tcg"]), never).expect("TCG");
    }

    #[test]
    fn a_refusal_says_why_and_what_to_do() {
        let error = decide("kvm", &binary(&["kvm"]), || Ok(told(false))).expect_err("unusable");
        let text = error.to_string();
        assert!(text.contains("that is so") && text.contains("use `accel = tcg`"), "{text}");
        let choice = decide("auto", &binary(&["kvm", "tcg"]), || Ok(told(false))).expect("TCG");
        assert_eq!(choice.reason, "KVM is not usable: that is so");
    }

    #[test]
    fn an_interrupted_probe_is_no_verdict() {
        let interrupted = || Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        let error = decide("auto", &binary(&["kvm", "tcg"]), interrupted).expect_err("no choice");
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn a_verdict_is_kept_for_this_boot_and_device() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = Utf8Path::from_path(dir.path()).expect("UTF-8").join("kvm.json");
        let tried = Cell::new(0);
        let ask = |boot: &str, inode| {
            let conditions =
                Conditions { boot_id: boot.to_owned(), device: (inode, 1_700_000_000, 5) };
            let verdict = recall_or(&file, &conditions, || {
                tried.set(tried.get() + 1);
                Ok(told(true))
            });
            assert_eq!(verdict.expect("told"), told(true));
            tried.get()
        };
        assert_eq!(ask("a", 7), 1);
        assert_eq!(ask("a", 7), 1, "kept");
        assert_eq!(ask("b", 7), 2, "another boot");
        assert_eq!(ask("b", 8), 3, "another device");
        std::fs::write(&file, "{").expect("written");
        assert_eq!(ask("b", 8), 4, "broken");
    }

    #[test]
    fn a_passing_refusal_is_not_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = Utf8Path::from_path(dir.path()).expect("UTF-8").join("kvm.json");
        let conditions = Conditions { boot_id: "a".to_owned(), device: (7, 0, 0) };
        let passing = Verdict { lasting: false, ..told(false) };
        let first = recall_or(&file, &conditions, || Ok(passing.clone())).expect("told");
        assert_eq!(first, passing);
        let second = recall_or(&file, &conditions, || Ok(told(true))).expect("told");
        assert_eq!(second, told(true));
    }
}
