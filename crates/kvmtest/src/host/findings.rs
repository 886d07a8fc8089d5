//! What this host can do, and what mends what it cannot.

use camino::{Utf8Path, Utf8PathBuf};

use super::kvm::{Verdict, device};
use super::{Finding, Status, accel, program, resources};
use crate::error::{ErrorKind, Result};
use crate::qemu::Binary;

/// Everything about the host that decides whether tests run: QEMU, accelerators as tried, helper
/// programs, disk (of the cache and of `results_dir`), memory, directories.
///
/// An interrupt is the only error: everything else is a finding.
pub fn findings(results_dir: &Utf8Path) -> Result<Vec<Finding>> {
    let binaries = binaries()?;
    let verdict = accel::verdict()?;
    let mut findings = qemu(&binaries);
    findings.extend(kvm_device());
    findings.extend(accelerators(&binaries, &verdict));
    findings.extend(PROGRAMS.iter().map(|needed| helper(needed, program::find(needed.name))));
    findings.extend(resources::disks(results_dir));
    findings.push(resources::memory());
    findings.push(resources::runtime_directory());
    Ok(findings)
}

/// A program that is called.
struct Program {
    name: &'static str,
    purpose: &'static str,
    without: Status,
}

const PROGRAMS: [Program; 7] = [
    Program { name: "qemu-img", purpose: "makes and checks disk images", without: Status::Missing },
    Program { name: "ssh", purpose: "logs in to guests", without: Status::Missing },
    Program { name: "scp", purpose: "copies files to and from guests", without: Status::Warning },
    Program {
        name: "apt-get",
        purpose: "fetches what `kvmtest guest build` needs",
        without: Status::Warning,
    },
    Program {
        name: "dpkg-deb",
        purpose: "unpacks what `kvmtest guest build` needs",
        without: Status::Warning,
    },
    Program { name: "mke2fs", purpose: "makes the data disk of a guest", without: Status::Warning },
    Program { name: "python3", purpose: "runs subtests in Python", without: Status::Warning },
];

/// A binary, or why it is none.
type Candidate = (Utf8PathBuf, Result<Binary>);

fn binaries() -> Result<Vec<Candidate>> {
    let mut binaries = Vec::new();
    for path in Binary::candidates() {
        match Binary::find(path.as_str()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            found => binaries.push((path, found)),
        }
    }
    Ok(binaries)
}

fn qemu(binaries: &[Candidate]) -> Vec<Finding> {
    if binaries.is_empty() {
        return vec![
            Finding::missing("QEMU", "is not installed")
                .mended_by(program::install_command("qemu-system-x86_64")),
        ];
    }
    // The first one is taken where params name none.
    let others_work = |index| index > 0 && binaries[0].1.is_ok();
    let describe = |(index, (path, found)): (usize, &Candidate)| match found {
        Ok(binary) if binary.package().is_empty() => {
            Finding::ok(format!("QEMU {}", binary.version()), path.as_str())
        }
        Ok(binary) => Finding::ok(
            format!("QEMU {}", binary.version()),
            format!("{path} ({})", binary.package()),
        ),
        Err(error) if others_work(index) => Finding::warning("QEMU", error.to_string()),
        Err(error) => Finding::missing("QEMU", error.to_string())
            .mended_by(program::install_command("qemu-system-x86_64")),
    };
    binaries.iter().enumerate().map(describe).collect()
}

fn kvm_device() -> Option<Finding> {
    let metadata = device::metadata()?;
    let description = device::describe(&metadata);
    Some(match device::open() {
        Ok(()) => Finding::ok(device::DEVICE, description),
        Err(error) => Finding::warning(device::DEVICE, format!("{error} ({description})"))
            .mended_by(device::permit(&metadata)),
    })
}

