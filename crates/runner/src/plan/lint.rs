//! What a configuration says that was hardly meant.

use camino::Utf8Path;
use kvmtest_cartesian::Diagnostic;

use super::config::{Loaded, Texts, Unreadable};
use super::files::{SUBTESTS, Shipped};
use super::known::Known;

/// Reads a configuration, the shipped one where no file is named, and tells what is odd about it,
/// in the order of its files.
///
/// That a key `type` names no subtest is told if most others name one that is known: a
/// configuration for other subtests is somebody else's. Where it names folders of subtests
/// (`subtest_dirs`), it is not told: which of them counts for a variant is known for each alone.
pub fn lint(
    file: Option<&Utf8Path>,
    shipped: &dyn Shipped,
    known: &Known,
) -> Result<Vec<Diagnostic>, Unreadable> {
    let texts = Texts { shipped, known, file, statements: &[], defaults: None };
    let Loaded { config, mut warnings } = texts.read()?.finish(&[])?;
    warnings.extend(config.lint());
    let names: Vec<&str> = known.iter().map(|subtest| subtest.name.as_str()).collect();
    let types = config.assigned("type");
    let elsewhere = !config.assigned("subtest_dirs").is_empty();
    if !elsewhere && types.iter().filter(|name| names.contains(name)).count() * 2 > types.len() {
        warnings.extend(config.lint_values("type", &names, "subtest"));
    }
    // Nobody wrote that one.
    warnings.retain(|warning| warning.file.as_ref() != SUBTESTS);
    Ok(warnings)
}
