//! Folders of subtests: a crate, files in Python, or both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Error, ErrorKind, Result};

use super::known::{Code, Known, KnownSubtest};
use super::outside;
use crate::python;

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) subtests: Vec<KnownSubtest>,
    /// Names for which there is a file that is no subtest, and why it is none.
    pub(super) others: Vec<(String, String)>,
    /// Files that were meant as subtests and are none: why.
    pub(super) slips: Vec<String>,
}

/// Folders that were looked into, each once.
#[derive(Debug, Default)]
pub(super) struct Folders {
    known: Mutex<HashMap<Utf8PathBuf, Arc<Folder>>>,
}

impl Folders {
    /// What is in `dir`.
    pub(super) fn get(&self, dir: &Utf8Path) -> Result<Arc<Folder>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known.get(dir) {
            return Ok(folder.clone());
        }
        let folder = Arc::new(look_into(dir)?);
        known.insert(dir.to_owned(), folder.clone());
        Ok(folder)
    }
}

/// Adds the subtests in `dir` to `known`; a crate is built for that. Gives back what was meant as
/// a subtest and is none.
pub fn add_folder(known: &mut Known, dir: &Utf8Path) -> Result<Vec<String>> {
    let folder = look_into(dir)?;
    for subtest in folder.subtests {
        known.add(subtest)?;
    }
    for (name, why) in folder.others {
        known.add_other(name, why);
    }
    Ok(folder.slips)
}

fn look_into(dir: &Utf8Path) -> Result<Folder> {
    let fault = match dir.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "there is no such folder",
        Ok(metadata) if !metadata.is_dir() => "it is no folder",
        _ => "",
    };
    if !fault.is_empty() {
        let message = format!(
            "no subtests in `{dir}`: {fault}; name one with files `foo.py`, or a crate (`kvmtest \
             new DIR` makes one)"
        );
        return Err(Error::new(ErrorKind::Config, message));
    }
    let found =
        python::scan(dir).with_context(|| format!("looking for subtests in the folder {dir}"))?;
    let python = found.subtests.into_iter().map(|subtest| KnownSubtest {
        name: subtest.name,
        file: subtest.path.to_string(),
        doc: subtest.doc,
        code: Code::Python(subtest.path),
    });
    let mut subtests: Vec<KnownSubtest> = python.collect();
    if dir.join("Cargo.toml").is_file() {
        subtests.extend(outside::subtests(dir)?);
    } else if subtests.is_empty() && found.others.is_empty() {
        let message = format!(
            "{dir} holds no subtests: neither a file `foo.py` with a function `run_foo`, nor a \
             crate (`kvmtest new DIR` makes one)"
        );
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(Folder { subtests, others: found.others, slips: found.slips })
}
