//! The subtests that can be run, and the programs that run them.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Error, ErrorKind, Params, Result, Subtest};

use super::folders::Folders;
use crate::child::Program;
use crate::python::Interpreters;

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
    pub code: Code,
}

/// What runs a subtest.
#[derive(Debug, Clone)]
pub enum Code {
    /// A program that it is compiled into.
    Compiled(Arc<Program>),
    /// A file for a Python, which the params name.
    Python(Utf8PathBuf),
    /// Such a file, as it is in this program.
    ShippedPython(&'static str),
}

/// All subtests that can be run, by name.
#[derive(Debug, Default)]
pub struct Known {
    subtests: BTreeMap<String, KnownSubtest>,
    /// Names that people may mean, and why they are none of a subtest.
    others: BTreeMap<String, String>,
    folders: Folders,
    interpreters: Interpreters,
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
                code: Code::Compiled(program.clone()),
            })
            .map(|known| (known.name.clone(), known))
            .collect();
        Self { subtests, ..Self::default() }
    }

    /// Adds a subtest; two of the same name are an error that names both files.
    pub fn add(&mut self, subtest: KnownSubtest) -> Result<()> {
        if let Some(other) = self.subtests.get(&subtest.name) {
            return Err(two(other, &subtest));
        }
        self.subtests.insert(subtest.name.clone(), subtest);
        Ok(())
    }

    /// Remembers why there is no subtest called `name`, although there is a file.
    pub(super) fn add_other(&mut self, name: String, why: String) {
        self.others.insert(name, why);
    }

    /// The subtest called `name`.
    pub fn get(&self, name: &str) -> Option<&KnownSubtest> {
        self.subtests.get(name)
    }

    /// The subtest that `params` name (`type`): one of these, or one in the folders that they name
    /// (`subtest_dirs`). Two of the same name are an error.
    pub(super) fn find(&self, params: &Params) -> Result<Option<KnownSubtest>> {
        let name = params.get("type")?;
        let mut found = self.get(name).cloned();
        for dir in dirs(params) {
            let here = self.folders.get(&dir)?;
            if let Some(subtest) = here.subtests.iter().find(|subtest| subtest.name == name) {
                match &found {
                    Some(other) if other.file != subtest.file => return Err(two(other, subtest)),
                    _ => found = Some(subtest.clone()),
                }
            }
        }
        Ok(found)
    }

    /// Why there is no subtest called `name`, where there is more to say than that.
    pub(super) fn why_not(&self, name: &str, params: Option<&Params>) -> Option<String> {
        let dirs = params.map(dirs).unwrap_or_default();
        let in_dirs = || {
            dirs.iter().find_map(|dir| {
                let folder = self.folders.get(dir).ok()?;
                folder.others.iter().find(|(other, _)| other == name).map(|(_, why)| why.clone())
            })
        };
        self.others.get(name).cloned().or_else(in_dirs)
    }

    /// The program that runs `subtest` with `params`, or why there is none.
    pub(super) fn program(
        &self,
        subtest: &KnownSubtest,
        params: &Params,
    ) -> Result<Arc<Program>, String> {
        let python = |file: &Utf8Path| self.interpreters.program(params, file).map(Arc::new);
        match &subtest.code {
            Code::Compiled(program) => Ok(program.clone()),
            Code::Python(file) => python(file),
            Code::ShippedPython(text) => {
                let file = crate::python::unpack(&subtest.name, text);
                python(&file.map_err(|error| error.to_string())?)
            }
        }
    }

    /// Whether there are others than those that ship: what params those read is not known.
    pub(super) fn are_of_several(&self) -> bool {
        let mut programs = self.subtests.values().filter_map(|subtest| match &subtest.code {
            Code::Compiled(program) => Some(program),
            Code::Python(_) | Code::ShippedPython(_) => None,
        });
        let first = programs.next();
        let is_python = |subtest: &KnownSubtest| matches!(subtest.code, Code::Python(_));
        self.subtests.values().any(is_python)
            || first.is_some_and(|first| programs.any(|other| !Arc::ptr_eq(first, other)))
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &KnownSubtest> {
        self.subtests.values()
    }
}

/// The folders that `subtest_dirs` names, as seen from the file that does so.
fn dirs(params: &Params) -> Vec<Utf8PathBuf> {
    let base = params.origin("subtest_dirs").map(|origin| Utf8Path::new(&*origin.file));
    let base = base.filter(|file| !file.as_str().starts_with('<')).and_then(Utf8Path::parent);
    let base = base.unwrap_or(Utf8Path::new(""));
    params.objects("subtest_dirs").into_iter().map(|dir| base.join(dir)).collect()
}

fn two(one: &KnownSubtest, other: &KnownSubtest) -> Error {
    let message = format!(
        "two subtests are called `{}`: {} and {}; rename one of the files and its function",
        one.name, one.file, other.file
    );
    Error::new(ErrorKind::Config, message)
}

/// The place of a file that its table names by the name of the crate: `mine/src/hello.rs`.
pub(super) fn in_folder(folder: &Utf8Path, file: &str) -> String {
    folder.join(file.split_once('/').map_or(file, |(_, file)| file)).into_string()
}
