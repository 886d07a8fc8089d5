//! Files that only save work: what is broken, half written or foreign counts as absent.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Context, Result};

/// More than any of these files has; a file that somebody blew up is not read to its end.
const LIMIT: u64 = 16 << 20;

/// What a memo holds under which conditions it holds true.
#[derive(Serialize, Deserialize)]
struct Memo<K, T> {
    version: u32,
    key: K,
    content: T,
}

/// What the file at `path` holds, if it is of this `version` and was written for this `key`.
pub(crate) fn recall<K, T>(path: &Utf8Path, version: u32, key: &K) -> Option<T>
where
    K: DeserializeOwned + PartialEq,
    T: DeserializeOwned,
{
    let mut bytes = Vec::new();
    let file = match fs::File::open(path) {
        Ok(file) => file,
        // It never was.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::debug!(%path, %error, "nothing remembered");
            return None;
        }
    };
    file.take(LIMIT).read_to_end(&mut bytes).ok()?;
    match serde_json::from_slice::<Memo<K, T>>(&bytes) {
        Ok(memo) if memo.version == version && memo.key == *key => Some(memo.content),
        Ok(_) => {
            tracing::debug!(%path, "what was remembered is of something else");
            None
        }
        Err(error) => {
            tracing::debug!(%path, %error, "what was remembered cannot be read");
            None
        }
    }
}

/// Writes the file at `path`, at once or not at all. That it cannot be written is no reason to
/// fail: the work is done again next time.
pub(crate) fn remember<K: Serialize, T: Serialize>(
    path: &Utf8Path,
    version: u32,
    key: &K,
    content: &T,
) {
    if let Err(error) = write(path, &Memo { version, key, content }) {
        tracing::debug!(%path, %error, "cannot remember");
    }
}

fn write<T: Serialize>(path: &Utf8Path, memo: &T) -> Result<()> {
    let json = serde_json::to_vec(memo).map_err(std::io::Error::from)?;
    let (temporary, mut file) = create_beside(path)?;
    let written =
        file.write_all(&json).and_then(|()| fs::rename(&temporary, path)).context("writing");
    if written.is_err() {
        // What was written so far is of no use to anybody.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Several threads may write the same memo: each gets a file of its own.
fn create_beside(path: &Utf8Path) -> Result<(camino::Utf8PathBuf, fs::File)> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{path}.{}-{number}.new", std::process::id());
    // A file of that name is what a killed process of the same number left.
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&name)
        .with_context(|| format!("creating {name}"))?;
    Ok((name.into(), file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_recalled_under_its_key_and_version_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(dir.path()).expect("UTF-8").join("memo.json");
        let recalled = |version, key: &str| recall::<_, u32>(&path, version, &key.to_owned());
        assert_eq!(recalled(1, "a"), None);
        remember(&path, 1, &"a", &7);
        assert_eq!(recalled(1, "a"), Some(7));
        assert_eq!(recalled(1, "b"), None);
        assert_eq!(recalled(2, "a"), None);
        remember(&path, 1, &"b", &8);
        assert_eq!(recalled(1, "b"), Some(8));
        assert_eq!(fs::read_dir(&dir).expect("readable").count(), 1, "nothing is left over");
    }

    #[test]
    fn broken_memos_are_absent_and_are_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(dir.path()).expect("UTF-8").join("memo.json");
        remember(&path, 1, &"a", &7);
        let whole = fs::read(&path).expect("written");
        for broken in [&b""[..], b"\xff\xfe", b"[]", b"{\"version\":1}", &whole[..whole.len() - 1]]
        {
            fs::write(&path, broken).expect("written");
            assert_eq!(recall::<_, u32>(&path, 1, &"a".to_owned()), None);
        }
        remember(&path, 1, &"a", &9);
        assert_eq!(recall::<_, u32>(&path, 1, &"a".to_owned()), Some(9));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_no_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(dir.path()).expect("UTF-8").join("no/such/memo.json");
        remember(&path, 1, &"a", &7);
        assert_eq!(recall::<_, u32>(&path, 1, &"a".to_owned()), None);
        // A directory is in the way.
        let path = Utf8Path::from_path(dir.path()).expect("UTF-8").join("memo.json");
        fs::create_dir(&path).expect("made");
        remember(&path, 1, &"a", &7);
        assert_eq!(recall::<_, u32>(&path, 1, &"a".to_owned()), None);
        assert_eq!(fs::read_dir(&dir).expect("readable").count(), 1, "nothing is left over");
    }
}