fn accelerators(binaries: &[Candidate], verdict: &Verdict) -> Vec<Finding> {
    let took = format!("tried in {} ms", verdict.took.as_millis());
    let kvm = if verdict.usable {
        Finding::ok("accelerator kvm", format!("{} ({took})", verdict.reason))
    } else {
        Finding::warning("accelerator kvm", verdict.reason.as_str()).mended_by(accel::mend(verdict))
    };
    let without: Vec<&str> = binaries
        .iter()
        .filter(|(_, found)| found.as_ref().is_ok_and(|binary| !binary.has_accelerator("tcg")))
        .map(|(path, _)| path.as_str())
        .collect();
    let chosen = if verdict.usable { "" } else { ": it is what `accel = auto` takes here" };
    let tcg = match without.as_slice() {
        [] if binaries.iter().all(|(_, found)| found.is_err()) => return vec![kvm],
        [] => Finding::ok("accelerator tcg", format!("in software{chosen}")),
        some => Finding::warning("accelerator tcg", format!("not in {}", some.join(", "))),
    };
    vec![kvm, tcg]
}

fn helper(needed: &Program, found: Option<Utf8PathBuf>) -> Finding {
    match found {
        Some(path) => Finding::ok(needed.name, path),
        None => Finding {
            status: needed.without,
            ..Finding::ok(needed.name, format!("is not installed: it {}", needed.purpose))
        }
        .mended_by(program::install_command(needed.name)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Error;

    fn failing(path: &str) -> Candidate {
        (path.into(), Err(Error::new(ErrorKind::Host, format!("`{path}` is too old"))))
    }

    #[test]
    fn no_qemu_is_missing_and_says_what_installs_it() {
        let findings = qemu(&[]);
        assert_eq!(findings[0].status, Status::Missing);
        assert!(findings[0].mend.as_deref().is_some_and(|mend| mend.contains("qemu")));
    }

    #[test]
    fn a_qemu_that_is_taken_has_to_work() {
        let findings = qemu(&[failing("/a/qemu"), failing("/b/qemu")]);
        assert_eq!(findings[0].status, Status::Missing);
        assert_eq!(findings[1].status, Status::Missing, "no other works");
        assert!(findings[0].detail.contains("/a/qemu"), "{:?}", findings[0]);
    }

    #[test]
    fn kvm_that_does_not_work_is_a_warning_with_its_reason() {
        let verdict = |usable| Verdict {
            usable,
            reason: "because".to_owned(),
            took: Duration::from_millis(12),
            lasting: true,
        };
        let findings = accelerators(&[], &verdict(false));
        assert_eq!((findings.len(), findings[0].status), (1, Status::Warning));
        assert_eq!(findings[0].detail, "because");
        assert!(findings[0].mend.is_some());
        let findings = accelerators(&[], &verdict(true));
        assert_eq!(findings[0].status, Status::Ok);
        assert_eq!(findings[0].detail, "because (tried in 12 ms)");
        assert_eq!(findings[0].mend, None);
    }

    #[test]
    fn a_helper_that_is_not_there_says_what_it_is_for() {
        for needed in &PROGRAMS {
            let finding = helper(needed, None);
            assert_eq!(finding.status, needed.without);
            assert!(finding.detail.contains(needed.purpose), "{finding:?}");
            assert!(finding.mend.is_some(), "{} has no package", needed.name);
        }
        let finding = helper(&PROGRAMS[0], Some("/usr/bin/qemu-img".into()));
        assert_eq!((finding.status, finding.detail.as_str()), (Status::Ok, "/usr/bin/qemu-img"));
    }

    #[test]
    fn this_host_is_described_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let findings = findings(dir).expect("nobody interrupts");
        for what in ["accelerator kvm", "qemu-img", "free memory", "runtime directory"] {
            assert_eq!(findings.iter().filter(|finding| finding.what == what).count(), 1, "{what}");
        }
        for finding in &findings {
            assert!(!finding.detail.is_empty(), "{finding:?}");
        }
    }
}
