//! Everything that a change has to pass, in the order of what it takes.

use std::path::Path;
use std::process::Command;

const STEPS: [&[&str]; 2] = [&["make", "lint"], &["make", "test"]];

/// Runs the steps in `root` until one fails; says which.
pub fn run(root: &Path) -> Result<(), String> {
    for step in STEPS {
        let line = step.join(" ");
        let status = Command::new(step[0])
            .args(&step[1..])
            .current_dir(root)
            .status()
            .map_err(|error| format!("cannot run `{line}`: {error}"))?;
        if !status.success() {
            return Err(format!("`{line}` ended with {status}"));
        }
    }
    Ok(())
}
