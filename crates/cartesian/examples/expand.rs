//! Expands a configuration file and prints how long its steps took:
//! `cargo run --release --example expand -- FILE [STATEMENT…]`.

use kvmtest_cartesian::{Parser, Source};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = PathBuf::from(arguments.next().expect("a file"));
    let mut load = |path: &str, from: &str| {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let path = folder.join(path);
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok(Source::new(path.display().to_string(), text))
    };
    let begin = Instant::now();
    let mut last = begin;
    let mut step = |what: &str| {
        println!("{what:8} {:?}", last.elapsed());
        last = Instant::now();
    };
    let mut parser = Parser::new();
    let source = load(&file.display().to_string(), "").expect("the file is readable");
    parser.parse(source, &mut load);
    for statement in arguments {
        parser.statement(&statement);
    }
    step("parse");
    let (config, diagnostics) = parser.finish();
    step("finish");
    for diagnostic in &diagnostics {
        eprintln!("{}", diagnostic.render(false));
    }
    let first = config.variants().next().map(|variant| variant.name().to_owned());
    step("first");
    let count = config.variants().count();
    step("count");
    let keys: usize = config.variants().map(|variant| variant.len()).sum();
    step("expand");
    println!("{count} variants, {keys} keys, {:?}; the first: {first:?}", begin.elapsed());
}
