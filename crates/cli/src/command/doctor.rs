//! `kvmtest doctor`: what this host can do.

use camino::Utf8Path;
use kvmtest::Result;
use kvmtest::guest::{GuestState, GuestStore};
use kvmtest::host::{Finding, Status, findings};
use kvmtest_runner::exit_code;

use crate::terminal::{clean, say};

pub(super) fn execute() -> Result<u8> {
    let mut all = findings(Utf8Path::new("."))?;
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
        .map(|status| {
            let what = format!("guest `{}`", status.name);
            match status.state {
                GuestState::Built { .. } => Finding::ok(what, status.state.to_string()),
                _ => Finding::warning(what, status.state.to_string())
                    .mended_by(format!("kvmtest guest build {}", status.name)),
            }
        })
        .collect())
}
