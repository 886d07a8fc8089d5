//! The reports that are made of a whole run when it is over.

use std::io;

use camino::Utf8PathBuf;

use super::Fold;
use super::format::Format;
use super::html::Links;
use super::results::write_whole;
use super::whole::Whole;
use crate::event::{Event, What};

/// Writes `summary.json`, `junit.xml`, `results.tap` and `results.html` when the run is over.
pub struct Documents {
    dir: Utf8PathBuf,
    whole: Whole,
    /// The file that could not be written.
    lost: &'static str,
}

impl Documents {
    /// Writes into `dir`, the results directory of the run.
    pub fn new(dir: impl Into<Utf8PathBuf>) -> Self {
        Self { dir: dir.into(), whole: Whole::default(), lost: Format::Json.file() }
    }

    fn write(&self, format: Format) -> io::Result<()> {
        let bytes = format.make(&self.whole, Links::Relative)?;
        write_whole(&self.dir.join(format.file()), &bytes)
    }
}

impl Fold for Documents {
    fn name(&self) -> &'static str {
        self.lost
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        self.whole.take(event);
        let mut result = Ok(());
        if let What::RunFinished { .. } = event.what {
            // One that cannot be written keeps no other from being tried: they differ in size.
            for format in Format::ALL {
                if let Err(error) = self.write(format)
                    && result.is_ok()
                {
                    self.lost = format.file();
                    result = Err(error);
                }
            }
        }
        result
    }
}
