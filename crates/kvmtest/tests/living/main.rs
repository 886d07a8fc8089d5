//! Whole machines that are moved, saved, forked and started from states, and what may go wrong
//! with that: with the real QEMU and the guest `small`. After each test nothing may be left.
//!
//! The program runs itself in a place of its own, and in other roles: as a guard, and as a process
//! that is killed in the middle of something. That is why it has a `main` of its own. It takes
//! parts of names as arguments, and `--list`.

#![expect(clippy::print_stdout, reason = "it is the harness of its tests")]

mod abandoned;
mod ends;
mod files;
mod killed;
mod machine;
mod moves;
mod newer;
mod place;
mod refused;
mod restored;
mod role;
mod twins;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use place::Place;
use rustix::process::{Signal, set_parent_process_death_signal};

type Test = (&'static str, fn(&Place));

const TESTS: &[&[Test]] = &[
    files::STATES,
    moves::TESTS,
    refused::TESTS,
    ends::TESTS,
    files::TESTS,
    restored::TESTS,
    twins::TESTS,
    newer::TESTS,
    killed::TESTS,
    abandoned::TESTS,
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = role::play(&args) {
        return code;
    }
    let (options, wanted): (Vec<_>, Vec<_>) =
        args.into_iter().partition(|arg| arg.starts_with("--"));
    let is_wanted =
        |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let tests: Vec<&Test> =
        TESTS.iter().copied().flatten().filter(|(name, _)| is_wanted(name)).collect();
    if options.iter().any(|option| option == "--list") {
        for (name, _) in tests {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    match Place::here() {
        Some(place) => {
            // Whoever ends the one that was called means this one, too.
            let _ = set_parent_process_death_signal(Some(Signal::KILL));
            run(&tests, &place)
        }
        None if tests.is_empty() => ExitCode::SUCCESS,
        None => Place::make_and_run(),
    }
}

fn run(tests: &[&Test], place: &Place) -> ExitCode {
    let mut failed = Vec::new();
    for (name, test) in tests {
        let begun = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| test(place)));
        let left = if ended.is_ok() { place.leftovers() } else { Vec::new() };
        place.clear();
        let took = begun.elapsed().as_secs_f32();
        match (&ended, left.as_slice()) {
            (Ok(()), []) => println!("test {name} ... ok ({took:.1} s)"),
            (_, left) => {
                println!("test {name} ... FAILED ({took:.1} s)");
                for left in left {
                    println!("  left behind: {left}");
                }
                failed.push(*name);
            }
        }
    }
    println!("{} of {} passed", tests.len() - failed.len(), tests.len());
    for name in &failed {
        println!("failed: {name}");
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
