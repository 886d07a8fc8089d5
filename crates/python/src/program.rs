//! The program that guards machines, where the package says that it is.

use camino::Utf8PathBuf;
use kvmtest::{Error, ErrorKind, Result, lease};
use pyo3::prelude::*;

/// From now on the library asks the package.
pub(crate) fn ask_the_package() {
    lease::find_program_by(find);
}

fn find() -> Result<Utf8PathBuf> {
    Python::attach(|py| {
        let found = PyModule::import(py, "kvmtest")
            .and_then(|package| package.call_method0("program")?.extract::<String>());
        found.map(Utf8PathBuf::from).map_err(|error| {
            let value = error.value(py);
            let message = value.getattr("message").and_then(|message| message.extract::<String>());
            Error::new(ErrorKind::Host, message.unwrap_or_else(|_| error.to_string()))
        })
    })
}
