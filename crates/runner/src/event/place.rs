//! Where the events of a run are that somebody has named.

use camino::{Utf8Path, Utf8PathBuf};

/// The name of the file in the folder of a run.
pub(crate) const FILE: &str = "events.jsonl";

/// The name of the link to the last run in a folder of results.
const LATEST: &str = "latest";

/// The events of the run that `path` means: its folder, a folder of results with runs in it (then
/// it is the last one), or the file itself. The error is a sentence that tells what would be
/// right.
pub fn events_of(path: &Utf8Path) -> Result<Utf8PathBuf, String> {
    let shown = if path == "" { Utf8Path::new(".") } else { path };
    let candidates = [path.join(FILE), path.join(LATEST).join(FILE)];
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if let Some(found) = candidates.into_iter().find(|file| file.is_file()) {
        return Ok(found);
    }
    if let Err(error) = path.metadata() {
        let hint = match shown.parent().filter(|parent| !parent.as_str().is_empty()) {
            Some(parent) => runs(parent),
            None => Vec::new(),
        };
        return Err(match (error.kind(), hint.first()) {
            (std::io::ErrorKind::NotFound, Some(first)) => {
                format!("there are no results in {shown}: there is no such folder (but {first})")
            }
            (std::io::ErrorKind::NotFound, None) => format!(
                "there are no results in {shown}: there is no such folder (`kvmtest run` makes \
                 `results`, or what `--results` names)"
            ),
            _ => format!("there are no results to be read in {shown}: {error}"),
        });
    }
    Err(match runs(shown).as_slice() {
        [] => format!("{shown} is no run: it has no `{FILE}`, and no run is in it"),
        [first, ..] => {
            format!("{shown} is no run: it has no `{FILE}`; name one of the runs in it, as {first}")
        }
    })
}

/// The folders of runs in a folder, the last one first.
fn runs(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut runs: Vec<Utf8PathBuf> = entries.map(|entry| entry.path().to_owned()).collect();
    runs.retain(|run| run.join(FILE).is_file());
    runs.sort_by(|one, other| other.cmp(one));
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_in_several_ways() {
        let dir = tempfile::tempdir().expect("a directory");
        let base = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let run = |name: &str| {
            std::fs::create_dir(base.join(name)).expect("made");
            std::fs::write(base.join(name).join(FILE), "").expect("written");
            base.join(name)
        };
        let refused = |path: &Utf8Path, parts: &[&str]| {
            let text = events_of(path).expect_err(path.as_str());
            for part in parts {
                assert!(text.contains(part), "`{text}` lacks `{part}`");
            }
        };
        refused(base, &["is no run: it has no `events.jsonl`, and no run is in it"]);
        refused(
            &base.join("x"),
            &["there are no results in", "no such folder (`kvmtest run` makes"],
        );
        let (one, two) = (run("1"), run("2"));
        assert_eq!(events_of(&one), Ok(one.join(FILE)));
        assert_eq!(events_of(&one.join(FILE)), Ok(one.join(FILE)));
        refused(base, &["name one of the runs in it, as", two.as_str()]);
        refused(&base.join("latest"), &["no such folder (but", two.as_str()]);
        refused(&one.join(FILE).join("x"), &["there are no results to be read in"]);
        std::os::unix::fs::symlink("1", base.join("latest")).expect("linked");
        assert_eq!(events_of(base), Ok(base.join("latest").join(FILE)));
    }
}
