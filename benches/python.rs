//! What the interpreter costs: a subtest in Python against one in Rust, and a command of a session
//! from either language. Part of `make bench`.

#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kvmtest::session::Session;
use kvmtest_benches::{Figures, Program, package, usage, usage_and_output};

/// How many tests of each language are in a run.
const TESTS: usize = 100;
/// How many commands are timed in each round, and how many rounds there are.
const COMMANDS: usize = 2_000;
const ROUNDS: usize = 7;

const NOTHING: &str = "def run_python(test, params, env):\n    pass\n";

const SESSION: &str = "
import sys, time, kvmtest
with kvmtest.ShellSession.spawn(['/bin/sh'], name='shell') as session:
    session.cmd('true')
    times = []
    for _ in range(int(sys.argv[1])):
        start = time.perf_counter_ns()
        session.cmd('true')
        times.append(time.perf_counter_ns() - start)
times.sort()
print(times[len(times) // 2])
";

fn main() {
    let Some(package) = package() else {
        println!("skipped: there is no package beside the program: `make python` makes it");
        return;
    };
    subtests(&Program::new());
    commands(&package);
}

/// Tests that do nothing, in both languages.
fn subtests(program: &Program) {
    let folder = program.room().join("tests");
    std::fs::create_dir(&folder).expect("made");
    std::fs::write(folder.join("python.py"), NOTHING).expect("written");
    let iterations = format!("iterations = {TESTS}");
    let arguments = |subtest| ["run", "--subtests", "tests", subtest, "vms =", &iterations];
    let (mut rust, mut python) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        rust.add(each(program.time(&arguments("nothing"))));
        python.add(each(program.time(&arguments("python"))));
    }
    println!("a test that does nothing, in Rust     {rust}");
    println!("the same in Python                    {python}");
    let more = python.median().saturating_sub(rust.median());
    println!("  the interpreter costs {:.1} ms", more.as_secs_f64() * 1000.0);
    let peak = |subtest| {
        usage(program.command().args(["run", "--subtests", "tests", subtest, "vms ="])).peak
    };
    let (rust, python) = (peak("nothing"), peak("python"));
    println!("  the largest process of a run: {rust} KiB, with Python {python} KiB\n");
}

fn each(time: Duration) -> Duration {
    time / u32::try_from(TESTS).expect("few")
}

/// The same command in the same kind of shell, in turn.
fn commands(package: &Path) {
    let (mut rust, mut python) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        rust.add(command_in_rust());
        python.add(command_in_python(package));
    }
    let micros = |figures: &Figures| figures.median().as_secs_f64() * 1e6;
    println!("a command of a session, from Rust     {:9.1} µs", micros(&rust));
    println!("the same from Python                  {:9.1} µs", micros(&python));
    println!("  difference {:.1} µs", micros(&python) - micros(&rust));
}

fn command_in_rust() -> Duration {
    let argv = ["/bin/sh".to_owned()];
    let mut session = Session::spawn(&argv, "shell", None).expect("a shell");
    session.cmd("true").expect("it answers");
    let mut figures = Figures::default();
    for _ in 0..COMMANDS {
        let start = Instant::now();
        session.cmd("true").expect("it answers");
        figures.add(start.elapsed());
    }
    figures.median()
}

fn command_in_python(package: &Path) -> Duration {
    let mut command = Command::new("python3");
    command.args(["-c", SESSION, &COMMANDS.to_string()]).env("PYTHONPATH", package);
    let (_, text) = usage_and_output(&mut command);
    Duration::from_nanos(text.trim().parse().expect("nanoseconds"))
}
