//! The configuration language against its reference implementation, on a real matrix: ratios of
//! processor time within one run. Part of `make bench`.
//!
//! The matrix lies beside the project, in `../shared/data`; without it there is nothing to measure.

#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use kvmtest_benches::{Figures, Program, Reference, Usage, first_line, usage, usage_and_output};
use kvmtest_cartesian::{Parser, Source};

const RUNS: usize = 11;

/// What leaves 4,663 variants: every test, on one guest and one set of hardware.
const LIST: [&str; 7] = [
    "only JeOS.27",
    "only i440fx",
    "only smp2",
    "only qcow2",
    "only virtio_net",
    "only virtio_blk",
    "kill_vm = yes",
];
/// What leaves 11,144: one test, on every Fedora and all hardware.
const FEDORA: [&str; 1] = ["only Fedora..boot"];

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cartesian/tp-qemu");
    let Ok(file) = data.join("tests.cfg").canonicalize() else {
        println!("skipped: there is no matrix at {}", data.display());
        return;
    };
    let bench = Bench { program: Program::new(), file };
    println!("processor time unless said otherwise; ratios are what counts\n");
    bench.parse();
    bench.first(&LIST);
    match Reference::new() {
        Ok(reference) => {
            bench.compare("4,663 variants", &LIST, &reference);
            bench.compare("Fedora..boot", &FEDORA, &reference);
        }
        Err(why) => println!("nothing is compared, for want of the reference: {why}"),
    }
    bench.memory();
}

struct Bench {
    program: Program,
    file: PathBuf,
}

impl Bench {
    /// The reading of all ten files, in this process.
    fn parse(&self) {
        let mut figures = Figures::default();
        for _ in 0..RUNS {
            let start = cpu();
            let mut parser = Parser::new();
            let first = load(&self.file.display().to_string(), "").expect("it is readable");
            parser.parse(first, &mut load);
            figures.add(cpu().saturating_sub(start));
            assert!(parser.diagnostics().iter().all(|diagnostic| !diagnostic.is_error()));
        }
        println!("reading 52,697 lines                {figures}");
    }

    /// From the start of the process to the first name, in wall time.
    fn first(&self, statements: &[&str]) {
        let (mut boot, mut any) = (Figures::default(), Figures::default());
        for _ in 0..RUNS {
            let boots = [statements, &["only boot"]].concat();
            boot.add(first_line(&mut self.list("names", &boots)));
            any.add(first_line(&mut self.list("names", &[])));
        }
        println!("wall time to the name of one test   {boot}");
        println!("wall time to the first of millions  {any}\n");
    }

    fn compare(&self, what: &str, statements: &[&str], reference: &Reference) {
        let file = self.file.display().to_string();
        let mut names = Figures::default();
        let mut dictionaries = Figures::default();
        let mut peak = 0;
        let mut measure = || {
            names.add(usage(&mut self.list("names", statements)).cpu);
            let whole = usage(&mut self.list("jsonl", statements));
            dictionaries.add(whole.cpu);
            peak = peak.max(whole.peak);
        };
        (0..RUNS / 2).for_each(|_| measure());
        let (theirs, text) = usage_and_output(&mut reference.expand(&file, statements));
        (0..=RUNS / 2).for_each(|_| measure());
        let (_, count) = usage_and_output(&mut self.list("count", statements));
        let expected = text.split_whitespace().next();
        assert_eq!(Some(count.trim()), expected, "both find the same number of variants");
        let seconds = theirs.cpu.as_secs_f64();
        let ratio = |figures: &Figures| seconds / figures.median().as_secs_f64();
        println!("{what}: {} variants", count.trim());
        println!("  the reference's dictionaries      {:9.1} ms", seconds * 1000.0);
        println!("  kvmtest list --format names       {names}");
        println!("    ratio {:.0}", ratio(&names));
        println!("  kvmtest list --format jsonl       {dictionaries}");
        println!("    ratio {:.0}, peak memory {} MiB\n", ratio(&dictionaries), peak / 1024);
    }

    /// The more variants, the same memory.
    fn memory(&self) {
        for statements in [&LIST[..], &FEDORA, &["only boot"]] {
            let (Usage { cpu, .. }, count) = usage_and_output(&mut self.list("count", statements));
            let names = usage(&mut self.list("names", statements));
            let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
            println!(
                "{:>9} variants: counted in {:.0} ms, named in {:.0} ms, peak memory {} MiB",
                count.trim(),
                milliseconds(cpu),
                milliseconds(names.cpu),
                names.peak / 1024
            );
        }
    }

    fn list(&self, format: &str, statements: &[&str]) -> std::process::Command {
        let mut command = self.program.command();
        command.args(["list", "--format", format, "--config"]).arg(&self.file).args(statements);
        command
    }
}

fn load(path: &str, from: &str) -> Result<Source, String> {
    let path = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    Ok(Source::new(path.display().to_string(), text))
}

/// The processor time of this process.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("it is no less than zero")
}
