//! The budgets, as ratios within one run: `make bench`.
//!
//! Prints, never judges: figures of another host, or of a busy one, are other figures.

#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

use std::time::Duration;

use kvmtest_benches::{Figures, Program, boot_bare};

/// How often a boot is timed, and how often what takes milliseconds.
const BOOTS: usize = 7;
const QUICK: usize = 30;
/// How many tests that do nothing make a run.
const NOTHINGS: usize = 1000;
/// How many boot tests several workers share, and how often they do.
const SHARED: usize = 10;
const SHARINGS: usize = 3;

fn main() {
    let program = Program::new();
    println!("medians of this run; times are this host's, ratios are what counts\n");
    boots(&program);
    living(&program);
    nothing(&program);
    jobs(&program);
    commands(&program);
}

/// A boot test against the very same QEMU command without us, in turn.
fn boots(program: &Program) {
    // The first run leaves the script of its command, and is not counted.
    program.time(&["run", "boot"]);
    let script = program.room().join("qemu.sh");
    std::fs::copy(program.latest("001-boot/qemu-vm1.sh"), &script).expect("the run left it");
    let (mut ours, mut bare) = (Figures::default(), Figures::default());
    for _ in 0..BOOTS {
        bare.add(boot_bare(&script));
        ours.add(program.time(&["run", "boot"]));
    }
    println!("QEMU alone, exec to login to exit   {bare}");
    println!("kvmtest run boot                    {ours}");
    println!("  ratio {:.2}, difference {}\n", ours.ratio(&bare), difference(&ours, &bare));
}

/// The same test, on a machine that lives.
fn living(program: &Program) {
    let arguments = ["run", "boot", "kill_vm = no", "vm_lifetime = living"];
    let mut cold = Figures::default();
    cold.add(program.time(&arguments));
    let mut warm = Figures::default();
    for _ in 0..QUICK {
        warm.add(program.time(&arguments));
    }
    println!("boot test that starts its machine   {cold}");
    println!("boot test on the living machine     {warm}");
    println!("  ratio {:.4}\n", warm.ratio(&cold));
    program.time(&["env", "kill"]);
}

/// What a test costs that does nothing, and whether the last one costs more than the first.
fn nothing(program: &Program) {
    let iterations = format!("iterations = {NOTHINGS}");
    let time = program.time(&["run", "nothing", "vms =", &iterations]);
    let times = durations(program);
    assert_eq!(times.len(), NOTHINGS, "each repetition is a test");
    let (first, last) = (&times[..NOTHINGS / 4], &times[NOTHINGS / 4 * 3..]);
    let of = |times: &[Duration]| {
        let mut figures = Figures::default();
        for time in times {
            figures.add(*time);
        }
        figures
    };
    let each = time.as_secs_f64() * 1000.0 / f64::from(u32::try_from(NOTHINGS).expect("small"));
    println!("a test that does nothing            {each:9.1} ms each, in a run of {NOTHINGS}");
    println!("  the first quarter                 {}", of(first));
    println!("  the last quarter                  {}", of(last));
    println!("  ratio of the last to the first {:.2}\n", of(last).ratio(&of(first)));
}

/// Ten boot tests, one after another and two at one time, in turn.
fn jobs(program: &Program) {
    let iterations = format!("iterations = {SHARED}");
    let (mut one, mut two) = (Figures::default(), Figures::default());
    for _ in 0..SHARINGS {
        one.add(program.time(&["run", "boot", &iterations, "--jobs", "1"]));
        two.add(program.time(&["run", "boot", &iterations, "--jobs", "2"]));
    }
    println!("{SHARED} boot tests, --jobs 1            {one}");
    println!("{SHARED} boot tests, --jobs 2            {two}");
    println!("  ratio {:.2}\n", two.ratio(&one));
}

/// What people wait for most often.
fn commands(program: &Program) {
    let mut nothing = Figures::default();
    let mut version = Figures::default();
    let mut list = Figures::default();
    for _ in 0..QUICK {
        let start = std::time::Instant::now();
        let status = std::process::Command::new("true").status().expect("every host has it");
        assert!(status.success());
        nothing.add(start.elapsed());
        version.add(program.time(&["--version"]));
        list.add(program.time(&["list"]));
    }
    println!("true                                {nothing}");
    println!("kvmtest --version                   {version}  ratio {:.1}", version.ratio(&nothing));
    println!("kvmtest list                        {list}  ratio {:.1}", list.ratio(&nothing));
}

/// How long each test of the last run took, in order.
fn durations(program: &Program) -> Vec<Duration> {
    let text = std::fs::read_to_string(program.latest("summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let tests = summary["tests"].as_array().expect("a list of tests");
    tests
        .iter()
        .map(|test| Duration::from_millis(test["duration_ms"].as_u64().expect("a duration")))
        .collect()
}

fn difference(one: &Figures, other: &Figures) -> String {
    let difference = one.median().as_secs_f64() - other.median().as_secs_f64();
    format!("{:+.0} ms", difference * 1000.0)
}
