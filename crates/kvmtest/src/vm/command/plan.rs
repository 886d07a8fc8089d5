//! What every part of the command line looks at.

use std::collections::HashSet;

use kvmtest_cartesian::nearest;

use super::machine::{Family, Machine};
use super::request::Request;
use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;

/// The request, with its params in today's spelling and its machine known.
pub(super) struct Plan<'a> {
    /// The request; its `params` are as they were given.
    pub(super) request: Request<'a>,
    /// The parameters, in today's spelling.
    pub(super) params: &'a Params,
    /// The machine type.
    pub(super) machine: Machine,
}

/// One name of a list in `params`, with the parameters as it sees them.
pub(super) struct Object {
    /// The name, as the list has it.
    pub(super) name: String,
    /// The name in a form that is safe as a part of QEMU's identifiers and of a file's name.
    pub(super) label: String,
    /// The parameters as the object sees them.
    pub(super) params: Params,
}

/// QEMU takes no longer names for block nodes.
const LONGEST_NODE_NAME: usize = 31;
/// Room for our own beginning, `floppy-`.
const LONGEST_LABEL: usize = LONGEST_NODE_NAME - 7;

impl Plan<'_> {
    /// The objects named in `key`, or `default` where it is not set. A name that comes twice is an
    /// error.
    pub(super) fn objects(&self, key: &str, default: &[&str]) -> Result<Vec<Object>> {
        let names = match self.params.find(key) {
            Some(_) => self.params.objects(key),
            None => default.to_vec(),
        };
        let mut seen = HashSet::new();
        let mut objects = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            if !seen.insert(name) {
                return Err(self.params.wrong(key, "a list in which each name comes once"));
            }
            let params = self.params.object_params(name);
            objects.push(Object { name: name.to_owned(), label: label(name, index), params });
        }
        Ok(objects)
    }

    /// The model of the virtio device `kind` that fits the machine: `virtio-net-pci`.
    pub(super) fn virtio(&self, kind: &str) -> String {
        match self.machine.family {
            Family::Microvm => format!("virtio-{kind}-device"),
            _ => format!("virtio-{kind}-pci"),
        }
    }

    /// Whether a device that nobody asked for, but that is good to have, is put in: as `key` says,
    /// and where it says nothing, if the binary has the model.
    pub(super) fn wants(&self, key: &str, model: &str) -> Result<bool> {
        let said = super::read::flag_if_set(self.params, key)?;
        Ok(said.unwrap_or_else(|| self.request.facts.has_device(model)))
    }

    /// The error for something that this binary does not have, with what it has that is like it.
    pub(super) fn lacks(&self, what: &str, name: &str, names: &[&str]) -> Error {
        let (major, minor) = self.request.facts.version();
        let like = nearest(name, names.iter().copied(), 3);
        let like: Vec<_> = like.iter().map(|name| format!("`{name}`")).collect();
        let like = match like.as_slice() {
            [] => String::new(),
            like => format!(" (it has {})", like.join(", ")),
        };
        let program = &self.request.paths.program;
        let message = format!("`{program}`, QEMU {major}.{minor}, has no {what} `{name}`{like}");
        Error::new(ErrorKind::Host, message)
    }
}

/// `name` if it is fit for identifiers, and its place in the list otherwise. A fit name may not
/// start with a dot, so that the two can never be the same.
fn label(name: &str, index: usize) -> String {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.chars().all(fit) && !name.starts_with('.') && name.len() <= LONGEST_LABEL {
        name.to_owned()
    } else {
        format!(".{index}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_safe_and_unambiguous() {
        assert_eq!(label("image1", 4), "image1");
        assert_eq!(label("../../etc", 0), ".0");
        assert_eq!(label("a,b=c", 1), ".1");
        assert_eq!(label(".1", 2), ".2");
        assert_eq!(label("ä", 3), ".3");
        assert_eq!(label(&"x".repeat(25), 5), ".5");
    }
}
