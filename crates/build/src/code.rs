//! Writes the table of subtests as Rust.

use std::fmt::Write;
use std::path::Path;

use crate::found::{Found, Problem};

/// The modules and the table.
pub(crate) fn table(found: &[Found], shown: &Path) -> String {
    let mut code = String::from("// Written by the build script.\n\n");
    let mut rows = String::new();
    for subtest in found {
        let file = shown.join(format!("{}.rs", subtest.name));
        let file = file.to_string_lossy();
        if let Some(problem) = subtest.problem {
            let _ =
                writeln!(code, "compile_error!({:?});\n", sentence(&subtest.name, &file, problem));
            continue;
        }
        let module = module(&subtest.name);
        let Found { name, doc, .. } = subtest;
        let path = subtest.path.to_string_lossy();
        let _ = writeln!(code, "#[path = {path:?}]\npub mod {module};\n");
        let _ = writeln!(
            rows,
            "    ::kvmtest::Subtest {{\n        name: {name:?},\n        \
             file: concat!(env!(\"CARGO_PKG_NAME\"), \"/\", {file:?}),\n        \
             doc: {doc:?},\n        run: {module}::run_{name},\n    }},"
        );
    }
    let _ = write!(
        code,
        "/// Every subtest of this crate, by name.\n\
         pub static SUBTESTS: &[::kvmtest::Subtest] = &[\n{rows}];\n"
    );
    code
}

fn sentence(name: &str, file: &str, problem: Problem) -> String {
    match problem {
        Problem::Name => format!(
            "{file}: `{name}` cannot be the name of a subtest: \
             use letters, digits and `_`, with a letter first"
        ),
        Problem::Function => format!(
            "{file} has no `pub fn run_{name}(test: &mut Test, params: &Params, env: &mut Env) \
             -> Result<()>`: a subtest is a file with a function of its name"
        ),
    }
}

/// The name of the module; what Rust keeps for itself has to be written in another way.
fn module(name: &str) -> String {
    const KEPT: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
        "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in",
        "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
        "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe",
        "unsized", "use", "virtual", "where", "while", "yield",
    ];
    if KEPT.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}
