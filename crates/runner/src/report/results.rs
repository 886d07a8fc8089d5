//! The directory tree of a run's results.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Error, ErrorKind, Result};

/// The directory of one run: `results/<date-time>`, and below it one directory for each test.
#[derive(Debug, Clone)]
pub struct Results {
    dir: Utf8PathBuf,
}

impl Results {
    /// Makes a new directory for a run below `base`, and lets `latest` there point at it.
    ///
    /// Two runs that start in the same second get two directories.
    pub fn create(base: &Utf8Path) -> Result<Self> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Io, message));
        if base == "" {
            return wrong("the folder for results has no name: `--results DIR` names one".into());
        }
        if base.exists() && !base.is_dir() {
            return wrong(format!(
                "making a results directory in {base}: it is no folder (`--results DIR` names one)"
            ));
        }
        if base.is_relative()
            && let Err(error) = std::env::current_dir()
        {
            return wrong(format!(
                "cannot make results in `{base}`: the working directory cannot be reached, it may \
                 be removed: {error} (`cd` to one that is there)"
            ));
        }
        let base = std::path::absolute(base).map_err(Error::from).and_then(|path| {
            Utf8PathBuf::from_path_buf(path).map_err(|path| {
                Error::new(ErrorKind::Io, format!("the path is not UTF-8: {}", path.display()))
            })
        })?;
        let cannot = || {
            format!("making a results directory in {base} (`--results DIR` names another place)")
        };
        std::fs::create_dir_all(&base).with_context(cannot)?;
        let moment = jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S").to_string();
        let dir = first_free(&base, &moment).with_context(cannot)?;
        point_latest(&base, &dir).with_context(cannot)?;
        Ok(Self { dir })
    }

    /// Where it is.
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// The name of the directory of test `number`: `001-boot`.
    pub fn test_directory(number: u32, shortname: &str) -> String {
        const LONGEST: usize = 120;
        let mut name: String = shortname
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
            .collect();
        name.truncate(LONGEST);
        if name.is_empty() { format!("{number:03}") } else { format!("{number:03}-{name}") }
    }

    /// Makes the directory of a test.
    pub fn create_test(&self, directory: &str) -> io::Result<Utf8PathBuf> {
        let path = self.dir.join(directory);
        std::fs::create_dir(&path)?;
        Ok(path)
    }
}

/// Writes a file at once or not at all: nobody ever sees half of it.
pub(crate) fn write_whole(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".writing-")
        // Readable as any file that a program makes: results are there to be shown.
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn first_free(base: &Utf8Path, moment: &str) -> io::Result<Utf8PathBuf> {
    let mut dir = base.join(moment);
    for number in 2.. {
        match std::fs::create_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                dir = base.join(format!("{moment}-{number}"));
            }
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    Ok(dir)
}

/// Replaces the link in one step: at no moment does `latest` point nowhere.
fn point_latest(base: &Utf8Path, dir: &Utf8Path) -> io::Result<()> {
    let name = dir.file_name().unwrap_or_default();
    let new = base.join(format!(".latest-{name}"));
    std::os::unix::fs::symlink(name, &new)?;
    std::fs::rename(&new, base.join("latest")).inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
        (dir, path)
    }

    #[test]
    fn runs_that_start_together_do_not_meet() {
        let (_keep, base) = temporary();
        let base = base.join("deep/results");
        let dirs: std::collections::BTreeSet<Utf8PathBuf> = std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Results::create(&base).expect("made"))).collect();
            runs.into_iter().map(|run| run.join().expect("no panic").dir().to_owned()).collect()
        });
        assert_eq!(dirs.len(), 8);
        let latest = base.join("latest").canonicalize_utf8().expect("a link");
        assert!(dirs.iter().any(|dir| dir.canonicalize_utf8().expect("there") == latest));
        let names = base.read_dir_utf8().expect("listed");
        assert_eq!(names.count(), 9, "no temporary link is left");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named_with_the_way_out() {
        let (_keep, base) = temporary();
        std::fs::write(base.join("file"), "").expect("written");
        let error = Results::create(&base.join("file/results")).expect_err("no directory");
        let text = error.to_string();
        assert!(text.contains("file/results") && text.contains("--results"), "{text}");
    }

    #[test]
    fn what_is_no_folder_is_told_so() {
        let (_keep, base) = temporary();
        let file = base.join("x.html");
        std::fs::write(&file, "mine").expect("written");
        let error = Results::create(&file).expect_err("a file").to_string();
        assert!(error.contains("x.html: it is no folder (`--results DIR`"), "{error}");
        assert_eq!(std::fs::read(&file).expect("there"), b"mine");
        let error = Results::create("".into()).expect_err("no name").to_string();
        assert!(error.contains("has no name: `--results DIR`"), "{error}");
    }

    #[test]
    fn a_directory_called_latest_is_in_the_way() {
        let (_keep, base) = temporary();
        std::fs::create_dir(base.join("latest")).expect("made");
        std::fs::write(base.join("latest/mine"), "").expect("written");
        Results::create(&base).expect_err("it is not ours to remove");
        assert!(base.join("latest/mine").exists());
    }

    #[test]
    fn a_name_is_fit_for_a_file_system() {
        let check = |shortname: &str, expect: &str| {
            assert_eq!(Results::test_directory(7, shortname), expect);
        };
        check("boot", "007-boot");
        check("a.b-c_d", "007-a.b-c_d");
        check("../../etc/passwd", "007-.._.._etc_passwd");
        check("ü\n\0", "007-___");
        check("", "007");
        assert_eq!(Results::test_directory(12345, &"x".repeat(500)).len(), 126);
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let (_keep, base) = temporary();
        let path = base.join("result.json");
        write_whole(&path, b"one").expect("written");
        write_whole(&path, b"two").expect("replaced");
        assert_eq!(std::fs::read(&path).expect("read"), b"two");
        assert_eq!(base.read_dir_utf8().expect("listed").count(), 1);
        write_whole(&base.join("missing/result.json"), b"x").expect_err("no such directory");
    }
}
