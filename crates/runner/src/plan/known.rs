//! The subtests that can be run, and the programs that run them.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use kvmtest::{Error, ErrorKind, Result, Subtest};

use crate::child::Program;

/// A subtest that can be run.
#[derive(Debug, Clone)]
pub struct KnownSubtest {
    /// What the key `type` names.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// What it does, in one line.
    pub doc: String,
    /// What runs it.
    pub program: Arc<Program>,
}

/// All subtests that can be run, by name.
#[derive(Debug, Clone, Default)]
pub struct Known {
    subtests: BTreeMap<String, KnownSubtest>,
}

impl Known {
    /// The subtests of `table`, which `program` runs, and whose crate is in `folder`.
    pub fn new(table: &[Subtest], folder: &Utf8Path, program: Program) -> Self {
        let program = Arc::new(program);
        let subtests = table
            .iter()
            .map(|subtest| KnownSubtest {
                name: subtest.name.to_owned(),
                file: in_folder(folder, subtest.file),
                doc: subtest.doc.to_owned(),
                program: program.clone(),
            })
            .map(|known| (known.name.clone(), known))
            .collect();
        Self { subtests }
    }

    /// Adds a subtest; two of the same name are an error that names both files.
    pub fn add(&mut self, subtest: KnownSubtest) -> Result<()> {
        if let Some(other) = self.subtests.get(&subtest.name) {
            let message = format!(
                "two subtests are called `{}`: {} and {}; rename one of the files and its function",
                subtest.name, other.file, subtest.file
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        self.subtests.insert(subtest.name.clone(), subtest);
        Ok(())
    }

    /// The subtest called `name`.
    pub fn get(&self, name: &str) -> Option<&KnownSubtest> {
        self.subtests.get(name)
    }

    /// Whether they are of more than one program: not only of those that ship.
    pub(super) fn are_of_several(&self) -> bool {
        let mut programs = self.subtests.values().map(|subtest| &subtest.program);
        let first = programs.next();
        first.is_some_and(|first| programs.any(|other| !Arc::ptr_eq(first, other)))
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &KnownSubtest> {
        self.subtests.values()
    }
}

/// The place of a file that its table names by the name of the crate: `mine/src/hello.rs`.
pub(super) fn in_folder(folder: &Utf8Path, file: &str) -> String {
    folder.join(file.split_once('/').map_or(file, |(_, file)| file)).into_string()
}
