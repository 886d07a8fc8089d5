//! The subtests in Python that ship inside the program: an interpreter wants files.

use std::io::Write;

use camino::Utf8PathBuf;
use kvmtest::{Context, Result, directories};
use sha2::{Digest, Sha256};

/// Writes the subtest `name` where a Python finds it: a private folder of the cache, whose name
/// says what is in it, so that programs of two versions do not write the same file.
pub fn unpack(name: &str, text: &str) -> Result<Utf8PathBuf> {
    let digest = Sha256::digest(text.as_bytes());
    let digest = digest[..8].iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
    let dir = directories::cache()?.join("subtests").join(digest);
    let path = directories::private(&dir)?.join(format!("{name}.py"));
    if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(path);
    }
    // Somebody else may be reading, or writing the same.
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&dir)?;
        file.write_all(text.as_bytes())?;
        file.persist(&path)?;
        Ok(())
    };
    write().with_context(|| format!("writing the subtest {path}"))?;
    Ok(path)
}
