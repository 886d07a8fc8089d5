//! The reference implementation of the configuration language, from the Python package index.

use std::path::PathBuf;
use std::process::Command;

/// What is installed: the release that the expected data were made with.
const PACKAGE: &str = "avocado-framework-plugin-vt==113.0";
const MODULE: &str = "virttest.cartesian_config";

/// Expands a file with further statements by a module that has a `Parser`, and prints how many variants and keys came out, and
/// how many seconds of processor time reading and expanding took.
const SCRIPT: &str = "\
import importlib, sys, time
Parser = importlib.import_module(sys.argv[1]).Parser
start = time.process_time()
parser = Parser(sys.argv[2])
for statement in sys.argv[3:]:
    parser.parse_string(statement)
parsed = time.process_time()
variants = keys = 0
for variant in parser.get_dicts():
    variants += 1
    keys += len(variant)
print(variants, keys, parsed - start, time.process_time() - parsed)
";

/// A Python with the reference in it.
pub struct Reference {
    python: PathBuf,
}

impl Reference {
    /// Makes a virtual environment below the build's own folder, unless there is one; `Err` says
    /// why there is none.
    pub fn new() -> Result<Self, String> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/reference");
        let python = folder.join("bin/python");
        let reference = Self { python };
        if !reference.works() {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
            let pip = ["-m", "pip", "install", "--quiet", PACKAGE];
            run(Command::new(&reference.python).args(pip))?;
        }
        if reference.works() { Ok(reference) } else { Err(format!("{PACKAGE} does not import")) }
    }

    /// The command that expands a file.
    pub fn expand(&self, file: &str, statements: &[&str]) -> Command {
        self.expand_by(MODULE, file, statements)
    }

    /// The command by which the same Python does the same with the `Parser` of another module.
    pub fn expand_by(&self, module: &str, file: &str, statements: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-c", SCRIPT, module, file]).args(statements);
        command
    }

    fn works(&self) -> bool {
        run(Command::new(&self.python).args(["-c", &format!("import {MODULE}")])).is_ok()
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
