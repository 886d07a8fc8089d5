//! `kvmtest doctor`: what this host can do.

use kvmtest::Result;
use kvmtest::guest::GuestStore;
use kvmtest::host::{Finding, Status, findings};
use kvmtest_runner::exit_code;

use crate::terminal::{clean, say};

pub(super) fn execute() -> Result<u8> {
    let mut all = findings();
    all.extend(guests()?);
    for finding in &all {
        let word = match finding.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Missing => "missing",
        };
        say(clean(&format!("{word:8} {}: {}", finding.what, finding.detail)));
        if let Some(mend) = &finding.mend {
            say(format!("         mend it: {mend}"));
        }
    }
    let missing = all.iter().any(|finding| finding.status == Status::Missing);
    Ok(if missing { exit_code::SETUP_IMPOSSIBLE } else { exit_code::ALL_PASSED })
}

fn guests() -> Result<Vec<Finding>> {
    let statuses = GuestStore::open()?.list()?;
    Ok(statuses
        .iter()
        .map(|status| Finding {
            status: if status.is_ready() { Status::Ok } else { Status::Warning },
            what: format!("guest `{}`", status.name),
            detail: status.state().to_owned(),
            mend: (!status.is_ready()).then(|| format!("kvmtest guest build {}", status.name)),
        })
        .collect())
}
